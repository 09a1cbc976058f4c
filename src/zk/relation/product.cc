// SPDX-License-Identifier: Apache-2.0
#include "zk/relation/product.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "base/check.h"
#include "zk/poly/eq.h"

namespace flair::zk {
namespace {

using circuit::AxisId;
using circuit::Circuit;
using circuit::Read;
using circuit::Term;
using circuit::Value;
using circuit::Window;

std::optional<std::size_t> PlaceOf(const std::vector<AxisId>& axes, AxisId axis) {
  const auto at = std::find(axes.begin(), axes.end(), axis);
  if (at == axes.end()) return std::nullopt;
  return static_cast<std::size_t>(at - axes.begin());
}

class Planner {
 public:
  Planner(const Circuit& circuit, const Publics& publics, const std::vector<AxisId>& axes,
          const Term& term, const Functional& functional)
      : c_(circuit), publics_(publics), form_axes_(axes), term_(term), functional_(functional) {}

  ProductPlan Run() {
    plan_.coefficient = Fp2(Fp::FromInt(term_.coefficient));
    steps_ = functional_.steps;
    std::vector<const Read*> tables;  // publics with axes
    for (const Read& read : term_.factors) {
      const Value& value = c_[read.value];
      if (value.kind != Value::Kind::kPublic) {
        plan_.factors.push_back({.read = read, .steps = {}, .axes = {}});
      } else if (read.axes.empty()) {
        TimesSteps(publics_.CellsOf(read.value));
      } else {
        tables.push_back(&read);
      }
    }
    for (const Window& window : term_.windows) AddWindow(window);
    for (const AxisId axis : form_axes_) {
      if (!windowed_.contains(axis) && !IsHidden(axis) && !IsIn(tables, axis)) {
        plan_.coefficient *= On(axis).Sum();  // the cells are repeated along it
      }
    }
    for (FactorPlan& factor : plan_.factors) PlanAxes(factor, tables);
    // Steps are the highest axis of every sum.
    const std::size_t steps = AddSumAxis(steps_.size(), steps_);
    for (std::size_t f = 0; f < plan_.factors.size(); ++f) {
      plan_.factors[f].steps = {.fate = FactorAxis::Fate::kSummed,
                                .functional = WeightsFor(steps_, f == 0),
                                .sum_axis = steps,
                                .matrix = {}};
    }
    for (const Read* read : tables) AddTable(*read, steps);
    for (const Joint& joint : joints_) {
      plan_.publics.push_back({{sum_axis_.at(joint.p), sum_axis_.at(joint.q)}, joint.values});
    }
    return std::move(plan_);
  }

 private:
  struct Joint {
    AxisId p;
    AxisId q;
    std::vector<Fp2> values;  // p the higher
  };
  struct Coupling {
    AxisId p;
    std::vector<std::vector<Fp2>> matrix;
  };

  bool IsForm(AxisId axis) const { return PlaceOf(form_axes_, axis).has_value(); }
  const AxisFunctional& On(AxisId axis) const {
    return functional_.axes[*PlaceOf(form_axes_, axis)];
  }
  bool HasAxis(std::size_t f, AxisId axis) const {
    return PlaceOf(plan_.factors[f].read.axes, axis).has_value();
  }
  bool IsHidden(AxisId axis) const {
    for (std::size_t f = 0; f < plan_.factors.size(); ++f) {
      if (HasAxis(f, axis)) return true;
    }
    return false;
  }
  static bool IsIn(const std::vector<const Read*>& tables, AxisId axis) {
    return std::any_of(tables.begin(), tables.end(),
                       [&](const Read* read) { return PlaceOf(read->axes, axis).has_value(); });
  }
  std::uint64_t SizeOf(AxisId axis) const { return c_.axes[axis].size; }

  void TimesSteps(std::span<const std::int64_t> values) {
    std::vector<Fp2> weights;
    for (const std::int64_t v : values) weights.push_back(Fp2(Fp::FromInt(v)));
    steps_ = steps_.Times(weights);
  }

