// Evidence: what a reviewer should see about a proposed update before it counts.
//
// Place: repo, over ObjectStore alone; the hub stores the result with a proposal.
// Pure numbers in float64, independent of the number of threads. An update is
// tip - base, tensor by tensor, over the float tensors both have in the same shape.
// Tensors that neither this update nor a compared one changes are left out of every
// number. NaN and infinities are counted, and stand for 0 in the sums.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "object/ids.h"
#include "repo/progress.h"
#include "store/object_store.h"

namespace flair {

struct TensorEvidence {
  std::string path;
  std::string tensor;
  std::uint64_t num_elements = 0;
  std::uint64_t num_changed = 0;
  std::uint64_t num_nan = 0;
  std::uint64_t num_inf = 0;
  double update_norm = 0;  // L2 of tip - base
  double base_norm = 0;
  // Cosine between this update and the mean of the others'; without others, between base
  // and tip. Absent when one of the two is zero.
  std::optional<double> cosine;
};

struct UpdateEvidence {
  std::vector<TensorEvidence> tensors;  // by path, then name
  std::vector<std::string> layout;      // differences of shape, dtype, names: one line each
  double update_norm = 0;               // over all tensors
  double base_norm = 0;
  double max_abs = 0;  // largest change of one element
  std::uint64_t num_elements = 0;
  std::uint64_t num_changed = 0;
  std::uint64_t num_nan = 0;
  std::uint64_t num_inf = 0;
  std::optional<double> cosine;  // over all tensors, to the mean of the others
  // Krum among this update and the others: sum of the squared distances to the nearest
  // n - f - 2; with its rank (0 = the most central) and the median score. Needs two others.
  std::optional<double> krum_score;
  double krum_median = 0;
  std::size_t krum_rank = 0;
  std::size_t num_compared = 0;  // others compared with
  // The update's norm over the median norm of the others. Needs one other.
  std::optional<double> norm_ratio;

  bool finite() const { return num_nan == 0 && num_inf == 0; }
};

struct OtherUpdate {
  CommitId base;
  CommitId tip;
};

// Others whose layout differs are left out of the comparison.
// Errors: kNotFound, kCorrupt.
Result<UpdateEvidence> CollectEvidence(const ObjectStore& objects, const CommitId& base,
                                       const CommitId& tip, const std::vector<OtherUpdate>& others,
                                       const ProgressSink& progress = {});

}  // namespace flair
