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

}  // namespace

FractionSumcheck::FractionSumcheck(const FractionTree& tree, unsigned level, Fp2 mu,
                                   std::vector<Fp2> point)
    : tree_(tree),
      level_(level),
      mu_(mu),
      point_(std::move(point)),
      kernels_(FastestKKernels()),
      size_(tree.size(level)) {}

FractionPairs FractionSumcheck::Read(std::uint64_t first, std::uint64_t count,
                                     FractionTree::Scratch& scratch) const {
  if (round_ > 0) return current_.From(first);
  const FractionPairs pairs = tree_.ReadChildren(level_, first, count, scratch);
  kernels_.add_scaled(pairs.p0, pairs.q0, mu_, count);
  return pairs;
}

std::pair<Fp2, Fp2> FractionSumcheck::Round() const {
  // eq over the variables behind this one, in two factors: pairs in a block, and blocks.
  const std::span rest = std::span(point_).subspan(round_ + 1);
  const std::size_t log_pairs = std::min<std::size_t>(rest.size(), kLogPairsAtOnce);
  const std::uint64_t pairs = std::uint64_t{1} << log_pairs;
  KVector low = ToKVector(EqTable(rest.first(log_pairs)));  // zero up to whole lanes
  const std::vector<Fp2> high = EqTable(rest.subspan(log_pairs));
  const std::uint64_t num_blocks = std::min<std::uint64_t>(BlocksFor(size_), high.size());

  const std::uint64_t num_tasks = TasksFor(num_blocks);
  std::vector<std::pair<Fp2, Fp2>> parts(num_tasks);
  OnAllThreads(num_tasks, [&](std::size_t task) {
    auto scratch = tree_.Borrow();
    KVector sums(2 * kSumLanes);
    const std::uint64_t end = std::min(num_blocks, (task + 1) * kBlocksPerTask);
    for (std::uint64_t block = task * kBlocksPerTask; block < end; ++block) {
      const FractionPairs in = Read(block * kEntriesAtOnce, kEntriesAtOnce, *scratch);
      kernels_.round(in, low.span(), low.capacity(), sums.span());
      parts[task].first += high[block] * Sum(sums.span(), 0);
      parts[task].second += high[block] * Sum(sums.span(), kSumLanes);
    }
    tree_.Return(std::move(scratch));
  });
  const Fp2 absent = mu_ * (Fp2(1) - EqPrefixSum(rest, num_blocks * pairs));
  std::pair<Fp2, Fp2> sums{absent, absent};
  for (const auto& [at0, at2] : parts) {
    sums.first += at0;
    sums.second += at2;
  }
  return sums;
}

void FractionSumcheck::Fold(Fp2 r) {
  const std::uint64_t num_blocks = BlocksFor(size_);
  const std::uint64_t folded = num_blocks * kEntriesAtOnce / 2;
  const std::uint64_t capacity = BlocksFor(folded) * kEntriesAtOnce;
  const auto fold_task = [&](std::uint64_t task) {
    auto scratch = tree_.Borrow();
    const std::uint64_t end = std::min(num_blocks, (task + 1) * kBlocksPerTask);
    for (std::uint64_t block = task * kBlocksPerTask; block < end; ++block) {
      const FractionPairs in = Read(block * kEntriesAtOnce, kEntriesAtOnce, *scratch);
      const FractionPairs out = current_.From(block * kEntriesAtOnce / 2);
      kernels_.fold(in.p0, r, out.p0, kEntriesAtOnce / 2);
      kernels_.fold(in.q0, r, out.q0, kEntriesAtOnce / 2);
      kernels_.fold(in.p1, r, out.p1, kEntriesAtOnce / 2);
      kernels_.fold(in.q1, r, out.q1, kEntriesAtOnce / 2);
    }
    tree_.Return(std::move(scratch));
  };
  if (round_ == 0) {
    current_ = PairBuffer(capacity);
    OnAllThreads(TasksFor(num_blocks), fold_task);
  } else {
    FoldInPlace(TasksFor(num_blocks), fold_task);
  }
  const FractionPairs rest = current_.From(folded);
  for (std::uint64_t i = 0; folded + i < capacity; ++i) {
    rest.p0.Set(i, mu_);
    rest.q0.Set(i, Fp2(1));
    rest.p1.Set(i, Fp2());
    rest.q1.Set(i, Fp2(1));
  }
  size_ = (size_ + 1) / 2;
  ++round_;
}

FractionSumcheck::Last FractionSumcheck::last() const {
  FLAIR_CHECK(round_ == level_) << "a variable is not bound";
  FractionTree::Scratch scratch;
  const FractionPairs in = Read(0, KVector::kRounding, scratch);
  return {.mixed = in.p0.at(0), .q1 = in.q1.at(0), .p1 = in.p1.at(0), .q0 = in.q0.at(0)};
}

}  // namespace flair::zk
