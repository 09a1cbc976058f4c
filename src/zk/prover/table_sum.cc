// SPDX-License-Identifier: Apache-2.0
#include "zk/prover/table_sum.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/check.h"
#include "base/threads.h"
#include "zk/prover/fold_in_place.h"

namespace flair::zk {
namespace {

// Kernels take multiples of eight: a table's end is filled with zeros.
void ZeroBehind(const KVector& vector, std::uint64_t size, std::uint64_t end) {
  for (std::uint64_t i = size; i < end; ++i) vector.span().Set(i, Fp2());
}

// A multiple of the kernels' width, for threads and caches.
constexpr unsigned kLogChunk = 11;
constexpr std::uint64_t kChunk = std::uint64_t{1} << kLogChunk;

std::uint64_t Lanes(std::uint64_t n) { return (n + kSumLanes - 1) / kSumLanes * kSumLanes; }

// Variables without tau are summed over: 1 at both ends.
std::vector<Fp2> EqTableOf(std::span<const std::optional<Fp2>> tau) {
  std::vector<Fp2> eq = {Fp2(1)};
  eq.reserve(std::size_t{1} << tau.size());
  for (const std::optional<Fp2>& t : tau) {
    const std::size_t filled = eq.size();
    for (std::size_t x = 0; x < filled; ++x) {
      eq.push_back(t ? eq[x] * *t : eq[x]);
      if (t) eq[x] -= eq.back();
    }
  }
  return eq;
}

// sum_i eq[i] prod_f factors[f][i], i < n; eq is zero behind n.
Fp2 SumOfProducts(const KKernels& kernels, const std::vector<KSpan>& factors, KSpan eq,
                  std::uint64_t n, KSpan scratch) {
  KSpan product = eq;
  for (std::size_t f = 0; f + 1 < factors.size(); ++f) {
    kernels.multiply(product, factors[f], scratch, Lanes(n));
    product = scratch;
  }
  const KVector sums(kSumLanes);
  kernels.dot(product, factors.back(), Lanes(n), sums.span());
  Fp2 sum;
  for (std::size_t i = 0; i < kSumLanes; ++i) sum += sums.at(i);
  return sum;
}

}  // namespace

TableSum::TableSum(std::vector<std::optional<Fp2>> tau, std::vector<KVector> tables)
    : tau_(std::move(tau)),
      tables_(std::move(tables)),
      size_(std::uint64_t{1} << tau_.size()),
      kernels_(FastestKKernels()) {
  for (const KVector& table : tables_) {
    FLAIR_CHECK(table.size() == size_) << "a table of another size";
    ZeroBehind(table, size_, table.capacity());
  }
}

TableSum::EqOfRest TableSum::EqWithout(std::size_t skip) const {
  const std::span<const std::optional<Fp2>> all = tau_;
  const auto rest = all.subspan(std::min(round_ + skip, all.size()));
  const std::size_t log_low = std::min<std::size_t>(rest.size(), kLogChunk);
  const std::vector<Fp2> low = EqTableOf(rest.first(log_low));
  EqOfRest eq{.low = KVector(low.size()), .high = EqTableOf(rest.subspan(log_low))};
  for (std::size_t x = 0; x < low.size(); ++x) eq.low.span().Set(x, low[x]);
  ZeroBehind(eq.low, low.size(), eq.low.capacity());
  return eq;
}

Fp2 TableSum::Value() const {
  const EqOfRest eq = EqWithout(0);
  const std::uint64_t chunks = (size_ + kChunk - 1) / kChunk;
  std::vector<Fp2> sums(chunks);
  const Status done = ParallelFor(chunks, [&](std::size_t chunk) {
    const std::uint64_t begin = chunk * kChunk;
    std::vector<KSpan> factors;
    for (const KVector& table : tables_) factors.push_back(table.span().From(begin));
    sums[chunk] =
        eq.high[chunk] * SumOfProducts(kernels_, factors, eq.low.span(),
                                       std::min(kChunk, size_ - begin), KVector(kChunk).span());
    return OkStatus();
  });
  FLAIR_CHECK(done.ok()) << "a sum cannot fail";
  Fp2 sum;
  for (const Fp2& part : sums) sum += part;
  return sum;
}

std::vector<Fp2> TableSum::Round(Fp2 claim) {
  const std::uint64_t half = size_ / 2;
  const EqOfRest eq = EqWithout(1);
  const auto& tau = tau_[round_];
  // The claim says what is left at 1: (1 - tau) h(0) + tau h(1).
  const bool implied = !tau || !tau->is_zero();
  const std::uint64_t chunks = (half + kChunk - 1) / kChunk;
  std::vector<std::vector<Fp2>> parts(chunks, std::vector<Fp2>(tables_.size() + 1));
  const Status done = ParallelFor(chunks, [&](std::size_t chunk) {
    const std::uint64_t begin = chunk * kChunk;
    const std::uint64_t n = std::min(kChunk, half - begin);
    // Every factor at X = 0, then step by step at 1, 2, ...
    std::vector<KVector> at;
    std::vector<KVector> steps;
    std::vector<KSpan> factors;
    for (const KVector& table : tables_) {
      at.emplace_back(n);
      steps.emplace_back(n);
      kernels_.split(table.span().From(2 * begin), at.back().span(), steps.back().span(), Lanes(n));
      factors.push_back(at.back().span());
    }
    const KVector scratch(n);
    for (std::size_t x = 0; x <= tables_.size(); ++x) {
      if (x != 1 || !implied) {
        parts[chunk][x] =
            eq.high[chunk] * SumOfProducts(kernels_, factors, eq.low.span(), n, scratch.span());
      }
      for (std::size_t f = 0; f < tables_.size(); ++f) {
        kernels_.add(factors[f], steps[f].span(), factors[f], Lanes(n));
      }
    }
    return OkStatus();
  });
  FLAIR_CHECK(done.ok()) << "a sum cannot fail";
  std::vector<Fp2> h(tables_.size() + 1);
  for (const auto& part : parts) {
    for (std::size_t x = 0; x < h.size(); ++x) h[x] += part[x];
  }
  if (implied) h[1] = tau ? (claim - (Fp2(1) - *tau) * h[0]) * tau->Inverse() : claim - h[0];
  return h;
}

// The factor eq(tau_i, r) of a bound variable belongs to no later round.
void TableSum::Fold(Fp2 r) {
  size_ /= 2;
  for (const KVector& table : tables_) {
    FoldInPlace((size_ + kChunk - 1) / kChunk, [&](std::uint64_t chunk) {
      const std::uint64_t begin = chunk * kChunk;
      kernels_.fold(table.span().From(2 * begin), r, table.span().From(begin),
                    Lanes(std::min(kChunk, size_ - begin)));
    });
    ZeroBehind(table, size_, KVector::RoundUp(size_));
  }
  ++round_;
}

}  // namespace flair::zk
