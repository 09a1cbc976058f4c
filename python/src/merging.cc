// Merge, revert and cherry-pick.
// SPDX-License-Identifier: Apache-2.0
#include "repo/merging.h"

#include "bindings.h"
#include "repo/refs.h"

namespace flair::python {
namespace {

nb::dict OutcomeToDict(const MergeOutcome& outcome) {
  static constexpr const char* kKinds[] = {"up-to-date", "fast-forward", "merged", "conflicts"};
  nb::dict out;
  out["kind"] = kKinds[static_cast<std::size_t>(outcome.kind)];
  out["commit"] = HexOf(outcome.commit);
  out["method"] = outcome.recipe ? outcome.recipe->method : std::string();
  nb::list conflicts;
  for (const MergeConflict& c : outcome.conflicts) {
    conflicts.append(c.path + (c.tensor.empty() ? "" : ": " + c.tensor) + ": " + c.reason);
  }
  out["conflicts"] = conflicts;
  out["notes"] = outcome.notes;
  return out;
}

nb::dict DoMerge(Repo& self, const nb::bytes& secret, const std::vector<std::string>& refs,
                 const std::string& method, const std::string& weights,
                 const std::vector<std::pair<std::string, std::string>>& parameters,
                 const std::string& message, bool dry_run, bool fast_forward,
                 std::optional<std::uint64_t> time_s) {
  const Keypair key = KeypairFrom(secret);
  return OutcomeToDict(self.Run([&](Repository& r) -> Result<MergeOutcome> {
    MergeRequest request;
    for (const std::string& ref : refs) {
      FLAIR_TRY(const CommitId other, Resolve(r, ref));
      request.others.push_back(other);
    }
    request.method = method;
    request.weights = weights;
    request.parameters = parameters;
    request.message = message;
    request.time_s = time_s;
    request.run = dry_run ? MergeRun::kDryRun : MergeRun::kReal;
    request.fast_forwards = fast_forward ? FastForwards::kAllow : FastForwards::kNever;
    request.progress = Interruptible();
    return Merge(r, request, key);
  }));
}

nb::dict DoRevert(Repo& self, const nb::bytes& secret, const std::string& ref,
                  const std::string& by, const std::string& message) {
  const Keypair key = KeypairFrom(secret);
  return OutcomeToDict(self.Run([&](Repository& r) -> Result<MergeOutcome> {
    RevertRequest request;
    FLAIR_TRY(request.commit, Resolve(r, ref));
    request.by = OneOf<RevertBy>(
        "by", by, {{"history", RevertBy::kHistory}, {"subtract", RevertBy::kSubtract}});
    request.message = message;
    request.progress = Interruptible();
    return Revert(r, request, key);
  }));
}

nb::dict DoCherryPick(Repo& self, const nb::bytes& secret, const std::string& ref,
                      const std::string& message) {
  const Keypair key = KeypairFrom(secret);
  return OutcomeToDict(self.Run([&](Repository& r) -> Result<MergeOutcome> {
    CherryPickRequest request;
    FLAIR_TRY(request.commit, Resolve(r, ref));
    request.message = message;
    request.progress = Interruptible();
    return CherryPick(r, request, key);
  }));
}

}  // namespace

void BindMerging(nb::class_<Repo>& repo) {
  repo.def("merge", DoMerge, nb::arg("secret"), nb::arg("refs"), nb::arg("method") = "",
           nb::arg("weights") = "",
           nb::arg("parameters") = std::vector<std::pair<std::string, std::string>>{},
           nb::arg("message") = "", nb::arg("dry_run") = false, nb::arg("fast_forward") = true,
           nb::arg("time_s") = nb::none());
  repo.def("revert", DoRevert, nb::arg("secret"), nb::arg("ref"), nb::arg("by") = "history",
           nb::arg("message") = "");
  repo.def("cherry_pick", DoCherryPick, nb::arg("secret"), nb::arg("ref"), nb::arg("message") = "");
}

}  // namespace flair::python
