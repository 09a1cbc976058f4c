// JSON of the wire: read strictly (repeated keys refused, sizes bounded), written plainly.
//
// Place: wire, over Boost.JSON; used by hub and client alike. Unknown members are
// ignored, so that either side may be newer.
// Thread safety: free functions over values.
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
#include "wire/limits.h"

namespace flair::wire {

namespace json = boost::json;

// At most 32 levels deep. Errors: kInvalidArgument (where the text stops being JSON, or
// which key repeats), kUnsupported (longer than `max_bytes`).
Result<json::value> ParseJson(std::string_view text, std::size_t max_bytes = kMaxJsonBytes);
// The same, when the whole must be an object.
Result<json::object> ParseObject(std::string_view text, std::size_t max_bytes = kMaxJsonBytes);
std::string ToText(const json::value& v);

// Members by name. Errors: kInvalidArgument names the member and what it must be.
// Absent and null are the same.
Result<std::string> GetString(const json::object& o, std::string_view name);
Result<std::string> GetStringOr(const json::object& o, std::string_view name,
                                std::string_view otherwise);
Result<std::uint64_t> GetUint(const json::object& o, std::string_view name);
Result<std::uint64_t> GetUintOr(const json::object& o, std::string_view name,
                                std::uint64_t otherwise);
Result<bool> GetBoolOr(const json::object& o, std::string_view name, bool otherwise);
// Absent: none. Errors: also kUnsupported for more than `max_items`.
Result<std::vector<std::string>> GetStrings(const json::object& o, std::string_view name,
                                            std::size_t max_items);
// nullptr when absent.
Result<const json::array*> GetArray(const json::object& o, std::string_view name,
                                    std::size_t max_items);
Result<const json::object*> GetObject(const json::object& o, std::string_view name);
json::array ToArray(const std::vector<std::string>& texts);

}  // namespace flair::wire
