// A merge that the hub prepared, checked before it is signed.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "remote/hub_api.h"

namespace flair {
namespace {

Error Rejected(std::string why) {
  return Error(ErrorCode::kRejected, "the merge that the hub prepared " + std::move(why))
      .WithHint("nothing was signed");
}

}  // namespace

Result<Commit> CheckPreparedMerge(const wire::PreparedMerge& prepared,
                                  const wire::MergeRequest& request, const CommitId& target_tip,
                                  const std::vector<CommitId>& commits) {
  auto decoded = DecodeCommit(prepared.commit_body);
  if (!decoded.ok()) return Rejected("does not decode: " + decoded.error().message());
  Commit commit = std::move(decoded).value();
  if (IdOf(commit).ToHex() != prepared.commit_id) {
    return Rejected("has the id " + IdOf(commit).Short() + ", not the one the hub says");
  }
  std::vector<CommitId> parents = commits;
  std::sort(parents.begin(), parents.end());
  parents.erase(std::unique(parents.begin(), parents.end()), parents.end());
  parents.insert(parents.begin(), target_tip);
  if (commit.parents != parents) {
    return Rejected("has other parents than the target's tip and the proposals' commits");
  }
  if (commit.author.ToBase58() != request.author) return Rejected("names another author");
  if (request.time_s != 0 && commit.time_s != request.time_s) return Rejected("has another time");
  if (!request.message.empty() && commit.message != request.message) {
    return Rejected("has another message");
  }
  if (!commit.merge.has_value()) return Rejected("has no recipe");
  if (!request.method.empty() && commit.merge->method != request.method) {
    return Rejected("uses the method '" + commit.merge->method + "', not '" + request.method + "'");
  }
  return commit;
}

Result<RoundOutcome> MergeProposals(HubApi& api, const RepoAddress& repo, const RoundRequest& round,
                                    const Keypair& key) {
  wire::MergeRequest request;
  request.proposals = round.proposals;
  request.method = round.method;
  request.weights = round.weights;
  request.message = round.message;
  request.time_s = round.time_s;
  request.author = key.wallet().ToBase58();
  request.parameters = round.parameters;

  // What the round is of, as the maintainer sees it now.
  std::vector<CommitId> commits;
  std::string target;
  for (const std::uint64_t number : round.proposals) {
    FLAIR_TRY(const wire::Proposal proposal, api.GetProposal(repo, number));
    if (!target.empty() && proposal.target != target) {
      return Error(ErrorCode::kInvalidArgument, "proposal #" + std::to_string(number) +
                                                    " is for '" + proposal.target +
                                                    "', the others for '" + target + "'");
    }
    target = proposal.target;
    FLAIR_TRY(const CommitId commit, CommitId::FromHex(proposal.commit));
    commits.push_back(commit);
  }
  FLAIR_TRY(const wire::RefList refs, api.ListRefs(repo));
  const auto tip = refs.Find("heads/" + target);
  if (!tip.has_value()) {
    return Error(ErrorCode::kNotFound, "the hub has no branch '" + target + "'");
  }

  FLAIR_TRY(const wire::PreparedMerge prepared, api.PrepareMerge(repo, request));
  RoundOutcome outcome;
  if (!prepared.conflicts.empty()) {
    outcome.conflicts = prepared.conflicts;
    return outcome;
  }
  FLAIR_TRY(outcome.body, CheckPreparedMerge(prepared, request, *tip, commits));
  const CommitId id = IdOf(outcome.body);
  FLAIR_TRY(const wire::MergeResult result,
            api.FinishMerge(repo, prepared.merge, SignCommit(id, key, outcome.body.time_s)));
  if (result.commit != id) return Rejected("was finished as another commit");
  outcome.commit = id;
  return outcome;
}

}  // namespace flair
