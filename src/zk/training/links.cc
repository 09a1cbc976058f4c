// SPDX-License-Identifier: Apache-2.0
#include "zk/training/links.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "zk/poly/eq.h"
#include "zk/training/number_claims.h"

namespace flair::zk {
namespace {

using circuit::Value;
using circuit::ValueId;

// 2^(bits j) for the values j of a cell, times eq(point, cell): on the axis of the values. As j's
// bits multiply, it is an eq: 1 + a X^... with coordinates a/(1 + a).
AxisFunctional Unpacked(std::uint64_t size, std::uint64_t packed, unsigned value_bits,
                        const std::vector<Fp2>& point) {
  const unsigned variables = VariablesOf(size);
  std::vector<Fp2> unpacked;
  Fp2 factor(1);
  for (unsigned bit = 0; (std::uint64_t{1} << bit) < packed; ++bit) {
    const Fp2 a(std::uint64_t{1} << (value_bits << bit));
    factor *= Fp2(1) + a;
    unpacked.push_back(a * (Fp2(1) + a).Inverse());
  }
  unpacked.insert(unpacked.end(), point.begin(), point.end());
  // An axis shorter than a cell has fewer variables: those that it has not are 0.
  while (unpacked.size() > variables) {
    factor *= Fp2(1) - unpacked.back();
    unpacked.pop_back();
  }
  FLAIR_CHECK(unpacked.size() == variables) << "a packed axis of another size";
  return AxisFunctional::Scaled(factor, AxisFunctional::Eq(size, std::move(unpacked)));
}

}  // namespace

std::vector<Fp2> Links::Draw(std::uint64_t size) {
  std::vector<Fp2> point;
  for (unsigned i = 0; i < VariablesOf(size); ++i) {
    point.push_back(channel_.Draw(transcript_, Label::kPoint, 1));
  }
  return point;
}

void Links::Show() {
  bool has_state = false;
  for (const LinkedMatrix& matrix : matrices_) {
    has_state = has_state || matrix.role == Role::kStateBefore;
    if (matrix.role == Role::kData) {
      for (const ValueId number : circuit_.data) ShowData(matrix, number);
      continue;
    }
    for (const LongLivedTensor& tensor : matrix.layout->tensors) ShowBorder(matrix, tensor);
  }
  for (const circuit::Carried& carried : circuit_.carried) {
    if (carried.role == circuit::Carried::Role::kState && !has_state) ShowZeroStart(carried.number);
  }
}

// sum_j 2^(bits j) (X(t, b, .., j) + bias) = sum_n [row(t, b) = n] D(n, ..)
void Links::ShowData(const LinkedMatrix& data, ValueId number) {
  const Value& value = circuit_[number];
  const LongLivedTensor& column =
      data.layout->tensors[static_cast<std::size_t>(value.number.rule.parameters[0])];
  const std::uint64_t batch = circuit_.axes[value.axes[0]].size;
  const std::vector<Fp2> steps_point = Draw(layout_.num_steps());
  const std::vector<Fp2> batch_point = Draw(batch);
  Functional of_batch{.steps = AxisFunctional::Eq(layout_.num_steps(), steps_point),
                      .axes = {AxisFunctional::Eq(batch, batch_point)}};
  std::vector<AxisFunctional> of_record;
  for (std::size_t i = 1; i < value.axes.size(); ++i) {
    const std::uint64_t size = column.blocks.sizes[i];
    const std::vector<Fp2> point = Draw(size);
    of_record.push_back(AxisFunctional::Eq(size, point));
    of_batch.axes.push_back(
        i + 1 < value.axes.size()
            ? of_record.back()
            : Unpacked(circuit_.axes[value.axes[i]].size, column.packed, column.value_bits, point));
  }
  const std::vector<Fp2> of_step = EqTable(steps_point);
  const std::vector<Fp2> of_sample = EqTable(batch_point);
  const auto for_each_row = [&](auto&& visit) {  // (record, eq of the place that reads it)
    for (std::uint64_t t = 0; t < layout_.num_steps(); ++t) {
      for (std::uint64_t b = 0; b < batch; ++b) {
        visit(rows_[t * batch + b], of_step[t] * of_sample[b]);
      }
    }
  };

  std::unique_ptr<RelationWitness::Product> tables;
  if (witness_) {
    std::vector<Fp2> weights(num_records_);
    for_each_row([&](std::uint32_t record, const Fp2& eq) { weights[record] += eq; });
    tables = witness_->Records(column, of_record, weights);
  }
  const Secret shared =
      channel_.Pass(transcript_, Label::kClaimValue, {tables ? tables->Value() : Fp2()})[0];
  Claim batch_claim{.matrix = 0, .blocks = {}, .value = shared.masked};
  AddNumber(circuit_, layout_, number, 0, of_batch, batch_claim.blocks);
  claims_.push_back(std::move(batch_claim));

  SumShape shape{.tau = std::vector<std::optional<Fp2>>(VariablesOf(num_records_)),
                 .hidden = {true, false},
                 .terms = {{.coefficient = Fp2(1), .factors = {0, 1}}}};
  const SumEnd end = RunSum(
      shape, shared,
      [&](std::size_t, std::span<const Fp2> point) {
        // Record by record: a table over all records would cost what their number says.
        Fp2 sum;
        for_each_row([&](std::uint32_t record, const Fp2& eq) { sum += eq * EqAt(point, record); });
        return sum;
      },
      transcript_, channel_, tables.get());
  Claim record_claim{.matrix = data.matrix, .blocks = {}, .value = end.values[0].masked};
  AddBlocks(column.blocks,
            {.steps = AxisFunctional::Eq(num_records_, end.point), .axes = of_record}, 0, Fp2(1),
            record_claim.blocks);
  claims_.push_back(std::move(record_claim));
}

std::vector<AxisFunctional> Links::DrawAxesOf(ValueId number) {
  return DrawAxes(circuit_, circuit_[number].axes, transcript_, channel_);
}

void Links::ShowBorder(const LinkedMatrix& matrix, const LongLivedTensor& tensor) {
  const std::vector<AxisFunctional> axes = DrawAxesOf(tensor.number);
  const Secret shared =
      channel_.Pass(transcript_, Label::kClaimValue,
                    {witness_ ? witness_->Carried(matrix.role, tensor, axes) : Fp2()})[0];
  const bool after = matrix.role == Role::kWeightsAfter || matrix.role == Role::kStateAfter;
  const std::uint64_t copy = after ? layout_.num_steps() : 0;
  claims_.push_back(NumberClaim(circuit_, layout_, tensor.number, copy, axes, shared.masked));
  claims_.push_back(TensorClaim(matrix.matrix, tensor.blocks, axes, shared.masked));
}

void Links::ShowZeroStart(ValueId number) {
  claims_.push_back(NumberClaim(circuit_, layout_, number, 0, DrawAxesOf(number), Masked()));
}

}  // namespace flair::zk
