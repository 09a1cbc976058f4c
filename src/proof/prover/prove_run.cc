// SPDX-License-Identifier: Apache-2.0
#include "proof/prover/prove_run.h"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <utility>
#include <vector>

#include "base/check.h"
#include "crypto/sha256.h"
#include "proof/program_steps.h"
#include "proof/prover/commit_state.h"
#include "proof/run_proof.h"
#include "proof/verify_run.h"
#include "zk/prover/training_prover.h"
#include "zk/training/training_plan.h"

namespace flair::proof {
namespace {

using circuit::Carried;
using zk::CommittedMatrix;
using zk::Role;

// A border's own: weights that stay, at rate 0, are other commitments all the same, or one would be
// opened at all of them.
Digest BorderSeed(const Digest& seed, std::uint64_t step) {
  Bytes message = ToBytes("flair border v1");
  Append(message, seed.view());
  AppendLe64(message, step);
  return Sha256(message);
}

// Commitments at one end of a chunk.
struct End {
  std::optional<CommittedMatrix> weights;
  std::optional<CommittedMatrix> state;

  RunEnd Id() const { return {IdOf(*weights), state ? std::optional(IdOf(*state)) : std::nullopt}; }
};

struct Seeds {
  Digest weights;
  Digest state;
};

// "the weights' commitment at step 6".
std::string NameOf(Role role, const zk::TrainingStatement& statement) {
  const std::string before = " commitment at step " + std::to_string(statement.first_step);
  const std::string after =
      " commitment at step " + std::to_string(statement.first_step + statement.num_steps);
  switch (role) {
    case Role::kData:
      return "the data's commitment";
    case Role::kWeightsBefore:
      return "the weights'" + before;
    case Role::kWeightsAfter:
      return "the weights'" + after;
    case Role::kStateBefore:
      return "the state's" + before;
    case Role::kStateAfter:
      return "the state's" + after;
  }
  return "a commitment";
}

std::string InSteps(std::uint64_t steps) {
  return std::to_string(steps) + (steps == 1 ? " step" : " steps");
}

class RunProver {
 public:
  RunProver(const program::Lowered& lowered, RunClaim claim, const RunSecrets& secrets,
            const ProveSettings& settings, Env& env, const ProveHooks& hooks)
      : lowered_(lowered),
        claim_(std::move(claim)),
        secrets_(secrets),
        settings_(settings),
        env_(env),
        hooks_(hooks) {
    values_.emplace(lowered.circuit);
  }

  Result<ProvenRun> Prove();

 private:
  std::uint64_t num_chunks() const {
    return (claim_.num_steps + settings_.steps_per_chunk - 1) / settings_.steps_per_chunk;
  }
  std::uint64_t end_step() const { return claim_.first_step + claim_.num_steps; }
  Status Say(std::string_view stage) const {
    if (!hooks_.progress) return OkStatus();
    return hooks_.progress({.chunk = chunks_.size(), .num_chunks = num_chunks(), .stage = stage});
  }
  Result<End> Commit(const program::TrainingState& state, bool has_state, std::uint64_t openings,
                     const Seeds& seeds) const;
  program::TrainingState StateAfter(const circuit::StepValues& step) const;
  Status AddStep(const program::TrainingStep& step);
  Status FinishChunk(std::uint64_t next_step, const program::TrainingState& state);
  // The chunk as an earlier prover kept it, if it is the same and holds.
  std::optional<ChunkProof> KeptChunk(const zk::TrainingStatement& statement) const;
  // May the statement's commitments be opened once more?
  Status CheckOpenings(const zk::TrainingStatement& statement) const;
  Status CheckMayOpen(Role role, const zk::TrainingStatement& statement) const;
  Result<PendingChunk> ProveChunk(const zk::TrainingStatement& statement, const End& after);
  Seeds EndSeeds() const { return {secrets_.weights_seed, secrets_.state_seed}; }
  std::span<const zk::DataColumn> columns() const {
    return claim_.data ? std::span<const zk::DataColumn>(claim_.data->columns)
                       : std::span<const zk::DataColumn>{};
  }

  const program::Lowered& lowered_;
  RunClaim claim_;
  const RunSecrets& secrets_;
  const ProveSettings& settings_;
  Env& env_;
  const ProveHooks& hooks_;

