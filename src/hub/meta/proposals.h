// Proposals, their reviews and comments as rows.
//
// Place: hub/meta. At most one proposal of (author, source branch, target) is open.
// A review names a commit: one of an older tip stays listed and counts no more.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/meta/repos.h"
#include "object/ids.h"
#include "repo/sqlite.h"

namespace flair::hub {

struct ProposalRow {
  std::string repo_id;
  std::int64_t number = 0;
  std::string author;  // wallet
  std::string source_branch;
  std::string target;  // branch, "main"
  CommitId tip;
  std::optional<CommitId> base;  // where it leaves the target
  std::string title;
  std::string state;     // "open", "merged", "closed"
  std::string evidence;  // one JSON object
  std::string checks;    // one JSON array
  std::optional<CommitId> merged_commit;
  std::int64_t created_s = 0;
  std::int64_t updated_s = 0;
};

Result<std::optional<ProposalRow>> FindProposal(Database& db, std::string_view repo_id,
                                                std::int64_t number);
Result<std::optional<ProposalRow>> FindOpenProposal(Database& db, std::string_view repo_id,
                                                    std::string_view author,
                                                    std::string_view source_branch,
                                                    std::string_view target);
// Newest first. `state` "all": every one; `target` empty: of every branch.
Result<std::vector<ProposalRow>> ListProposals(Database& db, std::string_view repo_id,
                                               std::string_view state, std::string_view target);
// Where people look at a proposal: HUB/OWNER/NAME/proposals/N, by the owner's handle if there
// is one.
Result<std::string> ProposalUrl(Database& db, std::string_view public_url, const RepoRow& repo,
                                std::int64_t number);
// Returns the new number; `row.number` is ignored.
Result<std::int64_t> InsertProposal(Database& db, const ProposalRow& row);
// Stores tip, base, title, state, evidence, checks, merged_commit and updated_s.
Status UpdateProposal(Database& db, const ProposalRow& row);

struct ReviewRow {
  AttachmentId attachment;
  CommitId commit;
  std::string reviewer;
  std::uint8_t verdict = 0;  // Verdict
  std::string message;
  std::int64_t time_s = 0;
};
Result<std::vector<ReviewRow>> ListReviews(Database& db, std::string_view repo_id,
                                           std::int64_t proposal);
// Errors: kAlreadyExists for the same attachment again.
Status InsertReview(Database& db, std::string_view repo_id, std::int64_t proposal,
                    const ReviewRow& review);

struct CommentRow {
  std::string author;
  std::string text;
  std::int64_t time_s = 0;
};
Result<std::vector<CommentRow>> ListComments(Database& db, std::string_view repo_id,
                                             std::int64_t proposal);
Status InsertComment(Database& db, std::string_view repo_id, std::int64_t proposal,
                     const CommentRow& comment);

// What the reviews say about the current tip: the last word of each reviewer who is
// maintainer or owner now, and neither the proposal's author nor the tip's.
struct Standing {
  std::size_t approvals = 0;
  bool rejected = false;  // a standing rejection or request for changes
};
Result<Standing> StandingOf(Database& db, const ProposalRow& proposal, std::string_view tip_author);

}  // namespace flair::hub
