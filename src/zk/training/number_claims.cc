// SPDX-License-Identifier: Apache-2.0
#include "zk/training/number_claims.h"

#include <utility>

namespace flair::zk {

std::vector<AxisFunctional> DrawAxes(const circuit::Circuit& circuit,
                                     const std::vector<circuit::AxisId>& axes,
                                     Transcript& transcript, Channel& channel) {
  std::vector<AxisFunctional> drawn;
  for (const circuit::AxisId axis : axes) {
    const std::uint64_t size = circuit.axes[axis].size;
    std::vector<Fp2> point;
    for (unsigned i = 0; i < VariablesOf(size); ++i) {
      point.push_back(channel.Draw(transcript, Label::kPoint, 1));
    }
    drawn.push_back(AxisFunctional::Eq(size, std::move(point)));
  }
  return drawn;
}

void AddNumber(const circuit::Circuit& circuit, const Layout& layout, circuit::ValueId number,
               std::uint64_t copy, const Functional& functional, std::vector<Block>& blocks) {
  const std::vector<unsigned>& limb_bits = circuit[number].number.limb_bits;
  Fp2 unit(1);
  for (unsigned limb = 0; limb < limb_bits.size(); ++limb) {
    AddBlocks(layout.BlocksOf({number, limb}), functional, copy, unit, blocks);
    unit *= Fp(std::uint64_t{1} << limb_bits[limb]);
  }
}

Claim NumberClaim(const circuit::Circuit& circuit, const Layout& layout, circuit::ValueId number,
                  std::uint64_t copy, const std::vector<AxisFunctional>& axes,
                  const Masked& value) {
  const Functional functional{.steps = AxisFunctional::Weights({Fp2(1)}), .axes = axes};
  Claim claim{.matrix = 0, .blocks = {}, .value = value};
  AddNumber(circuit, layout, number, copy, functional, claim.blocks);
  claim.value += Masked(Fp2(Fp::FromInt(circuit[number].number.bias)) * functional.Sum());
  return claim;
}

Claim TensorClaim(std::size_t matrix, const TensorBlocks& blocks,
                  const std::vector<AxisFunctional>& axes, const Masked& value) {
  Claim claim{.matrix = matrix, .blocks = {}, .value = value};
  // The first axis takes the place of the steps; a scalar has none at all.
  Functional functional{.steps = axes.empty() ? AxisFunctional() : axes[0], .axes = {}};
  if (!axes.empty()) functional.axes.assign(axes.begin() + 1, axes.end());
  AddBlocks(blocks, functional, 0, Fp2(1), claim.blocks);
  return claim;
}

}  // namespace flair::zk
