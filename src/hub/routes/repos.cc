// Repositories, members and the audit log over HTTP.
// SPDX-License-Identifier: Apache-2.0
#include "base/hex.h"
#include "base/utf8.h"
#include "hub/branch_policy.h"
#include "hub/meta/audit.h"
#include "hub/meta/refs.h"
#include "hub/routes/common.h"

namespace flair::hub {
namespace {

constexpr std::size_t kMaxDescription = 4096;

Status CheckRepoName(std::string_view name) {
  const auto bad = [&](std::string_view why) {
    return Error(ErrorCode::kInvalidArgument,
                 "repository name '" + std::string(name.substr(0, 100)) + "': " + std::string(why));
  };
  if (name.empty() || name.size() > 96) return bad("must have 1 to 96 characters");
  if (name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") !=
      std::string_view::npos) {
    return bad("only letters, digits, '-', '_' and '.'");
  }
  if (name.front() == '.' || name.front() == '-') return bad("must not begin with '.' or '-'");
  return OkStatus();
}

Result<bool> IsPrivate(std::string_view visibility) {
  if (visibility == "private") return true;
  if (visibility == "public") return false;
  return Error(ErrorCode::kInvalidArgument, "'visibility' must be \"public\" or \"private\"");
}

Status CheckDescription(std::string_view text) {
  if (text.size() > kMaxDescription) {
    return Error(ErrorCode::kInvalidArgument, "'description' must have at most 4096 bytes");
  }
  return OkStatus();
}

Status SetRole(Database& db, std::string_view repo_id, std::string_view wallet, Who role) {
  FLAIR_TRY(Statement set, db.Prepare("INSERT INTO members(repo_id, wallet, role) VALUES(?1,?2,?3)"
                                      " ON CONFLICT(repo_id, wallet) DO UPDATE SET role=?3"));
  set.Bind(1, repo_id).Bind(2, wallet).Bind(3, static_cast<std::int64_t>(role));
  return set.Run();
}

Result<Response> CreateRepo(HubContext& hub, Call& call) {
  FLAIR_TRY(const json::object body, ReadJsonObject(call.request));
  RepoRow repo;
  FLAIR_TRY(repo.name, GetString(body, "name"));
  FLAIR_DO(CheckRepoName(repo.name));
  FLAIR_TRY(const std::string visibility, GetStringOr(body, "visibility", "private"));
  FLAIR_TRY(repo.is_private, IsPrivate(visibility));
  FLAIR_TRY(repo.description, GetStringOr(body, "description", ""));
  FLAIR_DO(CheckDescription(repo.description));
  FLAIR_DO(hub.CheckDisk());
  repo.id = RandomHex(hub.env, 16);
  repo.owner = call.wallet();
  repo.default_branch = "main";
  repo.created_s = hub.env.NowSeconds();
  FLAIR_DO(hub.stores.Open(repo.id));
  auto made = Update(hub.db, [&](Database& db) -> Result<json::object> {
    FLAIR_DO(InsertRepo(db, repo));
    FLAIR_DO(SetRole(db, repo.id, repo.owner, Who::kOwner));
    FLAIR_DO(AppendAudit(db, repo.created_s, repo.id, repo.owner, "repo.create",
                         ToText(json::object{{"name", repo.name}, {"visibility", visibility}})));
    return RepoJson(db, repo, Who::kOwner);
  });
  if (!made.ok()) (void)hub.stores.Remove(repo.id);
  FLAIR_TRY(json::object out, std::move(made));
  out["url"] = hub.public_url + "/" + repo.owner + "/" + repo.name;
  return JsonResponse(out, 201);
}

Result<Response> GetRepos(HubContext& hub, Call& call) {
  const std::string* owner = call.request.Query("owner");
  auto listed = Query(hub.db, [&](Database& db) -> Result<json::array> {
    FLAIR_TRY(const std::vector<RepoRow> repos,
              ListRepos(db, owner == nullptr ? "" : *owner, call.wallet()));
    json::array out;
    for (const RepoRow& repo : repos) {
      if (call.session && !call.session->repo_id.empty() && call.session->repo_id != repo.id &&
          repo.is_private) {
        continue;
      }
      FLAIR_TRY(const auto role, RoleOf(db, repo.id, call.wallet()));
      FLAIR_TRY(json::object o, RepoJson(db, repo, role ? *role : Who::kReader));
      out.push_back(std::move(o));
    }
    return out;
  });
  FLAIR_TRY(json::array repos, std::move(listed));
  return JsonResponse(json::object{{"repos", std::move(repos)}});
}

Result<Response> GetRepo(HubContext& hub, Call& call) {
  auto found = Query(hub.db, [&](Database& db) -> Result<json::object> {
    return RepoJson(db, *call.repo, call.role);
  });
  FLAIR_TRY(json::object out, std::move(found));
  FLAIR_TRY(const auto store, StoreOf(hub, call));
  out["stored_bytes"] = store->objects().StoredBytes();
  out["url"] = hub.public_url + "/" + call.repo->owner + "/" + call.repo->name;
  return JsonResponse(out);
}

Status StoreEdit(Database& db, const RepoRow& before, const RepoRow& after) {
  if (after.name != before.name) {
    FLAIR_TRY(const auto taken, FindRepo(db, after.owner, after.name));
    if (taken) {
      return Error(ErrorCode::kAlreadyExists, "there is a repository '" + after.name + "' already");
    }
  }
  if (after.default_branch != before.default_branch) {
    FLAIR_TRY(const auto at, ReadRef(db, after.id, "heads/" + after.default_branch));
    if (!at) return Error(ErrorCode::kNotFound, "no branch '" + after.default_branch + "'");
  }
  FLAIR_TRY(Statement update, db.Prepare("UPDATE repos SET name=?, is_private=?, description=?, "
                                         "default_branch=? WHERE id=?"));
  update.Bind(1, std::string_view(after.name)).Bind(2, std::int64_t{after.is_private});
  update.Bind(3, std::string_view(after.description));
  update.Bind(4, std::string_view(after.default_branch)).Bind(5, std::string_view(after.id));
  return update.Run();
}

Result<Response> EditRepo(HubContext& hub, Call& call) {
  FLAIR_TRY(const json::object body, ReadJsonObject(call.request));
  RepoRow repo = *call.repo;
  FLAIR_TRY(repo.name, GetStringOr(body, "name", repo.name));
  FLAIR_DO(CheckRepoName(repo.name));
  FLAIR_TRY(const std::string visibility,
            GetStringOr(body, "visibility", repo.is_private ? "private" : "public"));
  FLAIR_TRY(repo.is_private, IsPrivate(visibility));
  FLAIR_TRY(repo.description, GetStringOr(body, "description", repo.description));
  FLAIR_DO(CheckDescription(repo.description));
  FLAIR_TRY(repo.default_branch, GetStringOr(body, "default_branch", repo.default_branch));
  FLAIR_TRY(const BranchPolicy policy, PolicyOfBranch(hub, *call.repo, repo.default_branch));
  if (policy.policy.is_private && *policy.policy.is_private != repo.is_private) {
    return Error(ErrorCode::kPolicyViolation,
                 "flair.toml: access.repository says \"" +
                     std::string(*policy.policy.is_private ? "private" : "public") + "\"")
        .WithHint("change flair.toml first");
  }
  auto edited = Update(hub.db, [&](Database& db) -> Result<json::object> {
    FLAIR_DO(StoreEdit(db, *call.repo, repo));
    FLAIR_DO(AppendAudit(db, hub.env.NowSeconds(), repo.id, call.wallet(), "repo.edit",
                         ToText(json::object{{"name", repo.name}, {"visibility", visibility}})));
    return RepoJson(db, repo, call.role);
  });
  FLAIR_TRY(const json::object out, std::move(edited));
  return JsonResponse(out);
}

Result<Response> DeleteRepo(HubContext& hub, Call& call) {
  const Status gone = hub.db.Write([&](Database& db) -> Status {
    FLAIR_TRY(Statement remove, db.Prepare("DELETE FROM repos WHERE id=?"));
    remove.Bind(1, std::string_view(call.repo->id));
    FLAIR_DO(remove.Run());
    return AppendAudit(db, hub.env.NowSeconds(), call.repo->id, call.wallet(), "repo.delete",
                       ToText(json::object{{"name", call.repo->name}}));
  });
  FLAIR_DO(gone);
  FLAIR_DO(hub.stores.Remove(call.repo->id));
  return NoContent();
}

Result<Response> GetAuditLog(HubContext& hub, Call& call) {
  FLAIR_TRY(const std::int64_t after, NumberQuery(call.request, "after", 0, std::int64_t{1} << 53));
  FLAIR_TRY(const std::int64_t limit, NumberQuery(call.request, "limit", 1000, 10'000));
  auto listed = Query(hub.db, [&](Database& db) -> Result<std::vector<AuditEntry>> {
    return ListAudit(db, call.repo->id, after, limit);
  });
  FLAIR_TRY(const std::vector<AuditEntry> entries, std::move(listed));
  json::array out;
  for (const AuditEntry& e : entries) {
    FLAIR_TRY(const json::value detail, wire::ParseJson(e.detail));
    out.push_back(json::object{{"number", e.number},
                               {"time", TimeText(e.time_s)},
                               {"actor", e.actor},
                               {"action", e.action},
                               {"detail", detail},
                               {"hash", e.hash.ToHex()}});
  }
  return JsonResponse(json::object{{"entries", std::move(out)}});
}

Result<Response> GetMembers(HubContext& hub, Call& call) {
  auto listed = Query(hub.db, [&](Database& db) -> Result<std::vector<MemberRow>> {
    return ListMembers(db, call.repo->id);
  });
  FLAIR_TRY(const std::vector<MemberRow> members, std::move(listed));
  json::array out;
  for (const MemberRow& m : members) {
    out.push_back(json::object{
        {"wallet", m.wallet}, {"handle", m.handle}, {"role", std::string(WhoName(m.role))}});
  }
  return JsonResponse(json::object{{"members", std::move(out)}});
}

// A repository always has an owner.
Status CheckOwnerStays(Database& db, std::string_view repo_id, std::string_view leaving) {
  FLAIR_TRY(const std::vector<MemberRow> members, ListMembers(db, repo_id));
  for (const MemberRow& m : members) {
    if (m.role == Who::kOwner && m.wallet != leaving) return OkStatus();
  }
  return Error(ErrorCode::kConflict, "the repository would have no owner")
      .WithHint("make somebody else owner first");
}

Result<Response> SetMember(HubContext& hub, Call& call) {
  FLAIR_TRY(const json::object body, ReadJsonObject(call.request));
  FLAIR_TRY(const std::string role_text, GetString(body, "role"));
  FLAIR_TRY(const Who role, ParseRole(role_text));
  auto set = Update(hub.db, [&](Database& db) -> Result<json::object> {
    FLAIR_TRY(const std::string wallet, WalletOf(db, call.parameter("wallet")));
    if (role != Who::kOwner) FLAIR_DO(CheckOwnerStays(db, call.repo->id, wallet));
    FLAIR_DO(SetRole(db, call.repo->id, wallet, role));
    FLAIR_DO(AppendAudit(db, hub.env.NowSeconds(), call.repo->id, call.wallet(), "member.set",
                         ToText(json::object{{"wallet", wallet}, {"role", role_text}})));
    FLAIR_TRY(const std::string handle, HandleOf(db, wallet));
    return json::object{{"wallet", wallet}, {"handle", handle}, {"role", role_text}};
  });
  FLAIR_TRY(const json::object out, std::move(set));
  return JsonResponse(out);
}

Result<Response> RemoveMember(HubContext& hub, Call& call) {
  const Status gone = hub.db.Write([&](Database& db) -> Status {
    FLAIR_TRY(const std::string wallet, WalletOf(db, call.parameter("wallet")));
    FLAIR_DO(CheckOwnerStays(db, call.repo->id, wallet));
    FLAIR_TRY(Statement remove, db.Prepare("DELETE FROM members WHERE repo_id=? AND wallet=?"));
    remove.Bind(1, std::string_view(call.repo->id)).Bind(2, std::string_view(wallet));
    FLAIR_DO(remove.Run());
    if (db.ChangedRows() == 0) {
      return Error(ErrorCode::kNotFound, "'" + wallet + "' is no member");
    }
    return AppendAudit(db, hub.env.NowSeconds(), call.repo->id, call.wallet(), "member.remove",
                       ToText(json::object{{"wallet", wallet}}));
  });
  FLAIR_DO(gone);
  return NoContent();
}

}  // namespace

void AddRepoRoutes(Handlers& handlers) {
  handlers.Add("createRepo", CreateRepo);
  handlers.Add("listRepos", GetRepos);
  handlers.Add("getRepo", GetRepo);
  handlers.Add("editRepo", EditRepo);
  handlers.Add("deleteRepo", DeleteRepo);
  handlers.Add("auditLog", GetAuditLog);
  handlers.Add("listMembers", GetMembers);
  handlers.Add("setMember", SetMember);
  handlers.Add("removeMember", RemoveMember);
}

}  // namespace flair::hub
