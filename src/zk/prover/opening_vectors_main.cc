// `zk_opening_vectors` prints tests/vectors/zk_opening.json. `zk_opening_vectors -` reads vectors
// from standard input, one a line, and prints the verifier's word on each, one a line.
// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <string>

#include "zk/prover/opening_vectors_testing.h"

namespace flair::zk {
namespace {

// Objects and lists of objects over several lines, all else on one.
void Print(const json::value& v, const std::string& indent) {
  const std::string deeper = indent + " ";
  const char* between = "";
  if (const json::object* object = v.if_object()) {
    std::cout << "{";
    for (const auto& [key, value] : *object) {
      std::cout << between << "\n" << deeper << json::serialize(json::string(key)) << ": ";
      Print(value, deeper);
      between = ",";
    }
    std::cout << "\n" << indent << "}";
    return;
  }
  const json::array* array = v.if_array();
  if (array == nullptr || array->empty() || !array->front().is_object()) {
    std::cout << json::serialize(v);
    return;
  }
  std::cout << "[";
  for (const json::value& value : *array) {
    std::cout << between << "\n" << deeper;
    Print(value, deeper);
    between = ",";
  }
  std::cout << "\n" << indent << "]";
}

int Main(int count, char** arguments) {
  if (count == 1) {
    Print(MakeOpeningVectors(), "");
    std::cout << "\n";
    return 0;
  }
  if (count != 2 || std::string_view(arguments[1]) != "-") {
    std::cerr << "usage: zk_opening_vectors [-]\n";
    return 2;
  }
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << Judge(json::parse(line)) << std::endl;
  }
  return 0;
}

}  // namespace
}  // namespace flair::zk

int main(int count, char** arguments) { return flair::zk::Main(count, arguments); }
