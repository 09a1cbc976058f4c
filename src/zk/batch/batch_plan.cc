// SPDX-License-Identifier: Apache-2.0
#include "zk/batch/batch_plan.h"

#include <algorithm>
#include <bit>
#include <string>

#include "zk/batch/soundness.h"
#include "zk/pcs/opening.h"
#include "zk/poly/eq.h"

namespace flair::zk {
namespace {

constexpr std::uint64_t kPadsPerRound = 3;  // a quadratic at 0, 1, 2

Error Wrong(std::string what) { return {ErrorCode::kInvalidArgument, std::move(what)}; }

}  // namespace

unsigned BatchPlan::row_variables(std::uint64_t rows) const {
  return rows <= 1 ? 0 : static_cast<unsigned>(std::bit_width(rows - 1));
}

unsigned BatchPlan::num_variables(std::size_t matrix) const {
  return matrices_[matrix].log_columns + row_variables(data_rows_[matrix]);
}

// Rounds; a value for each matrix and for the mask rows; a value for each blinding row.
std::uint64_t BatchPlan::batch_pads() const {
  return kPadsPerRound * num_variables_ + matrices_.size() + 1 + groups_.size();
}

// Combined rows are committed instead of sent where that is less.
Status BatchPlan::PlaceRows() {
  std::vector<MatrixShape> shapes;
  std::uint64_t sent = 0;
  for (const Group& group : groups_) {
    shapes.push_back(matrices_[group.members[0]]);
    sent += Fp2::kBytes * shapes.back().row_length();
  }
  if (policy_.has_tail == false) return OkStatus();
  FLAIR_TRY(TailPlan tail, PlanTail(shapes, policy_.work_bits, policy_.fixed_queries));
  if (policy_.has_tail.value_or(tail.bytes() < sent)) tail_ = std::move(tail);
  return OkStatus();
}

Result<BatchPlan> BatchPlan::Make(const MatrixShape& witness, std::vector<MatrixShape> long_lived,
                                  std::uint64_t pads, std::uint64_t triples, QueryPolicy policy,
                                  std::vector<SoundnessTerm> besides) {
  if (long_lived.size() >= kMaxMatrices) return Wrong("more matrices than an opening has");
  if (pads > kMaxPads || triples > kMaxPads) return Wrong("more pads than an opening has");
  if (policy.work_bits > kMaxQueryWorkBits) return Wrong("more work than anybody does");
  BatchPlan plan;
  plan.policy_ = policy;
  plan.besides_ = std::move(besides);
  plan.matrices_ = std::move(long_lived);
  plan.matrices_.insert(plan.matrices_.begin(), witness);
  for (const MatrixShape& shape : plan.matrices_) {
    FLAIR_DO(CheckShape(shape));
    plan.data_rows_.push_back(shape.num_rows);
  }
  for (std::size_t m = 0; m < plan.matrices_.size(); ++m) {
    // Pads of a long-lived matrix are of its values; a witness's are fresh.
    if (m == 0 ? witness.kind != MatrixKind::kWitness : !KeptWithItsSeed(plan.matrices_[m].kind)) {
      return Wrong("matrix " + std::to_string(m) + " is of another kind");
    }
  }
  if (!MaskShape::Fits(witness)) {
    return Wrong("a witness of " + std::to_string(witness.num_columns()) + " columns and " +
                 std::to_string(witness.num_pads) + " pads has no room for mask rows");
  }
  for (std::size_t m = 0; m < plan.matrices_.size(); ++m) {
    const MatrixShape& shape = plan.matrices_[m];
    const auto group = std::find_if(plan.groups_.begin(), plan.groups_.end(), [&](const Group& g) {
      return SameGroup(plan.matrices_[g.members[0]], shape);
    });
    if (group != plan.groups_.end()) {
      group->members.push_back(m);
      continue;
    }
    Group made;
    made.members = {m};
    if (m != 0) {
      made.companion = shape;
      made.companion->num_rows = 2;
      made.companion->kind = MatrixKind::kCompanion;
    }
    made.num_queries =
        policy.fixed_queries.value_or(NumQueries(shape.row_length(), shape.n(), policy.work_bits));
    if (made.num_queries == 0 || made.num_queries > shape.num_pads) {
      return Wrong(std::to_string(made.num_queries) + " queries do not fit " +
                   std::to_string(shape.num_pads) + " pads");
    }
    plan.groups_.push_back(std::move(made));
  }
  FLAIR_DO(plan.PlaceRows());
  for (std::size_t m = 0; m < plan.matrices_.size(); ++m) {
    plan.num_variables_ = std::max(plan.num_variables_, plan.num_variables(m));
  }
  // The mask rows are as many as their pads need, and the pads grow with the rounds.
  for (;;) {
    plan.mask_.emplace(witness, pads + plan.batch_pads(), triples);
    const unsigned needed = witness.log_columns + plan.row_variables(plan.mask_->num_rows());
    if (needed <= plan.num_variables_) break;
    plan.num_variables_ = needed;
  }
  plan.matrices_[0].num_rows += 2 + 2 * plan.mask_->num_rows();
  FLAIR_DO(CheckShape(plan.matrices_[0]));
  // SOUNDNESS: no plan is weaker than it must be. Attack: a shape at the limits of the code, a
  // script of very many draws.
  const SoundnessTerm total = TotalOf(SoundnessTerms(plan));
  if (!policy.fixed_queries && total.parts > Uint128{1} << (128 - kSoundnessBits)) {
    return Wrong("a proof of only " + std::to_string(total.bits()) + " bits");
  }
  return plan;
}

Status BatchPlan::CheckClaims(std::span<const Claim> claims) const {
  if (claims.size() > kMaxClaims) return Wrong("more claims than an opening has");
  for (const Claim& claim : claims) {
    if (claim.matrix >= matrices_.size()) return Wrong("a claim on a matrix that is not there");
    const std::uint64_t num_cells =
        data_rows_[claim.matrix] * matrices_[claim.matrix].num_columns();
    for (const Block& block : claim.blocks) {
      const std::size_t k = block.point.size();
      // SOUNDNESS: a block is where it says. Attack: an offset that is rounded down, or wraps.
      // Test: AClaimBeyondItsMatrixIsNotReadAsOneInside.
      if (k >= 64 || block.offset % (std::uint64_t{1} << k) != 0 || block.offset >= num_cells ||
          std::uint64_t{1} << k > num_cells - block.offset) {
        return Wrong("a claim on cells outside of matrix " + std::to_string(claim.matrix) +
                     ", or not aligned");
      }
    }
  }
  return OkStatus();
}

std::vector<Fp2> BatchPlan::RowWeights(std::size_t matrix, std::span<const Fp2> point, Fp2 epsilon,
                                       Fp2 epsilon_mask) const {
  const MatrixShape& shape = matrices_[matrix];
  const auto rows_at = [&](std::uint64_t rows) {
    return EqTable(point.subspan(shape.log_columns, row_variables(rows)));
  };
  std::vector<Fp2> weights = rows_at(data_rows_[matrix]);
  weights.resize(data_rows_[matrix]);
  for (Fp2& w : weights) w *= epsilon;
  if (matrix != 0) return weights;
  weights.push_back(kWeightOfA);
  weights.push_back(kWeightOfB);
  // SOUNDNESS: the mask rows count, so that B2 is one polynomial before mu is drawn. Attack: one
  // for each mu. Test: AnotherB2ForEachMuIsRejected.
  const std::vector<Fp2> mask_rows = rows_at(mask_->num_rows());
  for (std::uint64_t i = 0; i < mask_->num_rows(); ++i) {
    weights.push_back(mask_rows[i] * epsilon_mask * kWeightOfA);
    weights.push_back(mask_rows[i] * epsilon_mask * kWeightOfB);
  }
  return weights;
}

}  // namespace flair::zk
