// SPDX-License-Identifier: Apache-2.0
#include "zk/relation/layout.h"

#include <algorithm>
#include <string>

#include "base/check.h"
#include "zk/poly/eq.h"

namespace flair::zk {
namespace {

using circuit::Circuit;
using circuit::LimbRef;
using circuit::Value;
using circuit::ValueId;

constexpr std::uint64_t kMaxCells = std::uint64_t{1} << 32;
constexpr std::size_t kMaxBlocks = std::size_t{1} << 20;

// Walks a tensor's axes from the highest to the lowest, block by block.
class BlockAdder {
 public:
  BlockAdder(const TensorBlocks& tensor, const Functional& functional, std::uint64_t first,
             std::vector<Block>* into)
      : tensor_(tensor), functional_(functional), first_(first), into_(into) {}

  std::uint64_t Run(Fp2 coefficient) {
    for (const TensorBlocks::Placed& block : tensor_.blocks) {
      block_ = &block;
      high_.clear();
      Descend(0, coefficient, block.offset, block.log_size(), true);
    }
    return count_;
  }

 private:
  const AxisFunctional& On(std::size_t axis) const {
    return axis == 0 ? functional_.steps : functional_.axes[axis - 1];
  }

  // `below`: variables of this axis and those after it. `leading`: nothing above has coordinates.
  void Descend(std::size_t axis, Fp2 coefficient, std::uint64_t offset, unsigned below,
               bool leading) {
    if (coefficient.is_zero()) return;
    if (axis == tensor_.sizes.size()) {
      ++count_;
      if (into_) {
        into_->push_back({coefficient, offset, {high_.rbegin(), high_.rend()}});
      }
      return;
    }
    const Piece& piece = block_->pieces[axis];
    const AxisFunctional& f = On(axis);
    const unsigned inner = below - piece.log_size;
    const std::uint64_t first = axis == 0 ? first_ : 0;
    // eq over a whole piece: the piece's number, and coordinates within it.
    const bool whole = f.is_eq() && first == 0 && piece.begin + Length(piece) <= f.size();
    if (whole) {
      const std::span<const Fp2> point = f.point();
      const auto low = std::min<std::size_t>(piece.log_size, point.size());
      FLAIR_CHECK(low == piece.log_size) << "a piece larger than its axis";
      const Fp2 pre = EqAt(point.subspan(low), piece.begin >> piece.log_size);
      for (std::size_t i = low; i-- > 0;) high_.push_back(point[i]);
      Descend(axis + 1, coefficient * f.factor() * pre, offset, inner, leading && low == 0);
      high_.resize(high_.size() - low);
      return;
    }
    if (weights_of_ != &f) {
      weights_ = f.ToWeights();
      weights_of_ = &f;
    }
    for (std::uint64_t x = 0; x < Length(piece); ++x) {
      const std::uint64_t at = piece.begin + x;
      if (at < first || at - first >= f.size()) continue;
      const Fp2 weight = Weight(f, at - first);
      if (leading) {
        Descend(axis + 1, coefficient * weight, offset + (x << inner), inner, true);
        continue;
      }
      for (unsigned i = piece.log_size; i-- > 0;) high_.push_back(Fp2((x >> i) & 1));
      Descend(axis + 1, coefficient * weight, offset, inner, false);
      high_.resize(high_.size() - piece.log_size);
    }
  }

  // Several axes may take turns with the one list that is kept.
  Fp2 Weight(const AxisFunctional& f, std::uint64_t x) {
    if (weights_of_ != &f) {
      weights_ = f.ToWeights();
      weights_of_ = &f;
    }
    return weights_[x];
  }
  static std::uint64_t Length(const Piece& piece) { return std::uint64_t{1} << piece.log_size; }