  // What a window and the functionals on its axes leave between the axes that factors have.
  void AddWindow(const Window& window) {
    const std::array<AxisId, 3> all = {window.out, window.kernel, window.in};
    std::vector<AxisId> left;
    std::array<std::vector<Fp2>, 3> weights;
    for (std::size_t i = 0; i < 3; ++i) {
      windowed_.insert(all[i]);
      if (IsHidden(all[i])) left.push_back(all[i]);
      weights[i] =
          IsForm(all[i]) ? On(all[i]).ToWeights() : std::vector<Fp2>(SizeOf(all[i]), Fp2(1));
    }
    FLAIR_CHECK(left.size() <= 2) << "a window between hidden axes alone";
    if (left.empty()) left.push_back(window.in);  // all of it is a sum of functionals
    const AxisId p = left[0];
    const AxisId q = left.back();
    const std::uint64_t columns = left.size() == 2 ? SizeOf(q) : 1;
    std::vector<Fp2> values(SizeOf(p) * columns);
    for (std::uint64_t o = 0; o < SizeOf(window.out); ++o) {
      for (std::uint64_t k = 0; k < SizeOf(window.kernel); ++k) {
        const std::int64_t in =
            static_cast<std::int64_t>(window.stride * o + window.dilation * k) + window.offset;
        if (in < 0 || in >= static_cast<std::int64_t>(SizeOf(window.in))) continue;
        const std::array<std::uint64_t, 3> at = {o, k, static_cast<std::uint64_t>(in)};
        const auto coordinate = [&](AxisId axis) {
          return at[static_cast<std::size_t>(std::find(all.begin(), all.end(), axis) -
                                             all.begin())];
        };
        values[coordinate(p) * columns + (left.size() == 2 ? coordinate(q) : 0)] +=
            weights[0][at[0]] * weights[1][at[1]] * weights[2][at[2]];
      }
    }
    if (!IsHidden(p)) {
      plan_.coefficient *= AxisFunctional::Weights(std::move(values)).Sum();
      return;
    }
    if (left.size() == 1) {
      windowed_weights_.insert_or_assign(p, AxisFunctional::Weights(std::move(values)));
      return;
    }
    for (std::size_t f = 0; f < plan_.factors.size(); ++f) {
      if (HasAxis(f, p) && HasAxis(f, q)) {  // of one factor, or of both in both
        joints_.push_back({p, q, std::move(values)});
        summed_.insert({p, q});
        return;
      }
    }
    // The side whose claim shall have weights is folded: the kernel's, else the input's.
    const bool fold_p = p == window.kernel;
    const AxisId kept = fold_p ? q : p;
    const AxisId folded = fold_p ? p : q;
    Coupling coupling{.p = kept, .matrix = {}};
    coupling.matrix.assign(SizeOf(kept), std::vector<Fp2>(SizeOf(folded)));
    for (std::uint64_t i = 0; i < SizeOf(p); ++i) {
      for (std::uint64_t j = 0; j < SizeOf(q); ++j) {
        coupling.matrix[fold_p ? j : i][fold_p ? i : j] = values[i * columns + j];
      }
    }
    couplings_.insert_or_assign(folded, std::move(coupling));
    summed_.insert(kept);
  }

  // The functional on a hidden axis; none where the axis is summed.
  std::optional<AxisFunctional> FunctionalOn(AxisId axis) const {
    if (const auto at = windowed_weights_.find(axis); at != windowed_weights_.end()) {
      return at->second;
    }
    if (windowed_.contains(axis) || !IsForm(axis)) return std::nullopt;
    return On(axis);
  }

  static std::optional<AxisFunctional> WeightsFor(const std::optional<AxisFunctional>& functional,
                                                  bool first) {
    if (!first || !functional || functional->is_eq()) return std::nullopt;
    return functional;
  }

