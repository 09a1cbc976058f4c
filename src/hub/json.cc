// SPDX-License-Identifier: Apache-2.0
#include "hub/json.h"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <ctime>
#include <set>

namespace flair::hub {
namespace {

constexpr std::size_t kMaxDepth = 32;

// Boost.JSON keeps the last of repeated keys; two readers could then see two messages.
class KeyWatcher {
 public:
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);
  using Code = boost::json::error_code;
  using View = boost::json::string_view;

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) {
    keys_.emplace_back();
    return true;
  }
  bool on_object_end(std::size_t, Code&) {
    keys_.pop_back();
    return true;
  }
  bool on_array_begin(Code&) { return true; }
  bool on_array_end(std::size_t, Code&) { return true; }
  bool on_key_part(View part, std::size_t, Code&) {
    key_.append(part.data(), part.size());
    return true;
  }
  bool on_key(View part, std::size_t, Code& code) {
    key_.append(part.data(), part.size());
    if (!keys_.back().insert(key_).second) {
      repeated = key_;
      code = boost::json::error::syntax;
      return false;
    }
    key_.clear();
    return true;
  }
  bool on_string_part(View, std::size_t, Code&) { return true; }
  bool on_string(View, std::size_t, Code&) { return true; }
  bool on_number_part(View, Code&) { return true; }
  bool on_int64(std::int64_t, View, Code&) { return true; }
  bool on_uint64(std::uint64_t, View, Code&) { return true; }
  bool on_double(double, View, Code&) { return true; }
  bool on_bool(bool, Code&) { return true; }
  bool on_null(Code&) { return true; }
  bool on_comment_part(View, Code&) { return true; }
  bool on_comment(View, Code&) { return true; }

  std::optional<std::string> repeated;

 private:
  std::vector<std::set<std::string>> keys_;
  std::string key_;
};

Error WrongMember(std::string_view name, std::string_view must) {
  return Error(ErrorCode::kInvalidArgument,
               "'" + std::string(name) + "' must be " + std::string(must));
}

}  // namespace

Result<json::value> ParseJson(std::string_view text) {
  json::parse_options options;
  options.max_depth = kMaxDepth;
  boost::json::basic_parser<KeyWatcher> watcher(options);
  boost::json::error_code code;
  const std::size_t read = watcher.write_some(false, text.data(), text.size(), code);
  if (watcher.handler().repeated) {
    return Error(ErrorCode::kInvalidArgument,
                 "JSON body: key '" + *watcher.handler().repeated + "' appears twice");
  }
  if (code || read != text.size()) {
    return Error(ErrorCode::kInvalidArgument,
                 "JSON body: not JSON at byte " + std::to_string(read));
  }
  try {
    json::value v = json::parse(text, code, {}, options);
    if (!code) return v;
  } catch (const std::exception& e) {
    return Error(ErrorCode::kInvalidArgument, std::string("JSON body: ") + e.what());
  }
  return Error(ErrorCode::kInvalidArgument, "JSON body: " + code.message());
}

Result<json::object> ReadJsonObject(const Request& request, std::size_t max_bytes) {
  FLAIR_TRY(const std::string text, request.ReadBody(max_bytes));
  if (text.empty()) return json::object();
  FLAIR_TRY(json::value v, ParseJson(text));
  if (!v.is_object()) return Error(ErrorCode::kInvalidArgument, "JSON body: must be an object");
  return std::move(v.get_object());
}

Result<std::optional<std::string>> GetOptionalString(const json::object& o, std::string_view name) {
  const json::value* v = o.if_contains(name);
  if (v == nullptr || v->is_null()) return std::optional<std::string>();
  if (!v->is_string()) return WrongMember(name, "a text");
  return std::optional<std::string>(std::string(v->get_string()));
}

Result<std::string> GetString(const json::object& o, std::string_view name) {
  FLAIR_TRY(auto v, GetOptionalString(o, name));
  if (!v) return WrongMember(name, "given: a text");
  return *v;
}

Result<std::string> GetStringOr(const json::object& o, std::string_view name,
                                std::string_view otherwise) {
  FLAIR_TRY(auto v, GetOptionalString(o, name));
  return v ? *v : std::string(otherwise);
}

Result<std::uint64_t> GetUint(const json::object& o, std::string_view name) {
  const json::value* v = o.if_contains(name);
  if (v == nullptr) return WrongMember(name, "given: a whole number");
  if (v->is_uint64()) return v->get_uint64();
  if (v->is_int64() && v->get_int64() >= 0) return static_cast<std::uint64_t>(v->get_int64());
  return WrongMember(name, "a whole number, zero or more");
}

Result<std::uint64_t> GetUintOr(const json::object& o, std::string_view name,
                                std::uint64_t otherwise) {
  const json::value* v = o.if_contains(name);
  if (v == nullptr || v->is_null()) return otherwise;
  return GetUint(o, name);
}

Result<std::vector<std::string>> GetStrings(const json::object& o, std::string_view name) {
  std::vector<std::string> out;
  const json::value* v = o.if_contains(name);
  if (v == nullptr || v->is_null()) return out;
  if (!v->is_array()) return WrongMember(name, "a list of texts");
  for (const json::value& item : v->get_array()) {
    if (!item.is_string()) return WrongMember(name, "a list of texts");
    out.emplace_back(item.get_string());
  }
  return out;
}

std::string ToText(const json::value& v) { return json::serialize(v); }

Response JsonResponse(const json::value& body, int status) {
  Response r;
  r.status = status;
  r.headers.Set("Content-Type", "application/json");
  r.body = ToText(body);
  return r;
}

std::string TimeText(std::int64_t time_s) {
  const std::time_t t = static_cast<std::time_t>(time_s);
  std::tm parts{};
  if (gmtime_r(&t, &parts) == nullptr) return "invalid";
  char text[40];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

}  // namespace flair::hub
