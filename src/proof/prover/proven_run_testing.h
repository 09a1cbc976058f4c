// A small program with data, and everything that its run is proven from.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/mem_env.h"
#include "program/encoding.h"
#include "program/lower_testing.h"
#include "proof/prover/commit_state.h"
#include "proof/prover/prove_run.h"
#include "proof/verify_run.h"
#include "zk/prover/training_prover.h"

namespace flair::proof {

inline constexpr std::string_view kSmallRun = R"(flair program 1
batch 3
data x [4] bits 12 scale 8
label y classes 3
param w1 [5, 4]
param b1 [5]
param w2 [3, 5] scale 1
h = linear(x, w1, b1)
a = relu(h)
z = linear(a, w2)
l = cross_entropy(z, y)
loss l
optimiser sgd()
schedule 3/16 x 2, 1/16
profile limb 12
profile logit 12 7
profile activation 18 12
profile gradient 24 23
)";

inline Digest FilledWith(int byte) {
  Digest digest;
  digest.bytes.fill(static_cast<std::byte>(byte));
  return digest;
}

struct RunUnderTest {
  program::Training training;
  std::optional<zk::CommittedMatrix> data;
  RunClaim claim;
  Digest border_seed = FilledWith(10);

  explicit RunUnderTest(std::string_view text = kSmallRun, std::uint64_t steps = 5)
      : training(program::Prepared(text)) {
    const program::Lowered& lowered = training.lowered;
    const std::vector<zk::DataColumn> columns = zk::ColumnsOf(lowered.circuit);
    const zk::LongLived layout = zk::DataLayout(columns, training.data.rows).value();
    const std::vector<std::span<const std::int64_t>> values(training.data.columns.begin(),
                                                            training.data.columns.end());
    std::vector<std::uint64_t> cells =
        zk::DataCells(columns, layout, training.data.rows, values).value();
    const zk::MatrixShape shape =
        zk::LongLivedShape(cells.size(), zk::MatrixKind::kData, kOpeningsOfAnEnd).value();
    cells.resize(shape.num_rows * shape.num_columns());
    data.emplace(zk::CommittedMatrix::Commit(
                     shape, std::make_shared<zk::StoredRows>(std::move(cells), shape.num_columns()),
                     FilledWith(5))
                     .value());
    claim = {.program = program::HashProgram(training.program),
             .seed = training.run.seed,
             .wallet = FilledWith(7),
             .first_step = 0,
             .num_steps = steps,
             .data = DataClaim{.card = FilledWith(8),
                               .num_records = training.data.rows,
                               .columns = columns,
                               .matrix = IdOf(*data)},
             .before = {},
             .after = {}};
  }

  RunSecrets Secrets() const {
    return {.data = &training.data,
            .data_matrix = &*data,
            .start = training.state,
            .weights_seed = FilledWith(9),
            .state_seed = FilledWith(12),
            .border_seed = border_seed};
  }
  Result<ProvenRun> Prove(Env& env, std::uint64_t steps_per_chunk,
                          const ProveHooks& hooks = {}) const {
    return ProveRun(training.lowered, claim, Secrets(),
                    {.steps_per_chunk = steps_per_chunk, .folder = "/chunks"}, env, hooks);
  }
};

}  // namespace flair::proof
