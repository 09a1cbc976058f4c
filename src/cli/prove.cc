// `flair prove`: the zero-knowledge proof of a run.
// SPDX-License-Identifier: Apache-2.0
#include <sys/sysinfo.h>

#include <boost/json/object.hpp>
#include <map>
#include <memory>
#include <ostream>

#include "base/disk.h"
#include "base/heap.h"
#include "base/path.h"
#include "cli/program_file.h"
#include "cli/render.h"
#include "cli/session.h"
#include "cli/slack_text.h"
#include "repo/run.h"
#include "trainer/prove_folder.h"

namespace flair::cli {
namespace {

struct Args {
  std::string run;
  std::string out;
  std::optional<std::uint64_t> memory_mib;
  std::uint64_t steps = 0;
  std::string program;
  std::string data;
  std::string seed;
  std::vector<std::string> slack;
};

// What a recorded run is said to be of, by what was typed or by itself; nothing for one of the
// exact engine.
Result<std::optional<trainer::RecordedRequest>> RecordedOf(Session& s, const Args& args,
                                                           const std::string& folder) {
  std::optional<trainer::RecordedRequest> request;
  if (args.program.empty()) {
    FLAIR_TRY(request, trainer::RequestOf(s.env(), folder));
    if (!request && !args.slack.empty()) {
      return Error(ErrorCode::kInvalidArgument, "--slack is for recorded runs; this one is exact");
    }
  } else {
    request.emplace();
    FLAIR_TRY(request->program, ReadProgram(s.env(), s.Absolute(args.program)));
    if (!args.data.empty()) request->data = s.Absolute(args.data);
    if (args.data.empty() && !request->program.columns.empty()) {
      return Error(ErrorCode::kInvalidArgument,
                   "the program reads data: --data names the registered folder");
    }
    FLAIR_TRY(request->seed, Digest::FromHex(args.seed));
    request->slack = program::DefaultSlack(request->program);
  }
  for (const std::string& bound : args.slack) {
    FLAIR_DO(ReadBound(bound, request->slack));
    if (bound.starts_with("beta=")) request->counts_beta = false;
  }
  return request;
}

// A folder, or the id of one of this repository's runs.
Result<std::string> FolderOf(Session& s, const std::string& typed) {
  const std::string path = s.Absolute(typed);
  if (typed.find('/') != std::string::npos || Exists(s.env(), path)) return path;
  const auto repo = s.OpenRepo();
  if (!repo.ok()) return path;
  const auto folder = RunFolder((*repo)->runs_dir(), typed);
  return folder.ok() ? *folder : path;
}

// Whether what was typed says one kind of run.
Status CheckTyped(const Args& args) {
  const auto wrong = [](const char* what) { return Error(ErrorCode::kInvalidArgument, what); };
  if (args.program.empty()) {
    if (!args.data.empty() || !args.seed.empty()) {
      return wrong("--data and --seed go with --program, for a recorded run");
    }
  } else if (!Digest::FromHex(args.seed).ok()) {
    return wrong("a recorded run needs --seed with 64 hex digits");
  }
  program::Slack unused;
  for (const std::string& bound : args.slack) FLAIR_DO(ReadBound(bound, unused));
  return OkStatus();
}

// Three quarters of what the machine has.
std::uint64_t DefaultMemoryBytes() {
  struct sysinfo info {};
  if (sysinfo(&info) != 0) return std::uint64_t{4} << 30;
  return static_cast<std::uint64_t>(info.totalram) * info.mem_unit / 4 * 3;
}

// Or as much as there can be.
std::uint64_t BytesOf(std::uint64_t mebibytes) {
  constexpr std::uint64_t kMost = ~std::uint64_t{0};
  return mebibytes > kMost >> 20 ? kMost : mebibytes << 20;
}

// Seconds by stage, of all chunks.
class StageClock {
 public:
  explicit StageClock(Env& env) : env_(env) {}
  void Enter(std::string_view stage) {
    const std::int64_t now = env_.MonotonicNs();
    if (!stage_.empty()) seconds_[stage_] += 1e-9 * static_cast<double>(now - since_);
    stage_ = stage;
    since_ = now;
  }
  json::object AsJson() const {
    json::object object;
    for (const auto& [stage, seconds] : seconds_) object[stage] = seconds;
    return object;
  }

