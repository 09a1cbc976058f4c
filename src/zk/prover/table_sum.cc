// SPDX-License-Identifier: Apache-2.0
#include "zk/prover/table_sum.h"

#include <algorithm>
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
constexpr std::uint64_t kChunk = 2048;

std::uint64_t Lanes(std::uint64_t n) { return (n + kSumLanes - 1) / kSumLanes * kSumLanes; }

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

KVector TableSum::EqOfRest(std::size_t skip) const {
  KVector eq(std::max<std::uint64_t>(size_ >> skip, 1));
  eq.span().Set(0, Fp2(1));
  std::uint64_t filled = 1;
  for (std::size_t i = round_ + skip; i < tau_.size(); ++i) {
    for (std::uint64_t x = 0; x < filled; ++x) {
      const Fp2 all = eq.at(x);
      const Fp2 high = tau_[i] ? all * *tau_[i] : all;
      eq.span().Set(x + filled, high);
      eq.span().Set(x, tau_[i] ? all - high : all);
    }
    filled *= 2;
  }
  ZeroBehind(eq, filled, eq.capacity());
  return eq;
}

Fp2 TableSum::Value() const {
  const KVector eq = EqOfRest(0);
  const std::uint64_t chunks = (size_ + kChunk - 1) / kChunk;
  std::vector<Fp2> sums(chunks);
  const Status done = ParallelFor(chunks, [&](std::size_t chunk) {
    const std::uint64_t begin = chunk * kChunk;
    std::vector<KSpan> factors;
    for (const KVector& table : tables_) factors.push_back(table.span().From(begin));
    sums[chunk] = SumOfProducts(kernels_, factors, eq.span().From(begin),
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
  const KVector eq = EqOfRest(1);
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
            SumOfProducts(kernels_, factors, eq.span().From(begin), n, scratch.span());
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
