// `flair log`: history, newest first.
// SPDX-License-Identifier: Apache-2.0
#include <boost/json/object.hpp>
#include <memory>
#include <ostream>

#include "cli/graph.h"
#include "cli/objects_view.h"
#include "repo/config.h"
#include "repo/history.h"
#include "repo/refs.h"

namespace flair::cli {
namespace {

struct Args {
  std::vector<std::string> refs;
  std::uint64_t limit = 0;
  bool graph = false;
  bool oneline = false;
  bool all = false;
};

Result<std::vector<CommitId>> Tips(Repository& repo, const Args& args) {
  std::vector<CommitId> tips;
  for (const std::string& ref : args.refs) {
    FLAIR_TRY(const CommitId id, Resolve(repo, ref));
    tips.push_back(id);
  }
  if (args.all) {
    FLAIR_TRY(const std::vector<Ref> refs, ListRefs(repo));
    for (const Ref& ref : refs) tips.push_back(ref.commit);
  }
  if (tips.empty()) {
    FLAIR_TRY(const Head head, ReadHead(repo));
    if (!head.commit) {
      return Error(ErrorCode::kNotFound,
                   "branch " + ShortRefName(head.branch) + " has no commits yet")
          .WithHint("flair add FILE; flair commit -m MESSAGE");
    }
    tips.push_back(*head.commit);
  }
  return tips;
}

Result<ExitCode> RunLog(Session& s, const Args& args) {
  FLAIR_TRY(const auto repo, s.OpenRepo());
  FLAIR_TRY(const auto tips, Tips(*repo, args));
  FLAIR_TRY(auto shallow, ShallowCommits(*repo));
  History history(repo->objects(), std::move(shallow));
  FLAIR_TRY(const auto entries, history.Log(tips, args.limit));
  FLAIR_TRY(const Decorations decorations, ReadDecorations(*repo));

  std::vector<std::string> texts;
  json::array commits;
  for (const LogEntry& e : entries) {
    const std::string decoration = DecorationText(decorations, e.id);
    const bool short_form = args.oneline;
    std::string text = short_form ? CommitLine(e.id, e.commit, decoration)
                                  : CommitText(e.id, e.commit, decoration);
    if (!short_form && &e != &entries.back()) text += "\n";
    texts.push_back(std::move(text));
    commits.push_back(CommitJson(e.id, e.commit));
  }
  if (args.graph) {
    s.out() << DrawGraph(LayOutGraph(entries), texts);
  } else {
    for (const std::string& text : texts) s.out() << text;
  }
  s.Document(json::object{{"commits", std::move(commits)}});
  return ExitCode::kOk;
}

Run Define(Options& o) {
  auto args = std::make_shared<Args>();
  o.Many("REF", args->refs, "Where to start (default: HEAD)", Need::kOptional);
  o.Value("-n,--limit", args->limit, "At most this many commits");
  o.Flag("--graph", args->graph, "Draw how commits follow from each other");
  o.Flag("--oneline", args->oneline, "One line a commit");
  o.Flag("--all", args->all, "Start from every branch, tag and alias");
  return [args](Session& s) { return RunLog(s, *args); };
}

}  // namespace

extern const CommandSpec kLogCommand = {.name = "log",
                                        .summary = "Show the history",
                                        .example = "flair log --graph --oneline",
                                        .define = Define};

}  // namespace flair::cli
