// ProgramSteps: what follows from a program for the steps of one proof: batches and publics.
//
// Both ends derive it from the statement; nobody sends it. Place: proof, over program and zk.
// Thread safety: const methods from any thread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "program/lower.h"
#include "zk/relation/product.h"

namespace flair::proof {

// What one proof's steps may need of memory, whatever a statement says.
inline constexpr std::uint64_t kMaxRecords = std::uint64_t{1} << 28;  // of the data set
inline constexpr std::uint64_t kMaxReads = std::uint64_t{1} << 26;    // of batches, all steps
inline constexpr std::uint64_t kMaxPublicCells = std::uint64_t{1}
                                                 << 28;  // of all publics and steps

class ProgramSteps final : public zk::Publics {
 public:
  struct Range {
    program::Seed seed;
    std::uint64_t first_step = 0;
    std::uint64_t num_steps = 1;
    std::uint64_t num_records = 0;  // of the data set; 0 for a program without columns
  };
  // Errors: kInvalidArgument for a data set smaller than a batch and for more steps than the
  // limits above allow in one proof.
  static Result<ProgramSteps> Make(const program::Lowered& lowered, const Range& range);

  // Records of every step's batch, step after step.
  std::span<const std::uint32_t> rows() const { return rows_; }
  std::span<const std::int64_t> CellsOf(circuit::ValueId id) const override { return cells_[id]; }

 private:
  std::vector<std::uint32_t> rows_;
  std::vector<circuit::Ints> cells_;  // by ValueId
};

// The same limits, without deriving anything.
Status CheckFits(const program::Lowered& lowered, const ProgramSteps::Range& range);

}  // namespace flair::proof
