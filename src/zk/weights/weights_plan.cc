// SPDX-License-Identifier: Apache-2.0
#include "zk/weights/weights_plan.h"

#include <string>
#include <utility>

#include "zk/mask/counting_channel.h"
#include "zk/training/number_claims.h"
#include "zk/training/opening_plan.h"

namespace flair::zk {
namespace {

using circuit::ValueId;

Error Wrong(const std::string& what) { return {ErrorCode::kInvalidArgument, what}; }

class NoPublics final : public Publics {
 public:
  std::span<const std::int64_t> CellsOf(ValueId /*id*/) const override { return {}; }
};

}  // namespace

Result<LongLived> NumbersLayout(const circuit::Circuit& circuit, std::span<const ValueId> numbers) {
  // The layout of carried numbers, of a circuit that carries these.
  circuit::Circuit carrier;
  carrier.axes = circuit.axes;
  carrier.values = circuit.values;
  for (const ValueId number : numbers) {
    carrier.carried.push_back({.number = number, .role = circuit::Carried::Role::kWeight});
  }
  return CarriedLayout(carrier, circuit::Carried::Role::kWeight);
}

Status WeightsPlan::CheckMatrices() {
  const circuit::Circuit& circuit = *inputs_.circuit;
  const std::size_t count = statement_.matrices.size();
  if (count == 0 || count > kMaxWeightsMatrices || count != inputs_.numbers.size()) {
    return Wrong(std::to_string(count) + " commitments for " +
                 std::to_string(inputs_.numbers.size()) + " models");
  }
  if (!circuit.publics.empty() || !circuit.carried.empty()) {
    return Wrong("a relation of weights has neither publics nor state");
  }
  for (std::size_t m = 0; m < count; ++m) {
    const MatrixShape& shape = statement_.matrices[m].shape;
    FLAIR_DO(CheckShape(shape));
    for (const ValueId id : inputs_.numbers[m]) {
      if (id >= circuit.values.size() || circuit[id].kind != circuit::Value::Kind::kNumber) {
        return Wrong("a commitment to what is no number");
      }
    }
    FLAIR_TRY(LongLived held, NumbersLayout(circuit, inputs_.numbers[m]));
    const std::uint64_t columns = shape.num_columns();
    const std::uint64_t rows = (held.num_cells + columns - 1) / columns;
    if (shape.kind != MatrixKind::kWeights || shape.num_rows != rows) {
      return Wrong("commitment " + std::to_string(m) + " does not hold the model's weights");
    }
    held_.push_back(std::move(held));
  }
  return OkStatus();
}

Result<WeightsPlan> WeightsPlan::Make(const WeightsStatement& statement, WeightsInputs inputs,
                                      QueryPolicy policy) {
  WeightsPlan plan;
  plan.statement_ = statement;
  plan.inputs_ = std::move(inputs);
  FLAIR_DO(plan.CheckMatrices());
  FLAIR_TRY(Layout layout, Layout::Make(*plan.inputs_.circuit, 1));
  plan.layout_ = std::make_shared<const Layout>(std::move(layout));

  CountingChannel counts;
  Transcript dry(kWeightsProtocol);
  plan.RunScript(dry, counts, nullptr, nullptr);
  FLAIR_TRY(BatchPlan batch, PlanOpening({.num_cells = plan.layout_->num_cells(),
                                          .lookups = &plan.layout_->lookups(),
                                          .script = counts},
                                         ShapesOf(statement.matrices), policy));
  plan.batch_ = std::make_shared<const BatchPlan>(std::move(batch));
  return plan;
}

std::vector<Claim> WeightsPlan::RunScript(Transcript& transcript, Channel& channel,
                                          WeightsWitness* weights,
                                          RelationWitness* relation_witness) const {
  const circuit::Circuit& circuit = *inputs_.circuit;
  std::vector<Claim> claims;
  for (std::size_t m = 0; m < held_.size(); ++m) {
    for (const LongLivedTensor& tensor : held_[m].tensors) {
      const std::vector<AxisFunctional> axes =
          DrawAxes(circuit, circuit[tensor.number].axes, transcript, channel);
      const Secret value =
          channel.Pass(transcript, Label::kClaimValue,
                       {weights != nullptr ? weights->ValueAt(tensor.number, axes) : Fp2()})[0];
      // SOUNDNESS: the circuit's number is what the matrix holds. Test:
      // WeightsRelationTest.OtherWeightsThanTheCommittedHaveNoProof.
      claims.push_back(NumberClaim(circuit, *layout_, tensor.number, 0, axes, value.masked));
      claims.push_back(TensorClaim(m + 1, tensor.blocks, axes, value.masked));
    }
  }
  const NoPublics publics;
  Relations relations(circuit, *layout_, publics, transcript, channel, relation_witness);
  relations.ShowZeros();
  for (Claim& claim : relations.TakeClaims()) claims.push_back(std::move(claim));
  return claims;
}

}  // namespace flair::zk
