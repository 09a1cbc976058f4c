// SPDX-License-Identifier: Apache-2.0
#include "zk/prover/fraction_sumcheck.h"

#include <algorithm>

#include "base/check.h"
#include "base/threads.h"
#include "zk/poly/eq.h"
#include "zk/prover/fold_in_place.h"

namespace flair::zk {
namespace {

constexpr std::uint64_t kEntriesAtOnce = FractionTree::kNodesAtOnce;
constexpr unsigned kLogPairsAtOnce = 9;
constexpr std::uint64_t kBlocksPerTask = 16;

std::uint64_t BlocksFor(std::uint64_t entries) {
  return (entries + kEntriesAtOnce - 1) / kEntriesAtOnce;
}
std::uint64_t TasksFor(std::uint64_t blocks) {
  return (blocks + kBlocksPerTask - 1) / kBlocksPerTask;
}

void OnAllThreads(std::uint64_t num_tasks, const std::function<void(std::size_t)>& task) {
  const Status done = ParallelFor(num_tasks, [&](std::size_t i) {
    task(i);
    return OkStatus();
  });
  FLAIR_CHECK(done.ok()) << done.error().message();
}

// As many as stay whole pairs of blocks for some rounds.
std::uint64_t WholeOnes(std::uint64_t ones) {
  constexpr unsigned kMostRounds = 8;
  constexpr std::uint64_t kPair = 2 * kEntriesAtOnce;
  for (unsigned rounds = kMostRounds; rounds > 0; --rounds) {
    const std::uint64_t unit = kPair << rounds;
    if (ones >= 8 * unit || rounds == 1) return ones / unit * unit;
  }
  return 0;
}

// Zeros behind the last.
KVector ToKVector(const std::vector<Fp2>& values) {
  KVector out(values.size());
  for (std::size_t i = 0; i < out.capacity(); ++i) {
    out.span().Set(i, i < values.size() ? values[i] : Fp2());
  }
  return out;
}

Fp2 Sum(KSpan values, std::size_t first) {
  Fp2 sum;
  for (std::size_t i = 0; i < kSumLanes; ++i) sum += values.at(first + i);
  return sum;
}

std::pair<Fp2, Fp2> Total(const std::vector<std::pair<Fp2, Fp2>>& parts, Fp2 absent) {
  std::pair<Fp2, Fp2> sums{absent, absent};
  for (const auto& [at0, at2] : parts) {
    sums.first += at0;
    sums.second += at2;
  }
  return sums;
}

}  // namespace

FractionSumcheck::FractionSumcheck(const FractionTree& tree, unsigned level, Fp2 mu,
                                   std::vector<Fp2> point)
    : tree_(tree),
      level_(level),
      mu_(mu),
      point_(std::move(point)),
      kernels_(FastestKKernels()),
      size_(tree.size(level)) {
  if (level_ + 1 == tree.num_layers()) num_ones_ = WholeOnes(tree.num_ones());
  if (level_ > 0) sums_ = FirstSums();
}

FractionSumcheck::EqOfRest::EqOfRest(std::span<const Fp2> all, std::uint64_t entries) : rest(all) {
  const std::size_t log_pairs = std::min<std::size_t>(rest.size(), kLogPairsAtOnce);
  pairs = std::uint64_t{1} << log_pairs;
  low = ToKVector(EqTable(rest.first(log_pairs)));
  high = EqTable(rest.subspan(log_pairs));
  num_blocks = std::min<std::uint64_t>(BlocksFor(entries), high.size());
}

Fp2 FractionSumcheck::EqOfRest::Absent(Fp2 mu) const {
  return mu * (Fp2(1) - EqPrefixSum(rest, num_blocks * pairs));
}

void FractionSumcheck::AddBlock(const FractionPairs& in, const EqOfRest& eq, std::uint64_t block,
                                KSpan lanes, Sums& sums) const {
  if (in.p0.a == nullptr) {
    kernels_.round_of_ones(in.q0, in.q1, eq.low.span(), mu_, eq.low.capacity(), lanes);
  } else {
    kernels_.round(in, eq.low.span(), eq.low.capacity(), lanes);
  }
  sums.first += eq.high[block] * Sum(lanes, 0);
  sums.second += eq.high[block] * Sum(lanes, kSumLanes);
}

// With q = base - v of both leaves, (1 + mu q0) q1 + q0 is
// 2 base + mu base^2 - (1 + mu base)(v0 + v1) + mu v0 v1, and the weights of a block's pairs add
// up to 1.
void FractionSumcheck::AddInts(const FractionTree::IntLeaves& leaves, const EqOfRest& eq,
                               std::uint64_t block, KSpan lanes, Sums& sums) const {
  kernels_.round_of_ints(leaves.v, eq.low.span(), eq.low.capacity(), lanes);
  const Fp2 of_sums = Fp2(1) + mu_ * leaves.base;
  const Fp2 constant = leaves.base + leaves.base * of_sums;
  const auto value = [&](std::size_t at) {
    return eq.high[block] * (constant - of_sums * Sum(lanes, at * kSumLanes) +
                             mu_ * Sum(lanes, (2 + at) * kSumLanes));
  };
  sums.first += value(0);
  sums.second += value(1);
}

std::optional<FractionTree::IntLeaves> FractionSumcheck::FindInts(std::uint64_t block) const {
  if (round_ > 0 || (block + 1) * kEntriesAtOnce > num_ones_) return std::nullopt;
  return tree_.FindInts(2 * block * kEntriesAtOnce, 2 * kEntriesAtOnce);
}

FractionPairs FractionSumcheck::Stored(std::uint64_t first, std::uint64_t num_ones) const {
  FractionPairs pairs{
      .p0 = {}, .q0 = q0_.span().From(first), .p1 = {}, .q1 = q1_.span().From(first)};
  if (first < num_ones) return pairs;
  pairs.p0 = mixed_.span().From(first - num_ones);
  pairs.p1 = p1_.span().From(first - num_ones);
  return pairs;
}

FractionPairs FractionSumcheck::Read(std::uint64_t first, std::uint64_t count,
                                     FractionTree::Scratch& scratch) const {
  if (round_ > 0) return Stored(first, num_ones_);
  if (first < num_ones_) {
    const auto [q0, q1] = tree_.ReadOnes(first, count, scratch);
    return {.p0 = {}, .q0 = q0, .p1 = {}, .q1 = q1};
  }
  const FractionPairs pairs = tree_.ReadChildren(level_, first, count, scratch);
  kernels_.add_scaled(pairs.p0, pairs.q0, mu_, count);
  return pairs;
}

FractionSumcheck::Sums FractionSumcheck::FirstSums() const {
  const std::span<const Fp2> rest = point_;
  const EqOfRest eq(rest.subspan(1), size_);
  const std::uint64_t num_tasks = TasksFor(eq.num_blocks);
  std::vector<Sums> parts(num_tasks);
  OnAllThreads(num_tasks, [&](std::size_t task) {
    auto scratch = tree_.Borrow();
    const KVector lanes(4 * kSumLanes);
    const std::uint64_t end = std::min(eq.num_blocks, (task + 1) * kBlocksPerTask);
    for (std::uint64_t block = task * kBlocksPerTask; block < end; ++block) {
      if (const auto ints = FindInts(block)) {
        AddInts(*ints, eq, block, lanes.span(), parts[task]);
        continue;
      }
      const FractionPairs in = Read(block * kEntriesAtOnce, kEntriesAtOnce, *scratch);
      AddBlock(in, eq, block, lanes.span(), parts[task]);
    }
    tree_.Return(std::move(scratch));
  });
  return Total(parts, eq.Absent(mu_));
}

void FractionSumcheck::FillNeutral(std::uint64_t begin, std::uint64_t end) const {
  const std::uint64_t ones = num_ones_ / 2;
  for (std::uint64_t i = begin; i < end; ++i) {
    mixed_.span().Set(i - ones, mu_);
    q0_.span().Set(i, Fp2(1));
    p1_.span().Set(i - ones, Fp2());
    q1_.span().Set(i, Fp2(1));
  }
}

void FractionSumcheck::FoldNumerators(const FractionPairs& in, Fp2 r, std::uint64_t block) const {
  if (in.p0.a == nullptr) return;
  const std::uint64_t to = (block * kEntriesAtOnce - num_ones_) / 2;
  kernels_.fold(in.p0, r, mixed_.span().From(to), kEntriesAtOnce / 2);
  kernels_.fold(in.p1, r, p1_.span().From(to), kEntriesAtOnce / 2);
}

void FractionSumcheck::WriteOnes(std::uint64_t capacity) {
  KVector mixed(capacity);
  KVector p1(capacity);
  const auto copy = [&](KSpan from, std::uint64_t n, KSpan to) {
    std::copy_n(from.a, n, to.a);
    std::copy_n(from.b, n, to.b);
  };
  for (const auto& [from, to] : {std::pair(&mixed_, &mixed), std::pair(&p1_, &p1)}) {
    std::fill_n(to->span().a, num_ones_, 1);
    std::fill_n(to->span().b, num_ones_, 0);
    copy(from->span(), capacity - num_ones_, to->span().From(num_ones_));
  }
  kernels_.add_scaled(mixed.span(), q0_.span(), mu_, num_ones_);
  mixed_ = std::move(mixed);
  p1_ = std::move(p1);
  num_ones_ = 0;
}

void FractionSumcheck::Fold(Fp2 r) {
  const std::uint64_t num_blocks = BlocksFor(size_);
  const std::uint64_t capacity = BlocksFor(num_blocks * kEntriesAtOnce / 2) * kEntriesAtOnce;
  const bool is_last = round_ + 1 == level_;
  const std::uint64_t next_size = (size_ + 1) / 2;
  const std::uint64_t next_ones = num_ones_ / 2;
  const std::span<const Fp2> rest = point_;
  const EqOfRest eq(rest.subspan(std::min<std::size_t>(round_ + 2, rest.size())), next_size);
  std::vector<Sums> parts(TasksFor(num_blocks));
  const auto for_each_block = [&](std::uint64_t task, const auto& visit) {
    auto scratch = tree_.Borrow();
    const std::uint64_t end = std::min(num_blocks, (task + 1) * kBlocksPerTask);
    for (std::uint64_t block = task * kBlocksPerTask; block < end; ++block) visit(block, *scratch);
    tree_.Return(std::move(scratch));
  };
  const auto fold_task = [&](std::uint64_t task) {
    const KVector lanes(2 * kSumLanes);
    for_each_block(task, [&](std::uint64_t block, FractionTree::Scratch& scratch) {
      const std::uint64_t to = block * kEntriesAtOnce / 2;
      if (const auto ints = FindInts(block)) {
        kernels_.fold_of_ints(ints->base, ints->v, r, q0_.span().From(to), q1_.span().From(to),
                              kEntriesAtOnce / 2);
      } else {
        const FractionPairs in = Read(block * kEntriesAtOnce, kEntriesAtOnce, scratch);
        kernels_.fold(in.q0, r, q0_.span().From(to), kEntriesAtOnce / 2);
        kernels_.fold(in.q1, r, q1_.span().From(to), kEntriesAtOnce / 2);
        if (round_ == 0 || num_ones_ == 0) FoldNumerators(in, r, block);
      }
      // Two blocks are one of the next round; behind the last one nothing is there.
      const std::uint64_t next = block / 2;
      if (block + 1 == num_blocks) FillNeutral(to + kEntriesAtOnce / 2, capacity);
      if (is_last || (block % 2 == 0 && block + 1 < num_blocks) || next >= eq.num_blocks) return;
      AddBlock(Stored(next * kEntriesAtOnce, next_ones), eq, next, lanes.span(), parts[task]);
    });
  };
  if (round_ == 0) {
    q0_ = KVector(capacity);
    q1_ = KVector(capacity);
    mixed_ = KVector(capacity - next_ones);
    p1_ = KVector(capacity - next_ones);
    OnAllThreads(TasksFor(num_blocks), fold_task);
  } else {
    // Behind ones, numerators lie elsewhere than their denominators, and are folded before.
    const std::uint64_t first = num_ones_ / kEntriesAtOnce;
    FoldInPlace(num_ones_ == 0 ? 0 : num_blocks - first, [&](std::uint64_t i) {
      FoldNumerators(Stored((first + i) * kEntriesAtOnce, num_ones_), r, first + i);
    });
    FoldInPlace(TasksFor(num_blocks), fold_task);
  }
  sums_ = Total(parts, eq.Absent(mu_));
  size_ = next_size;
  num_ones_ = next_ones;
  ++round_;
  if (num_ones_ % (2 * kEntriesAtOnce) != 0) WriteOnes(capacity);
}

FractionSumcheck::Last FractionSumcheck::last() const {
  FLAIR_CHECK(round_ == level_) << "a variable is not bound";
  FractionTree::Scratch scratch;
  const FractionPairs in = Read(0, KVector::kRounding, scratch);
  return {.mixed = in.p0.at(0), .q1 = in.q1.at(0), .p1 = in.p1.at(0), .q0 = in.q0.at(0)};
}

}  // namespace flair::zk
