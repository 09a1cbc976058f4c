// SPDX-License-Identifier: Apache-2.0
#include "zk/prover/table_sum.h"

#include <algorithm>
#include <bit>
#include <numeric>
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
  for (std::size_t f = 0; f + 2 < factors.size(); ++f) {
    kernels.multiply(product, factors[f], scratch, Lanes(n));
    product = scratch;
  }
  const KVector sums(kSumLanes);
  if (factors.size() == 1) {
    kernels.dot(eq, factors[0], Lanes(n), sums.span());
  } else {
    kernels.weighted_dot(factors[factors.size() - 2], factors.back(), product, Lanes(n),
                         sums.span());
  }
  Fp2 sum;
  for (std::size_t i = 0; i < kSumLanes; ++i) sum += sums.at(i);
  return sum;
}

std::vector<std::size_t> EachItsOwn(std::size_t tables) {
  std::vector<std::size_t> factors(tables);
  std::iota(factors.begin(), factors.end(), 0);
  return factors;
}

}  // namespace

EqInTwo::EqInTwo(std::span<const std::optional<Fp2>> tau, std::uint64_t low_size) {
  const auto log_low =
      std::min<std::size_t>(tau.size(), static_cast<std::size_t>(std::bit_width(low_size) - 1));
  const std::span<const std::optional<Fp2>> lower = tau.first(log_low);
  low_is_one =
      std::none_of(lower.begin(), lower.end(), [](const auto& t) { return t.has_value(); });
  const std::vector<Fp2> values = EqTableOf(lower);
  low = KVector(values.size());
  for (std::size_t x = 0; x < values.size(); ++x) low.span().Set(x, values[x]);
  ZeroBehind(low, values.size(), low.capacity());
  high = EqTableOf(tau.subspan(log_low));
}

TableSum::TableSum(std::vector<std::optional<Fp2>> tau, std::vector<KVector> tables)
    : TableSum(std::move(tau), std::move(tables), {}) {}

TableSum::TableSum(std::vector<std::optional<Fp2>> tau, std::vector<KVector> tables,
                   std::vector<std::size_t> factors)
    : tau_(std::move(tau)),
      tables_(std::move(tables)),
      factors_(factors.empty() ? EachItsOwn(tables_.size()) : std::move(factors)),
      size_(std::uint64_t{1} << tau_.size()),
      kernels_(FastestKKernels()) {
  for (const KVector& table : tables_) {
    FLAIR_CHECK(table.size() == size_) << "a table of another size";
    ZeroBehind(table, size_, table.capacity());
  }
}

EqInTwo TableSum::EqWithout(std::size_t skip) const {
  const std::span<const std::optional<Fp2>> all = tau_;
  return {all.subspan(std::min(round_ + skip, all.size())), kChunk};
}

Fp2 TableSum::Value() const {
  const EqInTwo eq = EqWithout(0);
  const std::uint64_t chunks = (size_ + kChunk - 1) / kChunk;
  std::vector<Fp2> sums(chunks);
  const Status done = ParallelFor(chunks, [&](std::size_t chunk) {
    const std::uint64_t begin = chunk * kChunk;
    std::vector<KSpan> factors;
    for (const std::size_t table : factors_) {
      factors.push_back(tables_[table].span().From(begin));
    }
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

void TableSum::AddPairs(std::uint64_t begin, std::uint64_t n, const EqInTwo& eq, bool implied,
                        std::vector<Fp2>& at) const {
  if (factors_.size() == 2 && implied) {  // less work than below
    const KVector sums(2 * kSumLanes);
    const KSpan x = tables_[factors_[0]].span().From(2 * begin);
    const KSpan y = tables_[factors_[1]].span().From(2 * begin);
    if (eq.low_is_one) {
      kernels_.round_of_product(x, y, Lanes(n), sums.span());
    } else {
      kernels_.weighted_round(x, y, eq.low.span(), Lanes(n), sums.span());
    }
    for (std::size_t i = 0; i < kSumLanes; ++i) {
      at[0] += sums.at(i);
      at[2] += sums.at(kSumLanes + i);
    }
    return;
  }
  // Every factor at X = 0, then step by step at 1, 2, ...
  std::vector<KVector> values;
  std::vector<KVector> steps;
  for (const KVector& table : tables_) {
    values.emplace_back(n);
    steps.emplace_back(n);
    kernels_.split(table.span().From(2 * begin), values.back().span(), steps.back().span(),
                   Lanes(n));
  }
  std::vector<KSpan> factors;
  for (const std::size_t table : factors_) factors.push_back(values[table].span());
  const KVector scratch(n);
  for (std::size_t x = 0; x < at.size(); ++x) {
    if (x != 1 || !implied) {
      at[x] += SumOfProducts(kernels_, factors, eq.low.span(), n, scratch.span());
    }
    for (std::size_t t = 0; t < tables_.size(); ++t) {
      kernels_.add(values[t].span(), steps[t].span(), values[t].span(), Lanes(n));
    }
  }
}

std::vector<Fp2> TableSum::Round(Fp2 claim) {
  const std::uint64_t half = size_ / 2;
  const EqInTwo eq = EqWithout(1);
  const auto& tau = tau_[round_];
  // The claim says what is left at 1: (1 - tau) h(0) + tau h(1).
  const bool implied = !tau || !tau->is_zero();
  const std::uint64_t chunks = (half + kChunk - 1) / kChunk;
  std::vector<std::vector<Fp2>> parts(chunks, std::vector<Fp2>(factors_.size() + 1));
  const Status done = ParallelFor(chunks, [&](std::size_t chunk) {
    const std::uint64_t begin = chunk * kChunk;
    AddPairs(begin, std::min(kChunk, half - begin), eq, implied, parts[chunk]);
    for (Fp2& part : parts[chunk]) part *= eq.high[chunk];
    return OkStatus();
  });
  FLAIR_CHECK(done.ok()) << "a sum cannot fail";
  std::vector<Fp2> h(factors_.size() + 1);
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
