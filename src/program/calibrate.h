// Calibrate: formats for a program from what a pilot saw. docs/spec/program.md, "Calibration".
//
//   gradients at products   the finest scale that leaves the head-room, of the bits there are
//   all others              the program's own scale; where that leaves too little head-room more
//                           bits, as the line may have them, then a coarser scale
//
// Place: program, above pilot.h and lower.h. Thread safety: functions of their arguments.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "program/lower.h"
#include "program/pilot.h"
#include "program/program.h"
#include "program/train.h"

namespace flair::program {

// Bits between the largest value seen and the format's range. Gradients change by more than values
// do over a run. Weights, which move by small steps, have one bit.
struct Headroom {
  unsigned values = 2;
  unsigned gradients = 4;
  unsigned bits = 0;  // of activations and gradients; 0: what the program has, or more
};
inline constexpr unsigned kMaxHeadroom = 20;
inline constexpr unsigned kLeastBits = 4, kMostBits = 30;  // of a node's own format

// What became of one line.
struct FormatChoice {
  std::string name;  // as the program's text has it: "h activation", "momentum", "param w scale"
  double seen = 0;
  Format before;  // of a parameter 32 bits, and its unit's scale
  Format after;
};

struct Calibration {
  Program program;
  Lowered lowered;  // of that program
  std::vector<FormatChoice> choices;
};

// The worst case is bounded by lowering the program: where it does not hold with the bits that the
// program has, they are narrowed, by four at most.
// REQUIRES: `graph` is StepGraphOf(program), `seen` a pilot's of it.
// Errors: those of Lower(): kInvalidArgument where the bound holds in none of these formats.
Result<Calibration> Calibrate(const Program& program, const StepGraph& graph,
                              const Magnitudes& seen, const Headroom& headroom = {});

// How much of their ranges the numbers of exact steps took, by line.
class RangeUse {
 public:
  explicit RangeUse(const Lowered& lowered) : lowered_(lowered) {}

  void Note(const TrainingStep& step);
  // Whole bits that were left above the largest value; none for a line without a number.
  std::optional<int> BitsLeft(const std::string& line) const;

 private:
  const Lowered& lowered_;
  std::map<std::string, double> shares_;  // by line, the largest |v| / range
};

// What a line costs: limbs of all its numbers, and what of a step they are.
struct LineCost {
  unsigned limbs = 0;       // of its widest number
  std::uint64_t cells = 0;  // limbs of every cell
};
std::map<std::string, LineCost> CostsByLine(const circuit::Circuit& circuit);
// Rows of all tables together.
std::uint64_t NumTableRows(const circuit::Circuit& circuit);

}  // namespace flair::program
