// SPDX-License-Identifier: Apache-2.0
#include "zk/batch/soundness_term.h"

#include <cmath>

namespace flair::zk {

double SoundnessTerm::bits() const {
  constexpr double kTwoTo64 = 18446744073709551616.0;
  const double value = static_cast<double>(static_cast<std::uint64_t>(parts >> 64)) * kTwoTo64 +
                       static_cast<double>(static_cast<std::uint64_t>(parts));
  return 128 - std::log2(value);
}

// |K| = (2^64 - 2^32 + 1)^2 > 2^128 (1 - 2^-31), so that n/|K| is < n (1 + 2^-30) parts.
SoundnessTerm OverField(std::string_view name, Uint128 n, unsigned work_bits) {
  const Uint128 parts = n + (n >> 30) + 1;
  return {name, work_bits == 0 ? parts : (parts >> work_bits) + 1};
}

SoundnessTerm TotalOf(const std::vector<SoundnessTerm>& terms) {
  constexpr Uint128 kAll = ~Uint128{0};
  SoundnessTerm total{"total", 0};
  for (const SoundnessTerm& term : terms) {
    total.parts = total.parts > kAll - term.parts ? kAll : total.parts + term.parts;
  }
  return total;
}

}  // namespace flair::zk