  End before_;
  std::uint64_t first_step_ = 0;         // of the chunk at hand
  std::optional<zk::RunValues> values_;  // of its steps
  std::vector<ChunkProof> chunks_;
  std::optional<ChunkFolder> folder_;
};

Result<End> RunProver::Commit(const program::TrainingState& state, bool has_state,
                              std::uint64_t openings, const Seeds& seeds) const {
  End end;
  FLAIR_TRY(CommittedMatrix weights,
            CommitState(lowered_.circuit, Carried::Role::kWeight, state, openings, seeds.weights));
  end.weights.emplace(std::move(weights));
  if (has_state) {
    FLAIR_TRY(CommittedMatrix own,
              CommitState(lowered_.circuit, Carried::Role::kState, state, openings, seeds.state));
    end.state.emplace(std::move(own));
  }
  return end;
}

program::TrainingState RunProver::StateAfter(const circuit::StepValues& step) const {
  program::TrainingState state;
  for (const Carried& carried : lowered_.circuit.carried) {
    state.carried.push_back(step.next[carried.number]);
  }
  return state;
}

std::optional<ChunkProof> RunProver::KeptChunk(const zk::TrainingStatement& statement) const {
  auto chunk = folder_->Read(statement.first_step);
  if (!chunk || chunk->statement.Hash() != statement.Hash()) return std::nullopt;
  if (!VerifyChunk(lowered_, columns(), *chunk).ok()) return std::nullopt;
  return chunk;
}

Status RunProver::CheckMayOpen(Role role, const zk::TrainingStatement& statement) const {
  const zk::Commitment* of = statement.Find(role);
  if (!hooks_.may_open || of == nullptr) return OkStatus();
  const bool is_before = role == Role::kWeightsBefore || role == Role::kStateBefore;
  const std::uint64_t step = statement.first_step + (is_before ? 0 : statement.num_steps);
  return hooks_.may_open(
      {.id = of->stated(),
       .name = NameOf(role, statement),
       .is_border = role != Role::kData && step != claim_.first_step && step != end_step()});
}

Status RunProver::CheckOpenings(const zk::TrainingStatement& statement) const {
  for (const zk::Commitment& m : statement.matrices) FLAIR_DO(CheckMayOpen(m.role, statement));
  return OkStatus();
}

Result<PendingChunk> RunProver::ProveChunk(const zk::TrainingStatement& statement,
                                           const End& after) {
  FLAIR_TRY(const ProgramSteps steps,
            ProgramSteps::Make(lowered_, {.seed = statement.seed,
                                          .first_step = statement.first_step,
                                          .num_steps = statement.num_steps,
                                          .num_records = statement.num_records}));
  FLAIR_TRY(const zk::TrainingPlan plan,
            zk::TrainingPlan::Make(statement, {.circuit = &lowered_.circuit,
                                               .publics = &steps,
                                               .rows = steps.rows(),
                                               .columns = columns()}));
  std::vector<const CommittedMatrix*> matrices;
  for (const zk::Commitment& m : statement.matrices) {
    const CommittedMatrix* of[] = {secrets_.data_matrix, &*before_.weights, &*after.weights,
                                   before_.state ? &*before_.state : nullptr,
                                   after.state ? &*after.state : nullptr};
    matrices.push_back(of[static_cast<int>(m.role) - 1]);
  }
  PendingChunk made;
  // One matrix may have two roles: what it shows is counted together.
  const auto reserve = [&](Role role, std::span<const std::uint64_t> columns) -> Status {
    const zk::Commitment& of = *statement.Find(role);
    const MatrixId matrix{of.shape, of.root};
    auto shown = std::find_if(made.shown.begin(), made.shown.end(),
                              [&](const ShownColumns& s) { return s.matrix == matrix; });
    if (shown == made.shown.end()) shown = made.shown.insert(shown, {matrix, {}});
    shown->columns.insert(shown->columns.end(), columns.begin(), columns.end());
    if (!hooks_.may_show) return OkStatus();
    Status allowed = hooks_.may_show(matrix, shown->columns);
    if (!allowed.ok()) return std::move(allowed).error().In(NameOf(role, statement));
    return OkStatus();
  };
  FLAIR_TRY(Bytes proof,
            zk::ProveTraining(plan, *values_, matrices, env_,
                              {.progress = [&](std::string_view stage) { return Say(stage); },
                               .reserve = reserve}));
  FLAIR_DO(Say("verifying"));
  made.chunk = {.statement = statement, .proof = std::move(proof)};
  const auto holds = VerifyChunk(lowered_, columns(), made.chunk);
  FLAIR_CHECK(holds.ok()) << "an honest proof is refused: " << holds.error().message();
  return made;
}

Status RunProver::FinishChunk(std::uint64_t next_step, const program::TrainingState& state) {
  const bool is_last = next_step == end_step();
  FLAIR_DO(Say("committing"));
  const bool has_state = HasState(lowered_.circuit) && (!is_last || settings_.passes_state);
  const Digest border = BorderSeed(secrets_.border_seed, next_step);
  FLAIR_TRY(End after, Commit(state, has_state, is_last ? kOpeningsOfAnEnd : kOpeningsOfABorder,
                              is_last ? EndSeeds() : Seeds{border, border}));
  const zk::TrainingStatement statement =
      ChunkStatement(claim_, first_step_, next_step - first_step_, before_.Id(), after.Id());
  FLAIR_DO(folder_->Settle(first_step_));
  std::optional<ChunkProof> chunk = KeptChunk(statement);
  if (!chunk) {
    FLAIR_DO(CheckOpenings(statement));
    FLAIR_TRY(PendingChunk made, ProveChunk(statement, after));
    FLAIR_DO(folder_->Keep(made));
    chunk.emplace(std::move(made.chunk));
  }
  FLAIR_DO(Say("kept"));
  chunks_.push_back(std::move(*chunk));
  values_.emplace(lowered_.circuit);
  first_step_ = next_step;
  before_ = std::move(after);
  return is_last ? OkStatus() : Say("training");
}

Status RunProver::AddStep(const program::TrainingStep& step) {
  if (hooks_.on_step) FLAIR_DO(hooks_.on_step(step));
  values_->Take(step.values);
  const std::uint64_t next = step.number + 1;
  if (next - first_step_ < settings_.steps_per_chunk && next != end_step()) return OkStatus();
  return FinishChunk(next, StateAfter(step.values));
}

Result<ProvenRun> RunProver::Prove() {
  FLAIR_CHECK(settings_.steps_per_chunk > 0) << "a chunk of no steps";
  FLAIR_CHECK(!claim_.data || secrets_.data_matrix != nullptr) << "no data to open";
  FLAIR_DO(CheckFits(lowered_, {.seed = claim_.seed,
                                .first_step = claim_.first_step,
                                .num_steps = std::min(claim_.num_steps, settings_.steps_per_chunk),
                                .num_records = claim_.data ? claim_.data->num_records : 0}));
  FLAIR_TRY(const auto kept, KeptStepsPerChunk(env_, claim_, settings_.folder));
  const std::uint64_t steps = std::min(settings_.steps_per_chunk, claim_.num_steps);
  if (kept && *kept != steps) {
    return Error(ErrorCode::kConflict,
                 "kept chunks have " + InSteps(*kept) + ", not " + std::to_string(steps));
  }
  FLAIR_TRY(folder_, ChunkFolder::Open(env_, settings_.folder, hooks_.show));
  // State that a claim begins with is committed to; otherwise it begins at zero.
  const bool begins_with_state = claim_.before.state.has_value();
  FLAIR_DO(Say("committing"));
  FLAIR_TRY(before_, Commit(secrets_.start, begins_with_state, kOpeningsOfAnEnd, EndSeeds()));
  claim_.before = before_.Id();
  first_step_ = claim_.first_step;
  // The one end that is known before the training: the other is never opened more often.
  if (!ChunkFolder::Has(env_, settings_.folder, first_step_)) {
    const auto statement = ChunkStatement(claim_, first_step_, steps, before_.Id(), {});
    FLAIR_DO(CheckMayOpen(Role::kWeightsBefore, statement));
    FLAIR_DO(CheckMayOpen(Role::kStateBefore, statement));
  }
  const program::DataSet no_data;
  FLAIR_DO(Say("training"));
  FLAIR_TRY(
      program::TrainingState end,
      program::Train(lowered_, secrets_.data != nullptr ? *secrets_.data : no_data, secrets_.start,
                     {.seed = claim_.seed,
                      .first_step = claim_.first_step,
                      .steps = claim_.num_steps,
                      .recorded = secrets_.recorded,
                      .keep = circuit::Keep::kNumbers},
                     [&](const program::TrainingStep& step) { return AddStep(step); }));
  claim_.after = before_.Id();
  return ProvenRun{
      .claim = std::move(claim_), .proof = EncodeRunProof(chunks_), .end = std::move(end)};
}

}  // namespace

Result<std::optional<std::uint64_t>> KeptStepsPerChunk(Env& env, const RunClaim& claim,
                                                       const std::string& folder) {
  const std::vector<zk::TrainingStatement> kept = ChunkFolder::Statements(env, folder);
  if (kept.empty()) return std::optional<std::uint64_t>();
  const std::uint64_t end = claim.first_step + claim.num_steps;
  // The last chunk of a run may be shorter, so the longest says it.
  std::uint64_t steps = 0;
  for (const zk::TrainingStatement& chunk : kept) steps = std::max(steps, chunk.num_steps);
  for (const zk::TrainingStatement& chunk : kept) {
    const bool is_inside = chunk.first_step >= claim.first_step && chunk.first_step < end;
    if (!is_inside || (chunk.first_step - claim.first_step) % steps != 0 ||
        chunk.num_steps != std::min(steps, end - chunk.first_step)) {
      return Error(ErrorCode::kConflict,
                   "the kept chunk from step " + std::to_string(chunk.first_step) + " on has " +
                       InSteps(chunk.num_steps) + ", and others have " + std::to_string(steps));
    }
  }
  return std::optional(steps);
}

std::uint64_t NumChunksLeft(Env& env, const RunClaim& claim, const ProveSettings& settings) {
  std::uint64_t left = 0;
  for (std::uint64_t step = 0; step < claim.num_steps; step += settings.steps_per_chunk) {
    left += ChunkFolder::Has(env, settings.folder, claim.first_step + step) ? 0 : 1;
  }
  return left;
}

Result<ProvenRun> ProveRun(const program::Lowered& lowered, RunClaim claim,
                           const RunSecrets& secrets, const ProveSettings& settings, Env& env,
                           const ProveHooks& hooks) {
  return RunProver(lowered, std::move(claim), secrets, settings, env, hooks).Prove();
}

}  // namespace flair::proof
