// `program_judge KIND` answers questions from standard input, one a line, for the tests that
// compare this build with other implementations:
//
//   bytes   a program in hex; "accepted HASH" or "refused: why"
// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "base/hex.h"
#include "program/encoding.h"

namespace flair::program {
namespace {

std::string JudgeBytes(const std::string& line) {
  const auto bytes = FromHex(line);
  if (!bytes.ok()) return "not hex";
  const auto program = DecodeProgram(*bytes);
  if (!program.ok()) return "refused: " + program.error().message();
  return "accepted " + HashProgram(*program).ToHex();
}

struct Kind {
  std::string_view name;
  std::string (*judge)(const std::string& line);
};
constexpr Kind kKinds[] = {{"bytes", JudgeBytes}};

int Main(const std::vector<std::string_view>& arguments) {
  for (const auto& [name, judge] : kKinds) {
    if (arguments.size() != 1 || arguments[0] != name) continue;
    for (std::string line; std::getline(std::cin, line);) std::cout << judge(line) << "\n";
    return 0;
  }
  std::cerr << "usage: program_judge bytes\n";
  return 2;
}

}  // namespace
}  // namespace flair::program

int main(int count, char** arguments) {
  return flair::program::Main({arguments + 1, arguments + count});
}
