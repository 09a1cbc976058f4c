// SPDX-License-Identifier: Apache-2.0
#include "proof/verify_run.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "proof/program_steps.h"
#include "zk/batch/soundness.h"
#include "zk/training/training_plan.h"
#include "zk/verifier/training_verifier.h"

namespace flair::proof {
namespace {

using zk::Role;
using zk::TrainingStatement;

Error Rejected(const std::string& what) { return {ErrorCode::kRejected, what}; }

std::optional<MatrixId> MatrixOf(const TrainingStatement& statement, Role role) {
  const zk::Commitment* found = statement.Find(role);
  if (found == nullptr) return std::nullopt;
  return MatrixId{found->shape, found->root};
}

// What a chunk says of its own ends; whether they are right is for the caller.
// Errors: kRejected where weights are missing.
Result<RunEnd> AfterOf(const TrainingStatement& statement) {
  const auto weights = MatrixOf(statement, Role::kWeightsAfter);
  if (!weights) return Rejected("the statement names no weights after");
  return RunEnd{*weights, MatrixOf(statement, Role::kStateAfter)};
}

// SOUNDNESS: every field is the claim's but the ends between chunks, and these are what the
// chunk before left. Attack: chunks swapped, left out, from other weights, with state begun anew.
// Test: RunClaimTest.ChunksThatDoNotFitAreRejected.
Status CheckChunk(const TrainingStatement& got, const TrainingStatement& wanted) {
  const auto same = [](bool is_same, const char* what, const Digest& is, const Digest& must_be) {
    return is_same ? OkStatus()
                   : Status(Rejected(std::string(what) + ": not the claim's: the proof is of " +
                                     is.ToHex().substr(0, 12) + ", the claim of " +
                                     must_be.ToHex().substr(0, 12)));
  };
  FLAIR_DO(same(got.program == wanted.program, "program", got.program, wanted.program));
  FLAIR_DO(same(got.seed == wanted.seed, "seed", got.seed, wanted.seed));
  FLAIR_DO(same(got.wallet == wanted.wallet, "wallet", got.wallet, wanted.wallet));
  FLAIR_DO(same(got.data_card == wanted.data_card && got.num_records == wanted.num_records,
                "data card", got.data_card, wanted.data_card));
  FLAIR_DO(same(got.slack == wanted.slack, "slack", got.slack, wanted.slack));
  if (got.first_step != wanted.first_step) {
    return Rejected("steps: it begins at step " + std::to_string(got.first_step) + ", not at " +
                    std::to_string(wanted.first_step));
  }
  for (const Role role : {Role::kData, Role::kWeightsBefore, Role::kWeightsAfter,
                          Role::kStateBefore, Role::kStateAfter}) {
    if (MatrixOf(got, role) != MatrixOf(wanted, role)) {
      return Rejected(std::string(RoleName(role)) + ": another commitment than it must be");
    }
  }
  return OkStatus();
}

Status CheckClaim(const program::Lowered& lowered, const RunClaim& claim) {
  const auto wrong = [](const std::string& what) {
    return Status(Error(ErrorCode::kInvalidArgument, what));
  };
  const bool has_state = HasState(lowered.circuit);
  if (!has_state && (claim.before.state || claim.after.state)) {
    return wrong("the claim names state, and the program has none");
  }
  // SOUNDNESS: step.md's "0 before step 0". Attack: a momentum that takes the weights anywhere.
  // Test: RunClaimTest.BeforeItsFirstStepARunRemembersNothing.
  if (claim.first_step == 0 && claim.before.state) {
    return wrong("the claim names state before its first step, and before step 0 there is none");
  }
  if (claim.num_steps == 0 || claim.num_steps > kMaxSteps || claim.first_step > kMaxSteps) {
    return wrong("a run of " + std::to_string(claim.num_steps) + " steps from step " +
                 std::to_string(claim.first_step));
  }
  // SOUNDNESS: the circuit's bounds are the claim's. Test: RunClaimTest.SlackIsTheClaims.
  if (lowered.bounds != claim.slack) return wrong("the circuit has another slack than the claim");
  if (lowered.circuit.data.empty() != !claim.data) {
    return wrong(claim.data ? "the claim names data, and the program reads none"
                            : "the claim names no data");
  }
  return OkStatus();
}

}  // namespace

bool HasState(const circuit::Circuit& circuit) {
  for (const circuit::Carried& carried : circuit.carried) {
    if (carried.role == circuit::Carried::Role::kState) return true;
  }
  return false;
}

Result<double> VerifyChunk(const program::Lowered& lowered, std::span<const zk::DataColumn> columns,
                           const ChunkProof& chunk) {
  const TrainingStatement& statement = chunk.statement;
  FLAIR_TRY(const ProgramSteps steps,
            ProgramSteps::Make(lowered, {.seed = statement.seed,
                                         .first_step = statement.first_step,
                                         .num_steps = statement.num_steps,
                                         .num_records = statement.num_records}));
  FLAIR_TRY(const zk::TrainingPlan plan,
            zk::TrainingPlan::Make(statement, {.circuit = &lowered.circuit,
                                               .publics = &steps,
                                               .rows = steps.rows(),
                                               .columns = columns}));
  FLAIR_DO(zk::VerifyTraining(plan, chunk.proof));
  return zk::TotalOf(zk::SoundnessTerms(plan.batch())).bits();
}

TrainingStatement ChunkStatement(const RunClaim& claim, std::uint64_t first_step,
                                 std::uint64_t num_steps, const RunEnd& before,
                                 const RunEnd& after) {
  TrainingStatement statement{.program = claim.program,
                              .first_step = first_step,
                              .num_steps = num_steps,
                              .seed = claim.seed,
                              .wallet = claim.wallet,
                              .data_card = claim.data ? claim.data->card : Digest{},
                              .slack = claim.slack ? program::SlackDigest(*claim.slack) : Digest{},
                              .num_records = claim.data ? claim.data->num_records : 0,
                              .matrices = {}};
  const auto add = [&](Role role, const MatrixId& matrix) {
    statement.matrices.push_back({role, matrix.shape, matrix.root});
  };
  if (claim.data) add(Role::kData, claim.data->matrix);
  add(Role::kWeightsBefore, before.weights);
  add(Role::kWeightsAfter, after.weights);
  if (before.state) add(Role::kStateBefore, *before.state);
  if (after.state) add(Role::kStateAfter, *after.state);
  return statement;
}

Result<RunVerdict> VerifyRun(const program::Lowered& lowered, const RunClaim& claim, ByteView proof,
                             const std::function<Status(std::uint64_t, std::uint64_t)>& on_chunk) {
  FLAIR_DO(CheckClaim(lowered, claim));
  FLAIR_TRY(const std::vector<ChunkProof> chunks, DecodeRunProof(proof));
  const bool has_state = HasState(lowered.circuit);

  // The chain first: it costs nothing.
  RunEnd before = claim.before;
  std::uint64_t step = claim.first_step;
  const std::uint64_t end = claim.first_step + claim.num_steps;
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    const TrainingStatement& statement = chunks[i].statement;
    const auto in_chunk = [&](Error error) {
      return std::move(error).In("chunk " + std::to_string(i + 1));
    };
    auto after = AfterOf(statement);
    if (!after.ok()) return in_chunk(std::move(after).error());
    const bool is_last = i + 1 == chunks.size();
    if (is_last) *after = claim.after;
    if (!is_last && has_state && !after->state) {
      return in_chunk(Rejected("state after: it is not passed on"));
    }
    const Status fits =
        CheckChunk(statement, ChunkStatement(claim, step, statement.num_steps, before, *after));
    if (!fits.ok()) return in_chunk(fits.error());
    if (statement.num_steps > end - step) {
      return in_chunk(Rejected("steps: it goes beyond the run's last"));
    }
    step += statement.num_steps;
    before = std::move(*after);
  }
  if (step != end) {
    return Rejected("steps: " + std::to_string(step - claim.first_step) + " are proven of " +
                    std::to_string(claim.num_steps));
  }

  const std::span<const zk::DataColumn> columns =
      claim.data ? std::span<const zk::DataColumn>(claim.data->columns)
                 : std::span<const zk::DataColumn>{};
  RunVerdict verdict{.num_chunks = chunks.size(),
                     .soundness_bits = std::numeric_limits<double>::infinity()};
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    auto bits = VerifyChunk(lowered, columns, chunks[i]);
    if (!bits.ok()) return std::move(bits).error().In("chunk " + std::to_string(i + 1));
    verdict.soundness_bits = std::min(verdict.soundness_bits, *bits);
    if (on_chunk) FLAIR_DO(on_chunk(i, chunks.size()));
  }
  return verdict;
}

}  // namespace flair::proof
