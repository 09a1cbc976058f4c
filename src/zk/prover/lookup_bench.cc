// What the lookup argument costs for each leaf: tree, sumchecks, values; without the opening.
// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include "zk/lookup/equations.h"
#include "zk/prover/fraction_sumcheck.h"

namespace flair::zk {
namespace {

void Lookups(benchmark::State& state) {
  const auto log_size = static_cast<unsigned>(state.range(0));
  const unsigned log_rows = log_size - 4;
  const std::uint64_t size = std::uint64_t{1} << log_size;
  std::vector<std::int32_t> cells(2 * size);
  for (std::uint64_t i = 0; i < size; ++i) {
    cells[i] = static_cast<std::int32_t>(i * 40'503 % (std::uint64_t{1} << log_rows));
    ++cells[size + static_cast<std::uint64_t>(cells[i])];
  }
  const LookupPlan plan =
      LookupPlan::Make({{.class_number = 1, .log_rows = log_rows, .multiplicities = size}},
                       {{.class_number = 1, .log_size = log_size, .v = 0}})
          .value();
  for (auto _ : state) {
    Transcript transcript("bench");
    FractionTree tree(plan, DrawLookupChallenges(transcript), cells);
    std::vector<Fp2> point;
    for (unsigned layer = 0; layer < plan.num_layers(); ++layer) {
      FractionSumcheck sumcheck(tree, layer, transcript.Draw(Label::kLookupChallenge), point);
      std::vector<Fp2> next = {transcript.Draw(Label::kSumcheckChallenge)};
      for (unsigned round = 0; round < layer; ++round) {
        benchmark::DoNotOptimize(sumcheck.Round());
        next.push_back(transcript.Draw(Label::kSumcheckChallenge));
        sumcheck.Fold(next.back());
      }
      point = std::move(next);
      tree.Drop(layer);
    }
  }
  state.counters["per_leaf"] = benchmark::Counter(
      static_cast<double>(plan.num_leaves()),
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

BENCHMARK(Lookups)->Arg(16)->Arg(20)->Arg(22)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace flair::zk
