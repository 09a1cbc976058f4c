// Terms without windows, as gadgets write them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "circuit/circuit.h"

namespace flair::circuit {

inline Term Times(std::int64_t coefficient, std::vector<Read> factors) {
  return {.coefficient = coefficient, .factors = std::move(factors), .windows = {}};
}

}  // namespace flair::circuit
