// `program_soundness PROGRAM STEPS RECORDS OPENINGS`: the bits of soundness of a chunk of so many
// steps on a data set of so many records, registered for so many chunks, term by term. It exits
// with 1 where there are less than 100 in all.
// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>

#include "program/text.h"
#include "proof/prover/chunk_soundness.h"

namespace flair::proof {
namespace {

void Print(const zk::SoundnessTerm& term) {
  std::printf("  %-14s %6.1f\n", std::string(term.name).c_str(), term.bits());
}

Status Say(const std::string& path, const ChunkSize& size) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error(ErrorCode::kNotFound, "cannot be read");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  FLAIR_TRY(const program::Program program, program::ParseProgram(text));
  FLAIR_TRY(const program::Lowered lowered, program::Lower(program));
  FLAIR_TRY(const std::vector<zk::SoundnessTerm> terms, ChunkSoundness(lowered, size));
  std::printf("%s, %llu steps: bits of soundness\n", path.c_str(),
              static_cast<unsigned long long>(size.num_steps));
  for (const zk::SoundnessTerm& term : terms) Print(term);
  Print(zk::TotalOf(terms));
  return OkStatus();
}

bool ReadNumber(std::string_view text, std::uint64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && number > 0;
}

}  // namespace
}  // namespace flair::proof

int main(int argc, char** argv) {
  flair::proof::ChunkSize size;
  if (argc != 5 || !flair::proof::ReadNumber(argv[2], size.num_steps) ||
      !flair::proof::ReadNumber(argv[3], size.num_records) ||
      !flair::proof::ReadNumber(argv[4], size.data_openings)) {
    std::cerr << "usage: program_soundness PROGRAM STEPS RECORDS OPENINGS\n";
    return 2;
  }
  const flair::Status status = flair::proof::Say(argv[1], size);
  if (status.ok()) return 0;
  std::cerr << "program_soundness: " << argv[1] << ": " << status.error().message() << "\n";
  return 1;
}