  // eq's constant goes to the coefficient.
  std::size_t AddSumAxis(std::uint64_t size, const std::optional<AxisFunctional>& functional) {
    SumAxis axis{.size = size, .tau = std::nullopt};
    if (functional && functional->is_eq()) {
      axis.tau = functional->point();
      plan_.coefficient *= functional->factor();
    }
    plan_.axes.push_back(std::move(axis));
    return plan_.axes.size() - 1;
  }

  void PlanAxes(FactorPlan& factor, const std::vector<const Read*>& tables) {
    for (const AxisId axis : factor.read.axes) {
      if (const auto coupling = couplings_.find(axis); coupling != couplings_.end()) {
        factor.axes.push_back({.fate = FactorAxis::Fate::kCoupled,
                               .functional = std::nullopt,
                               .sum_axis = SumAxisOf(coupling->second.p),
                               .matrix = coupling->second.matrix});
        continue;
      }
      const bool shared = plan_.factors.size() == 2 && HasAxis(0, axis) && HasAxis(1, axis);
      const auto functional = FunctionalOn(axis);
      if (shared || summed_.contains(axis) || IsIn(tables, axis)) {
        const FactorPlan*& owner = weighted_by_[axis];
        if (owner == nullptr) owner = &factor;
        factor.axes.push_back({.fate = FactorAxis::Fate::kSummed,
                               .functional = WeightsFor(functional, owner == &factor),
                               .sum_axis = SumAxisOf(axis),
                               .matrix = {}});
      } else {
        factor.axes.push_back(
            {.fate = FactorAxis::Fate::kFolded,
             .functional = functional.value_or(AxisFunctional::Ones(SizeOf(axis))),
             .sum_axis = 0,
             .matrix = {}});
      }
    }
  }

  std::size_t SumAxisOf(AxisId axis) {
    const auto at = sum_axis_.find(axis);
    if (at != sum_axis_.end()) return at->second;
    return sum_axis_[axis] = AddSumAxis(SizeOf(axis), FunctionalOn(axis));
  }

  void AddTable(const Read& read, std::size_t steps) {
    PublicPlan table{.sum_axes = {steps}, .values = {}};
    for (const AxisId axis : read.axes) {
      FLAIR_CHECK(sum_axis_.contains(axis)) << "a public axis that no hidden factor has";
      table.sum_axes.push_back(sum_axis_.at(axis));
    }
    for (const std::int64_t v : publics_.CellsOf(read.value)) {
      table.values.push_back(Fp2(Fp::FromInt(v)));
    }
    plan_.publics.push_back(std::move(table));
  }

