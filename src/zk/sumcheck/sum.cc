// SPDX-License-Identifier: Apache-2.0
#include "zk/sumcheck/sum.h"

#include <algorithm>
#include <optional>

#include "base/check.h"

namespace flair::zk {
namespace {

std::vector<std::size_t> HiddenOf(const SumShape& shape, const SumTerm& term) {
  std::vector<std::size_t> hidden;
  for (const std::size_t table : term.factors) {
    if (shape.hidden[table]) hidden.push_back(table);
  }
  FLAIR_CHECK(hidden.size() <= 2) << "a term of more than two hidden factors";
  return hidden;
}

// The values of hidden tables, each as often as it is a factor of a product: copies are made
// equal.
class HiddenValues {
 public:
  explicit HiddenValues(std::size_t num_tables) : values_(num_tables) {}

  bool has(std::size_t table) const { return values_[table].has_value(); }
  void Add(std::size_t table, const Secret& value, Channel& channel) {
    // SOUNDNESS: two products of one table use one value. Attack: two values of one factor.
    if (has(table)) channel.RequireZero(value.masked - values_[table]->masked);
    if (!has(table)) values_[table] = value;
  }
  const Secret& operator[](std::size_t table) const { return *values_[table]; }

 private:
  std::vector<std::optional<Secret>> values_;
};

}  // namespace

unsigned SumShape::degree() const {
  std::size_t most = 0;
  for (const SumTerm& term : terms) most = std::max(most, term.factors.size());
  return static_cast<unsigned>(most);
}

std::uint64_t SumShape::num_triples() const {
  std::uint64_t triples = 0;
  for (const SumTerm& term : terms) triples += HiddenOf(*this, term).size() == 2 ? 1 : 0;
  return triples;
}

std::uint64_t SumShape::num_pads() const {
  std::vector<bool> in_product(hidden.size());
  for (const SumTerm& term : terms) {
    const auto own = HiddenOf(*this, term);
    for (const std::size_t table : own) in_product[table] = in_product[table] || own.size() == 2;
  }
  std::uint64_t pads = std::uint64_t{num_variables()} * (degree() + 1);
  for (std::size_t table = 0; table < hidden.size(); ++table) {
    pads += hidden[table] && !in_product[table] ? 1 : 0;
  }
  return pads;
}

// Lagrange: sum_i values_i prod_{j != i} (r - j)/(i - j).
Secret Interpolate(const std::vector<Secret>& values, Fp2 r) {
  Secret sum;
  for (std::size_t i = 0; i < values.size(); ++i) {
    Fp2 weight(1);
    Fp divisor(1);
    for (std::size_t j = 0; j < values.size(); ++j) {
      if (j == i) continue;
      weight *= r - Fp2(j);
      divisor *= Fp(i) - Fp(j);
    }
    sum = sum + values[i] * (weight * divisor.Inverse());
  }
  return sum;
}

SumEnd RunSum(const SumShape& shape, const Secret& sum,
              const std::function<Fp2(std::size_t, std::span<const Fp2>)>& public_value,
              Transcript& transcript, Channel& channel, SumWitness* witness) {
  const std::size_t num_points = shape.degree() + 1;
  SumEnd end;
  Secret claim = sum;
  for (unsigned round = 0; round < shape.num_variables(); ++round) {
    const std::vector<Secret> h =
        channel.Pass(transcript, Label::kSumcheckMessage,
                     witness ? witness->Round(claim.value) : std::vector<Fp2>(num_points));
    const auto& tau = shape.tau[round];
    const Fp2 at1 = tau ? *tau : Fp2(1);
    const Fp2 at0 = tau ? Fp2(1) - *tau : Fp2(1);
    // SOUNDNESS: a round's two halves add up to the claim before. Attack: a changed round.
    channel.RequireZero((h[0] * at0 + h[1] * at1 - claim).masked);
    end.point.push_back(channel.Draw(transcript, Label::kSumcheckChallenge, shape.degree()));
    claim = Interpolate(h, end.point.back());
    if (witness) witness->Fold(end.point.back());
  }

  const auto last = [&](std::size_t table) { return witness ? witness->Last(table) : Fp2(); };
  HiddenValues values(shape.hidden.size());
  Secret total;
  const auto factor_of = [&](const SumTerm& term) {
    Fp2 factor = term.coefficient;
    for (const std::size_t table : term.factors) {
      if (!shape.hidden[table]) factor *= public_value(table, end.point);
    }
    return factor;
  };
  // Products first: they bring most values with them.
  for (const SumTerm& term : shape.terms) {
    const auto hidden = HiddenOf(shape, term);
    if (hidden.size() != 2) continue;
    const Channel::Product product =
        channel.PassProduct(transcript, Label::kClaimValue, last(hidden[0]), last(hidden[1]));
    values.Add(hidden[0], product.a, channel);
    values.Add(hidden[1], product.b, channel);
    total = total + product.product * factor_of(term);
  }
  for (std::size_t table = 0; table < shape.hidden.size(); ++table) {
    if (!shape.hidden[table] || values.has(table)) continue;
    values.Add(table, channel.Pass(transcript, Label::kClaimValue, {last(table)})[0], channel);
  }
  for (const SumTerm& term : shape.terms) {
    const auto hidden = HiddenOf(shape, term);
    if (hidden.size() == 1) total = total + values[hidden[0]] * factor_of(term);
    if (hidden.empty()) total = total + Secret{factor_of(term), Masked(factor_of(term))};
  }
  // SOUNDNESS: the sum that is left is that of the factors' values. Attack: a false factor.
  channel.RequireZero((total - claim).masked);
  for (std::size_t table = 0; table < shape.hidden.size(); ++table) {
    end.values.push_back(shape.hidden[table] ? values[table] : Secret{});
  }
  return end;
}

}  // namespace flair::zk
