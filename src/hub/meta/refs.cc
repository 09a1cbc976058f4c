// SPDX-License-Identifier: Apache-2.0
#include "hub/meta/refs.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "base/path.h"
#include "hub/meta/audit.h"

namespace flair::hub {
namespace {

std::string Shown(const std::optional<CommitId>& id) { return id ? id->Short() : "absent"; }

Status Stale(const RefMove& move, const std::optional<CommitId>& found) {
  return Error(ErrorCode::kConflict,
               "'" + move.name + "' is " + (found ? "at " + found->Short() : "absent") + ", not " +
                   (move.expected_old ? "at " : "") + Shown(move.expected_old))
      .WithHint("fetch, then try again");
}

}  // namespace

Status CheckRefName(std::string_view name) {
  const auto bad = [&](std::string_view why) {
    return Error(ErrorCode::kInvalidArgument,
                 "ref name '" + std::string(name) + "': " + std::string(why));
  };
  const bool kind =
      name.starts_with("heads/") || name.starts_with("tags/") || name.starts_with("aliases/");
  if (!kind) return bad("must begin with heads/, tags/ or aliases/");
  if (name.size() > 255) return bad("longer than 255 bytes");
  if (name.find_first_of(" @~^*?[") != std::string_view::npos) {
    return bad("holds a space or one of @ ~ ^ * ? [");
  }
  if (!CheckRepoPath(name).ok()) return bad("not a plain name");
  return OkStatus();
}

Result<std::optional<CommitId>> ReadRef(Database& db, std::string_view repo_id,
                                        std::string_view name) {
  FLAIR_TRY(Statement row, db.Prepare("SELECT commit_id FROM refs WHERE repo_id=? AND name=?"));
  row.Bind(1, repo_id).Bind(2, name);
  FLAIR_TRY(const bool found, row.Step());
  if (!found) return std::optional<CommitId>();
  FLAIR_TRY(const Digest d, row.DigestAt(0));
  return std::optional(CommitId{d});
}

Result<std::vector<Ref>> ListRefs(Database& db, std::string_view repo_id) {
  FLAIR_TRY(Statement rows,
            db.Prepare("SELECT name, commit_id FROM refs WHERE repo_id=? ORDER BY name"));
  rows.Bind(1, repo_id);
  std::vector<Ref> out;
  while (true) {
    FLAIR_TRY(const bool more, rows.Step());
    if (!more) return out;
    FLAIR_TRY(const Digest d, rows.DigestAt(1));
    out.push_back({rows.Text(0), CommitId{d}});
  }
}

Status MoveRef(Database& db, const RefMove& move, std::int64_t now_s) {
  FLAIR_DO(CheckRefName(move.name));
  FLAIR_TRY(const std::optional<CommitId> found, ReadRef(db, move.repo_id, move.name));
  if (found != move.expected_old) return Stale(move, found);
  if (found == move.to) return OkStatus();
  const std::string_view sql = !move.to
                                   ? "DELETE FROM refs WHERE repo_id=?1 AND name=?2"
                                   : "INSERT INTO refs(repo_id, name, commit_id) VALUES(?1,?2,?3) "
                                     "ON CONFLICT(repo_id, name) DO UPDATE SET commit_id=?3";
  {
    FLAIR_TRY(Statement set, db.Prepare(sql));
    set.Bind(1, std::string_view(move.repo_id)).Bind(2, std::string_view(move.name));
    if (move.to) set.Bind(3, move.to->digest);
    FLAIR_DO(set.Run());
  }
  const auto digest = [](const std::optional<CommitId>& id) {
    return id ? std::optional<Digest>(id->digest) : std::nullopt;
  };
  FLAIR_TRY(Statement log, db.Prepare("INSERT INTO reflog(repo_id, name, old_commit, new_commit, "
                                      "actor, reason, time_s) VALUES(?,?,?,?,?,?,?)"));
  log.Bind(1, std::string_view(move.repo_id)).Bind(2, std::string_view(move.name));
  log.Bind(3, digest(move.expected_old)).Bind(4, digest(move.to));
  log.Bind(5, std::string_view(move.actor)).Bind(6, std::string_view(move.reason));
  log.Bind(7, now_s);
  FLAIR_DO(log.Run());
  boost::json::object detail{{"ref", move.name}, {"reason", move.reason}};
  detail["from"] = move.expected_old ? boost::json::value(move.expected_old->ToHex()) : nullptr;
  detail["to"] = move.to ? boost::json::value(move.to->ToHex()) : nullptr;
  return AppendAudit(db, now_s, move.repo_id, move.actor, "ref.move",
                     boost::json::serialize(detail));
}

}  // namespace flair::hub
