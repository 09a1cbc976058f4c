// JSON bodies of requests and responses.
//
// Place: hub, over wire/json.h, which reads strictly (repeated keys refused).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "hub/http/message.h"
#include "wire/json.h"

namespace flair::hub {

namespace json = boost::json;
using wire::GetString;
using wire::GetStringOr;
using wire::GetStrings;
using wire::GetUint;
using wire::GetUintOr;
using wire::ToText;

// Small bodies; transfer's are larger and name their own limit.
inline constexpr std::size_t kMaxSmallBody = std::size_t{1} << 20;

// The body as an object; an empty body is {}. Errors: kInvalidArgument, kUnsupported (too long).
Result<json::object> ReadJsonObject(const Request& request, std::size_t max_bytes = kMaxSmallBody);
// Absent and null are the same. Errors: kInvalidArgument unless a text.
Result<std::optional<std::string>> GetOptionalString(const json::object& o, std::string_view name);

Response JsonResponse(const json::value& body, int status = 200);
Response JsonTextResponse(std::string text, int status = 200);
std::string TimeText(std::int64_t time_s);  // RFC 3339, UTC

}  // namespace flair::hub
