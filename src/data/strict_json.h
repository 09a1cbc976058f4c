// JSON with one spelling: small documents that are hashed, or that hold secrets.
//
// A reader takes the members apart with StrictObject, which refuses what is missing, unknown or
// of another type; then it writes what it has understood once more and compares. So keys that
// stand twice, other orders, blanks and escapes are refused without a rule for each.
//
// Place: data, over Boost.JSON. Thread safety: const.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/result.h"
#include "crypto/digest.h"

namespace flair::data {

// Errors: kCorrupt with the byte where it stops being JSON, or for more than `max_bytes`.
Result<boost::json::value> ParseStrict(std::string_view text, std::size_t max_bytes);
// Errors: kCorrupt with the first byte that differs.
Status CheckSpelling(std::string_view text, std::string_view canonical);
// Errors: kCorrupt, beginning with `what`.
Result<std::uint64_t> AsUint(const boost::json::value& value, const std::string& what,
                             std::uint64_t max);

// Members by name. Errors, for all: kCorrupt names object, member, and what it must be.
class StrictObject {
 public:
  // `where` names the object in messages; empty for the document.
  static Result<StrictObject> Of(const boost::json::value& value, std::string where);

  // No others than these, which may be missing.
  Status Knows(std::initializer_list<std::string_view> names) const;
  // These and no others. A member that must be there is asked for here or by its type.
  Status HasOnly(std::initializer_list<std::string_view> names) const;
  bool Has(std::string_view name) const { return Find(name) != nullptr; }
  // nullptr when absent.
  const boost::json::value* Find(std::string_view name) const;
  // Member `format` is that number. Errors: kUnsupported for another one.
  Status CheckFormat(std::uint64_t format) const;

  Result<std::uint64_t> Uint(std::string_view name, std::uint64_t max) const;
  Result<std::int64_t> Int(std::string_view name, std::int64_t min, std::int64_t max) const;
  Result<std::string> Text(std::string_view name) const;
  Result<Digest> Hash(std::string_view name) const;  // 64 hex digits
  Result<const boost::json::array*> Array(std::string_view name, std::size_t max_items) const;
  Error Wrong(const std::string& what) const;

 private:
  StrictObject(const boost::json::object& object, std::string where)
      : object_(&object), where_(std::move(where)) {}

  const boost::json::object* object_;
  std::string where_;
};

}  // namespace flair::data
