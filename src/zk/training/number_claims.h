// Claims that tie numbers of a circuit to matrices that outlive proofs: at one point of the
// number's axes, its cells in the witness and its tensor in the matrix have one value.
// docs/spec/training.md, "Links".
//
// Place: zk/training, over relation; used by both sides. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "circuit/circuit.h"
#include "zk/batch/claim.h"
#include "zk/mask/channel.h"
#include "zk/relation/functional.h"
#include "zk/relation/layout.h"

namespace flair::zk {

// A point on the axes, drawn axis by axis.
std::vector<AxisFunctional> DrawAxes(const circuit::Circuit& circuit,
                                     const std::vector<circuit::AxisId>& axes,
                                     Transcript& transcript, Channel& channel);
// Adds the blocks of a number under a functional from its copy `copy` on: its limbs times their
// units, with the bias.
void AddNumber(const circuit::Circuit& circuit, const Layout& layout, circuit::ValueId number,
               std::uint64_t copy, const Functional& functional, std::vector<Block>& blocks);
// That a copy of a number, less its bias, has this value under functionals on its axes.
Claim NumberClaim(const circuit::Circuit& circuit, const Layout& layout, circuit::ValueId number,
                  std::uint64_t copy, const std::vector<AxisFunctional>& axes, const Masked& value);
// That a tensor of a matrix has it.
Claim TensorClaim(std::size_t matrix, const TensorBlocks& blocks,
                  const std::vector<AxisFunctional>& axes, const Masked& value);

}  // namespace flair::zk