  const Circuit& c_;
  const Publics& publics_;
  const std::vector<AxisId>& form_axes_;
  const Term& term_;
  const Functional& functional_;
  ProductPlan plan_;
  AxisFunctional steps_;
  std::set<AxisId> windowed_;
  std::set<AxisId> summed_;  // by a window's doing
  std::map<AxisId, AxisFunctional> windowed_weights_;
  std::map<AxisId, Coupling> couplings_;  // by the axis that is folded
  std::vector<Joint> joints_;
  std::map<AxisId, std::size_t> sum_axis_;
  std::map<AxisId, const FactorPlan*> weighted_by_;
};

}  // namespace

SumShape ProductPlan::Shape() const {
  SumShape shape;
  for (const SumAxis& axis : axes) {
    for (unsigned i = 0; i < axis.variables(); ++i) {
      shape.tau.push_back(axis.tau ? std::optional((*axis.tau)[i]) : std::nullopt);
    }
  }
  SumTerm term;
  for (std::size_t i = 0; i < factors.size() + publics.size(); ++i) {
    shape.hidden.push_back(i < factors.size());
    term.factors.push_back(i);
  }
  shape.terms = {std::move(term)};
  return shape;
}

std::vector<Fp2> ProductPlan::PointOf(std::size_t axis, std::span<const Fp2> point) const {
  std::size_t first = 0;
  for (std::size_t i = 0; i < axis; ++i) first += axes[i].variables();
  const auto own = point.subspan(first, axes[axis].variables());
  return {own.begin(), own.end()};
}

Fp2 ProductPlan::PublicAt(std::size_t which, std::span<const Fp2> point) const {
  const PublicPlan& table = publics[which];
  // Contracts the lowest axis first.
  std::vector<Fp2> values = table.values;
  for (std::size_t i = table.sum_axes.size(); i-- > 0;) {
    const std::size_t axis = table.sum_axes[i];
    const std::vector<Fp2> eq = EqTable(PointOf(axis, point));
    const std::uint64_t size = axes[axis].size;
    std::vector<Fp2> contracted(values.size() / size);
    for (std::size_t row = 0; row < contracted.size(); ++row) {
      for (std::uint64_t x = 0; x < size; ++x) contracted[row] += eq[x] * values[row * size + x];
    }
    values = std::move(contracted);
  }
  return values[0];
}

Functional ProductPlan::Linear() const {
  const FactorPlan& factor = factors[0];
  const SumAxis& steps = axes[factor.steps.sum_axis];
  Functional linear{.steps = factor.steps.functional ? *factor.steps.functional
                                                     : AxisFunctional::Eq(steps.size, *steps.tau),
                    .axes = {}};
  for (const FactorAxis& axis : factor.axes) linear.axes.push_back(*axis.functional);
  return linear;
}

Functional ProductPlan::EndOf(std::size_t f, std::span<const Fp2> point) const {
  const auto end_of = [&](const FactorAxis& axis) {
    if (axis.fate == FactorAxis::Fate::kFolded) return *axis.functional;
    std::vector<Fp2> own = PointOf(axis.sum_axis, point);
    if (axis.fate == FactorAxis::Fate::kCoupled) {
      const std::vector<Fp2> eq = EqTable(own);
      std::vector<Fp2> weights(axis.matrix[0].size());
      for (std::size_t p = 0; p < axis.matrix.size(); ++p) {
        for (std::size_t q = 0; q < weights.size(); ++q) weights[q] += eq[p] * axis.matrix[p][q];
      }
      return AxisFunctional::Weights(std::move(weights));
    }
    AxisFunctional eq = AxisFunctional::Eq(axes[axis.sum_axis].size, std::move(own));
    return axis.functional ? eq.Times(axis.functional->ToWeights()) : eq;
  };
  Functional end{.steps = end_of(factors[f].steps), .axes = {}};
  for (const FactorAxis& axis : factors[f].axes) end.axes.push_back(end_of(axis));
  return end;
}

ProductPlan PlanProduct(const Circuit& circuit, const Publics& publics,
                        const std::vector<AxisId>& axes, const Term& term,
                        const Functional& functional) {
  return Planner(circuit, publics, axes, term, functional).Run();
}

ProductPlan PlanPoint(const Circuit& circuit, const Read& read, const Functional& functional) {
  ProductPlan plan;
  FactorPlan factor{.read = read, .steps = {}, .axes = {}};
  factor.steps = {.fate = FactorAxis::Fate::kFolded,
                  .functional = functional.steps,
                  .sum_axis = 0,
                  .matrix = {}};
  for (std::size_t i = 0; i < read.axes.size(); ++i) {
    const AxisFunctional& f = functional.axes[i];
    FactorAxis axis{.fate = FactorAxis::Fate::kFolded,
                    .functional = f,
                    .sum_axis = plan.axes.size(),
                    .matrix = {}};
    if (!f.is_eq()) {
      axis.fate = FactorAxis::Fate::kSummed;
      axis.functional.reset();
      plan.publics.push_back({{plan.axes.size()}, f.ToWeights()});
      plan.axes.push_back({.size = circuit.axes[read.axes[i]].size, .tau = std::nullopt});
    }
    factor.axes.push_back(std::move(axis));
  }
  plan.factors.push_back(std::move(factor));
  return plan;
}

}  // namespace flair::zk
