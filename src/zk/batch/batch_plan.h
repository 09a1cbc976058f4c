// BatchPlan: everything about a batch opening that follows from public numbers.
//
// Matrix 0 is the witness: its data rows, then the blinding row of its group (2 rows over F),
// then the mask rows (2 for each K-row). The others are long-lived; each of their groups has a
// companion matrix of two rows for its blinding row. The mask rows count as one more matrix of
// the witness's group, about which nothing is claimed: so they are tested with the rest.
// docs/spec/opening.md.
//
// Place: zk/batch; used by both sides. Thread safety: const methods from any thread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.h"
#include "zk/batch/claim.h"
#include "zk/batch/soundness_term.h"
#include "zk/field/fp2.h"
#include "zk/mask/mask_shape.h"
#include "zk/pcs/shape.h"
#include "zk/tail/tail_plan.h"

namespace flair::zk {

// How many columns are opened: as many as make up for the work that is not done. A fixed number
// is for tests alone, whose plans may be weak.
struct QueryPolicy {
  unsigned work_bits = kQueryWorkBits;
  std::optional<std::uint64_t> fixed_queries;
  std::optional<bool> has_tail;  // for tests: else whether it makes the proof shorter
};

// Limits of an opening, of what a verifier will do as well as of its soundness.
inline constexpr std::size_t kMaxMatrices = 64;
inline constexpr std::uint64_t kMaxClaims = std::uint64_t{1} << 20;
inline constexpr std::uint64_t kMaxConstraints = std::uint64_t{1} << 20;
inline constexpr std::uint64_t kMaxPads = std::uint64_t{1} << 32;  // and triples

class BatchPlan {
 public:
  // `witness`: num_rows are its data rows. `pads`, `triples`: what the caller uses besides;
  // `besides`: with what probability its own draws let a false statement pass.
  // Errors: kInvalidArgument for shapes that cannot be, a witness without room for mask rows, one
  // too small for its queries to be possible, more than the limits, and, unless the number of
  // queries is fixed, less than kSoundnessBits of all terms together.
  static Result<BatchPlan> Make(const MatrixShape& witness, std::vector<MatrixShape> long_lived,
                                std::uint64_t pads, std::uint64_t triples, QueryPolicy policy,
                                std::vector<SoundnessTerm> besides = {});

  // Matrix 0 with all its rows; the others as given.
  const std::vector<MatrixShape>& matrices() const { return matrices_; }
  std::uint64_t data_rows(std::size_t matrix) const { return data_rows_[matrix]; }
  const MaskShape& mask() const { return *mask_; }
  std::uint64_t blinder_row() const { return data_rows_[0]; }  // of matrix 0
  std::uint64_t first_mask_row() const { return data_rows_[0] + 2; }

  struct Group {
    std::vector<std::size_t> members;      // matrices
    std::optional<MatrixShape> companion;  // none in the witness's group
    std::uint64_t num_queries = 0;
  };
  const std::vector<Group>& groups() const { return groups_; }
  unsigned work_bits() const { return policy_.work_bits; }
  // Null when the combined rows are sent.
  const TailPlan* tail() const { return tail_ ? &*tail_ : nullptr; }
  // What the caller said of itself; SoundnessTerms() has them all.
  const std::vector<SoundnessTerm>& besides() const { return besides_; }

  // kappa and the variables of the data rows.
  unsigned num_variables(std::size_t matrix) const;
  unsigned row_variables(std::uint64_t rows) const;
  // Of the sumcheck over all.
  unsigned num_variables() const { return num_variables_; }
  // Pads that the batch itself uses, after the caller's.
  std::uint64_t batch_pads() const;

  // Claims are no more than kMaxClaims and name cells of data rows, in blocks that are aligned.
  // Errors: kInvalidArgument.
  Status CheckClaims(std::span<const Claim> claims) const;

  // Weights of matrix 0's or another's rows in the combined row of its group, from the common
  // point; `epsilon_mask` counts in matrix 0 alone.
  std::vector<Fp2> RowWeights(std::size_t matrix, std::span<const Fp2> point, Fp2 epsilon,
                              Fp2 epsilon_mask) const;

 private:
  BatchPlan() = default;
  Status PlaceRows();

  std::vector<MatrixShape> matrices_;
  std::vector<std::uint64_t> data_rows_;
  std::optional<MaskShape> mask_;
  std::vector<Group> groups_;
  std::optional<TailPlan> tail_;
  unsigned num_variables_ = 0;
  QueryPolicy policy_;
  std::vector<SoundnessTerm> besides_;
};

}  // namespace flair::zk
