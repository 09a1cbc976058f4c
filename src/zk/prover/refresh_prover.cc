// SPDX-License-Identifier: Apache-2.0
#include "zk/prover/refresh_prover.h"

#include <memory>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/threads.h"
#include "zk/poly/eq.h"

namespace flair::zk {
namespace {

class Cells final : public RefreshWitness {
 public:
  explicit Cells(const CommittedMatrix& matrix) : matrix_(matrix) {}

  // sum over rows of eq(high, row) sum over columns of eq(low, column) cell
  Fp2 ValueAt(std::span<const Fp2> point) override {
    const MatrixShape& shape = matrix_.shape();
    const std::vector<Fp2> low = EqTable(point.first(shape.log_columns));
    const std::span<const Fp2> high = point.subspan(shape.log_columns);
    std::vector<Fp2> sums(shape.num_rows);
    const Status done = ParallelFor(shape.num_rows, [&](std::size_t r) {
      std::vector<std::uint64_t> row(shape.num_columns());
      matrix_.rows().Read(r, row);
      for (std::size_t c = 0; c < row.size(); ++c) sums[r] += low[c] * Fp(row[c]);
      sums[r] *= EqAt(high, r);
      return OkStatus();
    });
    FLAIR_CHECK(done.ok()) << "a sum cannot fail";
    Fp2 sum;
    for (const Fp2& part : sums) sum += part;
    return sum;
  }

 private:
  const CommittedMatrix& matrix_;
};

}  // namespace

Result<Bytes> ProveRefresh(const RefreshPlan& plan, const CommittedMatrix& before,
                           const CommittedMatrix& after, Env& env, const ReserveStated& reserve) {
  const MatrixShape& witness = plan.batch().matrices()[0];
  const auto zeros = std::make_shared<StoredRows>(
      std::vector<std::uint64_t>(plan.batch().data_rows(0) * witness.num_columns()),
      witness.num_columns());
  FLAIR_TRY(BatchProver prover, BatchProver::Commit(plan.batch(), zeros, {&before, &after}, env));
  Transcript transcript(kRefreshProtocol);
  plan.statement().Absorb(transcript);
  prover.AbsorbRoots(transcript);
  Cells cells(before);
  const std::vector<Claim> claims = plan.RunScript(transcript, prover, &cells);
  return FinishProof(prover, transcript, claims, plan.statement().Hash(), 0, reserve);
}

}  // namespace flair::zk
