// Repositories: opening, the working tree, branches, commits.
// SPDX-License-Identifier: Apache-2.0
#include "base/path.h"
#include "bindings.h"
#include "repo/branching.h"
#include "repo/commit_ops.h"
#include "repo/config.h"
#include "repo/extent.h"
#include "repo/oplog.h"
#include "repo/refs.h"
#include "repo/run.h"
#include "repo/worktree.h"

namespace flair::python {
namespace {

using Opener = Result<std::unique_ptr<Repository>> (*)(Env&, const std::string&);

template <Opener open>
std::unique_ptr<Repo> OpenWith(const std::string& dir) {
  nb::gil_scoped_release release;
  auto made = std::make_unique<Repo>();
  made->repo = Unwrap(open(PosixEnv(), dir));
  return made;
}

nb::list Changes(const std::vector<PathChange>& changes) {
  nb::list out;
  for (const PathChange& c : changes) {
    out.append(nb::make_tuple(c.path, std::string(FileChangeName(c.kind))));
  }
  return out;
}

nb::dict StatusOf(Repo& self) {
  const WorktreeStatus s = self.Run([](Repository& r) { return ReadStatus(r); });
  nb::dict out;
  out["branch"] =
      s.head.branch.empty() ? nb::object(nb::none()) : nb::cast(ShortRefName(s.head.branch));
  out["commit"] = HexOf(s.head.commit);
  out["staged"] = Changes(s.staged);
  out["unstaged"] = Changes(s.unstaged);
  out["left_out"] = s.left_out;
  out["light"] = s.light.empty() ? nb::object(nb::none()) : nb::cast(s.light);
  out["untracked"] = s.untracked;
  out["refused"] = s.refused;
  return out;
}

nb::list AddPaths(Repo& self, const std::vector<std::string>& paths) {
  return Changes(self.Run([&](Repository& r) { return Add(r, paths, Interruptible()); }).changes);
}

Result<TrainingRecord> RecordOfRun(Repository& r, const std::string& run_id) {
  FLAIR_TRY(const std::string folder, RunFolder(r.runs_dir(), run_id));
  FLAIR_TRY(const auto run, RunReader::Open(r.env(), folder));
  return TrainingRecordOf(*run);
}

std::string MakeCommit(Repo& self, const nb::bytes& secret, const std::string& message,
                       const std::vector<std::pair<std::string, double>>& metrics,
                       std::optional<std::uint64_t> samples, const std::string& framework,
                       const std::string& run_id, bool allow_empty,
                       std::optional<std::uint64_t> time_s) {
  const Keypair key = KeypairFrom(secret);
  const auto make = [&](Repository& r) -> Result<CommitId> {
    CommitRequest request;
    request.message = message;
    for (const auto& [name, value] : metrics) request.metrics.push_back({name, value});
    request.num_samples = samples;
    request.time_s = time_s;
    request.empty = allow_empty ? EmptyCommit::kAllow : EmptyCommit::kRefuse;
    if (!run_id.empty()) {
      FLAIR_TRY(request.training, RecordOfRun(r, run_id));
    } else if (!framework.empty()) {
      request.training = TrainingRecord{};
      request.training->framework = framework;
    }
    return CreateCommit(r, request, key);
  };
  return self.Run(make).ToHex();
}

// May a version of a file be written and staged at `path`?
void CheckMayStage(Repo& self, const std::string& path) {
  self.Run([&](Repository& r) -> Status {
    FLAIR_DO(CheckRepoPath(path));
    return CheckCanStage(r);
  });
}

std::string ResolveRef(Repo& self, const std::string& text) {
  return self.Run([&](Repository& r) { return Resolve(r, text); }).ToHex();
}

nb::list ListOfRefs(Repo& self, const std::string& prefix) {
  nb::list out;
  for (const Ref& ref : self.Run([&](Repository& r) { return ListRefs(r, prefix); })) {
    out.append(nb::make_tuple(ref.name, ref.commit.ToHex()));
  }
  return out;
}

std::optional<std::string> SwitchTo(Repo& self, const std::string& target, const std::string& mode,
                                    const std::string& start) {
  const Head head = self.Run([&](Repository& r) -> Result<Head> {
    std::optional<CommitId> at;
    if (!start.empty()) {
      FLAIR_TRY(at, Resolve(r, start));
    }
    const SwitchMode how = mode == "create"   ? SwitchMode::kCreate
                           : mode == "detach" ? SwitchMode::kDetach
                                              : SwitchMode::kExisting;
    return Switch(r, target, how, at, Interruptible());
  });
  return HexOf(head.commit);
}

void MakeBranch(Repo& self, const std::string& name, const std::string& at) {
  self.Run([&](Repository& r) -> Status {
    FLAIR_TRY(const CommitId commit, Resolve(r, at));
    return CreateBranch(r, name, commit);
  });
}

void MakeTag(Repo& self, const std::string& name, const std::string& at) {
  self.Run([&](Repository& r) -> Status {
    FLAIR_TRY(const CommitId commit, Resolve(r, at));
    return CreateTag(r, name, commit);
  });
}

std::vector<std::string> RestorePaths(Repo& self, const std::vector<std::string>& paths,
                                      const std::string& source) {
  return self.Run([&](Repository& r) -> Result<std::vector<std::string>> {
    RestoreOptions options;
    options.progress = Interruptible();
    if (!source.empty()) {
      options.what = RestoreWhat::kFromCommit;
      FLAIR_TRY(options.source, Resolve(r, source));
    }
    return Restore(r, paths, options);
  });
}

void ResetTo(Repo& self, const std::string& ref, const std::string& mode) {
  self.Run([&](Repository& r) -> Status {
    FLAIR_TRY(const CommitId to, Resolve(r, ref));
    const ResetMode how = OneOf<ResetMode>(
        "mode", mode,
        {{"mixed", ResetMode::kMixed}, {"soft", ResetMode::kSoft}, {"hard", ResetMode::kHard}});
    return Reset(r, to, how, Interruptible());
  });
}

std::string UndoLast(Repo& self) {
  return self.Run([](Repository& r) { return Undo(r, Interruptible()); }).kind;
}

void PutRemote(Repo& self, const std::string& name, const std::string& url) {
  self.Run(
      [&](Repository& r) { return SetRemote(r, Remote{.name = name, .url = url, .repo_id = {}}); });
}

nb::dict Remotes(Repo& self) {
  nb::dict out;
  for (const Remote& remote : self.Run([](Repository& r) { return ListRemotes(r); })) {
    out[nb::cast(remote.name)] = remote.url;
  }
  return out;
}

std::optional<std::string> ConfigValue(Repo& self, const std::string& key) {
  return self.Run([&](Repository& r) { return GetConfig(r, key); });
}

void VerifyOne(Repo& self, const std::string& ref) {
  self.Run([&](Repository& r) -> Status {
    FLAIR_TRY(const CommitId id, Resolve(r, ref));
    return VerifyCommit(r, id);
  });
}

}  // namespace

void BindRepository(nb::module_& m) {
  nb::class_<Repo> repo(m, "Repo");
  repo.def_static("init", OpenWith<&Repository::Init>)
      .def_static("open", OpenWith<&Repository::Open>)
      .def_static("discover", OpenWith<&Repository::Discover>)
      .def_prop_ro("root", [](const Repo& self) { return self.repo->root(); })
      .def("status", StatusOf)
      .def("add", AddPaths)
      .def("check_can_stage", CheckMayStage)
      .def("commit", MakeCommit, nb::arg("secret"), nb::arg("message"), nb::arg("metrics"),
           nb::arg("samples") = nb::none(), nb::arg("framework") = "", nb::arg("run_id") = "",
           nb::arg("allow_empty") = false, nb::arg("time_s") = nb::none())
      .def("resolve", ResolveRef)
      .def("refs", ListOfRefs, nb::arg("prefix") = "")
      .def("switch", SwitchTo, nb::arg("target"), nb::arg("mode") = "", nb::arg("start") = "")
      .def("branch", MakeBranch)
      .def("tag", MakeTag)
      .def("restore", RestorePaths, nb::arg("paths"), nb::arg("source") = "")
      .def("reset", ResetTo)
      .def("undo", UndoLast)
      .def("remotes", Remotes)
      .def("set_remote", PutRemote)
      .def("config", ConfigValue)
      .def("verify", VerifyOne);
  BindHistory(repo);
  BindMerging(repo);
  BindTensors(repo);
  BindRuns(m, repo);
  BindHub(m, repo);
}

}  // namespace flair::python
