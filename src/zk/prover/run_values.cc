// SPDX-License-Identifier: Apache-2.0
#include "zk/prover/run_values.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/check.h"
#include "base/threads.h"
#include "zk/prover/base_table_sum.h"
#include "zk/prover/factor_table.h"
#include "zk/prover/table_sum.h"
#include "zk/prover/tensor_cells.h"

namespace flair::zk {

using circuit::Ints;
using circuit::LimbRef;
using circuit::Moment;
using circuit::Number;
using circuit::Value;
using circuit::ValueId;

namespace {

// A factor is the same along the axes of the sum that it has not.
void Repeat(const ProductPlan& plan, const FactorPlan& factor, KSpan table) {
  std::vector<bool> has(plan.axes.size());
  const auto mark = [&](const FactorAxis& axis) {
    if (axis.fate != FactorAxis::Fate::kFolded) has[axis.sum_axis] = true;
  };
  mark(factor.steps);
  for (const FactorAxis& axis : factor.axes) mark(axis);
  std::uint64_t missing = 0;
  unsigned bits = 0;
  for (std::size_t i = 0; i < plan.axes.size(); ++i) {
    const unsigned own = plan.axes[i].variables();
    if (!has[i]) missing |= ((std::uint64_t{1} << own) - 1) << bits;
    bits += own;
  }
  if (missing == 0) return;
  for (std::uint64_t x = 0; x < std::uint64_t{1} << bits; ++x) {
    if ((x & missing) != 0) table.Set(x, table.at(x & ~missing));
  }
}

}  // namespace

RunValues::RunValues(const circuit::Circuit& circuit)
    : circuit_(circuit), values_(circuit.values.size()) {}

void RunValues::Take(circuit::StepValues& step) {
  for (ValueId id = 0; id < circuit_.values.size(); ++id) {
    const Value& value = circuit_[id];
    Ints now = std::move(step.now[id]);
    if (value.kind == Value::Kind::kForm) continue;
    Ints& all = values_[id];
    if (num_steps_ == 0) {
      all = std::move(now);
    } else if (!value.number.is_state) {
      all.insert(all.end(), now.begin(), now.end());
    }
    if (value.number.is_state) all.insert(all.end(), step.next[id].begin(), step.next[id].end());
  }
  ++num_steps_;
}

std::vector<std::int32_t> RunValues::Cells(const Layout& layout) const {
  FLAIR_CHECK(layout.num_steps() == num_steps_) << "a layout of other steps";
  std::vector<std::int32_t> cells(layout.num_cells());
  std::vector<LimbRef> limbs;
  std::vector<const TensorBlocks*> tensors;
  std::vector<circuit::LimbCut> cuts;
  for (ValueId id = 0; id < circuit_.values.size(); ++id) {
    if (circuit_[id].kind != Value::Kind::kNumber) continue;
    for (unsigned limb = 0; limb < circuit_[id].number.limb_bits.size(); ++limb) {
      limbs.push_back({id, limb});
      tensors.push_back(&layout.BlocksOf({id, limb}));
      cuts.emplace_back(circuit_[id].number, limb);
    }
  }
  ForEachCellAtOnce(tensors, [&](std::size_t i, std::uint64_t cell, std::uint64_t index) {
    cells[cell] = static_cast<std::int32_t>(cuts[i](values_[limbs[i].number][index]));
  });
  return cells;
}

std::span<const std::int64_t> RunValues::Read(const circuit::Read& read, std::uint64_t step,
                                              Ints& scratch) const {
  const Value& value = circuit_[read.value];
  const std::uint64_t size = circuit_.SizeOf(value.axes);
  if (value.kind == Value::Kind::kForm) {
    scratch = circuit::EvaluateForm(
        circuit_, read.value,
        [&](const circuit::Read& inner, Ints& own) { return Read(inner, step, own); });
    return scratch;
  }
  const std::uint64_t at = (step + (read.moment == Moment::kNext ? 1 : 0)) * size;
  const auto cells = std::span(values_[read.value]).subspan(at, size);
  if (read.limb == circuit::Read::kWhole) return cells;
  scratch.resize(cells.size());
  std::transform(cells.begin(), cells.end(), scratch.begin(),
                 circuit::LimbCut(value.number, static_cast<unsigned>(read.limb)));
  return scratch;
}

KVector RunValues::TableOf(const ProductPlan& plan, const FactorPlan& factor) const {
  unsigned variables = 0;
  for (const SumAxis& axis : plan.axes) variables += axis.variables();
  KVector table(std::uint64_t{1} << variables);
  std::fill_n(table.span().a, table.capacity(), 0);
  std::fill_n(table.span().b, table.capacity(), 0);
  std::vector<std::uint64_t> sizes;
  for (const circuit::AxisId axis : factor.read.axes) sizes.push_back(circuit_.axes[axis].size);
  const FactorTable fold(plan, factor, std::move(sizes));
  const bool summed = factor.steps.fate == FactorAxis::Fate::kSummed;
  std::vector<Fp2> weights(num_steps_, Fp2(1));
  if (factor.steps.functional) weights = factor.steps.functional->ToWeights();
  // The steps are the highest variables.
  const std::uint64_t stride =
      summed ? table.size() >> plan.axes[factor.steps.sum_axis].variables() : 0;
  const Status done = ParallelFor(num_steps_, summed ? ThreadCount() : 1, [&](std::size_t step) {
    Ints scratch;
    fold.Add(Read(factor.read, step, scratch), weights[step], step * stride, table.span());
    return OkStatus();
  });
  FLAIR_CHECK(done.ok()) << "a sum cannot fail";
  Repeat(plan, factor, table.span());
  return table;
}

Words RunValues::PlainTableOf(const ProductPlan& plan, const FactorPlan& factor,
                              std::uint64_t size) const {
  Words table = AllocateWords(size);
  std::vector<std::uint64_t> sizes;
  for (const circuit::AxisId axis : factor.read.axes) sizes.push_back(circuit_.axes[axis].size);
  const std::uint64_t of_step =
      size >> plan.axes[factor.steps.sum_axis].variables();  // the steps are the highest variables
  const Status done = ParallelFor(size / of_step, [&](std::size_t step) {
    std::fill_n(&table[step * of_step], of_step, 0);
    if (step >= num_steps_) return OkStatus();
    Ints scratch;
    FillPlain(plan, factor, sizes, Read(factor.read, step, scratch), step, table.get());
    return OkStatus();
  });
  FLAIR_CHECK(done.ok()) << "a table cannot fail";
  return table;
}

std::unique_ptr<RelationWitness::Product> RunValues::PlainTables(const ProductPlan& plan) const {
  std::vector<std::optional<Fp2>> tau = plan.Shape().tau;
  if (tau.size() < BaseTableSum::kMinVariables || plan.factors.size() != 2 ||
      !plan.publics.empty() || !IsPlain(plan, plan.factors[0]) || !IsPlain(plan, plan.factors[1])) {
    return nullptr;
  }
  const std::uint64_t size = std::uint64_t{1} << tau.size();
  const auto place_of = [](const FactorPlan& factor) {
    std::vector<std::size_t> places;
    for (const FactorAxis& axis : factor.axes) places.push_back(axis.sum_axis);
    return places;
  };
  const bool is_square = plan.factors[0].read == plan.factors[1].read &&
                         place_of(plan.factors[0]) == place_of(plan.factors[1]);
  Words f = PlainTableOf(plan, plan.factors[0], size);
  Words g = is_square ? nullptr : PlainTableOf(plan, plan.factors[1], size);
  return std::make_unique<BaseTableSum>(std::move(tau), std::move(f), std::move(g));
}

std::unique_ptr<RelationWitness::Product> RunValues::Tables(const ProductPlan& plan) {
  if (auto plain = PlainTables(plan)) return plain;
  std::vector<KVector> tables;
  for (const FactorPlan& factor : plan.factors) tables.push_back(TableOf(plan, factor));
  for (const PublicPlan& shared : plan.publics) {
    KVector table(tables[0].size());
    // Over the axes that it has; the same along the others.
    std::vector<std::uint64_t> first_variable;
    std::uint64_t bits = 0;
    for (const SumAxis& axis : plan.axes) {
      first_variable.push_back(bits);
      bits += axis.variables();
    }
    constexpr std::uint64_t kAtOnce = 1 << 14;
    const Status done = ParallelFor((table.size() + kAtOnce - 1) / kAtOnce, [&](std::size_t part) {
      const std::uint64_t end = std::min(table.size(), (part + 1) * kAtOnce);
      for (std::uint64_t x = part * kAtOnce; x < end; ++x) {
        std::uint64_t index = 0;
        bool inside = true;
        for (const std::size_t axis : shared.sum_axes) {
          const std::uint64_t size = plan.axes[axis].size;
          const std::uint64_t own = (x >> first_variable[axis]) & (std::bit_ceil(size) - 1);
          inside = inside && own < size;
          index = index * size + own;
        }
        table.span().Set(x, inside ? shared.values[index] : Fp2());
      }
      return OkStatus();
    });
    FLAIR_CHECK(done.ok()) << "a table cannot fail";
    tables.push_back(std::move(table));
  }
  return std::make_unique<TableSum>(plan.Shape().tau, std::move(tables));
}

}  // namespace flair::zk
