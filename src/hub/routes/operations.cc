// What operators and clients ask about the hub itself, and the event stream.
// SPDX-License-Identifier: Apache-2.0
#include "hub/routes/common.h"

namespace flair::hub {
namespace {

constexpr std::string_view kVersion = "0.1.0";

Result<Response> Healthz(HubContext& hub, Call&) {
  auto alive = Query(hub.db, [](Database& db) -> Result<bool> {
    FLAIR_TRY(Statement s, db.Prepare("SELECT 1"));
    return s.Step();
  });
  if (!alive.ok()) return std::move(alive).error();
  const bool writable = hub.CheckDisk().ok();
  return JsonResponse(json::object{{"status", writable ? "ok" : "read-only"}});
}

Result<Response> Metrics(HubContext& hub, Call&) {
  if (const auto free_bytes = hub.env.FreeSpaceBytes(hub.data_dir); free_bytes.ok()) {
    hub.metrics.SetGauge("free_bytes", static_cast<double>(*free_bytes));
  }
  hub.metrics.SetGauge("event_listeners", static_cast<double>(hub.events.num_listeners()));
  Response r;
  r.headers.Set("Content-Type", "text/plain; version=0.0.4");
  r.body = hub.metrics.Text();
  return r;
}

Result<Response> HubInfo(HubContext& hub, Call&) {
  return JsonResponse(json::object{{"name", hub.name},
                                   {"version", std::string(kVersion)},
                                   {"wallet", hub.wallet.wallet().ToBase58()}});
}

Result<Response> Events(HubContext&, Call& call) {
  Response r;
  r.headers.Set("Content-Type", "text/event-stream");
  r.headers.Set("Cache-Control", "no-store");
  r.body = EventBody{call.repo->id};
  return r;
}

}  // namespace

void AddOperationsRoutes(Handlers& handlers) {
  handlers.Add("healthz", Healthz);
  handlers.Add("metrics", Metrics);
  handlers.Add("hubInfo", HubInfo);
  handlers.Add("events", Events);
}

}  // namespace flair::hub
