// SPDX-License-Identifier: Apache-2.0
#include "hub/json.h"

#include <ctime>

namespace flair::hub {

Result<json::object> ReadJsonObject(const Request& request, std::size_t max_bytes) {
  FLAIR_TRY(const std::string text, request.ReadBody(max_bytes));
  if (text.empty()) return json::object();
  return wire::ParseObject(text, max_bytes);
}

Result<std::optional<std::string>> GetOptionalString(const json::object& o, std::string_view name) {
  const json::value* v = o.if_contains(json::string_view(name.data(), name.size()));
  if (v == nullptr || v->is_null()) return std::optional<std::string>();
  FLAIR_TRY(std::string text, GetString(o, name));
  return std::optional(std::move(text));
}

Response JsonTextResponse(std::string text, int status) {
  Response r;
  r.status = status;
  r.headers.Set("Content-Type", "application/json");
  r.body = std::move(text);
  return r;
}

Response JsonResponse(const json::value& body, int status) {
  return JsonTextResponse(ToText(body), status);
}

std::string TimeText(std::int64_t time_s) {
  const std::time_t t = static_cast<std::time_t>(time_s);
  std::tm parts{};
  if (gmtime_r(&t, &parts) == nullptr) return "invalid";
  char text[64];
  if (std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0) return "invalid";
  return text;
}

}  // namespace flair::hub
