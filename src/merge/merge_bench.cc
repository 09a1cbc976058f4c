// How fast and how large a merge is: 8 versions of one fp32 tensor, by method.
//
// The sources are generated where they are read (a copy out of a small random buffer), so
// that the numbers are the engine's and not a disk's. bench/bench_merge.py runs it with
// --elements 100000000 and reads its lines; the default is 25 million, --inputs 8.
// SPDX-License-Identifier: Apache-2.0
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/threads.h"
#include "merge/combine.h"
#include "merge/krum.h"
#include "merge/weights.h"

namespace flair {
namespace {

// Repeats 1 MiB and a bit of random values in (-1, 1), each version with its own.
class GeneratedSource : public ByteSource {
 public:
  GeneratedSource(std::uint64_t num_elements, std::uint32_t seed)
      : size_bytes_(num_elements * sizeof(float)), pattern_((1 << 18) + 4099) {
    std::uint32_t state = seed * 2654435761U + 1;
    for (float& v : pattern_) {
      state = state * 1664525U + 1013904223U;
      v = static_cast<float>(static_cast<std::int32_t>(state)) * 0x1p-31F;
    }
  }
  std::uint64_t size_bytes() const override { return size_bytes_; }
  Status ReadAt(std::uint64_t offset, MutableByteView out) const override {
    const std::uint64_t period = pattern_.size() * sizeof(float);
    const auto* const bytes = reinterpret_cast<const std::byte*>(pattern_.data());
    while (!out.empty()) {
      const std::uint64_t at = offset % period;
      const std::size_t n = std::min<std::uint64_t>(out.size(), period - at);
      std::memcpy(out.data(), bytes + at, n);
      offset += n;
      out = out.subspan(n);
    }
    return OkStatus();
  }

 private:
  std::uint64_t size_bytes_;
  std::vector<float> pattern_;
};

CombineInputs Inputs(std::uint64_t num_elements, std::uint32_t num_inputs) {
  CombineInputs in;
  in.name = "w";
  in.num_elements = num_elements;
  in.target = std::make_shared<GeneratedSource>(num_elements, 99);
  for (std::uint32_t i = 0; i < num_inputs; ++i) {
    in.inputs.push_back(std::make_shared<GeneratedSource>(num_elements, i));
    in.bases.push_back(in.target);
  }
  return in;
}

// Reads the whole merged tensor, as a store does that hashes and writes it. The sum of a
// byte per block keeps the work from being left out.
Result<std::uint64_t> ReadAll(const ByteSource& merged) {
  const std::uint64_t block = kMergeBlockElements * sizeof(float);
  const std::uint64_t num_blocks = (merged.size_bytes() + block - 1) / block;
  std::atomic<std::uint64_t> sum{0};
  const auto read = [&](std::size_t i) -> Status {
    thread_local Bytes out;
    out.resize(std::min(block, merged.size_bytes() - i * block));
    FLAIR_DO(merged.ReadAt(i * block, out));
    sum += std::to_integer<std::uint64_t>(out.back());
    return OkStatus();
  };
  FLAIR_DO(ParallelFor(num_blocks, read));
  return sum.load();
}

Status Run(MergeMethod method, const CombineInputs& in) {
  const auto start = std::chrono::steady_clock::now();
  FLAIR_TRY(MergeRule rule, MakeMergeRule(method, {}, in.inputs.size()));
  rule.alpha = EqualWeights(in.inputs.size());
  if (method == MergeMethod::kKrum) {
    KrumDistances distances(in.inputs.size());
    FLAIR_DO(distances.Add(in));
    rule.alpha = KrumAlpha(distances, rule.krum_f, rule.krum_m);
  }
  FLAIR_DO(ReadAll(*CombinedTensor(in, rule, TensorRole::kTrainable)));
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  std::printf("%-13s %8.3f s\n", std::string(MergeMethodName(method)).c_str(), seconds.count());
  return OkStatus();
}

int Main(int argc, char** argv) {
  std::uint64_t num_elements = 25'000'000;
  std::uint32_t num_inputs = 8;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::uint64_t value = std::strtoull(argv[i + 1], nullptr, 10);
    if (std::string_view(argv[i]) == "--elements") num_elements = value;
    if (std::string_view(argv[i]) == "--inputs") num_inputs = static_cast<std::uint32_t>(value);
  }
  const CombineInputs in = Inputs(num_elements, num_inputs);
  for (const MergeMethod method : {MergeMethod::kFedAvg, MergeMethod::kMedian,
                                   MergeMethod::kTrimmedMean, MergeMethod::kKrum}) {
    if (const Status status = Run(method, in); !status.ok()) {
      std::fprintf(stderr, "%s\n", status.error().message().c_str());
      return 1;
    }
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf("peak_rss      %8.1f MB\n", static_cast<double>(usage.ru_maxrss) / 1024);
  return 0;
}

}  // namespace
}  // namespace flair

int main(int argc, char** argv) { return flair::Main(argc, argv); }
