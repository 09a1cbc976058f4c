// SPDX-License-Identifier: Apache-2.0
#include "zk/prover/base_table_sum.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/check.h"
#include "base/threads.h"

namespace flair::zk {
namespace {

constexpr std::uint64_t kPairsAtOnce = 2048;

}  // namespace

BaseTableSum::BaseTableSum(std::vector<std::optional<Fp2>> tau, Words f, Words g)
    : tau_(std::move(tau)), f_(std::move(f)), g_(std::move(g)) {
  FLAIR_CHECK(tau_.size() >= kMinVariables) << "kernels take eight pairs at once";
  first_ = FirstSums();
}

std::array<Fp2, 3> BaseTableSum::FirstSums() const {
  const std::uint64_t pairs = std::uint64_t{1} << (tau_.size() - 1);
  const std::uint64_t at_once = std::min(kPairsAtOnce, pairs);
  const std::span<const std::optional<Fp2>> tau = tau_;
  const EqInTwo eq(tau.subspan(1), at_once);
  const std::uint64_t* const g = g_ ? g_.get() : f_.get();
  std::vector<std::array<Fp2, 3>> parts(pairs / at_once);
  const Status done = ParallelFor(parts.size(), [&](std::size_t part) {
    const std::uint64_t begin = 2 * part * at_once;
    const KVector sums(3 * kSumLanes);
    FastestKKernels().round_of_base_product(&f_[begin], &g[begin], eq.low.span(), at_once,
                                            sums.span());
    for (std::size_t x = 0; x < 3; ++x) {
      Fp2 sum;
      for (std::size_t i = 0; i < kSumLanes; ++i) sum += sums.at(x * kSumLanes + i);
      parts[part][x] = eq.high[part] * sum;
    }
    return OkStatus();
  });
  FLAIR_CHECK(done.ok()) << "a sum cannot fail";
  std::array<Fp2, 3> at;
  for (const auto& part : parts) {
    for (std::size_t x = 0; x < 3; ++x) at[x] += part[x];
  }
  return at;
}

Fp2 BaseTableSum::Value() const {
  const auto& tau = tau_[0];
  return tau ? first_[0] + *tau * (first_[1] - first_[0]) : first_[0] + first_[1];
}

std::vector<Fp2> BaseTableSum::Round(Fp2 claim) {
  if (rest_) return rest_->Round(claim);
  return {first_.begin(), first_.end()};
}

void BaseTableSum::Fold(Fp2 r) {
  if (rest_) return rest_->Fold(r);
  const std::uint64_t half = std::uint64_t{1} << (tau_.size() - 1);
  std::vector<KVector> folded;
  for (Words* const words : {&f_, &g_}) {
    if (!*words) continue;
    folded.emplace_back(half);
    const KSpan to = folded.back().span();
    const std::uint64_t at_once = std::min(kPairsAtOnce, half);
    const Status done = ParallelFor(half / at_once, [&](std::size_t part) {
      const std::uint64_t begin = part * at_once;
      FastestKKernels().fold_base(&(*words)[2 * begin], r, to.From(begin), at_once);
      return OkStatus();
    });
    FLAIR_CHECK(done.ok()) << "a fold cannot fail";
    words->reset();
  }
  std::vector<std::size_t> factors = {0, folded.size() - 1};
  rest_.emplace(std::vector<std::optional<Fp2>>(tau_.begin() + 1, tau_.end()), std::move(folded),
                std::move(factors));
}

}  // namespace flair::zk
