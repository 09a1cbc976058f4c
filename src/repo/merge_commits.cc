// SPDX-License-Identifier: Apache-2.0
#include "repo/merge_commits.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "merge/weights.h"
#include "repo/history.h"
#include "repo/join_trees.h"
#include "repo/prepared.h"

namespace flair {
namespace {

struct RankedInput {
  CommitId commit;
  std::uint64_t samples = 0;
  std::uint32_t given_alpha = 0;
};

bool IsWeighted(MergeMethod method) {
  return method == MergeMethod::kFedAvg || method == MergeMethod::kLinear;
}

// In the order of the commit's parents.
Result<std::vector<RankedInput>> SortInputs(const std::vector<MergeInput>& inputs,
                                            const WeightsChoice& weights) {
  if (inputs.empty()) return Error(ErrorCode::kInvalidArgument, "nothing to merge: no input");
  if (inputs.size() >= kMaxParents) {
    return Error(ErrorCode::kInvalidArgument, std::to_string(inputs.size()) +
                                                  " inputs; one merge takes at most " +
                                                  std::to_string(kMaxParents - 1));
  }
  const bool given = weights.kind == MergeWeights::kGiven;
  if (given && weights.alpha.size() != inputs.size()) {
    return Error(ErrorCode::kInvalidArgument, std::to_string(weights.alpha.size()) +
                                                  " weights for " + std::to_string(inputs.size()) +
                                                  " inputs");
  }
  std::vector<RankedInput> ranked;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    ranked.push_back({.commit = inputs[i].commit,
                      .samples = inputs[i].samples,
                      .given_alpha = given ? weights.alpha[i] : 0});
  }
  std::sort(ranked.begin(), ranked.end(),
            [](const RankedInput& a, const RankedInput& b) { return a.commit < b.commit; });
  for (std::size_t i = 1; i < ranked.size(); ++i) {
    if (ranked[i].commit == ranked[i - 1].commit) {
      return Error(ErrorCode::kInvalidArgument,
                   "commit " + ranked[i].commit.Short() + " is an input twice");
    }
  }
  return ranked;
}

Result<std::uint64_t> SamplesBetween(History& history, const CommitId& input,
                                     const CommitId& base) {
  std::uint64_t samples = 0;
  CommitId at = input;
  while (at != base) {
    FLAIR_TRY(const Commit* const commit, history.Get(at));
    if (commit->training) samples = std::max(samples, commit->training->num_samples);
    FLAIR_TRY(const std::vector<CommitId> parents, history.ParentsOf(at));
    if (parents.empty()) break;
    at = parents[0];
  }
  return samples;
}

Result<std::vector<std::uint32_t>> Weigh(History& history, const CommitId& target,
                                         const std::vector<RankedInput>& inputs,
                                         const std::vector<CommitId>& bases,
                                         const MergeOptions& options) {
  std::vector<std::uint32_t> alpha;
  if (!IsWeighted(options.method)) return alpha;
  if (options.weights.kind == MergeWeights::kGiven) {
    for (const RankedInput& input : inputs) alpha.push_back(input.given_alpha);
    return alpha;
  }
  if (options.weights.kind == MergeWeights::kEqual) {
    alpha = EqualWeights(inputs.size());
  } else {
    std::vector<std::uint64_t> samples;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      std::uint64_t n = inputs[i].samples;
      if (n == 0) {
        FLAIR_TRY(n, SamplesBetween(history, inputs[i].commit, bases[i]));
      }
      // One input has the whole weight, whatever it declares.
      if (n == 0 && inputs.size() == 1) n = 1;
      if (n == 0) {
        return Error(ErrorCode::kInvalidArgument,
                     "commit " + inputs[i].commit.Short() + " declares no sample count")
            .WithHint("merge with equal weights, or give the weights");
      }
      samples.push_back(n);
    }
    FLAIR_TRY(alpha, WeightsBySamples(samples));
  }
  if (options.method != MergeMethod::kFedAvg || options.staleness == StalenessRule::kIgnore) {
    return alpha;
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    FLAIR_TRY(const std::uint64_t missed, history.Staleness(target, inputs[i].commit));
    alpha[i] = DiscountForStaleness(alpha[i], missed);
  }
  return alpha;
}

// The merge base of the target and each input.
Result<std::vector<CommitId>> BasesOf(History& history, const CommitId& target,
                                      const std::vector<CommitId>& inputs) {
  std::vector<CommitId> bases;
  for (const CommitId& input : inputs) {
    const CommitId both[] = {target, input};
    FLAIR_TRY(const auto base, history.MergeBase(both));
    if (!base) {
      return Error(ErrorCode::kInvalidArgument,
                   "commit " + input.Short() + " shares no history with " + target.Short());
    }
    bases.push_back(*base);
  }
  return bases;
}

