// Transfer, downwards: fetch plans and ranges of packs. Pushes: transfer_push.cc.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>

#include "base/env.h"
#include "hub/context.h"
#include "hub/routes/transfer_plan.h"
#include "hub/routes/transfer_push.h"
#include "wire/limits.h"

namespace flair::hub {
namespace {

// Only accepted commits exist for a client, whatever the store holds.
Result<std::vector<CommitId>> Accepted(HubContext& hub, const std::string& repo_id,
                                       const std::vector<CommitId>& asked) {
  std::vector<CommitId> accepted;
  FLAIR_DO(hub.db.Read([&](Database& db) -> Status {
    for (const CommitId& commit : asked) {
      FLAIR_TRY(const bool known, IsAccepted(db, repo_id, commit));
      if (known) accepted.push_back(commit);
    }
    return OkStatus();
  }));
  return accepted;
}

AttachmentLookup AttachmentsOf(HubContext& hub, const std::string& repo_id) {
  return [&hub, repo_id](const CommitId& commit) -> Result<std::vector<AttachmentId>> {
    std::vector<AttachmentId> ids;
    FLAIR_DO(hub.db.Read([&](Database& db) -> Status {
      FLAIR_TRY(const std::vector<AttachmentRow> rows, ListAttachments(db, repo_id, commit));
      for (const AttachmentRow& row : rows) ids.push_back(row.id);
      return OkStatus();
    }));
    return ids;
  };
}

Result<Response> HandleFetch(HubContext& hub, Call& call) {
  FLAIR_TRY(const std::string body, call.request.ReadBody(wire::kMaxJsonBytes));
  FLAIR_TRY(const wire::FetchRequest request, wire::DecodeFetchRequest(body));
  FLAIR_TRY(const auto wants, Accepted(hub, call.repo->id, request.wants));
  if (wants.size() != request.wants.size()) {
    for (const CommitId& want : request.wants) {
      if (std::find(wants.begin(), wants.end(), want) == wants.end()) {
        return Error(ErrorCode::kNotFound, "commit " + want.ToHex() + " is not in this repository");
      }
    }
  }
  FLAIR_TRY(const auto haves, Accepted(hub, call.repo->id, request.haves));
  FLAIR_TRY(const auto store, hub.stores.Open(call.repo->id));
  FLAIR_TRY(const wire::FetchPlan plan,
            PlanFetch(store->objects(), request, haves, AttachmentsOf(hub, call.repo->id)));
  Response response;
  response.headers.Set("Content-Type", "application/json");
  response.body = Encode(plan);
  return response;
}

Result<Response> HandlePack(HubContext& hub, Call& call) {
  const std::string& pack = call.parameter("pack");
  FLAIR_DO(wire::CheckPackName(pack));
  FLAIR_TRY(const auto store, hub.stores.Open(call.repo->id));
  const std::string path = store->objects().PackPath(pack);
  const auto info = hub.env.Stat(path);
  if (!info.ok() || info->kind != FileKind::kFile) {
    return Error(ErrorCode::kNotFound, "no pack " + pack + " is here")
        .WithHint("ask for a new plan: POST .../fetch");
  }
  return RangedResponse(
      call.request, info->size_bytes, pack, "application/octet-stream",
      [&](ByteRange range) -> std::variant<std::string, FileRange, StreamBody, EventBody> {
        return FileRange{path, range.offset, range.length_bytes};
      });
}

}  // namespace

void AddTransferRoutes(Handlers& handlers) {
  handlers.Add("fetch", HandleFetch);
  handlers.Add("getPack", HandlePack);
  handlers.Add("headPack", HandlePack);
  AddPushRoutes(handlers);
}

}  // namespace flair::hub
