// SPDX-License-Identifier: Apache-2.0
#include "proof/prover/prove_weights.h"

#include <algorithm>
#include <string>
#include <utility>

#include "circuit/run.h"
#include "program/lower.h"
#include "proof/prover/commit_state.h"
#include "zk/prover/weights_prover.h"

namespace flair::proof {

Result<ProvenWeights> ProveWeightsClaim(const program::Program& program,
                                        const WeightsRelation& relation, const Digest& wallet,
                                        std::span<const HeldWeights> held, Env& env,
                                        const ForColumns& may_show, zk::QueryPolicy policy) {
  FLAIR_TRY(const RelationCircuit made, CircuitOf(program, relation));
  FLAIR_TRY(const program::Lowered lowered, program::Lower(program));
  if (held.size() != made.numbers.size()) {
    return Error(ErrorCode::kInvalidArgument, std::to_string(held.size()) + " models, and " +
                                                  std::to_string(made.numbers.size()) +
                                                  " are in the relation");
  }
  ProvenWeights proven{.claim = {.program = program, .relation = relation, .wallet = wallet}};
  circuit::StepInputs inputs;
  inputs.cells.resize(made.circuit.values.size());
  std::vector<const zk::CommittedMatrix*> matrices;
  for (std::size_t m = 0; m < held.size(); ++m) {
    std::size_t next = 0;
    for (std::size_t i = 0; i < lowered.circuit.carried.size(); ++i) {
      if (lowered.circuit.carried[i].role != circuit::Carried::Role::kWeight) continue;
      inputs.cells[made.numbers[m][next++]] = held[m].state->carried[i];
    }
    matrices.push_back(held[m].matrix);
    proven.claim.matrices.push_back(IdOf(*held[m].matrix));
  }
  FLAIR_TRY(const circuit::StepValues values, circuit::RunStep(made.circuit, inputs));
  const zk::WeightsStatement statement{.relation = RelationDigest(program, relation),
                                       .wallet = wallet,
                                       .matrices = proven.claim.matrices};
  FLAIR_TRY(const zk::WeightsPlan plan,
            zk::WeightsPlan::Make(statement, {.circuit = &made.circuit, .numbers = made.numbers},
                                  policy));
  zk::RunValues witness(made.circuit);
  witness.Add(values);
  // One matrix may be there twice: what it shows is counted together.
  const auto reserve = [&](std::size_t matrix, std::span<const std::uint64_t> columns) -> Status {
    const MatrixId id = proven.claim.matrices[matrix];
    auto shown = std::find_if(proven.shown.begin(), proven.shown.end(),
                              [&](const ShownColumns& s) { return s.matrix == id; });
    if (shown == proven.shown.end()) shown = proven.shown.insert(shown, {id, {}});
    shown->columns.insert(shown->columns.end(), columns.begin(), columns.end());
    return may_show ? may_show(id, shown->columns) : OkStatus();
  };
  FLAIR_TRY(proven.proof, zk::ProveWeights(plan, witness, matrices, env, reserve));
  FLAIR_TRY([[maybe_unused]] const double bits,
            VerifyWeightsClaim(proven.claim, proven.proof, policy));
  return proven;
}

}  // namespace flair::proof
