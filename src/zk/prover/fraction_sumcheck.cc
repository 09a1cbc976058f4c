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
  kernels_.round(in, eq.low.span(), eq.low.capacity(), lanes);
  sums.first += eq.high[block] * Sum(lanes, 0);
  sums.second += eq.high[block] * Sum(lanes, kSumLanes);
}

FractionPairs FractionSumcheck::Read(std::uint64_t first, std::uint64_t count,
                                     FractionTree::Scratch& scratch) const {
  if (round_ > 0) return current_.From(first);
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
    const KVector lanes(2 * kSumLanes);
    const std::uint64_t end = std::min(eq.num_blocks, (task + 1) * kBlocksPerTask);
    for (std::uint64_t block = task * kBlocksPerTask; block < end; ++block) {
      const FractionPairs in = Read(block * kEntriesAtOnce, kEntriesAtOnce, *scratch);
      AddBlock(in, eq, block, lanes.span(), parts[task]);
    }
    tree_.Return(std::move(scratch));
  });
  return Total(parts, eq.Absent(mu_));
}

void FractionSumcheck::FillNeutral(std::uint64_t begin, std::uint64_t end) const {
  const FractionPairs all = current_.pairs();
  for (std::uint64_t i = begin; i < end; ++i) {
    all.p0.Set(i, mu_);
    all.q0.Set(i, Fp2(1));
    all.p1.Set(i, Fp2());
    all.q1.Set(i, Fp2(1));
  }
}

void FractionSumcheck::Fold(Fp2 r) {
  const std::uint64_t num_blocks = BlocksFor(size_);
  const std::uint64_t capacity = BlocksFor(num_blocks * kEntriesAtOnce / 2) * kEntriesAtOnce;
  const bool is_last = round_ + 1 == level_;
  const std::uint64_t next_size = (size_ + 1) / 2;
  const std::span<const Fp2> rest = point_;
  const EqOfRest eq(rest.subspan(std::min<std::size_t>(round_ + 2, rest.size())), next_size);
  std::vector<Sums> parts(TasksFor(num_blocks));
  const auto fold_task = [&](std::uint64_t task) {
    auto scratch = tree_.Borrow();
    const KVector lanes(2 * kSumLanes);
    const std::uint64_t end = std::min(num_blocks, (task + 1) * kBlocksPerTask);
    for (std::uint64_t block = task * kBlocksPerTask; block < end; ++block) {
      const FractionPairs in = Read(block * kEntriesAtOnce, kEntriesAtOnce, *scratch);
      const std::uint64_t to = block * kEntriesAtOnce / 2;
      const FractionPairs out = current_.From(to);
      kernels_.fold(in.p0, r, out.p0, kEntriesAtOnce / 2);
      kernels_.fold(in.q0, r, out.q0, kEntriesAtOnce / 2);
      kernels_.fold(in.p1, r, out.p1, kEntriesAtOnce / 2);
      kernels_.fold(in.q1, r, out.q1, kEntriesAtOnce / 2);
      // Two blocks are one of the next round; behind the last one nothing is there.
      const std::uint64_t next = block / 2;
      if (block + 1 == num_blocks) FillNeutral(to + kEntriesAtOnce / 2, capacity);
      if (is_last || (block % 2 == 0 && block + 1 < num_blocks) || next >= eq.num_blocks) continue;
      AddBlock(current_.From(next * kEntriesAtOnce), eq, next, lanes.span(), parts[task]);
    }
    tree_.Return(std::move(scratch));
  };
  if (round_ == 0) {
    current_ = PairBuffer(capacity);
    OnAllThreads(TasksFor(num_blocks), fold_task);
  } else {
    FoldInPlace(TasksFor(num_blocks), fold_task);
  }
  sums_ = Total(parts, eq.Absent(mu_));
  size_ = next_size;
  ++round_;
}

FractionSumcheck::Last FractionSumcheck::last() const {
  FLAIR_CHECK(round_ == level_) << "a variable is not bound";
  FractionTree::Scratch scratch;
  const FractionPairs in = Read(0, KVector::kRounding, scratch);
  return {.mixed = in.p0.at(0), .q1 = in.q1.at(0), .p1 = in.p1.at(0), .q0 = in.q0.at(0)};
}

}  // namespace flair::zk
