// SPDX-License-Identifier: Apache-2.0
#include "data/strict_json.h"

#include <algorithm>
#include <boost/json/parser.hpp>

namespace flair::data {
namespace {

namespace json = boost::json;

// A key is said in a message only when it cannot break one.
std::string Shown(std::string_view key) {
  const bool plain = key.size() <= 40 && std::all_of(key.begin(), key.end(), [](char c) {
                       return c > 0x20 && c < 0x7f && c != '\'';
                     });
  return plain ? "'" + std::string(key) + "'" : std::string("that is no plain word");
}

}  // namespace

Result<json::value> ParseStrict(std::string_view text, std::size_t max_bytes) {
  if (text.size() > max_bytes) {
    return Error(ErrorCode::kCorrupt, std::to_string(text.size()) + " bytes; at most " +
                                          std::to_string(max_bytes) + " are read");
  }
  json::parser parser;
  boost::system::error_code failed;
  std::size_t used = parser.write_some(text.data(), text.size(), failed);
  if (failed) {
    return Error(ErrorCode::kCorrupt, "not JSON at byte " + std::to_string(used));
  }
  for (; used < text.size(); ++used) {
    if (text[used] != '\n') {
      return Error(ErrorCode::kCorrupt, "more behind its end, at byte " + std::to_string(used));
    }
  }
  return parser.release();
}

Status CheckSpelling(std::string_view text, std::string_view canonical) {
  if (text == canonical) return OkStatus();
  const auto differ = std::mismatch(text.begin(), text.end(), canonical.begin(), canonical.end());
  return Error(ErrorCode::kCorrupt, "not as it is written, from byte " +
                                        std::to_string(differ.first - text.begin()) +
                                        " on: a key twice, another order, or blanks");
}

Result<std::uint64_t> AsUint(const json::value& value, const std::string& what, std::uint64_t max) {
  std::uint64_t number = 0;
  bool is_uint = value.is_uint64();
  if (is_uint) {
    number = value.get_uint64();
  } else if (value.is_int64() && value.get_int64() >= 0) {
    is_uint = true;
    number = static_cast<std::uint64_t>(value.get_int64());
  }
  if (is_uint && number <= max) return number;
  return Error(ErrorCode::kCorrupt,
               what + " must be a whole number from 0 to " + std::to_string(max));
}

Result<StrictObject> StrictObject::Of(const json::value& value, std::string where) {
  if (!value.is_object()) {
    return Error(ErrorCode::kCorrupt,
                 (where.empty() ? "" : where + ": ") + "an object is expected");
  }
  return StrictObject(value.get_object(), std::move(where));
}

Error StrictObject::Wrong(const std::string& what) const {
  return Error(ErrorCode::kCorrupt, (where_.empty() ? "" : where_ + ": ") + what);
}

const json::value* StrictObject::Find(std::string_view name) const {
  return object_->if_contains(json::string_view(name.data(), name.size()));
}

Status StrictObject::Knows(std::initializer_list<std::string_view> names) const {
  for (const auto& member : *object_) {
    const std::string_view key(member.key().data(), member.key().size());
    if (std::find(names.begin(), names.end(), key) == names.end()) {
      return Wrong("an unknown key " + Shown(key));
    }
  }
  return OkStatus();
}

Status StrictObject::HasOnly(std::initializer_list<std::string_view> names) const {
  FLAIR_DO(Knows(names));
  for (const std::string_view name : names) {
    if (!Has(name)) return Wrong("'" + std::string(name) + "' is missing");
  }
  return OkStatus();
}

Status StrictObject::CheckFormat(std::uint64_t format) const {
  FLAIR_TRY(const std::uint64_t found, Uint("format", UINT64_MAX));
  if (found == format) return OkStatus();
  return Error(ErrorCode::kUnsupported,
               "format " + std::to_string(found) + "; this build reads " + std::to_string(format));
}

Result<std::uint64_t> StrictObject::Uint(std::string_view name, std::uint64_t max) const {
  const json::value* value = Find(name);
  if (value == nullptr) return Wrong("'" + std::string(name) + "' is missing");
  return AsUint(*value, (where_.empty() ? "" : where_ + ": ") + "'" + std::string(name) + "'", max);
}

Result<std::int64_t> StrictObject::Int(std::string_view name, std::int64_t min,
                                       std::int64_t max) const {
  const json::value* value = Find(name);
  if (value != nullptr && value->is_int64() && value->get_int64() >= min &&
      value->get_int64() <= max) {
    return value->get_int64();
  }
  return Wrong("'" + std::string(name) + "' must be a whole number from " + std::to_string(min) +
               " to " + std::to_string(max));
}

Result<std::string> StrictObject::Text(std::string_view name) const {
  const json::value* value = Find(name);
  if (value != nullptr && value->is_string()) {
    return std::string(value->get_string().data(), value->get_string().size());
  }
  return Wrong("'" + std::string(name) + "' must be a text");
}

Result<Digest> StrictObject::Hash(std::string_view name) const {
  FLAIR_TRY(const std::string text, Text(name));
  const auto digest = Digest::FromHex(text);
  if (!digest.ok()) return Wrong("'" + std::string(name) + "' must be 64 lower-case hex digits");
  return *digest;
}

Result<const json::array*> StrictObject::Array(std::string_view name, std::size_t max_items) const {
  const json::value* value = Find(name);
  if (value != nullptr && value->is_array() && value->get_array().size() <= max_items) {
    return &value->get_array();
  }
  return Wrong("'" + std::string(name) + "' must be a list of at most " +
               std::to_string(max_items));
}

}  // namespace flair::data
