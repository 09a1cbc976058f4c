// SPDX-License-Identifier: Apache-2.0
#include "proof/prover/commit_state.h"

#include <memory>
#include <utility>
#include <vector>

#include "zk/prover/training_prover.h"
#include "zk/training/long_lived.h"

namespace flair::proof {

Result<zk::CommittedMatrix> CommitState(const circuit::Circuit& circuit,
                                        circuit::Carried::Role role,
                                        const program::TrainingState& state, std::uint64_t openings,
                                        const Digest& seed) {
  FLAIR_TRY(const zk::LongLived layout, zk::CarriedLayout(circuit, role));
  std::vector<circuit::Ints> by_value(circuit.values.size());
  for (std::size_t i = 0; i < circuit.carried.size(); ++i) {
    if (circuit.carried[i].role == role) by_value[circuit.carried[i].number] = state.carried[i];
  }
  std::vector<std::uint64_t> cells = zk::CarriedCells(layout, by_value);
  FLAIR_TRY(const zk::MatrixShape shape,
            zk::LongLivedShape(cells.size(),
                               role == circuit::Carried::Role::kWeight ? zk::MatrixKind::kWeights
                                                                       : zk::MatrixKind::kState,
                               openings));
  cells.resize(shape.num_rows * shape.num_columns());
  return zk::CommittedMatrix::Commit(
      shape, std::make_shared<zk::StoredRows>(std::move(cells), shape.num_columns()), seed);
}

}  // namespace flair::proof
