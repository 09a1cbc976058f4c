// The merged tensor as a ByteSource: its elements are computed where they are read.
//
// Place: merge. Nothing is buffered between calls: memory is one block per input
// and thread, whatever the size of the model. Every element depends only on the
// elements of the same index, so the bytes do not depend on how a reader cuts its
// reads or on how many threads read.
//
// Arithmetic (docs/formats/merge.md): float64, inputs in order, no contraction,
// one rounding to the dtype at the end.
//
// Thread safety: ReadAt from any thread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/byte_source.h"
#include "base/result.h"
#include "merge/method.h"
#include "merge/plan.h"

namespace flair {

inline constexpr std::uint64_t kMergeBlockElements = std::uint64_t{1} << 18;

// What one combined tensor is computed from. The same content twice (B_i == B) is one
// source, passed as the same pointer: it is then read once, and kernels may use that
// the bases are equal.
struct CombineInputs {
  std::string name;  // for errors
  DType dtype = DType::kF32;
  std::uint64_t num_elements = 0;
  std::shared_ptr<const ByteSource> target;               // B
  std::vector<std::shared_ptr<const ByteSource>> inputs;  // W_i
  std::vector<std::shared_ptr<const ByteSource>> bases;   // B_i
  std::vector<std::string> input_names;                   // for errors; empty: "input 1", ...
};

// kFedAvg and kLinear with `alpha`, kMedian, kTrimmedMean. Krum is a choice
// of alpha (krum.h) followed by kLinear. With role kStatistics every B_i is B.
// REQUIRES: dtype is a float; every source has num_elements * DTypeBytes bytes.
// Reads fail with kConflict, naming tensor and input, for NaN or infinity in an input
// and for a result that overflows the dtype.
std::unique_ptr<ByteSource> CombinedTensor(CombineInputs in, const MergeRule& rule,
                                           TensorRole role);

// The maximum over target and inputs, for integer dtypes (bases are not read).
std::unique_ptr<ByteSource> MaximumTensor(CombineInputs in);

}  // namespace flair
