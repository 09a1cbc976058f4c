// Every cell of a witness changed, for the tests of circuits and of what lowers to them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <functional>

#include "base/sanitizers_testing.h"
#include "circuit/run.h"

namespace flair::circuit {

// Changes every cell of an honest witness in several ways and expects that each is refused. The
// cells of what a step begins with are left alone: somebody else ties them. `inert`: which cells
// of which numbers may change. Returns how many changes there are; with sanitizers one in kOneIn is
// tried.
inline std::size_t ExpectEveryChangeIsRefused(
    const Circuit& circuit, const StepValues& values,
    const std::function<bool(ValueId number, std::size_t cell)>& inert = nullptr) {
  LimbValues limbs = LimbsOf(circuit, values);
  EXPECT_EQ(Judge(circuit, limbs, values.now), "");
  std::size_t changes = 0;
  for (ValueId id = 0; id < circuit.values.size(); ++id) {
    const Number& number = circuit[id].number;
    if (circuit[id].kind != Value::Kind::kNumber || number.rule.kind == RuleKind::kData) continue;
    std::vector<Ints>& of = number.is_state ? limbs.next[id] : limbs.now[id];
    for (std::size_t l = 0; l < of.size(); ++l) {
      for (std::size_t cell = 0; cell < of[l].size(); ++cell) {
        if (inert && inert(id, cell)) continue;
        for (const std::int64_t by : {-1, 1, 1 << 4}) {
          if (changes++ % kOneIn != 0) continue;
          of[l][cell] += by;
          EXPECT_NE(Judge(circuit, limbs, values.now), "")
              << circuit[id].name << " limb " << l << " cell " << cell << " by " << by;
          of[l][cell] -= by;
        }
      }
    }
  }
  return changes;
}

}  // namespace flair::circuit
