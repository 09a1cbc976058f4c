// `flair train`: a run of the exact engine.
// SPDX-License-Identifier: Apache-2.0
#include <boost/json/object.hpp>
#include <memory>
#include <optional>
#include <ostream>

#include "base/path.h"
#include "cli/program_file.h"
#include "cli/render.h"
#include "cli/session.h"
#include "data/prover/registered.h"
#include "program/encoding.h"
#include "trainer/exact_run.h"
#include "trainer/train_config.h"

namespace flair::cli {
namespace {

struct Args {
  std::string config;
  bool exact = false;
  std::string seed;
  std::string runs;
};

// The repository's, or a folder here.
std::string RunsDir(Session& s, const Args& args) {
  if (!args.runs.empty()) return s.Absolute(args.runs);
  const auto repo = s.OpenRepo();
  return repo.ok() ? JoinPath((*repo)->root(), ".flair/runs") : s.Absolute("runs");
}

Result<Digest> SeedOf(Session& s, const Args& args, const trainer::TrainConfig& config) {
  if (!args.seed.empty()) return Digest::FromHex(args.seed);
  if (config.seed) return *config.seed;
  Digest seed;
  s.env().RandomBytes(seed.bytes);
  return seed;
}

Result<ExitCode> Train(Session& s, const Args& args) {
  if (!args.exact) {
    return ReportUsage(s, "only --exact trains here",
                       "training in PyTorch or Keras is recorded by the Python package");
  }
  FLAIR_TRY(const trainer::TrainConfig config,
            trainer::ReadTrainConfig(s.env(), s.Absolute(args.config)));
  FLAIR_TRY(trainer::ExactRun run, [&]() -> Result<trainer::ExactRun> {
    trainer::ExactRun made;
    FLAIR_TRY(made.program, ReadProgram(s.env(), config.program));
    FLAIR_TRY(made.seed, SeedOf(s, args, config));
    FLAIR_TRY(made.start, trainer::ReadModel(s.env(), config.weights, made.program));
    made.first_step = config.first_step;
    made.steps = config.steps;
    return made;
  }());
  FLAIR_TRY(const program::Lowered lowered, program::Lower(run.program));
  std::optional<data::HeldData> held;
  if (!run.program.columns.empty()) {
    if (config.data.empty()) {
      return Error(ErrorCode::kInvalidArgument,
                   args.config + ": the program reads data, and 'data' is missing")
          .WithHint("`flair data register` makes the folder to name there");
    }
    FLAIR_TRY(held, data::OpenData(s.env(), config.data));
    FLAIR_DO(data::CheckServes(held->card, run.program));
    FLAIR_DO(zk::CheckColumns(lowered.circuit, data::DataColumnsOf(held->card)));
    run.data = config.data;
    run.data_card = data::CardId(held->card);
  }
  const program::DataSet no_data;
  const ProgressSink sink = s.Progress();
  FLAIR_TRY(const trainer::TrainedRun trained,
            trainer::TrainExact(s.env(), RunsDir(s, args), run, lowered, held ? held->set : no_data,
                                [&](std::uint64_t done, std::uint64_t of) {
                                  const std::string item =
                                      "step " + std::to_string(done) + " of " + std::to_string(of);
                                  return Report(sink, {.phase = "training", .item = item});
                                }));
  if (!config.result.empty()) {
    FLAIR_DO(trainer::WriteModel(s.env(), config.result, run.program, trained.end));
  }
  s.out() << "run " << trained.folder << "\n"
          << Count(run.steps, "step") << " from step " << run.first_step << ", "
          << Count(trained.samples, "record") << "\n"
          << "seed " << run.seed.ToHex() << "\n";
  s.Document(json::object{{"run", trained.folder},
                          {"id", trained.id},
                          {"program", program::HashProgram(run.program).ToHex()},
                          {"seed", run.seed.ToHex()},
                          {"first_step", run.first_step},
                          {"steps", run.steps},
                          {"samples", trained.samples}});
  return ExitCode::kOk;
}

Run Define(Options& o) {
  auto args = std::make_shared<Args>();
  o.One("CONFIG", args->config, "TOML: program, data, weights, steps; see docs/cli.md",
        Need::kRequired);
  o.Flag("--exact", args->exact, "Train in integers, the same on every machine");
  o.Value("--seed", args->seed, "64 hex digits; instead of the file's");
  o.Value("--runs", args->runs, "Folder for runs (default: the repository's, else ./runs)");
  return [args](Session& s) -> Result<ExitCode> {
    if (!args->seed.empty() && !Digest::FromHex(args->seed).ok()) {
      return ReportUsage(s, "--seed takes 64 hex digits");
    }
    return Train(s, *args);
  };
}

}  // namespace

extern const CommandSpec kTrainCommand = {.name = "train",
                                          .summary = "Train a program in exact integers",
                                          .example = "flair train train.toml --exact",
                                          .define = Define};

}  // namespace flair::cli
