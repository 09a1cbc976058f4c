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
#include "zk/vector_kinds_testing.h"

namespace flair::zk {
namespace {

constexpr VectorKind kKinds[] = {{"opening", MakeOpeningVectors, JudgeOpening},
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
  if (AnswerVectors(kKinds, arguments, std::cin, std::cout)) return 0;
  std::cerr << "usage: zk_vectors opening|lookup|training|refresh [-] | training SEED COUNT\n";
  return 2;
}

}  // namespace
}  // namespace flair::zk

int main(int count, char** arguments) {
  return flair::zk::Main({arguments + 1, arguments + count});
}
