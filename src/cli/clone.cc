// `flair clone`: a copy of a hub's repository. Interrupted, the same command goes on.
// SPDX-License-Identifier: Apache-2.0
#include <boost/json/object.hpp>
#include <memory>
#include <ostream>

#include "cli/hub_connection.h"
#include "cli/objects_view.h"
#include "cli/transfer_view.h"

namespace flair::cli {
namespace {

struct Args {
  std::string url;
  std::string dir;
  std::string light;
  std::string tensors;
  std::string branch;
  std::uint64_t depth = 0;
};

// Hubs do not tell strangers which private repositories there are; to somebody who is not
// signed in, that is the likelier reason.
Error Explain(HubRepo& from, Error error) {
  if (error.code() != ErrorCode::kNotFound || !from.hub->token().empty()) return error;
  return Error(ErrorCode::kUnauthorised, error.message())
      .WithHint("if it is private, sign in: flair login " + from.address.hub);
}

Result<ExitCode> RunClone(Session& s, const Args& args) {
  if (args.light.starts_with("lora")) {
    return Error(ErrorCode::kUnsupported, "--light lora:R is not there yet")
        .WithHint("--light int8 and --light bf16 give a copy to look at and evaluate");
  }
  if (!args.light.empty() && args.light != "int8" && args.light != "bf16") {
    return ReportUsage(s, "--light is int8 or bf16, not '" + args.light + "'");
  }
  if (args.depth > 0xFFFFFFFF) return ReportUsage(s, "--depth is too large");
  FLAIR_TRY(HubRepo from, OpenHubRepo(s, args.url));
  CloneOptions options;
  options.fetch.transfer.progress = s.Progress();
  options.fetch.tensors_glob = args.tensors;
  options.fetch.depth = static_cast<std::uint32_t>(args.depth);
  options.light = args.light;
  options.branch = args.branch;
  const std::string dir = s.Absolute(args.dir.empty() ? from.address.name : args.dir);
  auto cloned = Clone(s.env(), *from.hub.api, from.address, dir, options);
  if (!cloned.ok()) return Explain(from, std::move(cloned).error());
  const CloneOutcome outcome = std::move(*cloned);
  s.ClearProgress();
  TellFetch(s, outcome.fetch);
  s.out() << "cloned into " << dir;
  if (outcome.commit) {
    s.out() << ", on branch " << outcome.branch << " (" << outcome.commit->Short() << ")\n";
  } else {
    s.out() << "; the remote is empty\n";
  }
  json::object document = FetchJson(outcome.fetch);
  document["root"] = dir;
  document["url"] = from.address.ToUrl();
  document["branch"] = outcome.branch;
  document["commit"] = IdJson(outcome.commit);
  document["light"] = args.light.empty() ? json::value() : json::value(args.light);
  s.Document(document);
  return ExitCode::kOk;
}

Run Define(Options& o) {
  auto args = std::make_shared<Args>();
  o.One("URL", args->url, "http(s)://HUB/OWNER/NAME, or OWNER/NAME", Need::kRequired);
  o.One("DIR", args->dir, "Where (default: NAME)", Need::kOptional);
  o.Value("--light", args->light, "int8 or bf16: a smaller copy to look at and evaluate");
  o.Value("--tensors", args->tensors, "Only tensors whose name matches this glob");
  o.Value("--depth", args->depth, "Only the last N commits of each branch");
  o.Value("-b,--branch", args->branch, "Check this branch out (default: the hub's)");
  return [args](Session& s) { return RunClone(s, *args); };
}

}  // namespace

extern const CommandSpec kCloneCommand = {.name = "clone",
                                          .summary = "Copy a repository from a hub",
                                          .example =
                                              "flair clone http://127.0.0.1:8420/alice/digits\n"
                                              "flair clone alice/digits look --light int8",
                                          .define = Define};

}  // namespace flair::cli
