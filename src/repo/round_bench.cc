// A whole round: eight fp32 contributions in a store on disk, merged into a commit.
//
// What merge_bench.cc leaves out: decoding the inputs, hashing, encoding and writing the
// result. FLAIR_BENCH_ELEMENTS sets the parameters of a model (default 4 million).
// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/env.h"
#include "object/file.h"
#include "repo/merge_commits.h"

namespace flair {
namespace {

constexpr std::uint32_t kInputs = 8;

template <typename T>
T Get(Result<T> result) {
  FLAIR_CHECK(result.ok()) << result.error().message();
  return std::move(result).value();
}

std::uint64_t NumElements() {
  const char* const text = std::getenv("FLAIR_BENCH_ELEMENTS");
  return text == nullptr ? 4'000'000 : std::strtoull(text, nullptr, 10);
}

// Like trained weights: a common start, and a small change for each site.
Bytes Weights(std::uint64_t n, std::uint32_t site) {
  std::vector<float> values(n);
  std::uint32_t start = 1;
  std::uint32_t change = site * 2654435761U + 1;
  for (float& v : values) {
    start = start * 1664525U + 1013904223U;
    change = change * 22695477U + 1U;
    v = static_cast<float>(static_cast<std::int32_t>(start)) * 0x1p-36F;
    if (site > 0) v += static_cast<float>(static_cast<std::int32_t>(change)) * 0x1p-42F;
  }
  const auto bytes = std::as_bytes(std::span(values));
  return {bytes.begin(), bytes.end()};
}

class Round {
 public:
  Round()
      : folder_(std::filesystem::temp_directory_path() /
                ("flair_round_bench_" + std::to_string(PosixEnv().NowNs()))),
        store_(Get(ObjectStore::Open(PosixEnv(), folder_.string()))) {
    base_ = Put(0, {});
    for (std::uint32_t i = 1; i <= kInputs; ++i) {
      inputs_.push_back({.commit = Put(i, {base_}), .samples = i});
    }
  }
  ~Round() { std::filesystem::remove_all(folder_); }

  PreparedMerge Merge(MergeMethod method) {
    MergeOptions options;
    options.method = method;
    // Another second, another commit; the contents are stored already after the first.
    options.time_s = ++time_s_;
    options.message = "round";
    return Get(PrepareMerge(*store_, base_, inputs_, options));
  }

 private:
  CommitId Put(std::uint32_t site, std::vector<CommitId> parents) {
    const Bytes bytes = Weights(NumElements(), site);
    const auto batch = Get(store_->Begin());
    File file;
    file.format = FileFormat::kSafetensors;
    file.segments.push_back(InlineSegment{ToBytes("header")});
    TensorSegment segment;
    segment.name = "w";
    segment.tensor.dims = {NumElements()};
    segment.tensor.content = Get(batch->PutContent(
        *SourceOfBytes(bytes), {.element_bytes = 4, .is_float = true, .base = content_}));
    content_ = segment.tensor.content.hash;
    file.segments.push_back(segment);
    Tree tree;
    TreeEntry entry;
    entry.path = "model.safetensors";
    entry.size_bytes = file.size_bytes();
    entry.file = FileId{Get(batch->PutObject(ObjectKind::kFile, EncodeFile(file)))};
    tree.entries.push_back(entry);
    Commit commit;
    commit.parents = std::move(parents);
    commit.time_s = ++time_s_;
    commit.message = "site";
    commit.tree = TreeId{Get(batch->PutObject(ObjectKind::kTree, EncodeTree(tree)))};
    Get(batch->PutObject(ObjectKind::kCommit, EncodeCommit(commit)));
    Get(batch->Commit());
    return IdOf(commit);
  }

  std::filesystem::path folder_;
  std::unique_ptr<ObjectStore> store_;
  std::optional<Digest> content_;
  CommitId base_;
  std::vector<MergeInput> inputs_;
  std::uint64_t time_s_ = 0;
};

void BM_Round(benchmark::State& state, MergeMethod method) {
  Round round;
  for (auto _ : state) benchmark::DoNotOptimize(round.Merge(method));
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  state.counters["peak_rss_mb"] = static_cast<double>(usage.ru_maxrss) / 1024;
  state.SetBytesProcessed(static_cast<std::int64_t>(static_cast<std::uint64_t>(state.iterations()) *
                                                    kInputs * NumElements() * sizeof(float)));
}
BENCHMARK_CAPTURE(BM_Round, fedavg, MergeMethod::kFedAvg)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(BM_Round, median, MergeMethod::kMedian)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(BM_Round, krum, MergeMethod::kKrum)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace flair
