// SPDX-License-Identifier: Apache-2.0
#include "trainer/prove_folder.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <utility>

#include "base/disk.h"
#include "base/path.h"
#include "program/encoding.h"
#include "proof/prover/opening_book.h"
#include "proof/verify_run.h"
#include "trainer/recorded_run.h"

namespace flair::trainer {
namespace {

Error Conflict(const std::string& what) { return {ErrorCode::kConflict, what}; }

// 32 bytes that stay as they are once they were drawn.
Result<Digest> KeptSeed(Env& env, const std::string& path) {
  if (Exists(env, path)) {
    FLAIR_TRY(const Bytes bytes, ReadFile(env, path, 32));
    if (bytes.size() != 32) return Error(ErrorCode::kCorrupt, path + " is no seed of 32 bytes");
    Digest seed;
    std::copy(bytes.begin(), bytes.end(), seed.bytes.begin());
    return seed;
  }
  Digest seed;
  env.RandomBytes(seed.bytes);
  FLAIR_DO(WriteFileAtomically(env, path, seed.view(), WriteMode::kCreatePrivate));
  return seed;
}

constexpr std::string_view kAnew = "delete chunks and border.seed of the run and prove anew";

std::string InSteps(std::uint64_t steps) {
  return std::to_string(steps) + (steps == 1 ? " step" : " steps");
}

// Of what else than this run the folder keeps chunks; empty: it does not.
const char* OtherOf(const zk::TrainingStatement& kept, const zk::TrainingStatement& own) {
  if (kept.program != own.program) return "another program";
  if (kept.seed != own.seed) return "another seed";
  if (kept.wallet != own.wallet) return "another wallet";
  if (kept.data_card != own.data_card) return "other data";
  if (kept.slack != own.slack) return "another slack";
  return "";
}

// What the kept chunks say: how many steps theirs are. Whoever asked for another size is refused:
// the next chunk would not begin where the kept ones end.
Result<std::uint64_t> StepsPerChunk(Env& env, const proof::RunClaim& claim,
                                    const std::string& folder, std::uint64_t asked) {
  const zk::TrainingStatement own =
      proof::ChunkStatement(claim, claim.first_step, claim.num_steps, {}, {});
  for (const zk::TrainingStatement& kept : proof::ChunkFolder::Statements(env, folder)) {
    const std::string_view other = OtherOf(kept, own);
    if (other.empty()) continue;
    return Conflict("kept chunks are of " + std::string(other)).WithHint(std::string(kAnew));
  }
  auto kept = proof::KeptStepsPerChunk(env, claim, folder);
  if (!kept.ok()) return std::move(kept).error().WithHint(std::string(kAnew));
  if (asked > 0) asked = std::min(asked, claim.num_steps);
  if (!*kept || asked == 0 || asked == **kept) return kept->value_or(asked);
  return Conflict("kept chunks have " + InSteps(**kept) + ": --chunk " + std::to_string(**kept) +
                  " goes on, or " + std::string(kAnew));
}

Result<proof::ChunkPlan> PlanFor(const program::Lowered& lowered, const ProveRequest& request,
                                 std::uint64_t steps_per_chunk, std::uint64_t num_steps,
                                 std::uint64_t data_bytes) {
  if (steps_per_chunk == 0) {
    return proof::PlanChunks(lowered, num_steps, request.memory_bytes, data_bytes);
  }
  FLAIR_TRY(const proof::ChunkPlan plan, proof::PlanOf(lowered, steps_per_chunk, data_bytes));
  FLAIR_DO(proof::CheckMemory(plan, request.memory_bytes));
  return plan;
}

// The chunks that are still to be proven, and the whole proof where the caller writes it.
Status CheckDisk(Env& env, const ProveRequest& request, std::uint64_t chunk_bytes,
                 std::uint64_t num_chunks, std::uint64_t num_left) {
  const std::uint64_t kept = num_left * chunk_bytes;
  if (request.proof_path.empty()) return CheckFreeSpace(env, request.folder, kept);
  const std::uint64_t proof = num_chunks * chunk_bytes;
  const std::string out = ParentPath(request.proof_path);
  FLAIR_TRY(const FileInfo run_disk, env.Stat(request.folder));
  FLAIR_TRY(const FileInfo out_disk, env.Stat(out.empty() ? "." : out));
  if (run_disk.device == out_disk.device) return CheckFreeSpace(env, request.folder, kept + proof);
  FLAIR_DO(CheckFreeSpace(env, request.folder, kept));
  return CheckFreeSpace(env, request.proof_path, proof);
}

// May a commitment be opened once more, by the book in `folder`?
Status CheckOpening(Env& env, const std::string& folder, const proof::OpenedMatrix& of) {
  const zk::MatrixShape& shape = of.id.shape;
  FLAIR_TRY(const std::uint64_t left, proof::OpeningBook::NumLeft(env, folder, of.id));
  const std::uint64_t each = zk::NumQueries(shape.row_length(), shape.n());
  if (each <= left) return OkStatus();
  Error error = Conflict(of.name + " has shown " + std::to_string(shape.num_pads - left) +
                         " of its " + std::to_string(shape.num_pads) +
                         " columns, and a proof shows " + std::to_string(each));
  if (of.is_border) {
    return std::move(error).WithHint("kept chunks of this run are gone: " + std::string(kAnew));
  }
  if (shape.kind == zk::MatrixKind::kData) {
    return std::move(error).WithHint(
        "`flair data refresh` commits anew; training begins again with the new card");
  }
  return std::move(error).WithHint(
      "`flair weights refresh` commits anew: put its weights.seed in the place of the run's");
}

Status CheckBudget(Env& env, const data::HeldData& data, const std::string& folder,
                   std::uint64_t num_chunks) {
  const zk::MatrixShape& shape = data.card.shape;
  FLAIR_TRY(const std::uint64_t left,
            proof::OpeningBook::NumLeft(env, JoinPath(folder, data::kOpeningsFolder),
                                        {.shape = shape, .root = data.card.root}));
  const std::uint64_t each = zk::NumQueries(shape.row_length(), shape.n());
  if (each * num_chunks <= left) return OkStatus();
  return Conflict("the commitment to '" + data.card.name + "' can be opened for " +
                  std::to_string(left / each) + " more chunks, and the proof needs " +
                  std::to_string(num_chunks))
      .WithHint("`flair data refresh` commits anew; training begins again with the new card");
}

constexpr double kDeviationsPerDecision = 20e-6;

// A run of either kind, as it is proven.
struct Job {
  ExactRun run;                      // of a recorded one: what it claims to have followed
  std::optional<ModelIntegers> end;  // of an exact one: what it ended with
  std::vector<std::uint32_t> rows;   // step after step
  std::optional<program::Slack> slack;
  std::unique_ptr<RecordedRun> recorded;
};

Result<Job> ExactJob(Env& env, const std::string& folder) {
  FLAIR_TRY(ReadRun read, ReadExactRun(env, folder));
  Job job;
  job.run = std::move(read.run);
  job.end = std::move(read.end);
  job.rows = std::move(read.rows);
  return job;
}

Result<Job> RecordedJob(Env& env, const std::string& folder, const RecordedRequest& request) {
  FLAIR_TRY(RecordedRun recorded, RecordedRun::Open(env, folder, request.program));
  Job job;
  job.run.program = request.program;
  job.run.data = request.data;
  if (!request.data.empty()) {
    FLAIR_TRY(const data::DataCard card, data::ReadCard(env, request.data));
    job.run.data_card = data::CardId(card);
    const std::optional<Digest>& trained = recorded.meta().data_card;
    if (trained && trained != job.run.data_card) {
      return Conflict(request.data + ": another card than the one that the run was trained with")
          .WithHint("after `flair data refresh` training begins again");
    }
  }
  job.run.seed = request.seed;
  job.run.first_step = recorded.first_step();
  job.run.steps = recorded.num_steps();
  FLAIR_TRY(job.run.start, recorded.Start());
  FLAIR_TRY(job.rows, recorded.Rows());
  job.slack = request.slack;
  if (request.counts_beta) {
    FLAIR_TRY(const program::Lowered lowered, program::Lower(request.program, job.slack));
    const double decisions =
        static_cast<double>(program::NumDecisions(lowered)) * static_cast<double>(job.run.steps);
    job.slack->beta = std::max<std::uint64_t>(
        8, static_cast<std::uint64_t>(std::ceil(kDeviationsPerDecision * decisions)));
  }
  job.recorded = std::make_unique<RecordedRun>(std::move(recorded));
  return job;
}

Result<Job> JobOf(Env& env, const ProveRequest& request) {
  if (request.recorded) return RecordedJob(env, request.folder, *request.recorded);
  return ExactJob(env, request.folder);
}

// What the step needed of its slack.
void Note(const program::Lowered& lowered, const program::TrainingStep& step,
          program::SlackUse& use) {
  const auto value = [&](circuit::ValueId id) {
    return static_cast<double>(step.values.now[id][0]);
  };
  const double change = std::sqrt(std::ldexp(value(*lowered.change_square), 24));
  const double share = change > 0 ? std::sqrt(value(*lowered.error_square)) / change : 0;
  double& most = step.number < program::kFirstSteps ? use.first : use.later;
  most = std::max(most, share);
  if (lowered.deviations) {
    use.deviations = static_cast<std::uint64_t>(step.values.next[*lowered.deviations][0]);
  }
  use.drift = std::ldexp(static_cast<double>(step.values.next[*lowered.drift][0]),
                         lowered.slack_scale - 30);
}

// Did every step read the rows that the seed draws?
Status CheckRows(const Job& job, std::uint64_t records) {
  const std::uint64_t batch = job.run.program.batch;
  if (batch > records) return OkStatus();  // refused by the claim's own check
  program::Batches batches(job.run.seed, static_cast<std::uint32_t>(records), batch);
  auto own = job.rows.begin();
  for (std::uint64_t i = 0; i < job.run.steps; ++i) {
    const auto drawn = batches.RowsOf(job.run.first_step + i);
    if (job.rows.end() - own < static_cast<std::ptrdiff_t>(batch) ||
        !std::equal(drawn.begin(), drawn.end(), own)) {
      Error error = Conflict("step " + std::to_string(job.run.first_step + i) +
                             " read other rows than its seed draws");
      if (!job.recorded) return error;
      return std::move(error).WithHint(
          "are --seed and --data those of the recorded loop? `flair.batches` gives a DataLoader "
          "the "
          "order of a seed");
    }
    own += static_cast<std::ptrdiff_t>(batch);
  }
  return OkStatus();
}

}  // namespace

Result<std::optional<RecordedRequest>> RequestOf(Env& env, const std::string& folder) {
  FLAIR_TRY(const auto reader, RunReader::Open(env, folder));
  if (reader->meta().framework == kExactFramework) return std::optional<RecordedRequest>();
  FLAIR_TRY(std::optional<RunSubject> subject, SubjectOf(env, folder, reader->meta()));
  if (!subject) {
    return Error(ErrorCode::kInvalidArgument,
                 folder + ": a run of '" + reader->meta().framework + "' that names no program")
        .WithHint(
            "--program FILE --data FOLDER --seed HEX say what it is of; flair.record(.., "
            "card=FOLDER) "
            "writes it down");
  }
  RecordedRequest request{.program = std::move(subject->program),
                          .data = std::move(subject->data),
                          .seed = subject->seed,
                          .slack = {}};
  request.slack = program::DefaultSlack(request.program);
  return std::optional(std::move(request));
}

Result<ProvenFolder> ProveFolder(Env& env, const ProveRequest& request,
                                 const ProveFolderHooks& hooks) {
  if (!request.proof_path.empty()) FLAIR_DO(CheckWritable(env, request.proof_path));
  const auto in_run = [&](const std::string& name) { return JoinPath(request.folder, name); };
  FLAIR_TRY(const Job job, JobOf(env, request));
  const ExactRun& run = job.run;
  FLAIR_TRY(const program::Lowered lowered, program::Lower(run.program, job.slack));
  proof::RunClaim claim{.program = program::HashProgram(run.program),
                        .seed = run.seed,
                        .wallet = request.wallet,
                        .first_step = run.first_step,
                        .num_steps = run.steps,
                        .data = std::nullopt,
                        .slack = job.slack,
                        .before = {},
                        .after = {}};
  const std::string chunks_folder = in_run("chunks");
  std::uint64_t data_bytes = 0;
  if (run.data_card) {
    FLAIR_TRY(const data::DataCard card, data::ReadCard(env, run.data));
    if (data::CardId(card) != *run.data_card) {
      return Conflict(run.data + ": another card than the one that the run was trained with")
          .WithHint("after `flair data refresh` training begins again");
    }
    claim.data = proof::DataClaimOf(card);
    data_bytes = data::OpenBytes(card);
  }
  FLAIR_TRY(const std::uint64_t steps_per_chunk,
            StepsPerChunk(env, claim, chunks_folder, request.steps_per_chunk));
  FLAIR_TRY(const proof::ChunkPlan plan,
            PlanFor(lowered, request, steps_per_chunk, run.steps, data_bytes));
  const std::uint64_t num_chunks = (run.steps + plan.steps - 1) / plan.steps;
  if (hooks.plan) FLAIR_DO(hooks.plan(plan, num_chunks));
  FLAIR_TRY(const std::uint64_t chunk_bytes,
            proof::ProofBytes(lowered, plan.steps,
                              claim.data ? std::optional(claim.data->matrix.shape) : std::nullopt));
  const proof::ProveSettings settings{.steps_per_chunk = plan.steps, .folder = chunks_folder};
  const std::uint64_t num_left = proof::NumChunksLeft(env, claim, settings);
  FLAIR_DO(CheckDisk(env, request, chunk_bytes, num_chunks, num_left));
  if (job.recorded) FLAIR_DO(job.recorded->Check());
  std::optional<data::HeldData> held;
  std::optional<proof::OpeningBook> data_book;
  if (run.data_card) {
    if (hooks.progress) {
      FLAIR_DO(hooks.progress({.chunk = 0, .num_chunks = num_chunks, .stage = "data"}));
    }
    FLAIR_TRY(held, data::OpenData(env, run.data));
    FLAIR_DO(data::CheckServes(held->card, run.program));
    FLAIR_DO(zk::CheckColumns(lowered.circuit, data::DataColumnsOf(held->card)));
    FLAIR_DO(CheckRows(job, held->card.num_records));
    FLAIR_DO(CheckBudget(env, *held, run.data, num_left));
    FLAIR_TRY(data_book, proof::OpeningBook::Open(env, JoinPath(run.data, data::kOpeningsFolder)));
  }
  FLAIR_TRY(proof::OpeningBook own_book,
            proof::OpeningBook::Open(env, in_run(std::string(data::kOpeningsFolder))));

  proof::RunSecrets secrets{.data = held ? &held->set : nullptr,
                            .data_matrix = held ? &held->matrix : nullptr,
                            .start = {},
                            .recorded = {},
                            .weights_seed = {},
                            .state_seed = {},
                            .border_seed = {}};
  FLAIR_TRY(secrets.start, StartFrom(lowered, run.start));
  FLAIR_TRY(secrets.weights_seed, KeptSeed(env, in_run("weights.seed")));
  FLAIR_TRY(secrets.state_seed, KeptSeed(env, in_run("state.seed")));
  FLAIR_TRY(secrets.border_seed, KeptSeed(env, in_run("border.seed")));

  const auto book_of = [&](const proof::MatrixId& matrix) -> proof::OpeningBook& {
    const bool is_data = claim.data && matrix == claim.data->matrix;
    return is_data ? *data_book : own_book;
  };
  const auto may_open = [&](const proof::OpenedMatrix& of) {
    const bool is_data = claim.data && of.id == claim.data->matrix;
    return CheckOpening(
        env, JoinPath(is_data ? run.data : request.folder, std::string(data::kOpeningsFolder)), of);
  };
  const auto may_show = [&](const proof::MatrixId& matrix, std::span<const std::uint64_t> columns) {
    return book_of(matrix).Check(matrix, columns);
  };
  const auto show = [&](const proof::MatrixId& matrix, std::span<const std::uint64_t> columns) {
    return book_of(matrix).Reserve(matrix, columns);
  };
  if (job.recorded) {
    secrets.recorded = [&](std::uint64_t step) { return job.recorded->After(step); };
  }
  program::SlackUse use;
  const auto note = [&](const program::TrainingStep& step) {
    if (lowered.slack) Note(lowered, step, use);
    return OkStatus();
  };
  FLAIR_TRY(proof::ProvenRun proven, proof::ProveRun(lowered, claim, secrets, settings, env,
                                                     {.progress = hooks.progress,
                                                      .may_open = may_open,
                                                      .may_show = may_show,
                                                      .show = show,
                                                      .on_step = note}));
  if (job.end && IntegersOf(lowered, proven.end) != *job.end) {
    return Conflict("training the run again gives other weights than it ended with");
  }
  ProvenFolder result{
      .statement = {.program = run.program, .card = std::nullopt, .claim = std::move(proven.claim)},
      .proof = std::move(proven.proof),
      .chunks = plan};
  if (held) result.statement.card = std::move(held->card);
  if (job.slack) result.slack = use;
  return result;
}

}  // namespace flair::trainer
