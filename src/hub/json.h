// JSON bodies: read strictly, written plainly.
//
// Place: hub, over Boost.JSON. Repeated keys are refused, unknown members ignored.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "hub/http/message.h"

namespace flair::hub {

namespace json = boost::json;

inline constexpr std::size_t kMaxJsonBytes = std::size_t{64} << 20;

// Errors: kInvalidArgument says where the text stops being JSON.
Result<json::value> ParseJson(std::string_view text);
// The body as an object; an empty body is {}. Errors: kInvalidArgument, kUnsupported (too long).
Result<json::object> ReadJsonObject(const Request& request, std::size_t max_bytes = kMaxJsonBytes);

// Members by name. Errors: kInvalidArgument names the member and what it must be.
Result<std::string> GetString(const json::object& o, std::string_view name);
Result<std::string> GetStringOr(const json::object& o, std::string_view name,
                                std::string_view otherwise);
Result<std::optional<std::string>> GetOptionalString(const json::object& o, std::string_view name);
Result<std::uint64_t> GetUint(const json::object& o, std::string_view name);
Result<std::uint64_t> GetUintOr(const json::object& o, std::string_view name,
                                std::uint64_t otherwise);
Result<std::vector<std::string>> GetStrings(const json::object& o,
                                            std::string_view name);  // absent: none

Response JsonResponse(const json::value& body, int status = 200);
std::string ToText(const json::value& v);
std::string TimeText(std::int64_t time_s);  // RFC 3339, UTC

}  // namespace flair::hub
