// SPDX-License-Identifier: Apache-2.0
#include "zk/prover/claim_weights.h"

#include <algorithm>
#include <array>
#include <map>
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
  // Claims at one point about the same block, as a square's two factors leave them, are one part.
  // Parts by what few blocks share; their points are compared then.
  std::map<std::array<std::uint64_t, 3>, std::vector<std::uint32_t>> known;
  const auto same_part = [&](const Block& block) -> Part* {
    const std::uint64_t first = block.point.empty() ? 0 : block.point[0].a.value();
    std::vector<std::uint32_t>& candidates = known[{block.offset, block.point.size(), first}];
    for (const std::uint32_t index : candidates) {
      if (std::equal(block.point.begin(), block.point.end(), parts_[index].point.begin())) {
        return &parts_[index];
      }
    }
    candidates.push_back(static_cast<std::uint32_t>(parts_.size()));
    return nullptr;
  };
  Fp2 power(1);
  for (const Claim& claim : claims) {
    const Fp2 factor = power;
    power *= lambda;
    if (claim.matrix != matrix) continue;
    for (const Block& block : claim.blocks) {
      const std::uint64_t size = std::uint64_t{1} << block.point.size();
      FLAIR_CHECK(block.offset % size == 0 && block.offset + size <= num_cells)
          << "a block outside of its matrix";
      if (Part* const same = same_part(block)) {
        same->coefficient += factor * block.coefficient;
        continue;
      }
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

ClaimWeights::InPiece ClaimWeights::Of(const Part& part, std::uint64_t piece) const {
  if (part.point.size() < kLogPiece) return {part.offset % kPiece >> folds_, part.coefficient};
  return {0, part.coefficient *
                 EqAt(part.point.subspan(kLogPiece), piece - (part.offset >> kLogPiece))};
}

template <typename CellOf, typename SumFrom>
void ClaimWeights::AddPart(const Part& part, InPiece in, const CellOf& cell_of, const SumFrom& sum,
                           std::array<Fp2, 3>& at) const {
  const std::uint64_t low = part.low.size();
  const auto add_pair = [&](Fp2 w0, Fp2 w1, std::uint64_t cell) {
    const auto x0 = cell_of(cell);
    const auto x1 = cell_of(cell + 1);
    at[0] += w0 * x0;
    at[1] += w1 * x1;
    at[2] += (w1 + w1 - w0) * (x1 + x1 - x0);
  };
  if (low == 1) {  // one of a pair
    const std::uint64_t cell = in.begin / 2 * 2;
    const Fp2 weight = in.coefficient * part.low.at(0);
    if (in.begin % 2 == 0) {
      add_pair(weight, Fp2(), cell);
    } else {
      add_pair(Fp2(), weight, cell);
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
    const std::size_t values = sum(begin, low / 2, sums.span());
    for (std::size_t v = 0; v < values; ++v) {
      Fp2 total;
      for (std::size_t lane = 0; lane < kSumLanes; ++lane) total += sums.at(v * kSumLanes + lane);
      at[values == 3 ? v : 2 * v] += factor * total;
    }
  }
}

void ClaimWeights::AddRound(std::uint64_t piece, std::span<const std::uint64_t> cells,
                            std::array<Fp2, 3>& at) const {
  for (const std::uint32_t index : by_piece_[piece]) {
    const Part& part = parts_[index];
    const auto sum = [&](std::uint64_t begin, std::size_t pairs, KSpan sums) -> std::size_t {
      kernels_.round_of_base(part.low.span(), &cells[begin], pairs, sums);
      return 3;
    };
    AddPart(
        part, Of(part, piece), [&](std::uint64_t cell) { return Fp(cells[cell]); }, sum, at);
  }
}

void ClaimWeights::AddRound(std::uint64_t piece, KSpan folded, std::array<Fp2, 3>& at) const {
  for (const std::uint32_t index : by_piece_[piece]) {
    const Part& part = parts_[index];
    const auto sum = [&](std::uint64_t begin, std::size_t pairs, KSpan sums) -> std::size_t {
      kernels_.round_of_product(part.low.span(), folded.From(begin), pairs, sums);
      return 2;
    };
    AddPart(
        part, Of(part, piece), [&](std::uint64_t cell) { return folded.at(cell); }, sum, at);
  }
}

void ClaimWeights::Fold(Fp2 r) {
  FLAIR_CHECK(folds_ < kMaxFolds) << "a fold more than pieces have room for";
  for (Part& part : parts_) {
    const std::uint64_t half = part.low.size() / 2;
    if (half == 0) {  // it lies in one half of a pair
      part.coefficient *= (part.offset >> folds_) % 2 == 0 ? Fp2(1) - r : r;
      continue;
    }
    KVector folded(half);
    for (std::uint64_t x = 0; x < folded.capacity(); ++x) {
      const Fp2 even = x < half ? part.low.at(2 * x) : Fp2();
      const Fp2 odd = x < half ? part.low.at(2 * x + 1) : Fp2();
      folded.span().Set(x, even + r * (odd - even));
    }
    part.low = std::move(folded);
  }
  ++folds_;
}

void ClaimWeights::Add(const Part& part, InPiece in, KSpan out) const {
  const std::uint64_t low = part.low.size();
  for (std::size_t i = 0; i < part.high.size(); ++i) {
    const Fp2 factor = in.coefficient * part.high[i];
    const KSpan to = out.From(in.begin + i * low);
    if (low % kSumLanes == 0) {
      kernels_.add_scaled(to, part.low.span(), factor, low);
      continue;
    }
    for (std::uint64_t x = 0; x < low; ++x) to.Set(x, to.at(x) + factor * part.low.at(x));
  }
}

void ClaimWeights::Fill(std::uint64_t piece, KSpan out) const {
  std::fill_n(out.a, kPiece >> folds_, 0);
  std::fill_n(out.b, kPiece >> folds_, 0);
  for (const std::uint32_t part : by_piece_[piece]) Add(parts_[part], Of(parts_[part], piece), out);
}

}  // namespace flair::zk
