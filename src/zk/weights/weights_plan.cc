// SPDX-License-Identifier: Apache-2.0
#include "zk/weights/weights_plan.h"

#include <string>
#include <utility>

#include "zk/lookup/soundness.h"
#include "zk/mask/counting_channel.h"

namespace flair::zk {
namespace {

using circuit::Number;
using circuit::ValueId;

Error Wrong(const std::string& what) { return {ErrorCode::kInvalidArgument, what}; }

class NoPublics final : public Publics {
 public:
  std::span<const std::int64_t> CellsOf(ValueId /*id*/) const override { return {}; }
};

// The witness's cells of a number: its limbs times their units, less the bias.
Claim NumberClaim(const Layout& layout, ValueId id, const Number& number,
                  const std::vector<AxisFunctional>& axes, const Masked& value) {
  const Functional functional{.steps = AxisFunctional::Weights({Fp2(1)}), .axes = axes};
  Claim claim{.matrix = 0, .blocks = {}, .value = value};
  Fp2 unit(1);
  for (unsigned limb = 0; limb < number.limb_bits.size(); ++limb) {
    AddBlocks(layout.BlocksOf({id, limb}), functional, 0, unit, claim.blocks);
    unit *= Fp(std::uint64_t{1} << number.limb_bits[limb]);
  }
  claim.value += Masked(Fp2(Fp::FromInt(number.bias)) * functional.Sum());
  return claim;
}

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
  const LookupPlan& lookups = plan.layout_->lookups();
  FLAIR_TRY(const MatrixShape witness, WitnessShape(plan.layout_->num_cells()));
  std::vector<SoundnessTerm> besides = SoundnessTerms(lookups);
  besides.push_back(OverField("script", counts.degrees()));
  std::vector<MatrixShape> long_lived;
  for (const WeightsStatement::Matrix& m : statement.matrices) long_lived.push_back(m.shape);
  FLAIR_TRY(
      BatchPlan batch,
      BatchPlan::Make(witness, std::move(long_lived), counts.num_pads() + lookups.num_pads(),
                      counts.num_triples() + lookups.num_triples(), policy, std::move(besides)));
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
      std::vector<AxisFunctional> axes;
      for (const circuit::AxisId axis : circuit[tensor.number].axes) {
        const std::uint64_t size = circuit.axes[axis].size;
        std::vector<Fp2> point;
        for (unsigned i = 0; i < VariablesOf(size); ++i) {
          point.push_back(channel.Draw(transcript, Label::kPoint, 1));
        }
        axes.push_back(AxisFunctional::Eq(size, std::move(point)));
      }
      const Secret value =
          channel.Pass(transcript, Label::kClaimValue,
                       {weights != nullptr ? weights->ValueAt(tensor.number, axes) : Fp2()})[0];
      // SOUNDNESS: the circuit's number is what the matrix holds. Test:
      // WeightsTest.OtherWeightsThanTheCommittedHaveNoProof.
      claims.push_back(
          NumberClaim(*layout_, tensor.number, circuit[tensor.number].number, axes, value.masked));
      Claim own{.matrix = m + 1, .blocks = {}, .value = value.masked};
      // The first axis takes the place of the steps; a scalar has none at all.
      Functional functional{.steps = axes.empty() ? AxisFunctional() : axes[0], .axes = {}};
      if (!axes.empty()) functional.axes.assign(axes.begin() + 1, axes.end());
      AddBlocks(tensor.blocks, functional, 0, Fp2(1), own.blocks);
      claims.push_back(std::move(own));
    }
  }
  const NoPublics publics;
  Relations relations(circuit, *layout_, publics, transcript, channel, relation_witness);
  relations.ShowZeros();
  for (Claim& claim : relations.TakeClaims()) claims.push_back(std::move(claim));
  return claims;
}

}  // namespace flair::zk
