// The endpoints of pushes: negotiate, append, finish.
//
// Order of finishing: frames verified into the repository's store, most of them while they
// arrived -> durable there, named by nothing -> AcceptPush decides -> the outcome is written
// down -> the bytes go.
// A kill between any two leaves either no new ref and the upload, or the new ref.
// SPDX-License-Identifier: Apache-2.0
#include "hub/routes/transfer_push.h"

#include <charconv>
#include <memory>

#include "hub/accept.h"
#include "hub/meta/refs.h"
#include "hub/push_intakes.h"
#include "hub/push_jobs.h"
#include "hub/push_store.h"
#include "hub/routes/common.h"
#include "wire/limits.h"

namespace flair::hub {
namespace {

constexpr std::chrono::seconds kPatience{10};  // below every client's watchdog

// What the pushes of a hub share. Jobs use intakes, so they end first.
struct Pushing {
  PushIntakes intakes;
  PushJobs jobs;
};

Response JsonText(std::string text, int status) {
  Response response;
  response.status = status;
  response.headers.Set("Content-Type", "application/json");
  response.body = std::move(text);
  return response;
}

Response OffsetResponse(std::uint64_t offset) {
  Response response;
  response.status = 204;
  response.headers.Set("Upload-Offset", std::to_string(offset));
  response.headers.Set("Cache-Control", "no-store");
  return response;
}

Result<Response> CreatePush(HubContext& hub, Call& call) {
  FLAIR_TRY(const std::string body, call.request.ReadBody(wire::kMaxJsonBytes));
  FLAIR_TRY(const wire::PushRequest request, wire::DecodePushRequest(body));
  FLAIR_DO(CheckRefName("heads/" + request.target));
  FLAIR_DO(CheckRefName("heads/" + request.source_branch));
  FLAIR_DO(hub.CheckDisk());
  FLAIR_TRY(const auto store, StoreOf(hub, call));
  PushStore pushes(hub.env, store->quarantine_folder());
  wire::PushState state;
  for (const wire::ObjectName& name : request.objects) {
    if (!store->objects().HasObject(name.first, name.second)) state.missing_objects.push_back(name);
  }
  for (const Digest& content : request.contents) {
    if (!store->objects().HasContent(content)) state.missing_contents.push_back(content);
  }
  FLAIR_TRY(state.push, pushes.Create({.wallet = call.wallet(),
                                       .target = request.target,
                                       .source_branch = request.source_branch,
                                       .tip = request.tip}));
  return JsonText(Encode(state), 201);
}

Result<Response> HeadPushData(HubContext& hub, Call& call) {
  FLAIR_TRY(const auto store, StoreOf(hub, call));
  PushStore pushes(hub.env, store->quarantine_folder());
  const std::string& id = call.parameter("push");
  FLAIR_DO(pushes.Read(id, call.wallet()));
  FLAIR_TRY(std::uint64_t offset, pushes.Offset(id));
  FLAIR_TRY(const auto outcome, pushes.ReadOutcome(id));
  // A finished push has no data any more; its upload was complete.
  if (outcome.has_value()) {
    FLAIR_TRY(offset, pushes.FinishedBytes(id));
  }
  return OffsetResponse(offset);
}

Result<std::uint64_t> OffsetHeader(const Request& request) {
  const std::string* text = request.headers.Find("Upload-Offset");
  std::uint64_t offset = 0;
  if (text != nullptr && !text->empty()) {
    const auto [end, code] = std::from_chars(text->data(), text->data() + text->size(), offset);
    if (code == std::errc() && end == text->data() + text->size()) return offset;
  }
  return Error(ErrorCode::kInvalidArgument, "the header Upload-Offset must be a byte offset");
}

Result<Response> AppendPushData(HubContext& hub, Call& call, Pushing& pushing) {
  FLAIR_TRY(const std::uint64_t offset, OffsetHeader(call.request));
  FLAIR_TRY(const auto store, StoreOf(hub, call));
  PushStore pushes(hub.env, store->quarantine_folder());
  const std::string& id = call.parameter("push");
  FLAIR_DO(pushes.Read(id, call.wallet()));
  // Twice: once here, once in the store's packs.
  FLAIR_DO(hub.CheckDisk(2 * std::min(call.request.body->size_bytes(), wire::kMaxTransferBytes)));
  FLAIR_TRY(const PushJobs::Writer writer, pushing.jobs.Write(id));
  FLAIR_TRY(const auto outcome, pushes.ReadOutcome(id));
  if (outcome.has_value()) return Error(ErrorCode::kConflict, "push " + id + " is finished");
  const auto arrived = [&](std::uint64_t size) {
    pushing.intakes.Advance(hub.env, store, id, size);
  };
  FLAIR_TRY(const std::uint64_t after, pushes.Append(id, offset, *call.request.body, arrived));
  return OffsetResponse(after);
}

// Everything a finish needs after its request is gone.
struct Finishing {
  Request request;
  const Endpoint& endpoint;
  std::unordered_map<std::string, std::string> parameters;
  std::optional<Session> session;
  std::optional<RepoRow> repo;
  Who role;
  std::string id;
  PushRecord push;
  wire::FinishRequest asked;
};

// The ref is there already: an earlier finish was cut off after the decision.
Result<bool> HasMoved(HubContext& hub, const Finishing& f) {
  bool moved = false;
  FLAIR_DO(hub.db.Read([&](Database& db) -> Status {
    FLAIR_TRY(const auto tip, ReadRef(db, f.repo->id, "heads/" + f.push.target));
    moved = tip == f.push.tip;
    return OkStatus();
  }));
  return moved;
}

Result<wire::FinishResult> Decide(HubContext& hub, const Finishing& f,
                                  const std::shared_ptr<RepoStore>& store, PushStore& pushes,
                                  PushIntakes& intakes) {
  FLAIR_TRY(const bool moved, HasMoved(hub, f));
  if (moved) {
    wire::FinishResult result;
    result.moved = true;
    result.commit = f.push.tip;
    return result;
  }
  FLAIR_TRY(const std::uint64_t size, pushes.Offset(f.id));
  FLAIR_DO(intakes.Finish(hub.env, store, f.id, size));
  const Call call{.request = f.request,
                  .endpoint = f.endpoint,
                  .parameters = f.parameters,
                  .session = f.session,
                  .repo = f.repo,
                  .role = f.role};
  PushRequest push;
  push.target = f.push.target;
  push.source_branch = f.push.source_branch;
  push.tip = f.push.tip;
  push.attachments = f.asked.attachments;
  push.expected_old = f.asked.expected_old;
  push.title = f.asked.title;
  FLAIR_TRY(PushOutcome outcome, AcceptPush(hub, call, *store, push));
  wire::FinishResult result;
  result.moved = outcome.moved;
  result.commit = outcome.commit;
  result.proposal_number = static_cast<std::uint64_t>(outcome.proposal_number.value_or(0));
  result.proposal_url = std::move(outcome.proposal_url);
  result.evidence_json = std::move(outcome.evidence_json);
  for (PushCheck& check : outcome.checks) {
    result.checks.push_back({std::move(check.name), check.passed, std::move(check.detail)});
  }
  return result;
}

// What waiting or a retry cannot mend: the upload has no further use.
bool IsFinal(ErrorCode code) {
  return code != ErrorCode::kUnavailable && code != ErrorCode::kIo && code != ErrorCode::kNoSpace &&
         code != ErrorCode::kCancelled;
}

Result<wire::FinishResult> RunFinish(HubContext& hub, const Finishing& f,
                                     const std::shared_ptr<RepoStore>& store,
                                     PushIntakes& intakes) {
  PushStore pushes(hub.env, store->quarantine_folder());
  auto result = Decide(hub, f, store, pushes, intakes);
  if (result.ok()) {
    FLAIR_DO(pushes.WriteOutcome(f.id, *result, f.asked.upload_bytes));
    FLAIR_DO(pushes.DropData(f.id));
  } else if (IsFinal(result.error().code())) {
    FLAIR_DO(pushes.Remove(f.id));
  }
  return result;
}

Result<Response> FinishPush(HubContext& hub, Call& call, Pushing& pushing) {
  FLAIR_TRY(const std::string body, call.request.ReadBody(wire::kMaxJsonBytes));
  FLAIR_TRY(const wire::FinishRequest asked, wire::DecodeFinishRequest(body));
  FLAIR_TRY(const auto store, StoreOf(hub, call));
  PushStore pushes(hub.env, store->quarantine_folder());
  const std::string id = call.parameter("push");
  FLAIR_TRY(const PushRecord push, pushes.Read(id, call.wallet()));
  FLAIR_TRY(const auto outcome, pushes.ReadOutcome(id));
  if (outcome.has_value()) return JsonText(Encode(*outcome), 200);
  FLAIR_TRY(const std::uint64_t offset, pushes.Offset(id));
  if (offset != asked.upload_bytes && !pushing.jobs.IsFinishing(id)) {
    return Error(ErrorCode::kConflict, "the upload has " + std::to_string(offset) + " of " +
                                           std::to_string(asked.upload_bytes) + " bytes")
        .WithHint("HEAD tells the offset; PATCH goes on there");
  }
  const auto finishing = std::make_shared<Finishing>(Finishing{.request = {},
                                                               .endpoint = call.endpoint,
                                                               .parameters = call.parameters,
                                                               .session = call.session,
                                                               .repo = call.repo,
                                                               .role = call.role,
                                                               .id = id,
                                                               .push = push,
                                                               .asked = asked});
  finishing->request.method = call.request.method;
  finishing->request.path = call.request.path;
  finishing->request.peer = call.request.peer;
  const auto work = [&hub, finishing, store, &pushing] {
    return RunFinish(hub, *finishing, store, pushing.intakes);
  };
  FLAIR_TRY(const wire::FinishResult result, pushing.jobs.Finish(id, work, kPatience));
  return JsonText(Encode(result), result.working ? 202 : 200);
}

}  // namespace

void AddPushRoutes(Handlers& handlers) {
  const auto pushing = std::make_shared<Pushing>();  // as long as the handlers
  handlers.Add("createPush", CreatePush);
  handlers.Add("headPushData", HeadPushData);
  handlers.Add("appendPushData", [pushing](HubContext& hub, Call& call) {
    return AppendPushData(hub, call, *pushing);
  });
  handlers.Add("finishPush",
               [pushing](HubContext& hub, Call& call) { return FinishPush(hub, call, *pushing); });
}

}  // namespace flair::hub
