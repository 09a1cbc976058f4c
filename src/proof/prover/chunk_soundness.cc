// SPDX-License-Identifier: Apache-2.0
#include "proof/prover/chunk_soundness.h"

#include "proof/program_steps.h"
#include "proof/prover/commit_state.h"
#include "proof/verify_run.h"
#include "zk/batch/soundness.h"
#include "zk/training/training_plan.h"

namespace flair::proof {
namespace {

using circuit::Carried;

// The ends of a chunk, but for their values.
Result<RunEnd> EndOf(const circuit::Circuit& circuit, std::uint64_t openings) {
  FLAIR_TRY(const zk::LongLived weights, zk::CarriedLayout(circuit, Carried::Role::kWeight));
  FLAIR_TRY(const zk::MatrixShape shape,
            zk::LongLivedShape(weights.num_cells, zk::MatrixKind::kWeights, openings));
  RunEnd end{.weights = {shape, {}}, .state = std::nullopt};
  if (HasState(circuit)) {
    FLAIR_TRY(const zk::LongLived state, zk::CarriedLayout(circuit, Carried::Role::kState));
    FLAIR_TRY(const zk::MatrixShape own,
              zk::LongLivedShape(state.num_cells, zk::MatrixKind::kState, openings));
    end.state = MatrixId{own, {}};
  }
  return end;
}

}  // namespace

Result<std::vector<zk::SoundnessTerm>> ChunkSoundness(const program::Lowered& lowered,
                                                      const ChunkSize& size) {
  const circuit::Circuit& circuit = lowered.circuit;
  RunClaim claim{.program = {},
                 .seed = {},
                 .wallet = {},
                 .first_step = 0,
                 .num_steps = size.num_steps,
                 .data = std::nullopt,
                 .before = {},
                 .after = {}};
  std::vector<zk::DataColumn> columns;
  if (!circuit.data.empty()) {
    columns = zk::ColumnsOf(circuit);
    FLAIR_TRY(const zk::LongLived records, zk::DataLayout(columns, size.num_records));
    FLAIR_TRY(const zk::MatrixShape shape,
              zk::LongLivedShape(records.num_cells, zk::MatrixKind::kData, size.data_openings));
    claim.data = DataClaim{
        .card = {}, .num_records = size.num_records, .columns = columns, .matrix = {shape, {}}};
  }
  FLAIR_TRY(const RunEnd before, EndOf(circuit, kOpeningsOfAnEnd));
  FLAIR_TRY(const RunEnd after, EndOf(circuit, kOpeningsOfABorder));
  FLAIR_TRY(const ProgramSteps steps,
            ProgramSteps::Make(lowered, {.seed = claim.seed,
                                         .first_step = 0,
                                         .num_steps = size.num_steps,
                                         .num_records = claim.data ? size.num_records : 0}));
  FLAIR_TRY(
      const zk::TrainingPlan plan,
      zk::TrainingPlan::Make(
          ChunkStatement(claim, 0, size.num_steps, before, after),
          {.circuit = &circuit, .publics = &steps, .rows = steps.rows(), .columns = columns}));
  return zk::SoundnessTerms(plan.batch());
}

}  // namespace flair::proof
