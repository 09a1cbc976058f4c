// Shape: the public numbers of a committed matrix, and how many columns a check opens.
//
// A matrix has R rows over F. A row is C = 2^kappa cells and h pads; it is encoded to n = 2^m
// values, column j of the codeword being the row's polynomial at x_j = 7 w^j, w of order n:
//
//   f(X) = sum_{j<C} cell_j X^j + X^C sum_{j<h} pad_j X^j
//
// docs/spec/commitment.md.
//
// Place: zk/pcs; used by both sides. Thread safety: values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "crypto/digest.h"
#include "zk/field/fp.h"

namespace flair::zk {

// What a matrix holds. Its pads depend on the kind, so that one seed serves several.
enum class MatrixKind : std::uint8_t {
  kWitness = 1,    // one proof's
  kCompanion = 2,  // a blinding row for a group of long-lived matrices
  kWeights = 3,
  kState = 4,
  kData = 5,
  kTail = 6,  // the combined rows of one proof; hides nothing
};
std::string_view MatrixKindName(MatrixKind kind);
std::optional<MatrixKind> MatrixKindNamed(std::string_view name);
// Weights, state and data: their seeds are kept with them and serve many proofs. A witness's and
// a companion's are fresh for each proof.
bool KeptWithItsSeed(MatrixKind kind);

struct MatrixShape {
  unsigned log_columns = 0;  // kappa
  unsigned log_n = 0;        // m
  std::uint64_t num_rows = 0;
  std::uint64_t num_pads = 0;
  MatrixKind kind = MatrixKind::kWitness;

  std::uint64_t num_columns() const { return std::uint64_t{1} << log_columns; }
  std::uint64_t n() const { return std::uint64_t{1} << log_n; }
  std::uint64_t row_length() const { return num_columns() + num_pads; }
  friend bool operator==(const MatrixShape&, const MatrixShape&) = default;
};

inline constexpr unsigned kMaxLogColumns = 22;
inline constexpr unsigned kMaxLogN = 24;
inline constexpr std::uint64_t kMaxRows = std::uint64_t{1} << 22;
inline constexpr std::uint64_t kMaxCells = std::uint64_t{1} << 34;  // R C

// Errors: kInvalidArgument: h > C, C + h >= n, or beyond the limits.
Status CheckShape(const MatrixShape& shape);

// Matrices of equal kappa, m and h share their queries and one combined row.
bool SameGroup(const MatrixShape& a, const MatrixShape& b);

// SHA-256("flair zk comm v1" || LE64 of kappa, m, R, h, kind || root): what a statement names.
Digest MatrixDigest(const MatrixShape& shape, const Digest& root);

// Bits that the choice of columns must give, and how many of them are paid by work.
inline constexpr unsigned kQueryBits = 104;
inline constexpr unsigned kQueryWorkBits = 16;
inline constexpr unsigned kMaxQueryWorkBits = 32;
inline constexpr std::uint64_t kMaxQueries = 1024;

// The least t such that t distinct random columns miss a word at more than the unique-decoding
// radius e = floor((n - k)/2) from every codeword of k = C + h coefficients with probability
//   prod_{i<t} (a - i)/(n - i) <= 2^-(kQueryBits - work_bits),   a = k + e.
// 0 when no t <= kMaxQueries does. REQUIRES: work_bits <= kMaxQueryWorkBits.
std::uint64_t NumQueries(std::uint64_t row_length, std::uint64_t n,
                         unsigned work_bits = kQueryWorkBits);

// That product for t = num_queries, in parts of 2^-128, rounded up.
Uint128 MissedParts(std::uint64_t row_length, std::uint64_t n, std::uint64_t num_queries);

// The least h that is at least the number of its own queries: pads of a matrix that is opened
// once. 0 when there is none below C.
std::uint64_t PadsForOneOpening(unsigned log_columns, unsigned log_n);

}  // namespace flair::zk
