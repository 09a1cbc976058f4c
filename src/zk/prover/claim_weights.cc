// SPDX-License-Identifier: Apache-2.0
#include "zk/prover/claim_weights.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "zk/poly/eq.h"

namespace flair::zk {
namespace {

constexpr std::size_t kLowVariables = 9;

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

ClaimWeights::InPiece ClaimWeights::Of(const Part& part, std::uint64_t piece) {
  if (part.point.size() < kLogPiece) return {part.offset % kPiece, part.coefficient};
  return {0, part.coefficient *
                 EqAt(part.point.subspan(kLogPiece), piece - (part.offset >> kLogPiece))};
}

void ClaimWeights::AddRound(const Part& part, InPiece in, std::span<const std::uint64_t> cells,
                            std::array<Fp2, 3>& at) const {
  const std::uint64_t low = part.low.size();
  const auto add_pair = [&](Fp2 w0, Fp2 w1, std::uint64_t cell) {
    const Fp x0(cells[cell]);
    const Fp x1(cells[cell + 1]);
    at[0] += w0 * x0;
    at[1] += w1 * x1;
    at[2] += (w1 + w1 - w0) * (x1 + x1 - x0);
  };
  if (low == 1) {  // one of a pair
    const std::uint64_t cell = in.begin / 2 * 2;
    if (in.begin % 2 == 0) {
      add_pair(in.coefficient, Fp2(), cell);
    } else {
      add_pair(Fp2(), in.coefficient, cell);
    }
    return;
  }
  const KVector sums(3 * kSumLanes);
  for (std::size_t i = 0; i < part.high.size(); ++i) {
    const Fp2 factor = in.coefficient * part.high[i];
    const std::uint64_t begin = in.begin + i * low;
    if (low % (2 * kSumLanes) != 0) {
      for (std::uint64_t x = 0; x < low; x += 2) {
        add_pair(factor * part.low.at(x), factor * part.low.at(x + 1), begin + x);
      }
      continue;
    }
    kernels_.round_of_base(part.low.span(), &cells[begin], low / 2, sums.span());
    for (std::size_t x = 0; x < 3; ++x) {
      Fp2 sum;
      for (std::size_t lane = 0; lane < kSumLanes; ++lane) sum += sums.at(x * kSumLanes + lane);
      at[x] += factor * sum;
    }
  }
}

void ClaimWeights::AddRound(std::uint64_t piece, std::span<const std::uint64_t> cells,
                            std::array<Fp2, 3>& at) const {
  for (const std::uint32_t part : by_piece_[piece]) {
    AddRound(parts_[part], Of(parts_[part], piece), cells, at);
  }
}

void ClaimWeights::Fold(Fp2 r) {
  bound_ = r;
  for (Part& part : parts_) {
    const std::uint64_t half = part.low.size() / 2;
    if (half == 0) continue;
    KVector folded(half);
    for (std::uint64_t x = 0; x < folded.capacity(); ++x) {
      const Fp2 even = x < half ? part.low.at(2 * x) : Fp2();
      const Fp2 odd = x < half ? part.low.at(2 * x + 1) : Fp2();
      folded.span().Set(x, even + r * (odd - even));
    }
    part.low = std::move(folded);
  }
}

void ClaimWeights::Add(const Part& part, InPiece in, KSpan out) const {
  if (part.point.empty()) {
    const Fp2 weight = in.begin % 2 == 0 ? Fp2(1) - bound_ : bound_;
    out.Set(in.begin / 2, out.at(in.begin / 2) + in.coefficient * weight);
    return;
  }
  const std::uint64_t low = part.low.size();
  for (std::size_t i = 0; i < part.high.size(); ++i) {
    const Fp2 factor = in.coefficient * part.high[i];
    const KSpan to = out.From(in.begin / 2 + i * low);
    if (low % kSumLanes == 0) {
      kernels_.add_scaled(to, part.low.span(), factor, low);
      continue;
    }
    for (std::uint64_t x = 0; x < low; ++x) to.Set(x, to.at(x) + factor * part.low.at(x));
  }
}

bool ClaimWeights::Fill(std::uint64_t piece, KSpan out) const {
  if (by_piece_[piece].empty()) return false;
  std::fill_n(out.a, kPiece / 2, 0);
  std::fill_n(out.b, kPiece / 2, 0);
  for (const std::uint32_t part : by_piece_[piece]) Add(parts_[part], Of(parts_[part], piece), out);
  return true;
}

}  // namespace flair::zk
