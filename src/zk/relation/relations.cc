// SPDX-License-Identifier: Apache-2.0
#include "zk/relation/relations.h"

#include <algorithm>
#include <utility>

namespace flair::zk {
namespace {

using circuit::AxisId;
using circuit::Moment;
using circuit::Number;
using circuit::Read;
using circuit::Term;
using circuit::Value;
using circuit::ValueId;

// More blocks than this in a claim about one limb cost more than a sum over its weighted axes.
constexpr std::uint64_t kMaxBlocksOfLimb = 2048;

}  // namespace

void Relations::ShowZeros() {
  for (const circuit::Zero& zero : circuit_.zeros) {
    Show(zero.form, DrawPoint(circuit_[zero.form].axes), Secret{});
  }
}

Functional Relations::DrawPoint(const std::vector<AxisId>& axes) {
  const auto draw = [&](std::uint64_t size) {
    std::vector<Fp2> point;
    for (unsigned i = 0; i < VariablesOf(size); ++i) {
      point.push_back(channel_.Draw(transcript_, Label::kPoint, 1));
    }
    return AxisFunctional::Eq(size, std::move(point));
  };
  Functional functional{.steps = draw(layout_.num_steps()), .axes = {}};
  for (const AxisId axis : axes) functional.axes.push_back(draw(circuit_.axes[axis].size));
  return functional;
}

void Relations::Show(ValueId form, const Functional& functional, const Secret& value) {
  Parts parts;
  TakeForm(form, functional, Fp2(1), parts);
  Settle(std::move(parts), value);
}

// cells + constant + sum of coefficient product = value
void Relations::Settle(Parts parts, const Secret& value) {
  Masked rest = value.masked - Masked(parts.constant);
  const bool only = parts.cells.blocks.empty() && parts.products.size() == 1;
  for (Pending& product : parts.products) {
    const Fp2 coefficient = product.plan.coefficient;
    if (only && !coefficient.is_zero()) {
      // What is left is the product's.
      product.value = {product.tables ? product.tables->Value() : Fp2(),
                       rest * coefficient.Inverse()};
      rest = Masked();
      continue;
    }
    product.value = channel_.Pass(transcript_, Label::kClaimValue,
                                  {product.tables ? product.tables->Value() : Fp2()})[0];
    rest = std::move(rest) - product.value.masked * coefficient;
  }
  if (!parts.cells.blocks.empty()) {
    parts.cells.value = std::move(rest);
    claims_.push_back(std::move(parts.cells));
  } else if (!only || !rest.terms().empty() || !rest.known().is_zero()) {
    // SOUNDNESS: a claim without cells holds between values. Attack: a false product.
    channel_.RequireZero(rest);
  }
  for (Pending& product : parts.products) ShowProduct(std::move(product));
}

void Relations::TakeForm(ValueId form, const Functional& functional, Fp2 coefficient,
                         Parts& parts) {
  const Value& value = circuit_[form];
  if (value.form.constant != 0) {
    parts.constant += coefficient * Fp::FromInt(value.form.constant) * functional.Sum();
  }
  for (const Term& term : value.form.terms) {
    ProductPlan plan = PlanProduct(circuit_, publics_, value.axes, term, functional);
    if (plan.is_linear()) {
      Take(plan.factors[0].read, plan.Linear(), coefficient * plan.coefficient, parts);
    } else {
      AddProduct(std::move(plan), coefficient, parts);
    }
  }
}

void Relations::Take(const Read& read, const Functional& functional, Fp2 coefficient,
                     Parts& parts) {
  if (circuit_[read.value].kind == Value::Kind::kForm) {
    TakeForm(read.value, functional, coefficient, parts);
  } else {
    TakeNumber(read, functional, coefficient, parts);
  }
}

// value = sum of 2^(bits below) limb - bias
void Relations::TakeNumber(const Read& read, const Functional& functional, Fp2 coefficient,
                           Parts& parts) {
  const Number& number = circuit_[read.value].number;
  const bool whole = read.limb == Read::kWhole;
  const TensorBlocks& blocks =
      layout_.BlocksOf({read.value, whole ? 0U : static_cast<unsigned>(read.limb)});
  const bool weighted = std::any_of(functional.axes.begin(), functional.axes.end(),
                                    [](const AxisFunctional& f) { return !f.is_eq(); });
  if (weighted && CountBlocks(blocks, functional) > kMaxBlocksOfLimb) {
    AddProduct(PlanPoint(circuit_, read, functional), coefficient, parts);
    return;
  }
  if (whole) parts.constant -= coefficient * Fp::FromInt(number.bias) * functional.Sum();
  const std::uint64_t first = read.moment == Moment::kNext ? 1 : 0;
  Fp2 unit = coefficient;
  for (unsigned limb = 0; limb < number.limb_bits.size(); ++limb) {
    if (whole || limb == static_cast<unsigned>(read.limb)) {
      AddBlocks(layout_.BlocksOf({read.value, limb}), functional, first, whole ? unit : coefficient,
                parts.cells.blocks);
    }
    unit *= Fp(std::uint64_t{1} << number.limb_bits[limb]);
  }
}

void Relations::AddProduct(ProductPlan plan, Fp2 coefficient, Parts& parts) {
  plan.coefficient *= coefficient;
  Pending product{.plan = std::move(plan), .tables = nullptr, .value = {}};
  if (witness_) product.tables = witness_->Tables(product.plan);
  parts.products.push_back(std::move(product));
}

void Relations::ShowProduct(Pending product) {
  const ProductPlan& plan = product.plan;
  const std::size_t hidden = plan.factors.size();
  const SumEnd end = RunSum(
      plan.Shape(), product.value,
      [&](std::size_t table, std::span<const Fp2> point) {
        return plan.PublicAt(table - hidden, point);
      },
      transcript_, channel_, product.tables.get());
  product.tables.reset();
  for (std::size_t f = 0; f < hidden; ++f) {
    Parts parts;
    Take(plan.factors[f].read, plan.EndOf(f, end.point), Fp2(1), parts);
    Settle(std::move(parts), end.values[f]);
  }
}

}  // namespace flair::zk
