// Commits and differences as plain dictionaries.
// SPDX-License-Identifier: Apache-2.0
#include "repo/history.h"

#include "bindings.h"
#include "repo/config.h"
#include "repo/diff.h"
#include "repo/refs.h"

namespace flair::python {
namespace {

nb::list Log(Repo& self, const std::vector<std::string>& refs, std::size_t limit) {
  const std::vector<LogEntry> log = self.Run([&](Repository& r) -> Result<std::vector<LogEntry>> {
    std::vector<CommitId> tips;
    for (const std::string& ref : refs) {
      FLAIR_TRY(const CommitId tip, Resolve(r, ref));
      tips.push_back(tip);
    }
    FLAIR_TRY(std::vector<CommitId> shallow, ShallowCommits(r));
    return History(r.objects(), std::move(shallow)).Log(tips, limit);
  });
  nb::list out;
  for (const LogEntry& entry : log) out.append(CommitToDict(entry.id, entry.commit));
  return out;
}

nb::dict StatsToDict(const TensorStats& s) {
  nb::dict out;
  out["elements"] = s.num_elements;
  out["changed"] = s.num_changed;
  out["changed_share"] = s.changed_share();
  out["nan"] = s.num_nan;
  out["inf"] = s.num_inf;
  out["l2_before"] = s.l2_before;
  out["l2_after"] = s.l2_after;
  out["l2_delta"] = s.l2_delta;
  out["cosine"] = s.cosine;
  out["max_abs_delta"] = s.max_abs_delta;
  out["histogram"] = s.histogram;
  return out;
}

nb::object LayoutOf(const std::optional<TensorRef>& t) {
  if (!t) return nb::none();
  return nb::make_tuple(std::string(DTypeName(t->dtype)), t->dims);
}

nb::list Diff(Repo& self, const std::string& a, const std::string& b, const std::string& detail,
              const std::string& glob) {
  const auto diffs = self.Run([&](Repository& r) -> Result<std::vector<FileDiff>> {
    FLAIR_TRY(const CommitId from, Resolve(r, a));
    FLAIR_TRY(const CommitId to, Resolve(r, b));
    FLAIR_TRY(const Tree before, ReadCommitTree(r.objects(), from));
    FLAIR_TRY(const Tree after, ReadCommitTree(r.objects(), to));
    DiffOptions options;
    options.detail = OneOf<DiffDetail>("detail", detail,
                                       {{"names", DiffDetail::kNames},
                                        {"stats", DiffDetail::kStats},
                                        {"histogram", DiffDetail::kHistogram}});
    options.tensors_glob = glob;
    options.progress = Interruptible();
    return DiffTrees(r.objects(), before, after, options);
  });
  nb::list out;
  for (const FileDiff& file : diffs) {
    nb::dict entry;
    entry["path"] = file.path;
    entry["kind"] = std::string(ChangeKindName(file.kind));
    entry["rest_changed"] = file.rest_changed;
    nb::list tensors;
    for (const TensorDiff& t : file.tensors) {
      nb::dict row;
      row["name"] = t.name;
      row["kind"] = std::string(ChangeKindName(t.kind));
      row["before"] = LayoutOf(t.before);
      row["after"] = LayoutOf(t.after);
      row["stats"] = t.stats ? nb::object(StatsToDict(*t.stats)) : nb::object(nb::none());
      tensors.append(row);
    }
    entry["tensors"] = tensors;
    out.append(entry);
  }
  return out;
}

}  // namespace

nb::dict CommitToDict(const CommitId& id, const Commit& commit) {
  nb::dict out;
  out["id"] = id.ToHex();
  nb::list parents;
  for (const CommitId& parent : commit.parents) parents.append(parent.ToHex());
  out["parents"] = parents;
  out["author"] = commit.author.ToBase58();
  out["time_s"] = commit.time_s;
  out["message"] = commit.message;
  nb::dict metrics;
  if (commit.training) {
    const TrainingRecord& t = *commit.training;
    for (const Metric& metric : t.metrics) metrics[nb::cast(metric.name)] = metric.value;
    out["samples"] = t.num_samples;
    out["steps"] = t.num_steps;
    out["framework"] = t.framework;
  } else {
    out["samples"] = 0;
    out["steps"] = 0;
    out["framework"] = "";
  }
  out["metrics"] = metrics;
  out["method"] =
      commit.merge ? nb::object(nb::cast(commit.merge->method)) : nb::object(nb::none());
  return out;
}

void BindHistory(nb::class_<Repo>& repo) {
  repo.def("log", Log, nb::arg("refs"), nb::arg("limit") = 0);
  repo.def("diff", Diff, nb::arg("a"), nb::arg("b"), nb::arg("detail") = "stats",
           nb::arg("glob") = "");
}

}  // namespace flair::python
