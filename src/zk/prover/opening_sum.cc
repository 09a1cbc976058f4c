// SPDX-License-Identifier: Apache-2.0
#include "zk/prover/opening_sum.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <mutex>
#include <utility>

#include "base/check.h"
#include "base/threads.h"
#include "zk/prover/fold_in_place.h"

namespace flair::zk {
namespace {

constexpr std::uint64_t kPiece = ClaimWeights::kPiece;
constexpr std::uint64_t kPairsAtOnce = 4096;

unsigned VariablesFor(std::uint64_t rows, unsigned log_columns) {
  return log_columns + static_cast<unsigned>(std::bit_width(rows - 1));
}

Fp2 SumOf(const KVector& sums, std::size_t part) {
  Fp2 sum;
  for (std::size_t i = 0; i < kSumLanes; ++i) sum += sums.at(part * kSumLanes + i);
  return sum;
}

void Must(const Status& status) { FLAIR_CHECK(status.ok()) << "a sum cannot fail"; }

}  // namespace

OpeningSum::OpeningSum(const RowSource& rows, std::uint64_t num_rows, unsigned log_columns,
                       std::span<const Claim> claims, std::size_t matrix, Fp2 lambda)
    : rows_(rows),
      num_cells_(num_rows << log_columns),
      log_columns_(log_columns),
      variables_(VariablesFor(num_rows, log_columns)),
      weights_of_claims_(claims, matrix, lambda, num_cells_),
      streamed_rounds_(std::min(variables_, ClaimWeights::kMaxFolds)),
      kernels_(FastestKKernels()) {}

void OpeningSum::ReadPiece(std::uint64_t piece, std::span<std::uint64_t> cells) const {
  const std::uint64_t columns = std::uint64_t{1} << log_columns_;
  for (std::uint64_t at = 0; at < kPiece;) {
    const std::uint64_t cell = piece * kPiece + at;
    if (cell >= num_cells_) {
      std::fill(cells.begin() + static_cast<std::ptrdiff_t>(at), cells.end(), 0);
      return;
    }
    const std::uint64_t n = std::min(columns - cell % columns, kPiece - at);
    rows_.ReadPart(cell / columns, cell % columns, cells.subspan(at, n));
    at += n;
  }
}

void OpeningSum::ForEachPiece(
    const std::function<void(std::uint64_t, std::span<const std::uint64_t>, KSpan)>& visit) const {
  constexpr std::uint64_t kPiecesAtOnce = 16;
  const std::uint64_t pieces = (num_cells_ + kPiece - 1) / kPiece;
  Must(ParallelFor((pieces + kPiecesAtOnce - 1) / kPiecesAtOnce, [&](std::size_t run) {
    std::vector<std::uint64_t> cells(kPiece);
    const KVector scratch(kPiece / 2);
    const std::uint64_t end = std::min<std::uint64_t>(pieces, (run + 1) * kPiecesAtOnce);
    for (std::uint64_t piece = run * kPiecesAtOnce; piece < end; ++piece) {
      ReadPiece(piece, cells);
      visit(piece, cells, scratch.span());
    }
    return OkStatus();
  }));
}

void OpeningSum::FoldPiece(std::span<const std::uint64_t> cells, KSpan scratch, KSpan out) const {
  const KSpan once = bound_.size() == 1 ? out : scratch;
  kernels_.fold_base(cells.data(), bound_[0], once, kPiece / 2);
  if (bound_.size() == 2) kernels_.fold(once, bound_[1], out, kPiece / 4);
}

void OpeningSum::AddStreamedRound(std::array<Fp2, 3>& at) const {
  std::mutex mutex;
  ForEachPiece([&](std::uint64_t piece, std::span<const std::uint64_t> cells, KSpan scratch) {
    std::array<Fp2, 3> part;
    if (bound_.empty()) {
      weights_of_claims_.AddRound(piece, cells, part);
    } else {
      FoldPiece(cells, scratch, scratch);
      weights_of_claims_.AddRound(piece, scratch, part);
    }
    // Addition in a field: the order of the pieces does not matter.
    const std::lock_guard lock(mutex);
    for (std::size_t x = 0; x < 3; ++x) at[x] += part[x];
  });
}

void OpeningSum::Materialize() {
  const std::size_t folds = bound_.size();
  present_ = (num_cells_ + (std::uint64_t{1} << folds) - 1) >> folds;
  const std::uint64_t of_piece = kPiece >> folds;
  const std::uint64_t room = (num_cells_ + kPiece - 1) / kPiece * of_piece;
  cells_ = KVector(room);
  weights_ = KVector(room);
  ForEachPiece([&](std::uint64_t piece, std::span<const std::uint64_t> cells, KSpan scratch) {
    FoldPiece(cells, scratch, cells_.span().From(piece * of_piece));
    weights_of_claims_.Fill(piece, weights_.span().From(piece * of_piece));
  });
}

void OpeningSum::AddRound(std::array<Fp2, 3>& at) const {
  if (is_bound()) {  // times 1 - X
    const Fp2 product = value_ * weight_;
    at[0] += product;
    at[2] -= product;
    return;
  }
  if (is_streaming()) return AddStreamedRound(at);
  const std::uint64_t pairs = (present_ + 1) / 2;
  const std::uint64_t chunks = (pairs + kPairsAtOnce - 1) / kPairsAtOnce;
  std::vector<std::array<Fp2, 2>> parts(chunks);
  Must(ParallelFor(chunks, [&](std::size_t chunk) {
    const std::uint64_t begin = chunk * kPairsAtOnce;
    const std::uint64_t n = std::min(kPairsAtOnce, pairs - begin);
    const KVector sums(2 * kSumLanes);
    kernels_.round_of_product(cells_.span().From(2 * begin), weights_.span().From(2 * begin),
                              (n + kSumLanes - 1) / kSumLanes * kSumLanes, sums.span());
    parts[chunk] = {SumOf(sums, 0), SumOf(sums, 1)};
    return OkStatus();
  }));
  for (const auto& part : parts) {
    at[0] += part[0];
    at[2] += part[1];
  }
}

void OpeningSum::Fold(Fp2 r) {
  if (is_bound()) {
    weight_ *= Fp2(1) - r;
    return;
  }
  --variables_;
  if (is_streaming()) {
    weights_of_claims_.Fold(r);
    bound_.push_back(r);
    if (!is_streaming()) Materialize();
  } else {
    const std::uint64_t half = (present_ + 1) / 2;
    const std::uint64_t chunks = (half + kPairsAtOnce - 1) / kPairsAtOnce;
    for (const KSpan table : {cells_.span(), weights_.span()}) {
      FoldInPlace(chunks, [&](std::uint64_t chunk) {
        const std::uint64_t begin = chunk * kPairsAtOnce;
        const std::uint64_t n = std::min(kPairsAtOnce, half - begin);
        kernels_.fold(table.From(2 * begin), r, table.From(begin),
                      (n + kSumLanes - 1) / kSumLanes * kSumLanes);
      });
      // Kernels read sixteen elements at once.
      for (std::uint64_t i = half; i < KVector::RoundUp(half); ++i) table.Set(i, Fp2());
    }
    present_ = half;
  }
  if (is_bound()) {
    value_ = cells_.at(0);
    weight_ = weights_.at(0);
  }
}

}  // namespace flair::zk
