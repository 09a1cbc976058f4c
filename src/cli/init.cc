// `flair init`: a new repository.
// SPDX-License-Identifier: Apache-2.0
#include <boost/json/object.hpp>
#include <memory>
#include <ostream>

#include "cli/session.h"

namespace flair::cli {
namespace {

Run Define(Options& o) {
  auto dir = std::make_shared<std::string>();
  o.One("DIR", *dir, "Where (default: here)", Need::kOptional);
  return [dir](Session& s) -> Result<ExitCode> {
    FLAIR_TRY(const auto repo, Repository::Init(s.env(), s.Absolute(*dir)));
    s.out() << "empty repository in " << repo->root() << "\n";
    s.Document(json::object{{"root", repo->root()}, {"branch", kDefaultBranch}});
    return ExitCode::kOk;
  };
}

}  // namespace

extern const CommandSpec kInitCommand = {.name = "init",
                                         .summary = "Make a repository",
                                         .example = "flair init digits",
                                         .define = Define};

}  // namespace flair::cli
