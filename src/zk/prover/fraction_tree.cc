// SPDX-License-Identifier: Apache-2.0
#include "zk/prover/fraction_tree.h"

#include <algorithm>

#include "base/check.h"
#include "base/threads.h"

namespace flair::zk {
namespace {

constexpr std::uint64_t kNodesPerTask = 16 * FractionTree::kNodesAtOnce;

// A node that is not there.
void FillNeutral(KSpan p, KSpan q, std::uint64_t begin, std::uint64_t end) {
  for (std::uint64_t i = begin; i < end; ++i) {
    p.Set(i, Fp2());
    q.Set(i, Fp2(1));
  }
}

}  // namespace

FractionTree::FractionTree(const LookupPlan& plan, const LookupChallenges& challenges,
                           std::span<const std::int32_t> cells)
    : plan_(plan), challenges_(challenges), cells_(cells), kernels_(FastestKKernels()) {
  std::uint64_t first_table = plan.num_leaves();
  for (const LookupPlan::LeafBlock& block : plan.leaf_blocks()) {
    if (block.is_table) first_table = std::min(first_table, block.first_leaf);
  }
  num_ones_ = first_table / 2;
  if (num_layers() < 3) return;
  stored_.resize(num_layers() - 2);
  for (unsigned level = num_layers() - 2; level-- > 0;) stored_[level] = Build(level);
}

std::uint64_t FractionTree::size(unsigned level) const {
  const unsigned below = num_layers() - level;
  return (plan_.num_leaves() + (std::uint64_t{1} << below) - 1) >> below;
}

FractionTree::~FractionTree() = default;

std::unique_ptr<FractionTree::Scratch> FractionTree::Borrow() const {
  const std::lock_guard lock(mutex_);
  if (free_.empty()) return std::make_unique<Scratch>();
  std::unique_ptr<Scratch> scratch = std::move(free_.back());
  free_.pop_back();
  return scratch;
}

void FractionTree::Return(std::unique_ptr<Scratch> scratch) const {
  const std::lock_guard lock(mutex_);
  free_.push_back(std::move(scratch));
}

FractionTree::Level FractionTree::Build(unsigned level) const {
  const std::uint64_t n = size(level);
  Level made{KVector(n), KVector(n)};
  const std::uint64_t capacity = made.p.capacity();
  const std::uint64_t num_tasks = (capacity + kNodesPerTask - 1) / kNodesPerTask;
  const Status built = ParallelFor(num_tasks, [&](std::size_t task) {
    std::unique_ptr<Scratch> scratch = Borrow();
    const std::uint64_t end = std::min(capacity, (task + 1) * kNodesPerTask);
    for (std::uint64_t at = task * kNodesPerTask; at < end; at += kNodesAtOnce) {
      const std::uint64_t count = std::min(kNodesAtOnce, end - at);
      CombineChildren(level, at, count, made.p.span().From(at), made.q.span().From(at), *scratch);
    }
    Return(std::move(scratch));
    return OkStatus();
  });
  FLAIR_CHECK(built.ok()) << built.error().message();
  return made;
}

void FractionTree::CombineChildren(unsigned level, std::uint64_t first, std::uint64_t count,
                                   KSpan p, KSpan q, Scratch& scratch) const {
  kernels_.combine(ReadChildren(level, first, count, scratch), p, q, count);
}

FractionPairs FractionTree::ReadChildren(unsigned level, std::uint64_t first, std::uint64_t count,
                                         Scratch& scratch) const {
  if (level + 2 == num_layers()) {
    if (const auto ints = FindInts(4 * first, 4 * count)) {
      const FractionPairs out = scratch.pairs.pairs();
      kernels_.children_of_ints(ints->base, ints->v, out, count);
      return out;
    }
  }
  const std::uint64_t n = size(level + 1);
  const std::uint64_t begin = std::min(2 * first, n);
  const std::uint64_t present = std::min(2 * count, n - begin);
  KSpan p = scratch.p.span();
  KSpan q = scratch.q.span();
  if (level + 1 == num_layers()) {
    ReadLeaves(begin, present, p, q, scratch);
  } else if (level + 2 == num_layers()) {
    CombineLeaves(begin, KVector::RoundUp(present), p, q, scratch);
  } else if (level + 3 == num_layers()) {
    if (!scratch.of_level_below) scratch.of_level_below = std::make_unique<Scratch>();
    const std::uint64_t end = KVector::RoundUp(present);
    for (std::uint64_t at = 0; at < end; at += kNodesAtOnce) {
      CombineChildren(level + 1, begin + at, std::min(kNodesAtOnce, end - at), p.From(at),
                      q.From(at), *scratch.of_level_below);
    }
  } else if (present == 2 * count) {
    p = stored_[level + 1].p.span().From(begin);
    q = stored_[level + 1].q.span().From(begin);
  } else {
    for (std::uint64_t i = 0; i < present; ++i) {
      p.Set(i, stored_[level + 1].p.at(begin + i));
      q.Set(i, stored_[level + 1].q.at(begin + i));
    }
  }
  if (present < 2 * count) FillNeutral(p, q, present, 2 * count);
  const FractionPairs out = scratch.pairs.pairs();
  kernels_.deinterleave(p, out.p0, out.p1, count);
  kernels_.deinterleave(q, out.q0, out.q1, count);
  return out;
}

std::vector<LookupPlan::LeafBlock>::const_iterator FractionTree::BlockOf(std::uint64_t leaf) const {
  const auto& blocks = plan_.leaf_blocks();
  return std::prev(std::upper_bound(
      blocks.begin(), blocks.end(), leaf,
      [](std::uint64_t at, const LookupPlan::LeafBlock& b) { return at < b.first_leaf; }));
}

std::optional<FractionTree::IntLeaves> FractionTree::FindInts(std::uint64_t first,
                                                              std::uint64_t count) const {
  if (first + count > plan_.num_leaves()) return std::nullopt;
  const LookupPlan::LeafBlock& block = *BlockOf(first);
  const std::uint64_t skipped = first - block.first_leaf;
  if (block.is_table || skipped + count > std::uint64_t{1} << block.log_size) return std::nullopt;
  const LookupBlock& lookups = plan_.lookups()[block.index];
  if (lookups.c1 || lookups.c2) return std::nullopt;
  return IntLeaves{.v = &cells_[lookups.v + skipped],
                   .base = challenges_.alpha - challenges_.beta0 * Fp(lookups.class_number)};
}

// Nodes of the level above the leaves. `p` and `q` may be the scratch's own: they are written
// when the leaves have been taken apart.
void FractionTree::CombineLeaves(std::uint64_t first, std::uint64_t count, KSpan p, KSpan q,
                                 Scratch& scratch) const {
  if (first + count <= num_ones_) {
    const auto [q0, q1] = ReadOnes(first, count, scratch);
    kernels_.combine_ones(q0, q1, p, q, count);
    return;
  }
  const std::uint64_t n = plan_.num_leaves();
  const std::uint64_t begin = std::min(2 * first, n);
  const std::uint64_t present = std::min(2 * count, n - begin);
  ReadLeaves(begin, present, p, q, scratch);
  FillNeutral(p, q, present, 2 * count);
  const FractionPairs leaves = scratch.leaf_pairs.pairs();
  kernels_.deinterleave(p, leaves.p0, leaves.p1, count);
  kernels_.deinterleave(q, leaves.q0, leaves.q1, count);
  kernels_.combine(leaves, p, q, count);
}

KSpan FractionTree::ReadBlock(const LookupPlan::LeafBlock& block, std::uint64_t skipped,
                              std::uint64_t n, Scratch& scratch) const {
  const KSpan made = scratch.block.span();
  const std::uint64_t lanes = KVector::RoundUp(n);
  // Integers up to whole lanes: those behind the block's last are of no use.
  const auto copied = [&](std::uint64_t cell) {
    std::copy_n(&cells_[cell + skipped], n, scratch.ints.begin());
    return scratch.ints.data();
  };
  const auto filled = [&](auto value_of) {
    for (std::uint64_t i = 0; i < n; ++i) scratch.ints[i] = value_of(skipped + i);
    return scratch.ints.data();
  };
  const auto subtract = [&](Fp2 factor, const std::int32_t* values) {
    kernels_.subtract_scaled_ints(made, factor, values, lanes);
  };
  if (block.is_table) {
    const TableSegment& s = plan_.segments()[block.index];
    const Fp2 base = challenges_.alpha - challenges_.beta0 * Fp(s.class_number);
    kernels_.subtract_ints(
        base, filled([&](std::uint64_t row) { return s.first + static_cast<std::int32_t>(row); }),
        made, lanes);
    subtract(challenges_.beta1, filled([&](std::uint64_t row) { return s.c1.at(row); }));
    subtract(challenges_.beta2, filled([&](std::uint64_t row) { return s.c2.at(row); }));
  } else {
    const LookupBlock& b = plan_.lookups()[block.index];
    const Fp2 base = challenges_.alpha - challenges_.beta0 * Fp(b.class_number);
    kernels_.subtract_ints(base, copied(b.v), made, lanes);
    if (b.c1) subtract(challenges_.beta1, copied(*b.c1));
    if (b.c2) subtract(challenges_.beta2, copied(*b.c2));
  }
  return made;
}

void FractionTree::ReadLeaves(std::uint64_t first, std::uint64_t count, std::optional<KSpan> p,
                              KSpan q, Scratch& scratch) const {
  if (count == 0) return;
  for (auto block = BlockOf(first); count > 0; ++block) {
    const std::uint64_t skipped = first - block->first_leaf;
    const std::uint64_t n = std::min(count, (std::uint64_t{1} << block->log_size) - skipped);
    const KSpan made = ReadBlock(*block, skipped, n, scratch);  // may begin within a lane
    if (block->is_table) {
      const TableSegment& s = plan_.segments()[block->index];
      const std::int32_t* const counts = &cells_[s.multiplicities + skipped];
      for (std::uint64_t i = 0; i < n; ++i) p->Set(i, -Fp2(Fp::FromInt(counts[i])));
    } else if (p) {
      std::fill_n(p->a, n, 1);
      std::fill_n(p->b, n, 0);
    }
    std::copy_n(made.a, n, q.a);
    std::copy_n(made.b, n, q.b);
    if (p) p = p->From(n);
    q = q.From(n);
    first += n;
    count -= n;
  }
}

std::pair<KSpan, KSpan> FractionTree::ReadOnes(std::uint64_t first, std::uint64_t count,
                                               Scratch& scratch) const {
  const KSpan q = scratch.q.span();
  ReadLeaves(2 * first, 2 * count, std::nullopt, q, scratch);
  const FractionPairs out = scratch.leaf_pairs.pairs();
  kernels_.deinterleave(q, out.q0, out.q1, count);
  return {out.q0, out.q1};
}

void FractionTree::Drop(unsigned level) {
  for (unsigned l = 0; l <= level && l < stored_.size(); ++l) stored_[l] = Level{};
}

Fp2 FractionTree::root_q() const {
  if (!stored_.empty()) return stored_[0].q.at(0);
  Scratch scratch;
  const FractionPairs children = ReadChildren(0, 0, KVector::kRounding, scratch);
  return children.q0.at(0) * children.q1.at(0);
}

}  // namespace flair::zk
