// SPDX-License-Identifier: Apache-2.0
#include "zk/refresh/refresh_plan.h"

#include <algorithm>
#include <utility>

#include "zk/mask/counting_channel.h"
#include "zk/poly/eq.h"
#include "zk/relation/functional.h"
#include "zk/relation/layout.h"
#include "zk/training/opening_plan.h"

namespace flair::zk {
namespace {

Error Wrong(const char* what) { return {ErrorCode::kInvalidArgument, what}; }

std::uint64_t CellsOf(const MatrixShape& shape) { return shape.num_rows * shape.num_columns(); }

// A vector splits by the digits of its length into pieces that are aligned.
Claim ClaimOn(std::size_t matrix, std::uint64_t cells, std::span<const Fp2> point,
              const Masked& value) {
  Claim claim{.matrix = matrix, .blocks = {}, .value = value};
  for (const Piece& piece : PiecesOf(cells)) {
    const auto low = point.first(piece.log_size);
    claim.blocks.push_back(
        {.coefficient = EqAt(point.subspan(piece.log_size), piece.begin >> piece.log_size),
         .offset = piece.begin,
         .point = std::vector<Fp2>(low.begin(), low.end())});
  }
  return claim;
}

}  // namespace

Result<RefreshPlan> RefreshPlan::Make(const RefreshStatement& statement, QueryPolicy policy) {
  const auto& [before, after] = statement.matrices;
  for (const StatedMatrix& m : statement.matrices) {
    FLAIR_DO(CheckShape(m.shape));
    if (!KeptWithItsSeed(m.shape.kind)) return Wrong("a matrix that no seed is kept with");
  }
  if (before.shape.kind != after.shape.kind) return Wrong("matrices of two kinds");
  // SOUNDNESS: the same cells under another card are other data.
  // Test: RefreshTest.DataAreCellsAndTheirReading.
  if (statement.reading.has_value() != (before.shape.kind == MatrixKind::kData)) {
    return Wrong("data are refreshed with what their cards say, and nothing else is");
  }
  if (before == after) return Wrong("one matrix, which is no refreshed one");
  RefreshPlan plan;
  plan.statement_ = statement;
  plan.num_variables_ = VariablesOf(std::max(CellsOf(before.shape), CellsOf(after.shape)));

  CountingChannel counts;
  Transcript dry(kRefreshProtocol);
  plan.RunScript(dry, counts, nullptr);
  // A row of zeros: all that the witness is for are the pads.
  FLAIR_TRY(BatchPlan batch,
            PlanOpening({.num_cells = 1, .script = counts}, ShapesOf(statement.matrices), policy));
  plan.batch_ = std::make_shared<const BatchPlan>(std::move(batch));
  return plan;
}

std::vector<Claim> RefreshPlan::RunScript(Transcript& transcript, Channel& channel,
                                          RefreshWitness* witness) const {
  std::vector<Fp2> point;
  for (unsigned i = 0; i < num_variables_; ++i) {
    point.push_back(channel.Draw(transcript, Label::kPoint, 1));
  }
  const Secret value = channel.Pass(transcript, Label::kClaimValue,
                                    {witness != nullptr ? witness->ValueAt(point) : Fp2()})[0];
  // SOUNDNESS: one value for both. Test: RefreshTest.OtherCellsHaveNoProof.
  std::vector<Claim> claims;
  for (std::size_t i = 0; i < statement_.matrices.size(); ++i) {
    claims.push_back(ClaimOn(i + 1, CellsOf(statement_.matrices[i].shape), point, value.masked));
  }
  return claims;
}

}  // namespace flair::zk
