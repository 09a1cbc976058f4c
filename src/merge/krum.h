// Krum (Blanchard et al. 2017): pick the updates that lie nearest to the others.
//
// Place: merge. Distances are between the whole updates W_i - B_i, summed over
// every combined tensor, one tensor at a time and streamed.
// Thread safety: a KrumDistances is used by one thread; it works on several inside.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "merge/combine.h"

namespace flair {

// Squared L2 distances between n updates, and the updates' own squared norms.
class KrumDistances {
 public:
  explicit KrumDistances(std::size_t num_inputs);

  // Adds one tensor's share. The result depends on the order of the calls: callers
  // go by path, then by name, bytewise ascending. `target` is not read.
  // Errors: kConflict for NaN or infinity, naming tensor and input.
  Status Add(const CombineInputs& tensor);

  std::size_t num_inputs() const { return num_inputs_; }
  double squared_distance(std::size_t i, std::size_t j) const;
  double squared_norm(std::size_t i) const { return norms_[i]; }

 private:
  std::size_t num_inputs_;
  std::vector<double> pairs_;  // i < j, row by row
  std::vector<double> norms_;
};

// Score of i: the sum of its n - f - 2 smallest squared distances, ascending
// (at least one). With fewer than two inputs every score is zero.
std::vector<double> KrumScores(const KrumDistances& distances, std::uint32_t f);

// The m lowest scores (ties: the earlier input) as equal weights over 2^24, the
// others zero.
std::vector<std::uint32_t> KrumAlpha(const KrumDistances& distances, std::uint32_t f,
                                     std::uint32_t m);

}  // namespace flair
