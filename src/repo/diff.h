// Differences between two trees, file by file and tensor by tensor.
//
// Place: repo, over ObjectStore alone. Names, shapes and whether content differs come
// from headers; statistics stream both contents in float64, block by block, in bounded
// memory, and do not depend on the number of threads.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "object/content.h"
#include "object/file.h"
#include "object/tree.h"
#include "repo/progress.h"
#include "store/object_store.h"

namespace flair {

enum class ChangeKind : std::uint8_t {
  kSame,
  kAdded,
  kRemoved,
  kReshaped,  // dtype or dims differ
  kChanged,
};
std::string_view ChangeKindName(ChangeKind kind);  // "same", "added", …

// Over the elements of a tensor before (a) and after (b). NaN and infinities are counted
// and left out of every sum.
struct TensorStats {
  std::uint64_t num_elements = 0;
  std::uint64_t num_changed = 0;  // elements whose bytes differ
  std::uint64_t num_nan = 0;      // in b
  std::uint64_t num_inf = 0;      // in b
  double l2_before = 0;
  double l2_after = 0;
  double l2_delta = 0;  // of b - a
  double cosine = 1;    // of a and b; 1 when both are zero, 0 when one is
  double max_abs_delta = 0;
  // Counts of b - a in equal bins over [-max_abs_delta, max_abs_delta]; empty unless asked.
  std::vector<std::uint64_t> histogram;

  double changed_share() const {
    return num_elements == 0 ? 0
                             : static_cast<double>(num_changed) / static_cast<double>(num_elements);
  }
};

struct TensorDiff {
  std::string name;
  ChangeKind kind = ChangeKind::kSame;
  std::optional<TensorRef> before;
  std::optional<TensorRef> after;
  std::optional<TensorStats> stats;  // for kChanged, when asked; numeric dtypes only
};

struct FileDiff {
  std::string path;
  ChangeKind kind = ChangeKind::kSame;  // never kReshaped
  std::optional<TreeEntry> before;
  std::optional<TreeEntry> after;
  bool rest_changed = false;        // bytes outside the tensors differ
  std::vector<TensorDiff> tensors;  // ascending by name; empty for files without tensors
};

enum class DiffDetail : std::uint8_t {
  kNames,  // headers only: no content is read
  kStats,
  kHistogram,  // statistics with histograms: reads contents twice
};
struct DiffOptions {
  DiffDetail detail = DiffDetail::kNames;
  std::size_t histogram_bins = 32;
  std::string tensors_glob;   // empty: all (base/glob.h, kName)
  bool include_same = false;  // list tensors and files that did not change, too
  ProgressSink progress;
};

// Ascending by path. Errors: kNotFound, kCorrupt.
Result<std::vector<FileDiff>> DiffTrees(const ObjectStore& objects, const Tree& before,
                                        const Tree& after, const DiffOptions& options);

// REQUIRES: same dtype and number of elements. Errors: kUnsupported for complex numbers.
Result<TensorStats> CompareTensors(const ObjectStore& objects, const TensorRef& before,
                                   const TensorRef& after, std::size_t histogram_bins);

// True when a float among the elements is NaN or infinite. Errors: kNotFound, kCorrupt.
Result<bool> HasNonFinite(const ObjectStore& objects, const TensorRef& tensor);

}  // namespace flair
