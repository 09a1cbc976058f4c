// Sums over one tensor of an update, beside the mean of other updates.
//
// Place: inside repo, under evidence.h. Blocks in parallel, added in block order.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/result.h"
#include "merge/combine.h"

namespace flair {

// Squares and products summed over the elements; values that are not finite count as 0.
struct UpdateSums {
  std::uint64_t num_changed = 0;
  std::uint64_t num_nan = 0;  // in the tip
  std::uint64_t num_inf = 0;
  double base = 0;             // |B|^2
  double tip = 0;              // |W|^2
  double tip_dot_base = 0;     // W . B
  double update = 0;           // |W - B|^2
  double mean = 0;             // |M|^2, M the mean of the others' W_j - B_j
  double update_dot_mean = 0;  // (W - B) . M
  double max_abs = 0;          // of W - B

  void Add(const UpdateSums& other);
};

// Input 0 is the update, the rest are the others.
Result<UpdateSums> SumUpdate(const CombineInputs& in);

}  // namespace flair
