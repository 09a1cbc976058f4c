// SPDX-License-Identifier: Apache-2.0
#include "wire/json.h"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_stack.hpp>
#include <unordered_set>

namespace flair::wire {
namespace {

// Builds the value and remembers the keys of every open object. Boost.JSON alone
// would let the last of two equal keys win, so that two readers could disagree.
struct StrictHandler {
  static constexpr std::size_t max_object_size = json::object::max_size();
  static constexpr std::size_t max_array_size = json::array::max_size();
  static constexpr std::size_t max_key_size = 4096;
  static constexpr std::size_t max_string_size = json::string::max_size();

  using Text = json::string_view;
  using Code = json::error_code;

  json::value_stack stack;
  std::vector<std::unordered_set<std::string>> keys;
  std::string key;
  std::optional<std::string> repeated;

  bool on_document_begin(Code&) {
    stack.reset();
    return true;
  }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) {
    keys.emplace_back();
    return true;
  }
  bool on_object_end(std::size_t n, Code&) {
    keys.pop_back();
    stack.push_object(n);
    return true;
  }
  bool on_array_begin(Code&) { return true; }
  bool on_array_end(std::size_t n, Code&) {
    stack.push_array(n);
    return true;
  }
  bool on_key_part(Text s, std::size_t, Code&) {
    key.append(s.data(), s.size());
    stack.push_chars(s);
    return true;
  }
  bool on_key(Text s, std::size_t, Code& code) {
    key.append(s.data(), s.size());
    if (!keys.back().insert(key).second) {
      repeated = key;
      code = json::error::extra_data;
      return false;
    }
    key.clear();
    stack.push_key(s);
    return true;
  }
  bool on_string_part(Text s, std::size_t, Code&) {
    stack.push_chars(s);
    return true;
  }
  bool on_string(Text s, std::size_t, Code&) {
    stack.push_string(s);
    return true;
  }
  bool on_number_part(Text, Code&) { return true; }
  bool on_int64(std::int64_t v, Text, Code&) {
    stack.push_int64(v);
    return true;
  }
  bool on_uint64(std::uint64_t v, Text, Code&) {
    stack.push_uint64(v);
    return true;
  }
  bool on_double(double v, Text, Code&) {
    stack.push_double(v);
    return true;
  }
  bool on_bool(bool v, Code&) {
    stack.push_bool(v);
    return true;
  }
  bool on_null(Code&) {
    stack.push_null();
    return true;
  }
  bool on_comment_part(Text, Code&) { return true; }
  bool on_comment(Text, Code&) { return true; }
};

Error Invalid(std::string message) {
  return Error(ErrorCode::kInvalidArgument, std::move(message));
}

Error Wrong(std::string_view name, std::string_view what) {
  return Invalid("'" + std::string(name) + "' must be " + std::string(what));
}

const json::value* Find(const json::object& o, std::string_view name) {
  const auto* value = o.if_contains(json::string_view(name.data(), name.size()));
  return value == nullptr || value->is_null() ? nullptr : value;
}

}  // namespace

Result<json::value> ParseJson(std::string_view text, std::size_t max_bytes) {
  if (text.size() > max_bytes) {
    return Error(ErrorCode::kUnsupported, "JSON of " + std::to_string(text.size()) +
                                              " bytes; the limit is " + std::to_string(max_bytes));
  }
  json::basic_parser<StrictHandler> parser(json::parse_options{});
  json::error_code code;
  std::size_t used = 0;
  try {
    used = parser.write_some(false, text.data(), text.size(), code);
    if (!code && parser.done()) {
      while (used < text.size() && (text[used] == ' ' || text[used] == '\n' || text[used] == '\r' ||
                                    text[used] == '\t')) {
        ++used;
      }
      if (used == text.size()) return parser.handler().stack.release();
      code = json::error::extra_data;
    }
  } catch (const std::exception& e) {
    return Invalid(std::string("not JSON: ") + e.what());
  }
  if (const auto& repeated = parser.handler().repeated; repeated.has_value()) {
    return Invalid("JSON: the key '" + *repeated + "' repeats");
  }
  return Invalid("not JSON at byte " + std::to_string(used) + ": " +
                 (code ? code.message() : std::string("it ends too early")));
}

Result<json::object> ParseObject(std::string_view text, std::size_t max_bytes) {
  FLAIR_TRY(json::value value, ParseJson(text, max_bytes));
  if (!value.is_object()) return Invalid("JSON: an object is expected");
  return std::move(value.as_object());
}

std::string ToText(const json::value& v) { return json::serialize(v); }

Result<std::string> GetString(const json::object& o, std::string_view name) {
  const json::value* value = Find(o, name);
  if (value == nullptr || !value->is_string()) return Wrong(name, "a string");
  return std::string(value->get_string().data(), value->get_string().size());
}

Result<std::string> GetStringOr(const json::object& o, std::string_view name,
                                std::string_view otherwise) {
  if (Find(o, name) == nullptr) return std::string(otherwise);
  return GetString(o, name);
}

Result<std::uint64_t> GetUint(const json::object& o, std::string_view name) {
  const json::value* value = Find(o, name);
  if (value != nullptr && value->is_uint64()) return value->get_uint64();
  if (value != nullptr && value->is_int64() && value->get_int64() >= 0) {
    return static_cast<std::uint64_t>(value->get_int64());
  }
  return Wrong(name, "a whole number, 0 or more");
}

Result<std::uint64_t> GetUintOr(const json::object& o, std::string_view name,
                                std::uint64_t otherwise) {
  if (Find(o, name) == nullptr) return otherwise;
  return GetUint(o, name);
}

Result<bool> GetBoolOr(const json::object& o, std::string_view name, bool otherwise) {
  const json::value* value = Find(o, name);
  if (value == nullptr) return otherwise;
  if (!value->is_bool()) return Wrong(name, "true or false");
  return value->get_bool();
}

Result<const json::array*> GetArray(const json::object& o, std::string_view name,
                                    std::size_t max_items) {
  const json::value* value = Find(o, name);
  if (value == nullptr) return static_cast<const json::array*>(nullptr);
  if (!value->is_array()) return Wrong(name, "a list");
  if (value->get_array().size() > max_items) {
    return Error(ErrorCode::kUnsupported, "'" + std::string(name) + "' has " +
                                              std::to_string(value->get_array().size()) +
                                              " items; the limit is " + std::to_string(max_items));
  }
  return &value->get_array();
}

Result<const json::object*> GetObject(const json::object& o, std::string_view name) {
  const json::value* value = Find(o, name);
  if (value == nullptr) return static_cast<const json::object*>(nullptr);
  if (!value->is_object()) return Wrong(name, "an object");
  return &value->get_object();
}

Result<std::vector<std::string>> GetStrings(const json::object& o, std::string_view name,
                                            std::size_t max_items) {
  FLAIR_TRY(const json::array* items, GetArray(o, name, max_items));
  std::vector<std::string> out;
  if (items == nullptr) return out;
  out.reserve(items->size());
  for (const json::value& item : *items) {
    if (!item.is_string()) return Wrong(name, "a list of strings");
    out.emplace_back(item.get_string().data(), item.get_string().size());
  }
  return out;
}

json::array ToArray(const std::vector<std::string>& texts) {
  json::array out;
  out.reserve(texts.size());
  for (const std::string& text : texts) out.emplace_back(text);
  return out;
}

}  // namespace flair::wire
