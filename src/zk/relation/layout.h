// Layout: where the cells of a circuit lie in the witness of a proof of T steps.
//
// A limb of a number has T copies of its tensor (one more of state), the step being the highest
// axis. An axis of size n splits by the binary digits of n, largest piece first; a tensor is the
// product of its axes' pieces, each a block of 2^k cells. All blocks of all tensors and tables
// are placed by size, largest first: so each lies at a multiple of its size, and no cell is
// wasted. docs/spec/relations.md.
//
// Place: zk/relation, over circuit and lookup; used by both sides.
// Thread safety: const methods from any thread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.h"
#include "circuit/circuit.h"
#include "zk/batch/claim.h"
#include "zk/lookup/lookup_plan.h"
#include "zk/relation/functional.h"

namespace flair::zk {

// [begin, begin + 2^log_size) of an axis; begin is a multiple of the size.
struct Piece {
  std::uint64_t begin = 0;
  unsigned log_size = 0;
};
std::vector<Piece> PiecesOf(std::uint64_t size);

// Where a tensor's blocks lie: the first axis of `sizes` is the highest.
struct TensorBlocks {
  struct Placed {
    std::vector<Piece> pieces;  // by axis
    std::uint64_t offset = 0;
    unsigned log_size() const;
  };
  std::vector<std::uint64_t> sizes;
  std::vector<Placed> blocks;
};

// All combinations of the axes' pieces, the last axis fastest; not placed yet.
// Errors: kInvalidArgument for more than 2^20 of them.
Result<TensorBlocks> SplitTensor(std::vector<std::uint64_t> sizes);

// Something of 2^log_size cells that wants an offset.
struct Place {
  unsigned log_size;
  std::uint64_t* offset;
};
// One behind the other from 0 on, largest first, equal ones in order; returns the cells' number.
// Errors: kInvalidArgument for more than 2^32 cells.
Result<std::uint64_t> PlaceAll(std::vector<Place> places);

// Adds coefficient * <functional, tensor> to a claim's blocks. `first` begins the part of the
// highest axis that the functional is about: of state, 0 reads each step's beginning, 1 its end.
// REQUIRES: weights of few enough axes: CountBlocks() says how many blocks there will be.
void AddBlocks(const TensorBlocks& tensor, const Functional& functional, std::uint64_t first,
               Fp2 coefficient, std::vector<Block>& into);
std::uint64_t CountBlocks(const TensorBlocks& tensor, const Functional& functional);

class Layout {
 public:
  // Errors: kInvalidArgument for a circuit that does not fit in 2^32 cells or splits into more
  // than 2^20 blocks, and what LookupPlan refuses.
  static Result<Layout> Make(const circuit::Circuit& circuit, std::uint64_t num_steps);

  std::uint64_t num_steps() const { return num_steps_; }
  std::uint64_t num_cells() const { return num_cells_; }
  const LookupPlan& lookups() const { return *lookups_; }
  // REQUIRES: a number of the circuit.
  const TensorBlocks& BlocksOf(circuit::LimbRef limb) const {
    return limbs_[limb.number][limb.limb];
  }

 private:
  Layout() = default;

  std::uint64_t num_steps_ = 0;
  std::uint64_t num_cells_ = 0;
  std::vector<std::vector<TensorBlocks>> limbs_;  // by ValueId, limb
  std::optional<LookupPlan> lookups_;
};

}  // namespace flair::zk
