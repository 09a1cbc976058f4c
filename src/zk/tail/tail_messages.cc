// SPDX-License-Identifier: Apache-2.0
#include "zk/tail/tail_messages.h"

#include <algorithm>

namespace flair::zk {

void AbsorbTail(const TailPlan& plan, const Digest& root, const std::vector<Fp2>& values,
                Transcript& transcript) {
  // SOUNDNESS: the rows are fixed before the challenges that test them, and so is what they are
  // said to be worth. Test: TailTest.WhatIsChosenAfterItsTestIsRejected.
  transcript.Absorb(Label::kTailRoot, MatrixDigest(plan.shape, root).view());
  transcript.Absorb(Label::kTailValue, values);
}

Fp2 DrawEta(std::span<const TailClaims> groups, Transcript& transcript) {
  std::vector<Fp2> sums;
  for (const TailClaims& group : groups) {
    sums.insert(sums.end(), group.sums.begin(), group.sums.end());
  }
  transcript.Absorb(Label::kTailSum, sums);
  return transcript.Draw(Label::kTailChallenge);
}

Fp2 DrawTailRound(const std::array<Fp2, 2>& round, Transcript& transcript) {
  transcript.Absorb(Label::kTailRound, {round[0], round[1]});
  return transcript.Draw(Label::kTailChallenge);
}

void AbsorbTailRow(const std::vector<Fp2>& row, Transcript& transcript) {
  transcript.Absorb(Label::kTailRow, row);
}

std::vector<std::uint64_t> DrawTailColumns(const TailPlan& plan, Transcript& transcript) {
  auto columns = transcript.DrawIndices(Label::kTailQuery, plan.shape.log_n, plan.num_queries);
  std::sort(columns.begin(), columns.end());
  return columns;
}

}  // namespace flair::zk
