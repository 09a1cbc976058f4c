#include "hub/comparison.h"

#include <algorithm>
#include <string>

#include "hub/facts.h"
#include "wire/json.h"

namespace flair::hub {
namespace {

// Pairwise distances grow with the square of it.
constexpr std::size_t kMaxComparedProposals = 15;

std::vector<std::string> TipsOf(const std::vector<OtherUpdate>& others) {
  std::vector<std::string> tips;
  for (const OtherUpdate& o : others) tips.push_back(o.tip.ToHex());
  std::sort(tips.begin(), tips.end());
  return tips;
}

std::vector<std::string> ComparedTips(const std::string& evidence) {
  std::vector<std::string> tips;
  const auto parsed = wire::ParseJson(evidence);
  if (!parsed.ok() || !parsed->is_object()) return tips;
  const auto* others = parsed->get_object().if_contains("others");
  if (others == nullptr || !others->is_array()) return tips;
  for (const auto& tip : others->get_array()) {
    if (tip.is_string()) tips.emplace_back(tip.get_string());
  }
  return tips;
}

}  // namespace

std::vector<OtherUpdate> OthersOf(const std::vector<ProposalRow>& open,
                                  const ProposalRow& proposal) {
  std::vector<OtherUpdate> others;
  for (const ProposalRow& p : open) {
    const bool is_this = p.author == proposal.author && p.source_branch == proposal.source_branch;
    if (is_this || !p.base || p.tip == proposal.tip) continue;
    if (others.size() < kMaxComparedProposals) others.push_back({*p.base, p.tip});
  }
  std::sort(others.begin(), others.end(),
            [](const OtherUpdate& a, const OtherUpdate& b) { return a.tip < b.tip; });
  return others;
}

Status RefreshEvidence(HubContext& hub, const ObjectStore& objects, ProposalRow& proposal) {
  if (proposal.state != "open" || !proposal.base) return OkStatus();
  auto listed = Query(hub.db, [&](Database& db) {
    return ListProposals(db, proposal.repo_id, "open", proposal.target);
  });
  FLAIR_TRY(const std::vector<ProposalRow> open, std::move(listed));
  const std::vector<OtherUpdate> others = OthersOf(open, proposal);
  if (TipsOf(others) == ComparedTips(proposal.evidence)) return OkStatus();
  FLAIR_TRY(const UpdateEvidence evidence,
            CollectEvidence(objects, *proposal.base, proposal.tip, others));
  proposal.evidence = EvidenceJson(evidence, *proposal.base, proposal.tip, others);
  return hub.db.Write([&](Database& db) -> Status {
    FLAIR_TRY(auto now, FindProposal(db, proposal.repo_id, proposal.number));
    // A push may have moved the tip meanwhile; its own evidence counts then.
    if (!now || now->tip != proposal.tip) return OkStatus();
    now->evidence = proposal.evidence;
    return UpdateProposal(db, *now);
  });
}

}  // namespace flair::hub