  const TensorBlocks& tensor_;
  const Functional& functional_;
  std::uint64_t first_;
  std::vector<Block>* into_;
  const TensorBlocks::Placed* block_ = nullptr;
  std::vector<Fp2> high_;  // coordinates from the highest on
  std::vector<Fp2> weights_;
  const AxisFunctional* weights_of_ = nullptr;
  std::uint64_t count_ = 0;
};

}  // namespace

std::vector<Piece> PiecesOf(std::uint64_t size) {
  std::vector<Piece> pieces;
  std::uint64_t begin = 0;
  for (unsigned bit = 64; bit-- > 0;) {
    if (((size >> bit) & 1) == 0) continue;
    pieces.push_back({begin, bit});
    begin += std::uint64_t{1} << bit;
  }
  return pieces;
}

Result<TensorBlocks> SplitTensor(std::vector<std::uint64_t> sizes) {
  TensorBlocks tensor;
  tensor.sizes = std::move(sizes);
  std::vector<std::vector<Piece>> pieces;
  std::size_t count = 1;
  for (const std::uint64_t size : tensor.sizes) {
    pieces.push_back(PiecesOf(size));
    count *= pieces.back().size();
    if (count > kMaxBlocks) {
      return Error(ErrorCode::kInvalidArgument, "a tensor splits into too many blocks");
    }
  }
  for (std::size_t i = 0; i < count; ++i) {
    TensorBlocks::Placed block;
    std::size_t rest = i;
    block.pieces.resize(pieces.size());
    for (std::size_t axis = pieces.size(); axis-- > 0;) {
      block.pieces[axis] = pieces[axis][rest % pieces[axis].size()];
      rest /= pieces[axis].size();
    }
    tensor.blocks.push_back(std::move(block));
  }
  return tensor;
}

Result<std::uint64_t> PlaceAll(std::vector<Place> places) {
  std::stable_sort(places.begin(), places.end(),
                   [](const Place& a, const Place& b) { return a.log_size > b.log_size; });
  std::uint64_t cells = 0;
  for (const Place& place : places) {
    *place.offset = cells;
    if (place.log_size <= 32) cells += std::uint64_t{1} << place.log_size;
    if (place.log_size > 32 || cells > kMaxCells) {
      return Error(ErrorCode::kInvalidArgument,
                   "more than 2^32 cells: prove fewer steps at a time");
    }
  }
  return cells;
}

unsigned TensorBlocks::Placed::log_size() const {
  unsigned bits = 0;
  for (const Piece& piece : pieces) bits += piece.log_size;
  return bits;
}

void AddBlocks(const TensorBlocks& tensor, const Functional& functional, std::uint64_t first,
               Fp2 coefficient, std::vector<Block>& into) {
  FLAIR_CHECK(functional.axes.size() + 1 == tensor.sizes.size()) << "other axes";
  BlockAdder(tensor, functional, first, &into).Run(coefficient);
}

std::uint64_t CountBlocks(const TensorBlocks& tensor, const Functional& functional) {
  std::uint64_t count = 1;
  for (std::size_t axis = 0; axis < tensor.sizes.size(); ++axis) {
    const AxisFunctional& f = axis == 0 ? functional.steps : functional.axes[axis - 1];
    count *= f.is_eq() ? PiecesOf(tensor.sizes[axis]).size() : f.size();
  }
  return count;
}

Result<Layout> Layout::Make(const Circuit& circuit, std::uint64_t num_steps) {
  if (num_steps == 0) return Error(ErrorCode::kInvalidArgument, "a proof of no step");
  Layout layout;
  layout.num_steps_ = num_steps;
  layout.limbs_.resize(circuit.values.size());
  std::vector<std::uint64_t> multiplicities;  // offsets, by segment of all tables
  std::vector<Place> places;
  std::size_t num_blocks = 0;
  for (ValueId id = 0; id < circuit.values.size(); ++id) {
    const Value& value = circuit[id];
    if (value.kind != Value::Kind::kNumber) continue;
    std::vector<std::uint64_t> sizes = {num_steps + (value.number.is_state ? 1 : 0)};
    for (const circuit::AxisId axis : value.axes) sizes.push_back(circuit.axes[axis].size);
    FLAIR_TRY(TensorBlocks blocks, SplitTensor(std::move(sizes)));
    num_blocks += blocks.blocks.size() * value.number.limb_bits.size();
    if (num_blocks > kMaxBlocks) {
      return Error(ErrorCode::kInvalidArgument, "the circuit splits into too many blocks");
    }
    layout.limbs_[id].assign(value.number.limb_bits.size(), blocks);
  }
  for (auto& limbs : layout.limbs_) {
    for (TensorBlocks& limb : limbs) {
      for (TensorBlocks::Placed& block : limb.blocks) {
        places.push_back({block.log_size(), &block.offset});
      }
    }
  }
  std::size_t num_segments = 0;
  for (const circuit::Table& table : circuit.tables) num_segments += table.segments.size();
  multiplicities.resize(num_segments);
  std::size_t segment = 0;
  for (const circuit::Table& table : circuit.tables) {
    for (const circuit::TableSegment& s : table.segments) {
      places.push_back({s.log_rows, &multiplicities[segment++]});
    }
  }
  FLAIR_TRY(layout.num_cells_, PlaceAll(std::move(places)));

  std::vector<TableSegment> segments;
  segment = 0;
  for (std::size_t t = 0; t < circuit.tables.size(); ++t) {
    for (const circuit::TableSegment& s : circuit.tables[t].segments) {
      segments.push_back({.class_number = static_cast<std::uint32_t>(t),
                          .log_rows = s.log_rows,
                          .first = s.first,
                          .c1 = {s.c1.constant, s.c1.values},
                          .c2 = {s.c2.constant, s.c2.values},
                          .multiplicities = multiplicities[segment++]});
    }
  }
  std::vector<LookupBlock> lookups;
  for (const circuit::Lookup& lookup : circuit.lookups) {
    const TensorBlocks& v = layout.BlocksOf(lookup.v);
    for (std::size_t i = 0; i < v.blocks.size(); ++i) {
      LookupBlock block{.class_number = lookup.table,
                        .log_size = v.blocks[i].log_size(),
                        .v = v.blocks[i].offset};
      if (lookup.c1) block.c1 = layout.BlocksOf(*lookup.c1).blocks[i].offset;
      if (lookup.c2) block.c2 = layout.BlocksOf(*lookup.c2).blocks[i].offset;
      lookups.push_back(block);
    }
  }
  FLAIR_TRY(LookupPlan plan, LookupPlan::Make(std::move(segments), std::move(lookups)));
  layout.lookups_ = std::move(plan);
  return layout;
}

}  // namespace flair::zk
