// How fast and how large a merge is: 8 versions of one fp32 tensor, by method.
//
// The sources are generated where they are read (a copy out of a small random buffer), so
// that the numbers are the engine's and not a disk's. FLAIR_BENCH_ELEMENTS sets the
// elements per version (default 25 million; the size is 100 million).
// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "base/threads.h"
#include "merge/combine.h"
#include "merge/krum.h"
#include "merge/weights.h"

namespace flair {
namespace {

constexpr std::size_t kInputs = 8;

std::uint64_t NumElements() {
  const char* const text = std::getenv("FLAIR_BENCH_ELEMENTS");
  return text == nullptr ? 25'000'000 : std::strtoull(text, nullptr, 10);
}

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

CombineInputs Inputs(std::uint64_t num_elements) {
  CombineInputs in;
  in.name = "w";
  in.num_elements = num_elements;
  in.target = std::make_shared<GeneratedSource>(num_elements, 99);
  for (std::uint32_t i = 0; i < kInputs; ++i) {
    in.inputs.push_back(std::make_shared<GeneratedSource>(num_elements, i));
    in.bases.push_back(in.target);
  }
  return in;
}

// Reads the whole merged tensor, as a store does that hashes and writes it.
void ReadAll(const ByteSource& merged, benchmark::State& state) {
  const std::uint64_t block = kMergeBlockElements * sizeof(float);
  const std::uint64_t num_blocks = (merged.size_bytes() + block - 1) / block;
  const Status status = ParallelFor(num_blocks, [&](std::size_t i) -> Status {
    thread_local Bytes out;
    out.resize(std::min(block, merged.size_bytes() - i * block));
    FLAIR_DO(merged.ReadAt(i * block, out));
    benchmark::DoNotOptimize(out.data());
    return OkStatus();
  });
  if (!status.ok()) state.SkipWithError(status.error().message().c_str());
}

void Report(benchmark::State& state, std::uint64_t num_elements) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  state.counters["peak_rss_mb"] = static_cast<double>(usage.ru_maxrss) / 1024;
  state.SetBytesProcessed(static_cast<std::int64_t>(static_cast<std::uint64_t>(state.iterations()) *
                                                    kInputs * num_elements * sizeof(float)));
}

void Combine(benchmark::State& state, MergeMethod method) {
  const std::uint64_t n = NumElements();
  const CombineInputs in = Inputs(n);
  auto rule = MakeMergeRule(method, {}, kInputs);
  rule->alpha = EqualWeights(kInputs);
  for (auto _ : state) {
    if (method == MergeMethod::kKrum) {
      KrumDistances distances(kInputs);
      const Status status = distances.Add(in);
      if (!status.ok()) state.SkipWithError(status.error().message().c_str());
      rule->alpha = KrumAlpha(distances, rule->krum_f, rule->krum_m);
    }
    ReadAll(*CombinedTensor(in, *rule, TensorRole::kTrainable), state);
  }
  Report(state, n);
}

void BM_FedAvg(benchmark::State& state) { Combine(state, MergeMethod::kFedAvg); }
void BM_Median(benchmark::State& state) { Combine(state, MergeMethod::kMedian); }
void BM_TrimmedMean(benchmark::State& state) { Combine(state, MergeMethod::kTrimmedMean); }
void BM_Krum(benchmark::State& state) { Combine(state, MergeMethod::kKrum); }
BENCHMARK(BM_FedAvg)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(BM_Median)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(BM_TrimmedMean)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(BM_Krum)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace flair
