// SPDX-License-Identifier: Apache-2.0
#include "proof/program_steps.h"

#include <string>

namespace flair::proof {
namespace {

Error Wrong(const std::string& what) { return {ErrorCode::kInvalidArgument, what}; }

}  // namespace

Status CheckFits(const program::Lowered& lowered, const ProgramSteps::Range& range) {
  const circuit::Circuit& circuit = lowered.circuit;
  if (!circuit.data.empty()) {
    if (range.num_records < lowered.batch || range.num_records > kMaxRecords) {
      return Wrong("a data set of " + std::to_string(range.num_records) + " records; a batch has " +
                   std::to_string(lowered.batch));
    }
    if (range.num_steps > kMaxReads / lowered.batch) {
      return Wrong(std::to_string(range.num_steps) + " steps of " + std::to_string(lowered.batch) +
                   " records are too many for one proof");
    }
  }
  // Each is below 2^36, and there are 2^15 at most.
  std::uint64_t cells = 0;
  for (const program::PublicInput& input : lowered.publics) {
    cells += circuit.SizeOf(circuit[input.value].axes);
    if (range.num_steps > kMaxPublicCells / cells) {
      return Wrong(std::to_string(range.num_steps) + " steps of '" + circuit[input.value].name +
                   "' and the publics before it are too many for one proof");
    }
  }
  return OkStatus();
}

Result<ProgramSteps> ProgramSteps::Make(const program::Lowered& lowered, const Range& range) {
  FLAIR_DO(CheckFits(lowered, range));
  ProgramSteps steps;
  if (!lowered.circuit.data.empty()) {
    program::Batches batches(range.seed, static_cast<std::uint32_t>(range.num_records),
                             lowered.batch);
    for (std::uint64_t t = 0; t < range.num_steps; ++t) {
      const auto rows = batches.RowsOf(range.first_step + t);
      steps.rows_.insert(steps.rows_.end(), rows.begin(), rows.end());
    }
  }
  steps.cells_.resize(lowered.circuit.values.size());
  for (const program::PublicInput& input : lowered.publics) {
    circuit::Ints& cells = steps.cells_[input.value];
    for (std::uint64_t t = 0; t < range.num_steps; ++t) {
      const circuit::Ints own = program::CellsOf(lowered, input, range.seed, range.first_step + t);
      cells.insert(cells.end(), own.begin(), own.end());
    }
  }
  return steps;
}

}  // namespace flair::proof
