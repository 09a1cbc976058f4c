// SPDX-License-Identifier: Apache-2.0
#include "hub/contribution.h"

#include "hub/branch_policy.h"
#include "hub/card_check.h"
#include "hub/facts.h"
#include "hub/meta/repos.h"
#include "repo/closure.h"
#include "repo/history.h"

namespace flair::hub {

Result<CommitFacts> FactsOf(HubContext& hub, const RepoRow& repo, const ObjectStore& objects,
                            const CommitId& id, const Commit& commit, const Policy& policy) {
  FLAIR_TRY(CommitFacts facts, CollectFacts(objects, id, commit, policy));
  if (policy.registered_card.value) {
    auto problem = Query(hub.db, [&](Database& db) { return CardProblem(db, repo.id, commit); });
    FLAIR_TRY(facts.card_problem, std::move(problem));
  }
  return facts;
}

Result<std::vector<Violation>> CheckProposalAgain(HubContext& hub, const RepoRow& repo,
                                                  const ObjectStore& objects,
                                                  const ProposalRow& proposal,
                                                  const CommitId& target_tip,
                                                  const Policy& policy) {
  auto role = Query(hub.db, [&](Database& db) { return RoleOf(db, repo.id, proposal.author); });
  FLAIR_TRY(const std::optional<Who> who, std::move(role));
  FLAIR_TRY(const Closure closure, WalkClosure(objects, {proposal.tip}, {target_tip}, {}));
  std::vector<Violation> all;
  for (const CommitId& id : closure.commits) {
    FLAIR_TRY(const Commit commit, ReadCommit(objects, id));
    FLAIR_TRY(const CommitFacts facts, FactsOf(hub, repo, objects, id, commit, policy));
    const auto found =
        CheckContribution(policy, facts, PolicyRoleOf(who ? *who : Who::kContributor));
    all.insert(all.end(), found.begin(), found.end());
  }
  return all;
}

}  // namespace flair::hub
