// RefreshFile: what a proof has to be about that two commitments hold the same, as whoever verifies
// brings it. One line of JSON with one spelling. docs/formats/statement.md.
//
// Place: proof, over zk/refresh. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "data/card.h"
#include "proof/run_claim.h"
#include "zk/refresh/refresh_plan.h"

namespace flair::proof {

struct RefreshClaim {
  Digest wallet;    // the committer's public key
  MatrixId before;  // of weights, of state, or of data
  MatrixId after;
  // Of data, and of nothing else: whose matrices these are.
  std::optional<std::array<data::DataCard, 2>> cards;
};
RefreshClaim RefreshClaimOf(const Digest& wallet, data::DataCard before, data::DataCard after);

// Does a statement file say so of itself? Whether it is one, DecodeRefresh() says.
bool IsRefreshStatement(std::string_view text);
std::string EncodeRefresh(const RefreshClaim& claim);
// Hostile text. Errors: kCorrupt, kUnsupported say what is wrong and where.
Result<RefreshClaim> DecodeRefresh(std::string_view text);

// What the proof is of. Errors: kRejected for cards that do not read their cells alike;
// kInvalidArgument for a claim that cannot be.
Result<zk::RefreshPlan> PlanOfRefresh(const RefreshClaim& claim);
// Bits of soundness. Errors: those; kRejected names the check that failed; kCorrupt.
Result<double> VerifyRefresh(const RefreshClaim& claim, ByteView proof);

}  // namespace flair::proof
