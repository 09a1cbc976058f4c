// `zk_vectors KIND` prints tests/vectors/zk_KIND.json. `zk_vectors KIND -` reads vectors from
// standard input, one a line, and prints the verifier's word on each, one a line. `zk_vectors
// training SEED COUNT` prints vectors of so many random circuits, one a line.
// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "zk/prover/lookup_vectors_testing.h"
#include "zk/prover/opening_vectors_testing.h"
#include "zk/prover/refresh_vectors_testing.h"
#include "zk/prover/training_vectors_testing.h"

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

struct Kind {
  std::string_view name;
  json::array (*make)();
  std::string (*judge)(const json::value& vector);
};
constexpr Kind kKinds[] = {{"opening", MakeOpeningVectors, JudgeOpening},
                           {"lookup", MakeLookupVectors, JudgeLookup},
                           {"training", MakeTrainingVectors, JudgeTraining},
                           {"refresh", MakeRefreshVectors, JudgeRefresh}};

int Main(const std::vector<std::string_view>& arguments) {
  if (arguments.size() == 3 && arguments[0] == "training") {
    const std::uint64_t seed = std::stoull(std::string(arguments[1]));
    const std::uint64_t count = std::stoull(std::string(arguments[2]));
    for (std::uint64_t i = 0; i < count; ++i) {
      std::cout << json::serialize(RandomTraining(seed + i)) << std::endl;
    }
    return 0;
  }
  for (const auto& [name, make, judge] : kKinds) {
    if (arguments.empty() || arguments[0] != name) continue;
    if (arguments.size() == 1) {
      Print(make(), "");
      std::cout << "\n";
      return 0;
    }
    if (arguments.size() != 2 || arguments[1] != "-") break;
    for (std::string line; std::getline(std::cin, line);) {
      std::cout << judge(json::parse(line)) << std::endl;
    }
    return 0;
  }
  std::cerr << "usage: zk_vectors opening|lookup|training|refresh [-] | training SEED COUNT\n";
  return 2;
}

}  // namespace
}  // namespace flair::zk

int main(int count, char** arguments) {
  return flair::zk::Main({arguments + 1, arguments + count});
}