Result<JoinRequest> MakeJoin(const ObjectStore& objects, History& history, const CommitId& target,
                             const std::vector<CommitId>& inputs,
                             const std::vector<CommitId>& bases, MergeRule rule) {
  const auto tree_of = [&](const CommitId& id) -> Result<Tree> {
    FLAIR_TRY(const Commit* const commit, history.Get(id));
    return ReadTree(objects, commit->tree);
  };
  JoinRequest request;
  FLAIR_TRY(request.target, tree_of(target));
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    FLAIR_TRY(Tree input, tree_of(inputs[i]));
    FLAIR_TRY(Tree base, tree_of(bases[i]));
    request.inputs.push_back(std::move(input));
    request.bases.push_back(std::move(base));
    request.input_names.push_back(inputs[i].Short());
  }
  request.rule = std::move(rule);
  return request;
}

}  // namespace

Result<std::uint64_t> DeclaredSamples(const ObjectStore& objects, const CommitId& input,
                                      const CommitId& base) {
  History history(objects);
  return SamplesBetween(history, input, base);
}

Result<WeightsChoice> ParseWeights(std::string_view text, MergeMethod method) {
  WeightsChoice choice;
  if (text.empty()) {
    choice.kind = method == MergeMethod::kFedAvg ? MergeWeights::kSamples : MergeWeights::kEqual;
    return choice;
  }
  if (text != "equal" && text != "samples" && !IsWeighted(method)) {
    return Error(ErrorCode::kInvalidArgument,
                 std::string(MergeMethodName(method)) + " takes no weights")
        .WithHint("fedavg and linear do");
  }
  if (text == "samples") return choice;
  choice.kind = MergeWeights::kEqual;
  if (text == "equal") return choice;
  choice.kind = MergeWeights::kGiven;
  while (true) {
    const std::size_t comma = std::min(text.find(','), text.size());
    FLAIR_TRY(const std::uint32_t weight, ParseWeight(text.substr(0, comma)));
    choice.alpha.push_back(weight);
    if (comma == text.size()) return choice;
    text.remove_prefix(comma + 1);
  }
}

Result<PreparedMerge> PrepareMerge(ObjectStore& objects, const CommitId& target,
                                   const std::vector<MergeInput>& inputs,
                                   const MergeOptions& options) {
  FLAIR_TRY(const std::vector<RankedInput> ranked, SortInputs(inputs, options.weights));
  FLAIR_TRY(MergeRule rule, MakeMergeRule(options.method, options.parameters, ranked.size()));
  rule.roles = options.roles;

  History history(objects);
  std::vector<CommitId> tips;
  for (const RankedInput& input : ranked) tips.push_back(input.commit);
  FLAIR_TRY(const std::vector<CommitId> bases, BasesOf(history, target, tips));
  for (std::size_t i = 0; i < tips.size(); ++i) {
    if (bases[i] == tips[i]) {
      return Error(ErrorCode::kAlreadyExists, "commit " + tips[i].Short() + " is merged already");
    }
  }
  FLAIR_TRY(rule.alpha, Weigh(history, target, ranked, bases, options));

  std::vector<CommitId> all = tips;
  all.insert(all.begin(), target);
  FLAIR_TRY(const auto common, history.MergeBase(all));
  Commit commit;
  commit.parents = all;
  commit.author = options.author;
  commit.time_s = options.time_s;
  commit.message = options.message;
  // Unrelated pairs were refused; three may still share nothing all together.
  commit.merge = MakeRecipe(rule, common.value_or(bases[0]));

  FLAIR_TRY(JoinRequest request, MakeJoin(objects, history, target, tips, bases, std::move(rule)));
  request.progress = options.progress;
  FLAIR_TRY(TreeJoin join, TreeJoin::Plan(objects, std::move(request)));
  return FinishJoin(objects, std::move(join), std::move(commit), options.run);
}

Status RerunMerge(ObjectStore& objects, const Commit& commit) {
  if (!commit.merge || commit.parents.size() < 2) {
    return Error(ErrorCode::kInvalidArgument, "this commit is no merge with a recipe");
  }
  const CommitId target = commit.parents[0];
  const std::vector<CommitId> tips(commit.parents.begin() + 1, commit.parents.end());
  FLAIR_TRY(MergeRule rule, RuleFromRecipe(*commit.merge, tips.size()));
  const auto rejected = [](std::string why) { return Error(ErrorCode::kRejected, std::move(why)); };

  History history(objects);
  FLAIR_TRY(const std::vector<CommitId> bases, BasesOf(history, target, tips));
  FLAIR_TRY(const auto common, history.MergeBase(commit.parents));
  if (commit.merge->base != common.value_or(bases[0])) {
    return rejected("the recipe names another base than the history does");
  }
  FLAIR_TRY(JoinRequest request, MakeJoin(objects, history, target, tips, bases, std::move(rule)));
  FLAIR_TRY(TreeJoin join, TreeJoin::Plan(objects, std::move(request)));
  if (!join.conflicts().empty()) {
    const MergeConflict& first = join.conflicts()[0];
    return rejected("the merge has a conflict: " + first.path + ": " + first.reason);
  }
  HashSink sink;
  FLAIR_TRY(const Tree tree, join.Run(sink));
  if (join.rule().alpha != commit.merge->alpha) {
    return rejected("the recipe gives other weights than the commit records");
  }
  const TreeId id = IdOf(tree);
  if (id != commit.tree) {
    return rejected("the recipe gives tree " + id.Short() + ", the commit has " +
                    commit.tree.Short());
  }
  return OkStatus();
}

}  // namespace flair
