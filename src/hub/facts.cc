// SPDX-License-Identifier: Apache-2.0
#include "hub/facts.h"

#include <cmath>
#include <unordered_set>

#include "hub/json.h"
#include "repo/diff.h"
#include "repo/history.h"

namespace flair::hub {
namespace {

json::value Optional(const std::optional<double>& v) {
  return v && std::isfinite(*v) ? json::value(*v) : json::value(nullptr);
}
json::value Finite(double v) { return std::isfinite(v) ? json::value(v) : json::value(nullptr); }

// New and reshaped tensors have no statistics against a parent: look at them alone.
Status AddNonFinite(const ObjectStore& objects, const FileDiff& file, CommitFacts& facts) {
  for (const TensorDiff& t : file.tensors) {
    const bool is_new = t.kind == ChangeKind::kAdded || t.kind == ChangeKind::kReshaped;
    if (!is_new || !t.after) continue;
    FLAIR_TRY(const bool found, HasNonFinite(objects, *t.after));
    if (found) facts.non_finite_tensors.push_back(t.name);
  }
  return OkStatus();
}

}  // namespace

Result<CommitFacts> CollectFacts(const ObjectStore& objects, const CommitId& id,
                                 const Commit& commit, const Policy& policy) {
  CommitFacts facts;
  facts.commit = id.Short();
  if (commit.training) {
    facts.has_training = true;
    facts.num_samples = commit.training->num_samples;
    facts.num_steps = commit.training->num_steps;
    facts.program = commit.training->program;
  }
  Tree before;
  if (!commit.parents.empty()) {
    FLAIR_TRY(before, ReadCommitTree(objects, commit.parents[0]));
  }
  FLAIR_TRY(const Tree after, ReadTree(objects, commit.tree));
  FLAIR_TRY(const std::vector<FileDiff> diff, DiffTrees(objects, before, after, {}));
  for (const FileDiff& file : diff) {
    facts.changed_paths.push_back(file.path);
    for (const TensorDiff& t : file.tensors) facts.changed_tensors.push_back(t.name);
    if (!file.tensors.empty()) facts.changes_weights = true;
    FLAIR_DO(AddNonFinite(objects, file, facts));
  }
  if (!facts.changes_weights || commit.parents.empty()) return facts;
  FLAIR_TRY(const UpdateEvidence evidence, CollectEvidence(objects, commit.parents[0], id, {}));
  for (const TensorEvidence& t : evidence.tensors) {
    if (t.num_nan + t.num_inf > 0) facts.non_finite_tensors.push_back(t.tensor);
  }
  facts.update_norm = TrainableNorm(evidence, policy);
  return facts;
}

double TrainableNorm(const UpdateEvidence& evidence, const Policy& policy) {
  double squared = 0;
  for (const TensorEvidence& t : evidence.tensors) {
    if (policy.RoleOf(t.tensor) == PolicyTensorRole::kTrainable) {
      squared += t.update_norm * t.update_norm;
    }
  }
  return std::sqrt(squared);
}

std::string EvidenceJson(const UpdateEvidence& e, const CommitId& base, const CommitId& tip,
                         const std::vector<OtherUpdate>& others) {
  json::array tensors;
  for (const TensorEvidence& t : e.tensors) {
    tensors.push_back(json::object{{"path", t.path},
                                   {"name", t.tensor},
                                   {"elements", t.num_elements},
                                   {"changed", t.num_changed},
                                   {"nan", t.num_nan},
                                   {"inf", t.num_inf},
                                   {"update_norm", Finite(t.update_norm)},
                                   {"base_norm", Finite(t.base_norm)},
                                   {"cosine", Optional(t.cosine)}});
  }
  const double share = e.num_elements == 0 ? 0
                                           : static_cast<double>(e.num_changed) /
                                                 static_cast<double>(e.num_elements);
  json::object out{{"base", base.ToHex()},
                   {"commit", tip.ToHex()},
                   {"update_norm", Finite(e.update_norm)},
                   {"base_norm", Finite(e.base_norm)},
                   {"max_abs", Finite(e.max_abs)},
                   {"elements", e.num_elements},
                   {"changed", e.num_changed},
                   {"changed_share", share},
                   {"nan", e.num_nan},
                   {"inf", e.num_inf},
                   {"cosine", Optional(e.cosine)},
                   {"compared_with", e.num_compared},
                   {"norm_ratio", Optional(e.norm_ratio)},
                   {"krum_score", Optional(e.krum_score)}};
  if (e.krum_score) {
    out["krum_median"] = Finite(e.krum_median);
    out["krum_rank"] = e.krum_rank;
  }
  json::array compared;
  for (const OtherUpdate& o : others) compared.emplace_back(o.tip.ToHex());
  out["others"] = std::move(compared);
  out["layout"] = wire::ToArray(e.layout);
  out["tensors"] = std::move(tensors);
  return ToText(out);
}

}  // namespace flair::hub
