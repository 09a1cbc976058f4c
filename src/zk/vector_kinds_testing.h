// What programs do that print golden vectors and judge changed ones: `PROGRAM KIND` prints the
// kind's file, `PROGRAM KIND -` reads vectors, one a line, and prints the verifier's word on each.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json.hpp>
#include <istream>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace flair::zk {

namespace json = boost::json;

// Objects and lists of objects over several lines, all else on one.
inline void PrintSpread(const json::value& v, const std::string& indent, std::ostream& out) {
  const std::string deeper = indent + " ";
  const char* between = "";
  if (const json::object* object = v.if_object()) {
    out << "{";
    for (const auto& [key, value] : *object) {
      out << between << "\n" << deeper << json::serialize(json::string(key)) << ": ";
      PrintSpread(value, deeper, out);
      between = ",";
    }
    out << "\n" << indent << "}";
    return;
  }
  const json::array* array = v.if_array();
  if (array == nullptr || array->empty() || !array->front().is_object()) {
    out << json::serialize(v);
    return;
  }
  out << "[";
  for (const json::value& value : *array) {
    out << between << "\n" << deeper;
    PrintSpread(value, deeper, out);
    between = ",";
  }
  out << "\n" << indent << "]";
}

struct VectorKind {
  std::string_view name;
  json::array (*make)();
  std::string (*judge)(const json::value& vector);
};

// False for arguments that ask for nothing of this.
inline bool AnswerVectors(std::span<const VectorKind> kinds,
                          const std::vector<std::string_view>& arguments, std::istream& in,
                          std::ostream& out) {
  for (const auto& [name, make, judge] : kinds) {
    if (arguments.empty() || arguments[0] != name) continue;
    if (arguments.size() == 1) {
      PrintSpread(make(), "", out);
      out << "\n";
      return true;
    }
    if (arguments.size() != 2 || arguments[1] != "-") return false;
    for (std::string line; std::getline(in, line);) out << judge(json::parse(line)) << std::endl;
    return true;
  }
  return false;
}

}  // namespace flair::zk
