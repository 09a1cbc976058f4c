// `flair blame`: the commit that last changed each tensor.
// SPDX-License-Identifier: Apache-2.0
#include "repo/blame.h"

#include <boost/json/object.hpp>
#include <memory>
#include <ostream>

#include "cli/objects_view.h"
#include "cli/render.h"
#include "repo/refs.h"

namespace flair::cli {
namespace {

struct Args {
  std::string tensor = "*";
  std::string ref;
};

Result<ExitCode> RunBlame(Session& s, const Args& args) {
  FLAIR_TRY(const auto repo, s.OpenRepo());
  FLAIR_TRY(const CommitId from, ResolveOrHead(*repo, args.ref));
  FLAIR_TRY(const auto entries, Blame(repo->objects(), from, args.tensor));
  std::vector<std::vector<std::string>> rows;
  json::array list;
  for (const BlameEntry& e : entries) {
    FLAIR_TRY(const Commit commit, ReadCommit(repo->objects(), e.commit));
    rows.push_back({e.commit.Short(), ShortWallet(commit.author), FormatTime(commit.time_s),
                    Printable(e.path), Printable(e.tensor),
                    FormatShape(e.value.dtype, e.value.dims),
                    Printable(FirstLine(commit.message))});
    list.push_back(json::object{{"path", e.path},
                                {"tensor", e.tensor},
                                {"commit", e.commit.ToHex()},
                                {"author", commit.author.ToBase58()},
                                {"time", FormatTime(commit.time_s)},
                                {"message", FirstLine(commit.message)}});
  }
  s.out() << Table(rows);
  s.Document(json::object{{"tensors", std::move(list)}});
  return ExitCode::kOk;
}

Run Define(Options& o) {
  auto args = std::make_shared<Args>();
  o.One("TENSOR", args->tensor, "A tensor's name or a glob (default: all)", Need::kOptional);
  o.Value("--at", args->ref, "Look from this ref (default: HEAD)");
  return [args](Session& s) { return RunBlame(s, *args); };
}

}  // namespace

extern const CommandSpec kBlameCommand = {
    .name = "blame",
    .summary = "Name the commit that last changed each tensor",
    .example = "flair blame 'layer1.*'",
    .define = Define};

}  // namespace flair::cli
