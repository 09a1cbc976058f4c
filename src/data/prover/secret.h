// Secret: what opens a data set's commitment, and where the data lie.
//
// The seed of the pads is SHA-256("flair data seed v1" || key || LE64 generation): a new
// commitment is a new generation, which the card has, so that this file never changes.
//
// One line of JSON with one spelling, a file of mode 0600. docs/formats/data-card.md.
//
// Place: data/prover. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/digest.h"
#include "data/source.h"

namespace flair::data {

struct Secret {
  Digest key;
  std::string source;
  std::vector<Choice> choices;  // columns, in order
};

inline constexpr std::size_t kMaxSecretBytes = std::size_t{1} << 20;

Digest SeedOf(const Secret& secret, std::uint64_t generation);

std::string EncodeSecret(const Secret& secret);
// Errors: kCorrupt, kUnsupported for another version. No message holds the key.
Result<Secret> DecodeSecret(std::string_view text);

}  // namespace flair::data
