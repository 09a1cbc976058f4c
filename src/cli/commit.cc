// `flair commit`: signs what was added as the branch's next commit.
// SPDX-License-Identifier: Apache-2.0
#include <boost/json/object.hpp>
#include <memory>
#include <ostream>

#include "cli/objects_view.h"
#include "cli/render.h"
#include "crypto/blake3.h"
#include "repo/commit_ops.h"
#include "repo/refs.h"
#include "repo/run.h"
#include "repo/worktree.h"

namespace flair::cli {
namespace {

constexpr std::uint64_t kMaxMetricsBytes = std::uint64_t{1} << 20;
constexpr std::uint64_t kMaxCardBytes = std::uint64_t{16} << 20;

struct Args {
  std::vector<std::string> message;
  std::optional<std::string> metrics;
  std::optional<std::uint64_t> samples;
  std::optional<std::string> data_card;
  std::optional<std::string> run;
  bool all = false;
  bool allow_empty = false;
};

// Changes of tracked files, as `git commit -a` takes them.
Status AddTracked(Session& s, Repository& repo) {
  FLAIR_TRY(const WorktreeStatus status, ReadStatus(repo));
  std::vector<std::string> paths;
  for (const PathChange& change : status.unstaged) paths.push_back(change.path);
  if (paths.empty()) return OkStatus();
  FLAIR_DO(Add(repo, paths, s.Progress()));
  return OkStatus();
}

Result<CommitRequest> MakeRequest(Session& s, const Repository& repo, const Args& args) {
  CommitRequest request;
  request.message = JoinMessage(args.message);
  request.num_samples = args.samples;
  request.empty = args.allow_empty ? EmptyCommit::kAllow : EmptyCommit::kRefuse;
  if (args.metrics) {
    FLAIR_TRY(const Bytes text, ReadFile(s.env(), s.Absolute(*args.metrics), kMaxMetricsBytes));
    auto metrics = ParseMetrics(AsText(text));
    if (!metrics.ok()) return std::move(metrics).error().In(*args.metrics);
    request.metrics = std::move(*metrics);
  }
  if (args.data_card) {
    FLAIR_TRY(const Bytes card, ReadFile(s.env(), s.Absolute(*args.data_card), kMaxCardBytes));
    request.data_card = Blake3(card);
  }
  if (args.run) {
    FLAIR_TRY(const std::string folder, RunFolder(repo.runs_dir(), *args.run));
    FLAIR_TRY(const auto run, RunReader::Open(s.env(), folder));
    FLAIR_TRY(request.training, TrainingRecordOf(*run));
  }
  return request;
}

Result<ExitCode> RunCommit(Session& s, const Args& args) {
  if (JoinMessage(args.message).find_first_not_of(" \t\r\n") == std::string::npos) {
    return ReportUsage(s, "a commit needs a message", "flair commit -m 'what changed and why'");
  }
  FLAIR_TRY(const auto repo, s.OpenRepo());
  FLAIR_TRY(const Keypair key, s.LoadKeypair());
  FLAIR_TRY(const CommitRequest request, MakeRequest(s, *repo, args));
  if (args.all) FLAIR_DO(AddTracked(s, *repo));
  FLAIR_TRY(const CommitId id, CreateCommit(*repo, request, key));
  FLAIR_TRY(const Head head, ReadHead(*repo));
  FLAIR_TRY(const Commit commit, ReadCommit(repo->objects(), id));
  s.out() << "[" << (head.branch.empty() ? "detached" : ShortRefName(head.branch)) << " "
          << id.Short() << "] " << Printable(FirstLine(commit.message)) << "\n";
  json::object document = CommitJson(id, commit);
  document["branch"] = head.branch.empty() ? json::value() : json::value(ShortRefName(head.branch));
  s.Document(document);
  return ExitCode::kOk;
}

Run Define(Options& o) {
  auto args = std::make_shared<Args>();
  o.Values("-m,--message", args->message, "What changed and why; given again: a new paragraph");
  o.Value("--metrics", args->metrics, "JSON file of numbers: {\"accuracy\": 0.93}");
  o.Value("--samples", args->samples, "How many distinct samples the training saw");
  o.Value("--data-card", args->data_card, "The data card of the training data");
  o.Value("--run", args->run, "The recorded run that made these weights (.flair/runs/ID)");
  o.Flag("-a,--all", args->all, "Add changed and deleted tracked files first");
  o.Flag("--allow-empty", args->allow_empty, "Commit even when nothing changed");
  return [args](Session& s) { return RunCommit(s, *args); };
}

}  // namespace

extern const CommandSpec kCommitCommand = {
    .name = "commit",
    .summary = "Sign what was added as a commit",
    .example = "flair commit -m 'Round 3, site B' --metrics metrics.json --samples 6000",
    .define = Define};

}  // namespace flair::cli
