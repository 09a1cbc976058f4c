// Rules: how the trainer computes the cells of a number.
//
// Place: circuit, below run.h. What a rule computes is what the circuit's relations force; a
// rule that is wrong is a step that Judge() refuses, never a false proof.
// Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "circuit/circuit.h"
#include "circuit/contract.h"

namespace flair::circuit {

// `inputs`: the cells of what the rule reads, in its order.
// REQUIRES: a rule other than kData; inputs that its table has.
Ints ComputeRule(const Circuit& circuit, const Rule& rule,
                 const std::vector<std::span<const std::int64_t>>& inputs);

}  // namespace flair::circuit
