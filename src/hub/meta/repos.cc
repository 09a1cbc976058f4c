// SPDX-License-Identifier: Apache-2.0
#include "hub/meta/repos.h"

#include "hub/meta/refs.h"

namespace flair::hub {
namespace {

constexpr std::string_view kRepoColumns =
    "r.id, r.owner, r.name, r.is_private, r.description, r.default_branch, r.created_s";

RepoRow RepoFrom(const Statement& row) {
  return {.id = row.Text(0),
          .owner = row.Text(1),
          .name = row.Text(2),
          .is_private = row.Int(3) != 0,
          .description = row.Text(4),
          .default_branch = row.Text(5),
          .created_s = row.Int(6)};
}

Result<std::optional<RepoRow>> OneRepo(Statement& row) {
  FLAIR_TRY(const bool found, row.Step());
  if (!found) return std::optional<RepoRow>();
  return std::optional(RepoFrom(row));
}

bool IsHexPrefix(std::string_view text) {
  return text.size() >= 6 && text.size() <= 64 &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// The smallest and the largest digest that begin with `prefix`.
std::pair<Digest, Digest> PrefixRange(std::string_view prefix) {
  std::string low(prefix);
  std::string high(prefix);
  low.resize(64, '0');
  high.resize(64, 'f');
  return {Digest::FromHex(low).value(), Digest::FromHex(high).value()};
}

Result<std::optional<CommitId>> ByPrefix(Database& db, std::string_view repo_id,
                                         std::string_view prefix) {
  const auto [low, high] = PrefixRange(prefix);
  FLAIR_TRY(Statement rows,
            db.Prepare("SELECT commit_id FROM commits WHERE repo_id=? AND commit_id BETWEEN ? "
                       "AND ? LIMIT 2"));
  rows.Bind(1, repo_id).Bind(2, low).Bind(3, high);
  FLAIR_TRY(const bool found, rows.Step());
  if (!found) return std::optional<CommitId>();
  FLAIR_TRY(const Digest d, rows.DigestAt(0));
  FLAIR_TRY(const bool another, rows.Step());
  if (another) {
    return Error(ErrorCode::kInvalidArgument,
                 "several commits begin with '" + std::string(prefix) + "'");
  }
  return std::optional(CommitId{d});
}

Result<std::optional<CommitId>> ProposalTip(Database& db, std::string_view repo_id,
                                            std::string_view number) {
  if (number.empty() || number.size() > 9 ||
      number.find_first_not_of("0123456789") != std::string_view::npos) {
    return std::optional<CommitId>();
  }
  FLAIR_TRY(Statement row, db.Prepare("SELECT tip FROM proposals WHERE repo_id=? AND number=?"));
  row.Bind(1, repo_id).Bind(2, std::int64_t{std::stol(std::string(number))});
  FLAIR_TRY(const bool found, row.Step());
  if (!found) return std::optional<CommitId>();
  FLAIR_TRY(const Digest d, row.DigestAt(0));
  return std::optional(CommitId{d});
}

}  // namespace

Result<std::optional<RepoRow>> FindRepo(Database& db, std::string_view owner,
                                        std::string_view name) {
  FLAIR_TRY(Statement row,
            db.Prepare("SELECT " + std::string(kRepoColumns) +
                       " FROM repos r WHERE r.name = ?2 AND (r.owner = ?1 OR r.owner = "
                       "(SELECT wallet FROM wallets WHERE handle = ?1))"));
  row.Bind(1, owner).Bind(2, name);
  return OneRepo(row);
}

Result<std::optional<RepoRow>> FindRepoById(Database& db, std::string_view id) {
  FLAIR_TRY(Statement row,
            db.Prepare("SELECT " + std::string(kRepoColumns) + " FROM repos r WHERE r.id = ?"));
  row.Bind(1, id);
  return OneRepo(row);
}

Result<std::vector<RepoRow>> ListRepos(Database& db, std::string_view owner,
                                       std::string_view wallet) {
  FLAIR_TRY(Statement rows,
            db.Prepare("SELECT " + std::string(kRepoColumns) +
                       " FROM repos r WHERE (?1 = '' OR r.owner = ?1 OR r.owner = "
                       "(SELECT wallet FROM wallets WHERE handle = ?1)) AND (r.is_private = 0 OR "
                       "EXISTS (SELECT 1 FROM members m WHERE m.repo_id = r.id AND m.wallet = ?2))"
                       " ORDER BY r.owner, r.name LIMIT 1000"));
  rows.Bind(1, owner).Bind(2, wallet);
  std::vector<RepoRow> out;
  while (true) {
    FLAIR_TRY(const bool more, rows.Step());
    if (!more) return out;
    out.push_back(RepoFrom(rows));
  }
}

Result<std::string> HandleOf(Database& db, std::string_view wallet) {
  FLAIR_TRY(Statement row, db.Prepare("SELECT handle FROM wallets WHERE wallet=?"));
  row.Bind(1, wallet);
  FLAIR_TRY(const bool found, row.Step());
  return found && !row.IsNull(0) ? row.Text(0) : std::string();
}

Status InsertRepo(Database& db, const RepoRow& repo) {
  FLAIR_TRY(const std::optional<RepoRow> taken, FindRepo(db, repo.owner, repo.name));
  if (taken) {
    return Error(ErrorCode::kAlreadyExists, "you have a repository '" + repo.name + "' already");
  }
  FLAIR_TRY(Statement insert,
            db.Prepare("INSERT INTO repos(id, owner, name, is_private, description, "
                       "default_branch, created_s) VALUES(?,?,?,?,?,?,?)"));
  insert.Bind(1, std::string_view(repo.id)).Bind(2, std::string_view(repo.owner));
  insert.Bind(3, std::string_view(repo.name)).Bind(4, std::int64_t{repo.is_private});
  insert.Bind(5, std::string_view(repo.description));
  insert.Bind(6, std::string_view(repo.default_branch)).Bind(7, repo.created_s);
  return insert.Run();
}

Result<std::optional<Who>> RoleOf(Database& db, std::string_view repo_id, std::string_view wallet) {
  FLAIR_TRY(Statement row, db.Prepare("SELECT role FROM members WHERE repo_id=? AND wallet=?"));
  row.Bind(1, repo_id).Bind(2, wallet);
  FLAIR_TRY(const bool found, row.Step());
  if (!found) return std::optional<Who>();
  return std::optional(static_cast<Who>(row.Int(0)));
}

Result<std::vector<MemberRow>> ListMembers(Database& db, std::string_view repo_id) {
  FLAIR_TRY(Statement rows,
            db.Prepare("SELECT m.wallet, m.role, w.handle FROM members m LEFT JOIN wallets w "
                       "USING (wallet) WHERE m.repo_id = ? ORDER BY m.role DESC, m.wallet"));
  rows.Bind(1, repo_id);
  std::vector<MemberRow> out;
  while (true) {
    FLAIR_TRY(const bool more, rows.Step());
    if (!more) return out;
    out.push_back({rows.Text(0), static_cast<Who>(rows.Int(1)),
                   rows.IsNull(2) ? std::string() : rows.Text(2)});
  }
}

Result<bool> IsAccepted(Database& db, std::string_view repo_id, const CommitId& commit) {
  FLAIR_TRY(Statement row, db.Prepare("SELECT 1 FROM commits WHERE repo_id=? AND commit_id=?"));
  row.Bind(1, repo_id).Bind(2, commit.digest);
  return row.Step();
}

Status InsertCommit(Database& db, std::string_view repo_id, const CommitId& commit,
                    std::int64_t now_s) {
  FLAIR_TRY(Statement insert, db.Prepare("INSERT OR IGNORE INTO commits(repo_id, commit_id, "
                                         "accepted_s) VALUES(?,?,?)"));
  insert.Bind(1, repo_id).Bind(2, commit.digest).Bind(3, now_s);
  return insert.Run();
}

Result<CommitId> ResolveCommit(Database& db, std::string_view repo_id, std::string_view text) {
  std::vector<std::string> names;
  if (text.starts_with("@")) {
    names.push_back("aliases/" + std::string(text.substr(1)));
  } else {
    names = {std::string(text), "heads/" + std::string(text), "tags/" + std::string(text)};
  }
  for (const std::string& name : names) {
    FLAIR_TRY(const std::optional<CommitId> at, ReadRef(db, repo_id, name));
    if (at) return *at;
  }
  if (text.starts_with("proposals/")) {
    FLAIR_TRY(const auto tip, ProposalTip(db, repo_id, text.substr(10)));
    if (tip) return *tip;
  }
  if (IsHexPrefix(text)) {
    FLAIR_TRY(const auto commit, ByPrefix(db, repo_id, text));
    if (commit) return *commit;
  }
  return Error(ErrorCode::kNotFound, "no commit or ref named '" + std::string(text) + "'");
}

Result<std::vector<AttachmentRow>> ListAttachments(Database& db, std::string_view repo_id,
                                                   const CommitId& commit) {
  FLAIR_TRY(Statement rows, db.Prepare("SELECT attachment, kind FROM attachments WHERE repo_id=? "
                                       "AND commit_id=? ORDER BY kind, attachment"));
  rows.Bind(1, repo_id).Bind(2, commit.digest);
  std::vector<AttachmentRow> out;
  while (true) {
    FLAIR_TRY(const bool more, rows.Step());
    if (!more) return out;
    FLAIR_TRY(const Digest d, rows.DigestAt(0));
    out.push_back({AttachmentId{d}, static_cast<std::uint8_t>(rows.Int(1))});
  }
}

Status InsertAttachment(Database& db, std::string_view repo_id, const CommitId& commit,
                        const AttachmentRow& attachment) {
  FLAIR_TRY(Statement insert, db.Prepare("INSERT OR IGNORE INTO attachments(repo_id, commit_id, "
                                         "attachment, kind) VALUES(?,?,?,?)"));
  insert.Bind(1, repo_id).Bind(2, commit.digest).Bind(3, attachment.id.digest);
  insert.Bind(4, std::int64_t{attachment.kind});
  return insert.Run();
}

}  // namespace flair::hub
