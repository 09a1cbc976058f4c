// What committing costs for each cell, all in: reading, pads, encoding, hashing, tree.
// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include <memory>

#include "zk/prover/committed_matrix.h"

namespace flair::zk {
namespace {

// Cells that cost nothing to make.
class CountingRows final : public RowSource {
 public:
  void ReadPart(std::uint64_t row, std::uint64_t first,
                std::span<std::uint64_t> cells) const override {
    for (std::size_t j = 0; j < cells.size(); ++j) cells[j] = row * 0x9E37'79B9 + first + j;
  }
};

void Commit(benchmark::State& state) {
  MatrixShape shape;
  shape.log_columns = static_cast<unsigned>(state.range(0));
  shape.log_n = shape.log_columns + static_cast<unsigned>(state.range(1));
  shape.num_rows = (std::uint64_t{1} << 24) >> shape.log_columns;
  shape.num_pads = PadsForOneOpening(shape.log_columns, shape.log_n);
  const auto rows = std::make_shared<CountingRows>();
  for (auto _ : state) {
    benchmark::DoNotOptimize(CommittedMatrix::Commit(shape, rows, Digest{})->root());
  }
  state.counters["per_cell"] = benchmark::Counter(
      static_cast<double>(shape.num_rows << shape.log_columns),
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

// kappa, and by how many powers of two the codeword is longer.
BENCHMARK(Commit)
    ->ArgsProduct({{10, 12, 14, 16, 17, 18}, {1, 2}})
    ->MeasureProcessCPUTime()
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace flair::zk
