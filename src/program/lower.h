// Lowering: a program as the circuit of one training step, and what of it is what.
//
// Every primitive becomes products and sums that nobody commits to, and numbers where the
// numeric profile says that a value is rounded. docs/spec/lowering.md has the identities.
//
// Place: program, above graph.h and circuit; the trainer (train.h), the prover and the verifier
// start here. All three get the same circuit from the same program.
// Thread safety: plain values and functions of their arguments.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "circuit/circuit.h"
#include "circuit/contract.h"
#include "program/draws.h"
#include "program/gauge.h"
#include "program/graph.h"
#include "program/lower/adam_factors.h"
#include "program/program.h"
#include "program/schedule.h"
#include "program/slack.h"

namespace flair::program {

// A public of the circuit, and what its cells are in a step.
struct PublicInput {
  enum class Kind : std::uint8_t {
    kLearningRate,   // the schedule's numerator
    kMask,           // the draw `index`, 0 with probability `drop`
    kPlaces,         // 0, 1, 2, ...
    kGradientShare,  // denominator of the dampening, less its numerator from the second step on
    kDecay,          // DecayFactor() of the schedule's numerator
    kAdamFactor,     // AdamFactors::FactorAt()
    kAdamEpsilon,    // AdamFactors::EpsilonAt()
    kSlackShare,     // rho^2, of a recorded step
  };
  circuit::ValueId value = 0;
  Kind kind = Kind::kLearningRate;
  std::uint32_t index = 0;
  Rational drop;
};

// What the optimiser remembers of a parameter.
struct OptimiserState {
  circuit::ValueId value = 0;
  std::uint32_t parameter = 0;
};

// A sign that may be given, of a node of the graph.
struct TiedSign {
  circuit::ValueId positive = 0;
  NodeId node = 0;
};

// A maximum whose cell may be given, of a max-pool.
struct TiedChoice {
  circuit::ValueId value = 0;
  circuit::ValueId selector = 0;
  NodeId node = 0;
};

// A node of the step's graph as a number of its format.
struct RoundedNode {
  circuit::ValueId value = 0;
  NodeId node = 0;
  int scale = 0;  // a cell c is c 2^-scale
};

struct Lowered {
  circuit::Circuit circuit;
  std::vector<std::optional<circuit::ValueId>> columns;  // none: nothing reads the column
  std::vector<circuit::ValueId> parameters;
  std::vector<circuit::ValueId> buffers;
  std::vector<OptimiserState> states;
  std::vector<PublicInput> publics;  // in the order of circuit.publics
  std::vector<RoundedNode> rounded;
  std::vector<NodeId> logits;  // whose format bounds the largest of each row
  Schedule schedule;
  Rates rates;                             // of the schedule
  std::optional<AdamFactors> adam;         // of Adam and AdamW
  std::int64_t decay = 0;                  // beside the gradients, in units of 2^-62
  Rational dampening;                      // of gradients from the second step on
  std::optional<Slack> bounds;             // of a recorded run
  std::optional<SlackUnits> slack;         // the same, as the circuit has them
  std::vector<GaugeTensor> gauges;         // of a recorded run
  std::shared_ptr<const Program> program;  // of a recorded run
  std::shared_ptr<const Graph> graph;
  std::vector<TiedSign> ties;
  std::vector<TiedChoice> choices;
  std::optional<circuit::ValueId> deviations;     // state: how many signs were given
  int slack_scale = 0;                            // of the drift's unit, 2^(scale-30)
  std::optional<circuit::ValueId> drift;          // state: the sum of |e|
  std::optional<circuit::ValueId> error_square;   // |e|^2 over all tensors
  std::optional<circuit::ValueId> change_square;  // |W' - W|^2 / 2^24
  std::uint64_t batch = 1;
};

// Bits of a weight that products do not read: they read the middle of the cell of the others,
//   V = 2 floor(W / 2^12) + 1,
// in halves of its unit.
inline constexpr unsigned kLowWeightBits = 12;

// Errors: kInvalidArgument from CheckProgram(), BuildGraph() and Rule Z (a sum that can pass
// 2^62); kUnsupported for what no circuit is known for, naming the node.
// `slack`: the circuit of recorded steps, whose weights are given; none: of exact ones.
Result<Lowered> Lower(const Program& program, const std::optional<Slack>& slack = std::nullopt);

// What Lower() lowers: pools stand before relus, and the graph has its derivative. Formats change
// neither.
struct StepGraph {
  Program program;
  Graph graph;
};
// Errors: those of CheckProgram() and BuildGraph().
Result<StepGraph> StepGraphOf(const Program& program);

// round(rate decay 2^36), the rate numerator / the schedule's denominator, a power of two.
inline constexpr unsigned kDecayScale = 36;
std::int64_t DecayFactor(const Lowered& lowered, std::int64_t numerator);

// Signs of a step that may be given.
std::uint64_t NumDecisions(const Lowered& lowered);

// The cells of a public in a step.
circuit::Ints CellsOf(const Lowered& lowered, const PublicInput& input, const Seed& seed,
                      std::uint64_t step);

}  // namespace flair::program