 private:
  Env& env_;
  std::map<std::string, double> seconds_;
  std::string stage_;
  std::int64_t since_ = 0;
};

Result<ExitCode> Prove(Session& s, const Args& args) {
  FLAIR_TRY(const Keypair key, s.LoadKeypair());
  FLAIR_TRY(const std::string folder, FolderOf(s, args.run));
  const std::string stem =
      s.Absolute(args.out.empty() ? folder.substr(folder.rfind('/') + 1) : args.out);
  trainer::ProveRequest request{
      .folder = folder,
      .wallet = {},
      .proof_path = {},
      .memory_bytes = args.memory_mib ? BytesOf(*args.memory_mib) : DefaultMemoryBytes(),
      .steps_per_chunk = args.steps,
      .recorded = std::nullopt};
  FLAIR_TRY(request.recorded, RecordedOf(s, args, folder));
  request.wallet.bytes = key.wallet().bytes;
  request.proof_path = stem + ".proof";
  const std::string statement_path = stem + ".statement.json";
  FLAIR_DO(CheckWritable(s.env(), statement_path));

  StageClock clock(s.env());
  const std::int64_t begun = s.env().MonotonicNs();
  const ProgressSink sink = s.Progress();
  std::uint64_t chunks = 1;
  const trainer::ProveFolderHooks hooks{
      .plan =
          [&](const proof::ChunkPlan& plan, std::uint64_t num_chunks) {
            chunks = num_chunks;
            s.note() << Count(num_chunks, "chunk") << " of " << Count(plan.steps, "step") << ", "
                     << plan.cells << " cells each; memory up to "
                     << FormatBytes(plan.memory_bytes);
            if (plan.data_bytes > 0) {
              s.note() << ", " << FormatBytes(plan.data_bytes) << " of it for the data";
            }
            s.note() << "\n";
            return OkStatus();
          },
      .progress =
          [&](const proof::ProveProgress& p) {
            clock.Enter(p.stage);
            const std::string item = "chunk " + std::to_string(p.chunk + 1) + " of " +
                                     std::to_string(p.num_chunks) + ": " + std::string(p.stage);
            return Report(sink, {.phase = "proving", .item = item});
          }};
  KeepFreedMemory();
  FLAIR_TRY(const trainer::ProvenFolder proven, trainer::ProveFolder(s.env(), request, hooks));
  const double seconds = 1e-9 * static_cast<double>(s.env().MonotonicNs() - begun);
  const std::string& proof_path = request.proof_path;
  FLAIR_DO(WriteFileAtomically(s.env(), proof_path, proven.proof));
  FLAIR_DO(WriteFileAtomically(s.env(), statement_path,
                               AsBytes(proof::EncodeStatement(proven.statement))));
  s.out() << "proof " << proof_path << ", " << FormatBytes(proven.proof.size()) << "\n"
          << "statement " << statement_path << "\n";
  if (proven.slack) {
    s.out() << "slack used: " << FormatNumber(proven.slack->first) << " of an update in the first "
            << program::kFirstSteps << " steps, " << FormatNumber(proven.slack->later)
            << " later, drift " << FormatNumber(proven.slack->drift) << ", "
            << Count(proven.slack->deviations, "given sign") << "\n";
  }
  json::object document{{"proof", proof_path},
                        {"statement", statement_path},
                        {"proof_bytes", proven.proof.size()},
                        {"steps", proven.statement.claim.num_steps},
                        {"chunks", chunks},
                        {"cells_per_chunk", proven.chunks.cells},
                        {"seconds", seconds},
                        {"stages", clock.AsJson()}};
  if (proven.slack) {
    document["slack"] = {{"first", proven.slack->first},
                         {"later", proven.slack->later},
                         {"drift", proven.slack->drift},
                         {"deviations", proven.slack->deviations}};
  }
  s.Document(document);
  return ExitCode::kOk;
}

Run Define(Options& o) {
  auto args = std::make_shared<Args>();
  o.One("RUN", args->run, "The run: its folder, or its id in this repository", Need::kRequired);
  o.Value("-o,--out", args->out, "Where to: OUT.proof, OUT.statement.json (default: the run's id)");
  o.Value("--memory", args->memory_mib, "MiB to use (default: three quarters of the machine's)");
  o.Value("--chunk", args->steps, "Steps of a chunk (default: as many as the memory holds)");
  o.Value("--program", args->program, "Of a recorded run: the program that it followed");
  o.Value("--data", args->data, "Of a recorded run: folder of the registered data set");
  o.Value("--seed", args->seed, "Of a recorded run: 64 hex digits that its batches follow from");
  o.Values("--slack", args->slack, "Of a recorded run: bounds, NAME=NUMBER; see docs/cli.md");
  return [args](Session& s) -> Result<ExitCode> {
    if (const Status typed = CheckTyped(*args); !typed.ok()) return ReportUsage(s, typed.error());
    return Prove(s, *args);
  };
}

}  // namespace

extern const CommandSpec kProveCommand = {.name = "prove",
                                          .summary = "Prove a run in zero knowledge",
                                          .example = "flair prove runs/3f2a90c1d4e5b687 -o round3",
                                          .define = Define};

}  // namespace flair::cli
