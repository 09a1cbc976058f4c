// SPDX-License-Identifier: Apache-2.0
#include "hub/meta/proposals.h"

#include <map>

#include "hub/meta/repos.h"
#include "object/review.h"

namespace flair::hub {
namespace {

constexpr std::string_view kSelect =
    "SELECT repo_id, number, author, source_branch, target, tip, base, title, state, evidence, "
    "checks, merged_commit, created_s, updated_s FROM proposals ";

std::optional<CommitId> AsCommit(const std::optional<Digest>& d) {
  return d ? std::optional(CommitId{*d}) : std::nullopt;
}
std::optional<Digest> AsDigest(const std::optional<CommitId>& c) {
  return c ? std::optional(c->digest) : std::nullopt;
}

Result<ProposalRow> RowFrom(const Statement& s) {
  ProposalRow p;
  p.repo_id = s.Text(0);
  p.number = s.Int(1);
  p.author = s.Text(2);
  p.source_branch = s.Text(3);
  p.target = s.Text(4);
  FLAIR_TRY(p.tip.digest, s.DigestAt(5));
  FLAIR_TRY(const auto base, s.OptionalDigestAt(6));
  p.base = AsCommit(base);
  p.title = s.Text(7);
  p.state = s.Text(8);
  p.evidence = s.Text(9);
  p.checks = s.Text(10);
  FLAIR_TRY(const auto merged, s.OptionalDigestAt(11));
  p.merged_commit = AsCommit(merged);
  p.created_s = s.Int(12);
  p.updated_s = s.Int(13);
  return p;
}

Result<std::optional<ProposalRow>> OneRow(Statement& s) {
  FLAIR_TRY(const bool found, s.Step());
  if (!found) return std::optional<ProposalRow>();
  FLAIR_TRY(ProposalRow row, RowFrom(s));
  return std::optional(std::move(row));
}

}  // namespace

Result<std::optional<ProposalRow>> FindProposal(Database& db, std::string_view repo_id,
                                                std::int64_t number) {
  FLAIR_TRY(Statement s, db.Prepare(std::string(kSelect) + "WHERE repo_id=? AND number=?"));
  s.Bind(1, repo_id).Bind(2, number);
  return OneRow(s);
}

Result<std::optional<ProposalRow>> FindOpenProposal(Database& db, std::string_view repo_id,
                                                    std::string_view author,
                                                    std::string_view source_branch,
                                                    std::string_view target) {
  FLAIR_TRY(Statement s, db.Prepare(std::string(kSelect) +
                                    "WHERE repo_id=? AND author=? AND source_branch=? AND "
                                    "target=? AND state='open'"));
  s.Bind(1, repo_id).Bind(2, author).Bind(3, source_branch).Bind(4, target);
  return OneRow(s);
}

Result<std::vector<ProposalRow>> ListProposals(Database& db, std::string_view repo_id,
                                               std::string_view state, std::string_view target) {
  FLAIR_TRY(Statement s,
            db.Prepare(std::string(kSelect) +
                       "WHERE repo_id=?1 AND (?2='all' OR state=?2) AND (?3='' OR target=?3) "
                       "ORDER BY number DESC LIMIT 1000"));
  s.Bind(1, repo_id).Bind(2, state).Bind(3, target);
  std::vector<ProposalRow> out;
  while (true) {
    FLAIR_TRY(const bool more, s.Step());
    if (!more) return out;
    FLAIR_TRY(ProposalRow row, RowFrom(s));
    out.push_back(std::move(row));
  }
}

Result<std::string> ProposalUrl(Database& db, std::string_view public_url, const RepoRow& repo,
                                std::int64_t number) {
  FLAIR_TRY(const std::string handle, HandleOf(db, repo.owner));
  return std::string(public_url) + "/" + (handle.empty() ? repo.owner : handle) + "/" + repo.name +
         "/proposals/" + std::to_string(number);
}

Result<std::int64_t> InsertProposal(Database& db, const ProposalRow& row) {
  FLAIR_TRY(Statement next,
            db.Prepare("UPDATE repos SET last_proposal = last_proposal + 1 WHERE id=? "
                       "RETURNING last_proposal"));
  next.Bind(1, std::string_view(row.repo_id));
  FLAIR_TRY(const bool found, next.Step());
  if (!found) return Error(ErrorCode::kNotFound, "the repository is gone");
  const std::int64_t number = next.Int(0);
  FLAIR_TRY(const bool more, next.Step());
  (void)more;
  FLAIR_TRY(Statement s,
            db.Prepare("INSERT INTO proposals(repo_id, number, author, source_branch, target, "
                       "tip, base, title, state, evidence, checks, merged_commit, created_s, "
                       "updated_s) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?)"));
  s.Bind(1, std::string_view(row.repo_id)).Bind(2, number).Bind(3, std::string_view(row.author));
  s.Bind(4, std::string_view(row.source_branch)).Bind(5, std::string_view(row.target));
  s.Bind(6, row.tip.digest).Bind(7, AsDigest(row.base)).Bind(8, std::string_view(row.title));
  s.Bind(9, std::string_view(row.state)).Bind(10, std::string_view(row.evidence));
  s.Bind(11, std::string_view(row.checks)).Bind(12, AsDigest(row.merged_commit));
  s.Bind(13, row.created_s).Bind(14, row.updated_s);
  FLAIR_DO(s.Run());
  return number;
}

Status UpdateProposal(Database& db, const ProposalRow& row) {
  FLAIR_TRY(Statement s, db.Prepare("UPDATE proposals SET tip=?, base=?, title=?, state=?, "
                                    "evidence=?, checks=?, merged_commit=?, updated_s=? WHERE "
                                    "repo_id=? AND number=?"));
  s.Bind(1, row.tip.digest).Bind(2, AsDigest(row.base)).Bind(3, std::string_view(row.title));
  s.Bind(4, std::string_view(row.state)).Bind(5, std::string_view(row.evidence));
  s.Bind(6, std::string_view(row.checks)).Bind(7, AsDigest(row.merged_commit));
  s.Bind(8, row.updated_s).Bind(9, std::string_view(row.repo_id)).Bind(10, row.number);
  return s.Run();
}

Result<std::vector<ReviewRow>> ListReviews(Database& db, std::string_view repo_id,
                                           std::int64_t proposal) {
  FLAIR_TRY(Statement s,
            db.Prepare("SELECT attachment, commit_id, reviewer, verdict, message, time_s FROM "
                       "reviews WHERE repo_id=? AND proposal=? ORDER BY number"));
  s.Bind(1, repo_id).Bind(2, proposal);
  std::vector<ReviewRow> out;
  while (true) {
    FLAIR_TRY(const bool more, s.Step());
    if (!more) return out;
    ReviewRow r;
    FLAIR_TRY(r.attachment.digest, s.DigestAt(0));
    FLAIR_TRY(r.commit.digest, s.DigestAt(1));
    r.reviewer = s.Text(2);
    r.verdict = static_cast<std::uint8_t>(s.Int(3));
    r.message = s.Text(4);
    r.time_s = s.Int(5);
    out.push_back(std::move(r));
  }
}

Status InsertReview(Database& db, std::string_view repo_id, std::int64_t proposal,
                    const ReviewRow& r) {
  FLAIR_TRY(Statement s,
            db.Prepare("INSERT OR IGNORE INTO reviews(repo_id, proposal, attachment, commit_id, "
                       "reviewer, verdict, message, time_s) VALUES(?,?,?,?,?,?,?,?)"));
  s.Bind(1, repo_id).Bind(2, proposal).Bind(3, r.attachment.digest).Bind(4, r.commit.digest);
  s.Bind(5, std::string_view(r.reviewer)).Bind(6, std::int64_t{r.verdict});
  s.Bind(7, std::string_view(r.message)).Bind(8, r.time_s);
  FLAIR_DO(s.Run());
  if (db.ChangedRows() == 1) return OkStatus();
  return Error(ErrorCode::kAlreadyExists, "this review is there already");
}

Result<std::vector<CommentRow>> ListComments(Database& db, std::string_view repo_id,
                                             std::int64_t proposal) {
  FLAIR_TRY(Statement s, db.Prepare("SELECT author, text, time_s FROM comments WHERE repo_id=? "
                                    "AND proposal=? ORDER BY number"));
  s.Bind(1, repo_id).Bind(2, proposal);
  std::vector<CommentRow> out;
  while (true) {
    FLAIR_TRY(const bool more, s.Step());
    if (!more) return out;
    out.push_back({s.Text(0), s.Text(1), s.Int(2)});
  }
}

Status InsertComment(Database& db, std::string_view repo_id, std::int64_t proposal,
                     const CommentRow& comment) {
  FLAIR_TRY(Statement s, db.Prepare("INSERT INTO comments(repo_id, proposal, author, text, "
                                    "time_s) VALUES(?,?,?,?,?)"));
  s.Bind(1, repo_id).Bind(2, proposal).Bind(3, std::string_view(comment.author));
  s.Bind(4, std::string_view(comment.text)).Bind(5, comment.time_s);
  return s.Run();
}

Result<Standing> StandingOf(Database& db, const ProposalRow& proposal,
                            std::string_view tip_author) {
  FLAIR_TRY(const std::vector<ReviewRow> reviews,
            ListReviews(db, proposal.repo_id, proposal.number));
  std::map<std::string, Verdict> last;
  for (const ReviewRow& r : reviews) {
    if (r.commit != proposal.tip) continue;
    if (r.reviewer == proposal.author || r.reviewer == tip_author) continue;
    FLAIR_TRY(const auto role, RoleOf(db, proposal.repo_id, r.reviewer));
    if (!role || *role < Who::kMaintainer) continue;
    last[r.reviewer] = static_cast<Verdict>(r.verdict);
  }
  Standing out;
  for (const auto& [reviewer, verdict] : last) {
    (verdict == Verdict::kApprove ? void(++out.approvals) : void(out.rejected = true));
  }
  return out;
}

}  // namespace flair::hub
