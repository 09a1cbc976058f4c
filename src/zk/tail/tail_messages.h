// The messages and challenges of a tail, in one place for both sides. docs/spec/tail.md.
//
// Place: zk/tail. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "zk/tail/tail_claims.h"
#include "zk/transcript.h"

namespace flair::zk {

// The root, then the values of all groups.
void AbsorbTail(const TailPlan& plan, const Digest& root, const std::vector<Fp2>& values,
                Transcript& transcript);
// The sums at all columns that were opened, then eta.
Fp2 DrawEta(std::span<const TailClaims> groups, Transcript& transcript);
// A round at 0 and 2, then its challenge.
Fp2 DrawTailRound(const std::array<Fp2, 2>& round, Transcript& transcript);
void AbsorbTailRow(const std::vector<Fp2>& row, Transcript& transcript);
// Ascending.
std::vector<std::uint64_t> DrawTailColumns(const TailPlan& plan, Transcript& transcript);

}  // namespace flair::zk
