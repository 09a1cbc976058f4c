// What an element costs: products, transforms, and the columns' hashes.
// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include <random>
#include <vector>

#include "zk/field/fft.h"
#include "zk/field/tile.h"
#include "zk/hash/leaf.h"

namespace flair::zk {
namespace {

std::vector<std::uint64_t> Values(std::size_t n) {
  std::mt19937_64 random(1);
  std::vector<std::uint64_t> values(n);
  for (std::uint64_t& v : values) v = Fp(random()).value();
  return values;
}

void PerElement(benchmark::State& state, std::size_t elements) {
  state.counters["per_element"] = benchmark::Counter(
      static_cast<double>(elements),
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void Multiply(benchmark::State& state, const TileKernels* kernels) {
  std::vector<std::uint64_t> x = Values(4096);
  const std::vector<std::uint64_t> y = Values(4096);
  for (auto _ : state) kernels->multiply(x.data(), y.data(), x.size());
  PerElement(state, x.size());
}

void Transform(benchmark::State& state, const TileKernels* kernels) {
  const Fft fft(static_cast<unsigned>(state.range(0)));
  std::vector<std::uint64_t> tile = Values(kTileRows * fft.size());
  for (auto _ : state) fft.Forward(tile, *kernels);
  PerElement(state, tile.size());
}

void Columns(benchmark::State& state) {
  const std::size_t n = 1 << 14;
  ColumnHasher hasher(1 << 20, std::vector<Salt>(n), [](std::uint64_t slot) { return slot; });
  const std::vector<std::uint64_t> tile = Values(kTileRows * n);
  for (auto _ : state) {
    for (std::size_t j = 0; j < n; ++j) hasher.Absorb(j, &tile[j * kTileRows]);
  }
  PerElement(state, tile.size());
}

const int kRegistered = [] {
  for (const TileKernels* kernels : AllKernels()) {
    const std::string name(kernels->name);
    benchmark::RegisterBenchmark(("multiply/" + name).c_str(), Multiply, kernels);
    benchmark::RegisterBenchmark(("fft/" + name).c_str(), Transform, kernels)
        ->Arg(10)
        ->Arg(14)
        ->Arg(18);
  }
  benchmark::RegisterBenchmark("columns/sha256", Columns);
  return 0;
}();

}  // namespace
}  // namespace flair::zk
