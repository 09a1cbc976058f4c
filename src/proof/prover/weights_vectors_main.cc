// `weights_vectors weights` prints tests/vectors/zk_weights.json. `weights_vectors weights -` reads
// vectors from standard input, one a line, and prints the verifier's word on each, one a line;
// `weights_vectors circuits -` reads programs with relations, and prints what these are digested
// to. SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <string_view>
#include <vector>

#include "proof/prover/weights_vectors_testing.h"
#include "zk/vector_kinds_testing.h"

namespace flair::proof {
namespace {

constexpr zk::VectorKind kKinds[] = {{"weights", MakeWeightsVectors, JudgeWeights},
                                     {"circuits", MakeWeightsVectors, CircuitOfRelation}};

int Main(const std::vector<std::string_view>& arguments) {
  if (zk::AnswerVectors(kKinds, arguments, std::cin, std::cout)) return 0;
  std::cerr << "usage: weights_vectors weights [-] | circuits -\n";
  return 2;
}

}  // namespace
}  // namespace flair::proof

int main(int count, char** arguments) {
  return flair::proof::Main({arguments + 1, arguments + count});
}
