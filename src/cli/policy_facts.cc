// SPDX-License-Identifier: Apache-2.0
#include "cli/policy_facts.h"

#include <cmath>

#include "repo/diff.h"
#include "repo/history.h"

namespace flair::cli {
namespace {

void CollectTensor(const TensorDiff& t, const Policy& policy, double& squared, CommitFacts& facts) {
  facts.changed_tensors.push_back(t.name);
  facts.changes_weights = true;
  if (!t.stats) return;
  if (t.stats->num_nan + t.stats->num_inf > 0) facts.non_finite_tensors.push_back(t.name);
  if (policy.RoleOf(t.name) == PolicyTensorRole::kTrainable) {
    squared += t.stats->l2_delta * t.stats->l2_delta;
  }
}

}  // namespace

Result<CommitFacts> CollectFacts(const ObjectStore& objects, const CommitId& id,
                                 const Policy& policy, const ProgressSink& progress) {
  FLAIR_TRY(const Commit commit, ReadCommit(objects, id));
  CommitFacts facts;
  facts.commit = id.Short();
  facts.has_training = commit.training.has_value();
  if (commit.training) {
    facts.num_samples = commit.training->num_samples;
    facts.num_steps = commit.training->num_steps;
  }
  Tree before;
  if (!commit.parents.empty()) {
    FLAIR_TRY(before, ReadCommitTree(objects, commit.parents[0]));
  }
  FLAIR_TRY(const Tree after, ReadTree(objects, commit.tree));
  DiffOptions options;
  options.detail = DiffDetail::kStats;
  options.progress = progress;
  FLAIR_TRY(const auto files, DiffTrees(objects, before, after, options));
  double squared = 0;
  for (const FileDiff& f : files) {
    facts.changed_paths.push_back(f.path);
    for (const TensorDiff& t : f.tensors) CollectTensor(t, policy, squared, facts);
  }
  if (facts.changes_weights && !commit.parents.empty()) facts.update_norm = std::sqrt(squared);
  return facts;
}

}  // namespace flair::cli
