// SPDX-License-Identifier: Apache-2.0
#include "zk/tail/tail_plan.h"

#include <algorithm>
#include <bit>
#include <string>

#include "zk/poly/eq.h"

namespace flair::zk {
namespace {

constexpr unsigned kLogRate = 2;  // n = 4 C
constexpr unsigned kMinLogColumns = 4;
constexpr unsigned kMaxTailLogColumns = 18;

// The row that is shown, and the columns with 64 bytes for salt and path.
std::uint64_t BytesOf(const MatrixShape& shape, std::uint64_t num_queries) {
  return Fp2::kBytes * shape.num_columns() + num_queries * (Fp::kBytes * shape.num_rows + 64);
}

Result<TailPlan> Narrowest(std::uint64_t num_elements, unsigned work_bits,
                           std::optional<std::uint64_t> fixed_queries) {
  TailPlan best;
  for (unsigned k = kMinLogColumns; k <= kMaxTailLogColumns; ++k) {
    const std::uint64_t columns = std::uint64_t{1} << k;
    const MatrixShape shape{.log_columns = k,
                            .log_n = k + kLogRate,
                            .num_rows = 2 * ((num_elements + columns - 1) / columns),
                            .num_pads = 0,
                            .kind = MatrixKind::kTail};
    if (!CheckShape(shape).ok()) continue;
    const std::uint64_t queries =
        fixed_queries.value_or(NumQueries(shape.row_length(), shape.n(), work_bits));
    if (queries == 0 || queries > shape.n()) continue;
    if (best.num_queries != 0 && BytesOf(shape, queries) >= BytesOf(best.shape, best.num_queries)) {
      continue;
    }
    best.shape = shape;
    best.num_queries = queries;
  }
  if (best.num_queries == 0) {
    return Error(ErrorCode::kInvalidArgument,
                 "no tail holds " + std::to_string(num_elements) + " coefficients");
  }
  best.num_elements = num_elements;
  return best;
}

}  // namespace

unsigned TailPlan::row_variables() const {
  return static_cast<unsigned>(std::bit_width(num_rows() - 1));
}

std::vector<Fp2> TailPlan::RowWeights(std::span<const Fp2> point) const {
  const std::vector<Fp2> eq = EqTable(point.subspan(shape.log_columns, row_variables()));
  std::vector<Fp2> weights;
  for (std::uint64_t i = 0; i < num_rows(); ++i) {
    weights.push_back(eq[i] * Fp2(1, 0));
    weights.push_back(eq[i] * Fp2(0, 1));
  }
  return weights;
}

std::uint64_t TailPlan::bytes() const { return BytesOf(shape, num_queries); }

Result<TailPlan> PlanTail(std::span<const MatrixShape> groups, unsigned work_bits,
                          std::optional<std::uint64_t> num_queries) {
  std::vector<TailPiece> pieces;
  std::uint64_t num_elements = 0;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const MatrixShape& shape = groups[g];
    pieces.push_back({.group = g, .begin = 0, .log_size = shape.log_columns});
    std::uint64_t begin = shape.num_columns();
    for (unsigned bit = kMaxLogColumns + 1; bit-- > 0;) {
      if ((shape.num_pads >> bit & 1) == 0) continue;
      pieces.push_back({.group = g, .begin = begin, .log_size = bit});
      begin += std::uint64_t{1} << bit;
    }
    num_elements += shape.row_length();
  }
  FLAIR_TRY(TailPlan plan, Narrowest(num_elements, work_bits, num_queries));
  std::stable_sort(pieces.begin(), pieces.end(),
                   [](const TailPiece& a, const TailPiece& b) { return a.log_size > b.log_size; });
  std::uint64_t offset = 0;
  for (TailPiece& piece : pieces) {
    piece.offset = offset;
    offset += std::uint64_t{1} << piece.log_size;
  }
  plan.pieces = std::move(pieces);
  return plan;
}

std::uint64_t BytesOfRow(std::uint64_t row_length) {
  const std::uint64_t sent = Fp2::kBytes * row_length;
  const Result<TailPlan> tail = Narrowest(row_length, kQueryWorkBits, std::nullopt);
  return tail.ok() ? std::min(sent, tail->bytes()) : sent;
}

}  // namespace flair::zk
