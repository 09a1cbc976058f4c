// `flair reflog`: where refs have been. Nothing that was committed is lost while it is listed.
// SPDX-License-Identifier: Apache-2.0
#include <boost/json/object.hpp>
#include <memory>
#include <ostream>

#include "cli/objects_view.h"
#include "cli/render.h"
#include "repo/refs.h"

namespace flair::cli {
namespace {

struct Args {
  std::string ref;
  std::uint64_t limit = 0;
};

Result<ExitCode> RunReflog(Session& s, const Args& args) {
  FLAIR_TRY(const auto repo, s.OpenRepo());
  std::string ref = args.ref;
  if (ref.empty()) ref = "HEAD";
  if (ref == "all") ref.clear();
  if (!ref.empty() && ref != "HEAD" && ref.find('/') == std::string::npos) ref = "heads/" + ref;
  FLAIR_TRY(const auto entries, ReadReflog(*repo, ref, args.limit));
  std::vector<std::vector<std::string>> rows;
  json::array list;
  for (const ReflogEntry& e : entries) {
    rows.push_back({e.to ? e.to->Short() : "(deleted)", Printable(ShortRefName(e.ref)),
                    FormatTime(static_cast<std::uint64_t>(e.time_s)), Printable(e.reason)});
    list.push_back(json::object{{"ref", e.ref},
                                {"from", IdJson(e.from)},
                                {"to", IdJson(e.to)},
                                {"time", FormatTime(static_cast<std::uint64_t>(e.time_s))},
                                {"reason", e.reason}});
  }
  s.out() << Table(rows);
  s.Document(json::object{{"entries", std::move(list)}});
  return ExitCode::kOk;
}

Run Define(Options& o) {
  auto args = std::make_shared<Args>();
  o.One("REF", args->ref, "A branch or full ref name; `all` (default: HEAD)", Need::kOptional);
  o.Value("-n,--limit", args->limit, "At most this many entries");
  return [args](Session& s) { return RunReflog(s, *args); };
}

}  // namespace

extern const CommandSpec kReflogCommand = {.name = "reflog",
                                           .summary = "Show where HEAD and branches have been",
                                           .example = "flair reflog main",
                                           .define = Define};

}  // namespace flair::cli
