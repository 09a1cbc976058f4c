// Run: the integers of one step, by rule, and the judge of any that are said to be them.
//
// What a cell is follows from one rule alone, whatever the number of threads: the trainer, the
// prover and every test compute with this. docs/spec/circuit.md.
//
// Place: circuit, over circuit.h. Thread safety: functions; they use the machine's threads.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "circuit/circuit.h"
#include "circuit/contract.h"

namespace flair::circuit {

// Which cells a step keeps.
enum class Keep : std::uint8_t {
  kAll,
  // Not those of forms of more than one cell: they are dropped behind the last rule that reads
  // them, and never computed where none does, as of most zeros.
  kNumbers,
};

// Every value's cells in one step; of state, those before (`now`) and after it (`next`).
struct StepValues {
  std::vector<Ints> now;   // by ValueId
  std::vector<Ints> next;  // empty but for state
};

// What a step begins with: cells of data, of publics, of state, by ValueId; others are empty.
struct StepInputs {
  std::vector<Ints> cells;
  std::vector<Ints> next;  // by ValueId, of state that is recorded; may be empty without
  // By ValueId: signs that are given; of each window, which cell is. May be empty, as each of them.
  std::vector<Ints> given;
};

// Errors: kInvalidArgument for a value that does not fit its number, naming tensor, cell, value
// and the profile's line to raise.
Result<StepValues> RunStep(const Circuit& circuit, const StepInputs& inputs,
                           Keep keep = Keep::kAll);

// Where a form finds what it reads: the cells, or `scratch` after writing them there.
using Reader = std::function<std::span<const std::int64_t>(const Read& read, Ints& scratch)>;
Ints EvaluateForm(const Circuit& circuit, ValueId form, const Reader& reader);

// The cells that a read sees in a step.
Reader ReaderOf(const Circuit& circuit, const StepValues& values);

// Limb `limb` of a number, from its value.
class LimbCut {
 public:
  LimbCut(const Number& number, unsigned limb);
  std::int64_t operator()(std::int64_t v) const {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(v + bias_) >> shift_ & mask_);
  }

 private:
  std::int64_t bias_;
  unsigned shift_ = 0;
  std::uint64_t mask_;
};

// Does everything hold that a circuit says of one step? Numbers are given as limbs (each a cell
// of a witness), so that cells can be judged that no number has.
struct LimbValues {
  std::vector<std::vector<Ints>> now;   // by ValueId and limb
  std::vector<std::vector<Ints>> next;  // of state
};
LimbValues LimbsOf(const Circuit& circuit, const StepValues& values);
// The first lookup or zero that does not hold, by name; empty when all hold. `publics`: by
// ValueId, the others empty.
std::string Judge(const Circuit& circuit, const LimbValues& limbs,
                  const std::vector<Ints>& publics);

}  // namespace flair::circuit
