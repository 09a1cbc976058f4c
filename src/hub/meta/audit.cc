// SPDX-License-Identifier: Apache-2.0
#include "hub/meta/audit.h"

#include "crypto/blake3.h"

namespace flair::hub {
namespace {

constexpr std::string_view kContext = "flair audit row v1";

// Each text is preceded by its length, so that no two rows hash the same bytes.
Digest RowHash(const Digest& previous, const AuditEntry& e) {
  Bytes bytes;
  Append(bytes, previous.view());
  AppendLe64(bytes, static_cast<std::uint64_t>(e.number));
  AppendLe64(bytes, static_cast<std::uint64_t>(e.time_s));
  for (const std::string* text : {&e.repo_id, &e.actor, &e.action, &e.detail}) {
    AppendLe64(bytes, text->size());
    Append(bytes, AsBytes(*text));
  }
  return Blake3DeriveKey(kContext, bytes);
}

Result<AuditEntry> ReadRow(const Statement& row) {
  AuditEntry e{.number = row.Int(0),
               .time_s = row.Int(1),
               .repo_id = row.Text(2),
               .actor = row.Text(3),
               .action = row.Text(4),
               .detail = row.Text(5),
               .hash = {}};
  FLAIR_TRY(e.hash, row.DigestAt(6));
  return e;
}

constexpr std::string_view kColumns = "number, time_s, repo_id, actor, action, detail, hash";

}  // namespace

Status AppendAudit(Database& db, std::int64_t now_s, std::string_view repo_id,
                   std::string_view actor, std::string_view action, std::string_view detail) {
  AuditEntry e{.number = 1,
               .time_s = now_s,
               .repo_id = std::string(repo_id),
               .actor = std::string(actor),
               .action = std::string(action),
               .detail = std::string(detail),
               .hash = {}};
  Digest previous;
  {
    FLAIR_TRY(Statement last,
              db.Prepare("SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1"));
    FLAIR_TRY(const bool any, last.Step());
    if (any) {
      e.number = last.Int(0) + 1;
      FLAIR_TRY(previous, last.DigestAt(1));
    }
  }
  e.hash = RowHash(previous, e);
  FLAIR_TRY(Statement insert,
            db.Prepare("INSERT INTO audit(number, time_s, repo_id, actor, action, detail, hash) "
                       "VALUES(?,?,?,?,?,?,?)"));
  insert.Bind(1, e.number).Bind(2, e.time_s).Bind(3, repo_id).Bind(4, actor).Bind(5, action);
  insert.Bind(6, detail).Bind(7, e.hash);
  return insert.Run();
}

Result<std::vector<AuditEntry>> ListAudit(Database& db, std::string_view repo_id,
                                          std::int64_t after, std::int64_t limit) {
  FLAIR_TRY(Statement rows,
            db.Prepare("SELECT " + std::string(kColumns) +
                       " FROM audit WHERE repo_id = ? AND number > ? ORDER BY number LIMIT ?"));
  rows.Bind(1, repo_id).Bind(2, after).Bind(3, limit);
  std::vector<AuditEntry> out;
  while (true) {
    FLAIR_TRY(const bool more, rows.Step());
    if (!more) return out;
    FLAIR_TRY(AuditEntry e, ReadRow(rows));
    out.push_back(std::move(e));
  }
}

Status VerifyAudit(Database& db) {
  FLAIR_TRY(Statement rows,
            db.Prepare("SELECT " + std::string(kColumns) + " FROM audit ORDER BY number"));
  Digest previous;
  std::int64_t expected = 1;
  while (true) {
    FLAIR_TRY(const bool more, rows.Step());
    if (!more) return OkStatus();
    FLAIR_TRY(const AuditEntry e, ReadRow(rows));
    if (e.number != expected) {
      return Error(ErrorCode::kCorrupt,
                   "audit log: row " + std::to_string(expected) + " is missing");
    }
    if (RowHash(previous, e) != e.hash) {
      return Error(ErrorCode::kCorrupt,
                   "audit log: row " + std::to_string(e.number) + " was changed");
    }
    previous = e.hash;
    ++expected;
  }
}

}  // namespace flair::hub
