// `flair policy`: what a branch's flair.toml asks, and whether a commit satisfies it.
// SPDX-License-Identifier: Apache-2.0
#include "policy/policy.h"

#include <boost/json/object.hpp>
#include <memory>
#include <ostream>

#include "cli/objects_view.h"
#include "cli/policy_text.h"
#include "cli/render.h"
#include "hub/facts.h"
#include "repo/config.h"
#include "repo/history.h"
#include "repo/refs.h"

namespace flair::cli {
namespace {

struct Args {
  std::string ref;
  std::string against;
  std::string role = "contributor";
};

// The branch the commit would go to, as this clone knows it: `against`, else the current
// branch's upstream, else origin's main, else the commit's first parent.
Result<std::optional<CommitId>> TargetTip(Repository& repo, const Args& args,
                                          const CommitId& commit) {
  if (!args.against.empty()) {
    FLAIR_TRY(const CommitId id, Resolve(repo, args.against));
    return std::optional<CommitId>(id);
  }
  FLAIR_TRY(const Head head, ReadHead(repo));
  std::vector<std::string> names;
  if (!head.branch.empty()) {
    FLAIR_TRY(const auto upstream, GetUpstream(repo, ShortRefName(head.branch)));
    if (upstream) names.push_back("remotes/" + upstream->remote + "/" + upstream->branch);
  }
  names.emplace_back("remotes/origin/main");
  for (const std::string& name : names) {
    FLAIR_TRY(const auto tip, GetRef(repo, name));
    if (tip) return tip;
  }
  FLAIR_TRY(const Commit body, ReadCommit(repo.objects(), commit));
  if (body.parents.empty()) return std::optional<CommitId>();
  return std::optional<CommitId>(body.parents[0]);
}

PolicyRole RoleFrom(const std::string& name) {
  if (name == "reader") return PolicyRole::kReader;
  if (name == "maintainer") return PolicyRole::kMaintainer;
  if (name == "owner") return PolicyRole::kOwner;
  return PolicyRole::kContributor;
}

// The commits that `tip` has and `target` has not, oldest first.
Result<std::vector<CommitId>> NewCommits(Repository& repo, const CommitId& tip,
                                         const std::optional<CommitId>& target) {
  FLAIR_TRY(auto shallow, ShallowCommits(repo));
  History history(repo.objects(), std::move(shallow));
  const CommitId tips[] = {tip};
  FLAIR_TRY(const auto log, history.Log(tips));
  std::vector<CommitId> out;
  for (auto e = log.rbegin(); e != log.rend(); ++e) {
    if (target) {
      FLAIR_TRY(const bool known, history.IsAncestor(e->id, *target));
      if (known) continue;
    }
    out.push_back(e->id);
  }
  return out;
}

Result<ExitCode> Check(Session& s, const Args& args) {
  FLAIR_TRY(const auto repo, s.OpenRepo());
  FLAIR_TRY(const CommitId tip, ResolveOrHead(*repo, args.ref));
  FLAIR_TRY(const auto target, TargetTip(*repo, args, tip));
  FLAIR_TRY(const std::string text, PolicyText(*repo, target ? *target : tip));
  const auto parsed = ParsePolicy(text);
  if (!parsed.ok()) {  // as a push would be refused
    return Error(ErrorCode::kPolicyViolation, parsed.error().message())
        .WithHint(parsed.error().hint());
  }
  const Policy& policy = *parsed;
  FLAIR_TRY(const auto commits, NewCommits(*repo, tip, target));
  json::array list;
  std::size_t num_violations = 0;
  for (const CommitId& id : commits) {
    FLAIR_TRY(const Commit commit, ReadCommit(repo->objects(), id));
    FLAIR_TRY(const CommitFacts facts, hub::CollectFacts(repo->objects(), id, commit, policy));
    for (const Violation& v : CheckContribution(policy, facts, RoleFrom(args.role))) {
      ++num_violations;
      s.ClearProgress();
      s.err() << "violated: commit " << id.Short() << ": " << Printable(v.ToText()) << "\n";
      list.push_back(json::object{
          {"commit", id.ToHex()}, {"line", v.line}, {"rule", v.rule}, {"message", v.message}});
    }
  }
  s.out() << Count(commits.size(), "commit") << " checked: "
          << (num_violations == 0 ? "all within the policy" : Count(num_violations, "violation"))
          << "\n";
  s.Document(json::object{{"commit", tip.ToHex()},
                          {"target", IdJson(target)},
                          {"checked", commits.size()},
                          {"violations", std::move(list)}});
  return num_violations == 0 ? ExitCode::kOk : ExitCode::kConflict;
}

Run DefineCheck(Options& o) {
  auto args = std::make_shared<Args>();
  o.One("REF", args->ref, "The commit to check (default: HEAD)", Need::kOptional);
  o.Value("--against", args->against, "The branch it would go to (default: upstream)");
  o.Choice("--as", args->role, {"reader", "contributor", "maintainer", "owner"},
           "The role of who pushes it (default: contributor)");
  return [args](Session& s) { return Check(s, *args); };
}

Run DefineShow(Options& o) {
  auto args = std::make_shared<Args>();
  o.One("REF", args->ref, "Whose policy (default: HEAD)", Need::kOptional);
  return [args](Session& s) -> Result<ExitCode> {
    FLAIR_TRY(const auto repo, s.OpenRepo());
    FLAIR_TRY(const CommitId id, ResolveOrHead(*repo, args->ref));
    FLAIR_TRY(const std::string text, PolicyText(*repo, id));
    FLAIR_DO(ParsePolicy(text));
    if (text.empty()) {
      s.out() << "no flair.toml: the default policy (only owners push; one review a merge)\n";
    } else {
      s.out() << Printable(text, LineFeeds::kKeep);
    }
    s.Document(json::object{{"commit", id.ToHex()},
                            {"text", text.empty() ? json::value() : json::value(text)}});
    return ExitCode::kOk;
  };
}

Run DefineInit(Options&) {
  return [](Session& s) -> Result<ExitCode> {
    FLAIR_TRY(const auto repo, s.OpenRepo());
    const std::string path = repo->PathOf(kPolicyPath);
    if (Exists(repo->env(), path)) {
      return Error(ErrorCode::kAlreadyExists, "there is a flair.toml already")
          .WithHint("`flair policy show` prints the one of the last commit");
    }
    FLAIR_DO(WriteFileAtomically(repo->env(), path, AsBytes(StarterPolicy())));
    s.out() << path << "\n";
    s.Document(json::object{{"path", path}});
    return ExitCode::kOk;
  };
}

const CommandSpec kInit = {.name = "init",
                           .summary = "Write a flair.toml to start from",
                           .example = "flair policy init",
                           .define = DefineInit};
const CommandSpec kCheck = {.name = "check",
                            .summary = "Check commits against the target branch's policy",
                            .example = "flair policy check HEAD --against origin/main",
                            .define = DefineCheck};
const CommandSpec kShow = {.name = "show",
                           .summary = "Print a branch's policy",
                           .example = "flair policy show main",
                           .define = DefineShow};
const CommandSpec* const kSubcommands[] = {&kInit, &kCheck, &kShow};

}  // namespace

extern const CommandSpec kPolicyCommand = {.name = "policy",
                                           .summary = "What flair.toml asks: init, check, show",
                                           .example = "flair policy check",
                                           .subcommands = kSubcommands};

}  // namespace flair::cli
