// StatementFile: what a proof of a run has to be about, as whoever verifies brings it.
//
// One document with everything that the claim needs: program, card, seed, steps, wallet, both
// ends. One line of JSON with one spelling. docs/formats/statement.md.
//
// Place: proof, over data's card. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "data/card.h"
#include "program/program.h"
#include "proof/run_claim.h"

namespace flair::proof {

struct RunStatement {
  program::Program program;
  std::optional<data::DataCard> card;
  // Its program and data follow from the above.
  RunClaim claim;
};

inline constexpr std::size_t kMaxStatementBytes = std::size_t{1} << 24;

// What a claim says of the data that a card describes.
DataClaim DataClaimOf(const data::DataCard& card);

// REQUIRES: the claim's program and data are those of the others.
std::string EncodeStatement(const RunStatement& statement);
// Hostile text. Errors: kCorrupt, kUnsupported or kInvalidArgument say what is wrong and where.
Result<RunStatement> DecodeStatement(std::string_view text);

}  // namespace flair::proof
