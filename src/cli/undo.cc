// `flair undo`: takes back the last operation, whatever it was; done again, it takes
// the undo back.
// SPDX-License-Identifier: Apache-2.0
#include <boost/json/object.hpp>
#include <memory>
#include <ostream>

#include "cli/objects_view.h"
#include "cli/render.h"
#include "repo/oplog.h"

namespace flair::cli {
namespace {

struct Args {
  bool list = false;
  std::uint64_t limit = 20;
};

json::object OperationJson(const OperationSummary& op) {
  json::array refs;
  for (const RefUpdate& ref : op.refs) {
    refs.push_back(
        json::object{{"name", ref.name}, {"from", IdJson(ref.old)}, {"to", IdJson(ref.to)}});
  }
  return {{"id", op.id},
          {"kind", op.kind},
          {"reason", op.reason},
          {"time", FormatTime(static_cast<std::uint64_t>(op.time_s))},
          {"refs", std::move(refs)}};
}

Result<ExitCode> List(Session& s, Repository& repo, std::uint64_t limit) {
  FLAIR_TRY(const auto operations, ListOperations(repo, limit));
  std::vector<std::vector<std::string>> rows;
  json::array list;
  for (const OperationSummary& op : operations) {
    rows.push_back({std::to_string(op.id), FormatTime(static_cast<std::uint64_t>(op.time_s)),
                    op.kind, Printable(op.reason)});
    list.push_back(OperationJson(op));
  }
  s.out() << Table(rows);
  s.Document(json::object{{"operations", std::move(list)}});
  return ExitCode::kOk;
}

Run Define(Options& o) {
  auto args = std::make_shared<Args>();
  o.Flag("--list", args->list, "Show the last operations; take nothing back");
  o.Value("-n,--limit", args->limit, "With --list: at most this many");
  return [args](Session& s) -> Result<ExitCode> {
    FLAIR_TRY(const auto repo, s.OpenRepo());
    if (args->list) return List(s, *repo, args->limit);
    FLAIR_TRY(const OperationSummary op, Undo(*repo, s.Progress()));
    s.out() << "took back: " << op.kind << " (" << Printable(op.reason) << ")\n";
    s.Document(OperationJson(op));
    return ExitCode::kOk;
  };
}

}  // namespace

extern const CommandSpec kUndoCommand = {.name = "undo",
                                         .summary = "Take back the last operation, whatever it was",
                                         .example = "flair undo",
                                         .define = Define};

}  // namespace flair::cli
