// How fast a store takes and gives model weights, on the real disk, fsync included.
// FLAIR_BENCH_MIB sets the size (default 256), TMPDIR the disk.
// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <cstring>
#include <memory>
#include <random>
#include <string>

#include "base/env.h"
#include "base/threads.h"
#include "store/object_store.h"

namespace flair {
namespace {

// Approximately normal fp32, sigma 0.02, from a multiply-xor generator: the bench is
// about the store, and std::normal_distribution is slower than it.
Bytes Weights(std::size_t bytes, std::uint64_t seed) {
  Bytes out(bytes / 4 * 4);
  std::uint64_t state = seed * 0x9E3779B97F4A7C15 + 1;
  for (std::size_t i = 0; i < out.size(); i += 4) {
    state = state * 6364136223846793005 + 1442695040888963407;
    const std::uint64_t r = state ^ (state >> 29);
    float sum = 0;
    for (int k = 0; k < 4; ++k) sum += static_cast<float>((r >> (16 * k)) & 0xFFFF) / 65536 - 0.5F;
    sum *= 0.035F;
    // Low mantissa bits of their own, as training leaves them.
    std::uint32_t word;
    std::memcpy(&word, &sum, 4);
    word ^= static_cast<std::uint32_t>(state >> 50) & 0xFFF;
    std::memcpy(out.data() + i, &word, 4);
  }
  return out;
}

Bytes Trained(const Bytes& weights) {
  Bytes out = weights;
  const Bytes step = Weights(1 << 20, 99);
  for (std::size_t i = 0; i + 4 <= out.size(); i += 4) {
    float w;
    float d;
    std::memcpy(&w, out.data() + i, 4);
    std::memcpy(&d, step.data() + i % step.size(), 4);
    w += 0.001F * d;
    std::memcpy(out.data() + i, &w, 4);
  }
  return out;
}

std::size_t BenchBytes() {
  const char* const mib = getenv("FLAIR_BENCH_MIB");
  return (mib != nullptr ? std::strtoull(mib, nullptr, 10) : 256) << 20;
}

class Folder {
 public:
  Folder() {
    const char* const tmp = getenv("TMPDIR");
    path_ = std::string(tmp != nullptr ? tmp : "/tmp") + "/flair-bench-XXXXXX";
    if (mkdtemp(path_.data()) == nullptr) std::abort();
  }
  ~Folder() { (void)RemoveTree(PosixEnv(), path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// The model is one file read from disk, tensor by tensor of 64 MiB.
constexpr std::size_t kTensorBytes = std::size_t{64} << 20;

struct Model {
  explicit Model(const std::string& file, const Bytes& bytes) {
    auto out = PosixEnv().OpenForWrite(file, WriteMode::kTruncate);
    if (!out.ok() || !(*out)->Append(bytes).ok()) std::abort();
    source = std::move(PosixEnv().OpenForRead(file)).value();
  }
  std::unique_ptr<ByteSource> source;
};

std::vector<ContentRef> PutModel(ObjectStore& store, const Model& model, PutOptions options,
                                 const std::vector<ContentRef>& bases) {
  auto batch = store.Begin();
  if (!batch.ok()) std::abort();
  std::vector<ContentRef> contents;
  for (std::size_t at = 0; at < model.source->size_bytes(); at += kTensorBytes) {
    const std::size_t length = std::min(kTensorBytes, model.source->size_bytes() - at);
    if (!bases.empty()) options.base = bases[contents.size()].hash;
    auto put = (*batch)->PutContent(*SourceOfRange(*model.source, at, length), options);
    if (!put.ok()) std::abort();
    contents.push_back(*put);
  }
  if (!(*batch)->Commit().ok()) std::abort();
  return contents;
}

std::unique_ptr<ObjectStore> OpenStore(const std::string& folder) {
  auto store = ObjectStore::Open(PosixEnv(), folder);
  if (!store.ok()) std::abort();
  return std::move(store).value();
}

void Finish(benchmark::State& state, std::size_t bytes, std::uint64_t stored) {
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes) * state.iterations());
  state.counters["ratio"] = static_cast<double>(stored) / static_cast<double>(bytes);
}

void RunPut(benchmark::State& state, const Bytes& bytes, PutOptions options) {
  const Folder folder;
  const Model model(folder.path() + "/model", bytes);
  std::uint64_t stored = 0;
  for (auto _ : state) {
    const auto store = OpenStore(folder.path() + "/store");
    PutModel(*store, model, options, {});
    stored = store->StoredBytes();
    state.PauseTiming();
    (void)RemoveTree(PosixEnv(), folder.path() + "/store");
    state.ResumeTiming();
  }
  Finish(state, bytes.size(), stored);
}

constexpr PutOptions kFp32{.element_bytes = 4, .is_float = true, .base = {}};

void BM_PutFp32(benchmark::State& state) { RunPut(state, Weights(BenchBytes(), 1), kFp32); }
BENCHMARK(BM_PutFp32)->MeasureProcessCPUTime()->UseRealTime()->Unit(benchmark::kMillisecond);

void BM_PutNoise(benchmark::State& state) {
  Bytes bytes(BenchBytes());
  std::mt19937_64 random(1);
  for (std::size_t i = 0; i + 8 <= bytes.size(); i += 8) {
    const std::uint64_t word = random();
    std::memcpy(bytes.data() + i, &word, 8);
  }
  RunPut(state, bytes, kFp32);
}
BENCHMARK(BM_PutNoise)->MeasureProcessCPUTime()->UseRealTime()->Unit(benchmark::kMillisecond);

void BM_PutFp32Delta(benchmark::State& state) {
  const Folder folder;
  const Bytes first = Weights(BenchBytes(), 1);
  const Model base(folder.path() + "/base", first);
  const Model next(folder.path() + "/next", Trained(first));
  std::uint64_t stored = 0;
  for (auto _ : state) {
    state.PauseTiming();
    (void)RemoveTree(PosixEnv(), folder.path() + "/store");
    const auto store = OpenStore(folder.path() + "/store");
    const auto bases = PutModel(*store, base, kFp32, {});
    const std::uint64_t before = store->StoredBytes();
    state.ResumeTiming();
    PutModel(*store, next, kFp32, bases);
    stored = store->StoredBytes() - before;
  }
  Finish(state, first.size(), stored);
}
BENCHMARK(BM_PutFp32Delta)->MeasureProcessCPUTime()->UseRealTime()->Unit(benchmark::kMillisecond);

void Stream(benchmark::State& state, const ObjectStore& store,
            const std::vector<ContentRef>& contents, const std::string& file) {
  std::uint64_t bytes = 0;
  for (auto _ : state) {
    auto out = PosixEnv().OpenForWrite(file, WriteMode::kTruncate);
    if (!out.ok()) std::abort();
    for (const ContentRef& content : contents) {
      const Status status =
          store.StreamContent(content.hash, [&](ByteView piece) { return (*out)->Append(piece); });
      if (!status.ok()) std::abort();
      bytes += content.size_bytes;
    }
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
}

void BM_CheckoutFp32(benchmark::State& state) {
  const Folder folder;
  const Model model(folder.path() + "/model", Weights(BenchBytes(), 1));
  const auto store = OpenStore(folder.path() + "/store");
  const auto contents = PutModel(*store, model, kFp32, {});
  Stream(state, *store, contents, folder.path() + "/out");
}
BENCHMARK(BM_CheckoutFp32)->MeasureProcessCPUTime()->UseRealTime()->Unit(benchmark::kMillisecond);

// The tip behind `range` deltas.
void BM_CheckoutFp32Delta(benchmark::State& state) {
  const Folder folder;
  Bytes bytes = Weights(BenchBytes(), 1);
  const auto store = OpenStore(folder.path() + "/store");
  std::vector<ContentRef> contents;
  for (std::int64_t i = 0; i <= state.range(0); ++i) {
    const Model model(folder.path() + "/model", bytes);
    contents = PutModel(*store, model, kFp32, contents);
    bytes = Trained(bytes);
  }
  Stream(state, *store, contents, folder.path() + "/out");
}
BENCHMARK(BM_CheckoutFp32Delta)
    ->Arg(1)
    ->Arg(3)
    ->MeasureProcessCPUTime()
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace flair
