// Vectors whose bytes are changed: which byte of which part, and what the verifier then says.
// A vector holds few of them, so that a reader of the file sees each check at work; tests/reference
// changes everything.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/hex.h"
#include "base/result.h"
#include "zk/vectors_testing.h"

namespace flair::zk {

// "accepted", or which kind of error it is, and why.
inline std::string VerdictOf(const Status& verdict) {
  if (verdict.ok()) return "accepted";
  const bool is_rejected = verdict.error().code() == ErrorCode::kRejected;
  return (is_rejected ? "rejected: " : "proof: ") + verdict.error().message();
}

// The vector with bit 0 of a byte turned. `part`: a member that is hex, or one in a list of such,
// "roots.1".
inline json::value Changed(const json::value& vector, const std::string& part, std::size_t at) {
  json::value changed = vector;
  const std::size_t dot = part.find('.');
  json::value& whole = changed.at(part.substr(0, dot));
  json::value& hex = dot == std::string::npos ? whole : whole.at(std::stoul(part.substr(dot + 1)));
  Bytes bytes = FromHex(Str(hex)).value();
  bytes.at(at) ^= std::byte{1};
  hex = ToHex(bytes);
  return changed;
}

// A byte of each digest, and some of the proof: of its head, and spread over the rest.
inline json::array JudgedChanges(const json::value& vector, const std::vector<std::string>& digests,
                                 std::string (*judge)(const json::value& vector)) {
  json::array changes;
  const auto add = [&](const std::string& part, std::size_t at) {
    changes.push_back({{"part", part}, {"at", at}, {"verdict", judge(Changed(vector, part, at))}});
  };
  for (const std::string& part : digests) add(part, 5);
  const std::size_t size = Str(vector.at("proof")).size() / 2;
  for (const std::size_t at : {0, 4, 6, 8, 40}) add("proof", at);
  for (std::size_t i = 1; i < 16; ++i) add("proof", size * i / 16);
  add("proof", size - 1);
  return changes;
}

}  // namespace flair::zk
