// Refs over HTTP: the list, and making, moving and deleting by hand.
// SPDX-License-Identifier: Apache-2.0
#include "hub/meta/refs.h"

#include "hub/branch_policy.h"
#include "hub/routes/common.h"
#include "repo/history.h"
#include "wire/repos.h"

namespace flair::hub {
namespace {

Result<Response> GetRefs(HubContext& hub, Call& call) {
  auto listed = Query(hub.db, [&](Database& db) -> Result<std::vector<Ref>> {
    return ListRefs(db, call.repo->id);
  });
  FLAIR_TRY(const std::vector<Ref> refs, std::move(listed));
  wire::RefList out{
      .repo_id = call.repo->id, .default_branch = call.repo->default_branch, .refs = {}};
  for (const Ref& ref : refs) out.refs.push_back({ref.name, ref.commit});
  return JsonTextResponse(wire::Encode(out));
}

Result<std::optional<CommitId>> OptionalCommit(const json::object& body, std::string_view name) {
  FLAIR_TRY(const auto text, GetOptionalString(body, name));
  if (!text) return std::optional<CommitId>();
  FLAIR_TRY(const CommitId id, CommitId::FromHex(*text));
  return std::optional(id);
}

// Branches move by push and merge; by hand only who may push, and an owner backwards.
Status CheckBranchMove(HubContext& hub, const Call& call, const RefMove& move) {
  const std::string branch = move.name.substr(std::string_view("heads/").size());
  FLAIR_TRY(BranchPolicy policy, PolicyOfBranch(hub, *call.repo, branch));
  if (!policy.tip) {
    FLAIR_TRY(policy, PolicyOfBranch(hub, *call.repo, call.repo->default_branch));
  }
  if (!MayPush(policy.policy, branch, PolicyRoleOf(call.role))) {
    return Error(ErrorCode::kPolicyViolation, "flair.toml: branches." + branch +
                                                  ".push does not name " +
                                                  std::string(WhoName(call.role)));
  }
  if (!move.to && branch == call.repo->default_branch) {
    return Error(ErrorCode::kConflict, "'" + branch + "' is the default branch")
        .WithHint("choose another default branch first: `flair repo edit`");
  }
  if (call.role == Who::kOwner || !move.expected_old || !move.to) return OkStatus();
  FLAIR_TRY(const auto store, StoreOf(hub, call));
  FLAIR_TRY(const bool forward, History(store->objects()).IsAncestor(*move.expected_old, *move.to));
  if (forward) return OkStatus();
  return Error(ErrorCode::kUnauthorised, "only an owner may move a branch back");
}

Result<Response> UpdateRef(HubContext& hub, Call& call) {
  FLAIR_TRY(const json::object body, ReadJsonObject(call.request));
  RefMove move{.repo_id = call.repo->id,
               .name = {},
               .expected_old = {},
               .to = {},
               .actor = call.wallet(),
               .reason = "by hand"};
  FLAIR_TRY(move.name, GetString(body, "name"));
  FLAIR_DO(CheckRefName(move.name));
  FLAIR_TRY(move.expected_old, OptionalCommit(body, "expected_old"));
  FLAIR_TRY(move.to, OptionalCommit(body, "commit"));
  if (!move.to && !move.expected_old) {
    return Error(ErrorCode::kInvalidArgument, "'commit' or 'expected_old' must be given");
  }
  if (move.name.starts_with("heads/")) FLAIR_DO(CheckBranchMove(hub, call, move));
  if (move.name.starts_with("tags/") && move.expected_old && move.to) {
    return Error(ErrorCode::kConflict, "a tag does not move")
        .WithHint("delete it first, or use an alias");
  }
  const Status moved = hub.db.Write([&](Database& db) -> Status {
    if (move.to) {
      FLAIR_TRY(const bool known, IsAccepted(db, call.repo->id, *move.to));
      if (!known) return Error(ErrorCode::kNotFound, "no commit " + move.to->Short() + " here");
    }
    return MoveRef(db, move, hub.env.NowSeconds());
  });
  FLAIR_DO(moved);
  json::object out{{"name", move.name}};
  out["commit"] = move.to ? json::value(move.to->ToHex()) : json::value(nullptr);
  hub.events.Publish(call.repo->id, "ref.moved", ToText(out));
  return JsonResponse(out);
}

}  // namespace

void AddRefRoutes(Handlers& handlers) {
  handlers.Add("listRefs", GetRefs);
  handlers.Add("updateRef", UpdateRef);
}

}  // namespace flair::hub
