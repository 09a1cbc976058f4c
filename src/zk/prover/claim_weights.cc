// SPDX-License-Identifier: Apache-2.0
#include "zk/prover/claim_weights.h"

#include <algorithm>

#include "base/check.h"
#include "zk/poly/eq.h"

namespace flair::zk {
namespace {

constexpr std::size_t kLowVariables = 6;

}  // namespace

ClaimWeights::ClaimWeights(std::span<const Claim> claims, std::size_t matrix, Fp2 lambda,
                           std::uint64_t num_cells)
    : by_piece_((num_cells + kPiece - 1) / kPiece), kernels_(FastestKKernels()) {
  Fp2 power(1);
  for (const Claim& claim : claims) {
    const Fp2 factor = power;
    power *= lambda;
    if (claim.matrix != matrix) continue;
    for (const Block& block : claim.blocks) {
      const std::uint64_t size = std::uint64_t{1} << block.point.size();
      FLAIR_CHECK(block.offset % size == 0 && block.offset + size <= num_cells)
          << "a block outside of its matrix";
      Part part{.coefficient = factor * block.coefficient,
                .offset = block.offset,
                .point = block.point,
                .low = {},
                .high = {}};
      const std::span<const Fp2> point = part.point;
      const std::size_t low = std::min(kLowVariables, point.size());
      const std::size_t all = std::min<std::size_t>(kLogPiece, point.size());
      const std::vector<Fp2> eq = EqTable(point.first(low));
      part.low = KVector(eq.size());
      for (std::size_t i = 0; i < part.low.capacity(); ++i) {
        part.low.span().Set(i, i < eq.size() ? eq[i] : Fp2());
      }
      part.high = EqTable(point.subspan(low, all - low));
      const auto index = static_cast<std::uint32_t>(parts_.size());
      for (std::uint64_t piece = block.offset / kPiece; piece <= (block.offset + size - 1) / kPiece;
           ++piece) {
        by_piece_[piece].push_back(index);
      }
      parts_.push_back(std::move(part));
    }
  }
}

void ClaimWeights::Add(const Part& part, std::uint64_t piece, KSpan out) const {
  Fp2 coefficient = part.coefficient;
  std::uint64_t begin = 0;
  if (part.point.size() >= kLogPiece) {
    coefficient *= EqAt(part.point.subspan(kLogPiece), piece - (part.offset >> kLogPiece));
  } else {
    begin = part.offset % kPiece;
  }
  if (coefficient.is_zero()) return;
  const std::uint64_t low = part.low.size();
  for (std::size_t i = 0; i < part.high.size(); ++i) {
    const Fp2 factor = coefficient * part.high[i];
    if (factor.is_zero()) continue;
    const KSpan to = out.From(begin + i * low);
    if (low % kSumLanes == 0) {
      kernels_.add_scaled(to, part.low.span(), factor, low);
      continue;
    }
    for (std::uint64_t x = 0; x < low; ++x) to.Set(x, to.at(x) + factor * part.low.at(x));
  }
}

bool ClaimWeights::Fill(std::uint64_t piece, KSpan out) const {
  if (by_piece_[piece].empty()) return false;
  std::fill_n(out.a, kPiece, 0);
  std::fill_n(out.b, kPiece, 0);
  for (const std::uint32_t part : by_piece_[piece]) Add(parts_[part], piece, out);
  return true;
}

}  // namespace flair::zk
