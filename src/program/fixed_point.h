// Floats as multiples of 2^-scale: how data and weights become integers.
//
// Place: program, below what reads files. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

namespace flair::program {

// floor(v 2^scale + 1/2), without the sum's rounding: y - floor(y) is exact, or rounds to 1 and is
// 1/2 or more either way. y = v 2^scale is exact unless it passes the range or falls below
// 2^-1022, where both give the right refusal or 0. NaN stays NaN.
inline double RoundHalfUp(double v, int scale) {
  const double y = std::ldexp(v, scale);
  const double below = std::floor(y);
  return y - below >= 0.5 ? below + 1 : below;
}

}  // namespace flair::program
