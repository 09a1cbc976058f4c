// SPDX-License-Identifier: Apache-2.0
#include "zk/prover/weights_prover.h"

#include <memory>
#include <utility>

#include "zk/prover/int_rows.h"
#include "zk/prover/lookup_prover.h"

namespace flair::zk {
namespace {

class Values final : public WeightsWitness {
 public:
  explicit Values(const RunValues& values) : values_(values) {}

  // Axis by axis, the last one first.
  Fp2 ValueAt(circuit::ValueId number, const std::vector<AxisFunctional>& axes) override {
    const std::span<const std::int64_t> cells = values_.CellsOf(number);
    if (axes.empty()) return Fp2(Fp::FromInt(cells[0]));
    const std::vector<Fp2> last = axes.back().ToWeights();
    std::vector<Fp2> folded(cells.size() / last.size());
    for (std::size_t i = 0; i < cells.size(); ++i) {
      folded[i / last.size()] += last[i % last.size()] * Fp::FromInt(cells[i]);
    }
    for (std::size_t axis = axes.size() - 1; axis-- > 0;) {
      const std::vector<Fp2> weights = axes[axis].ToWeights();
      for (std::size_t i = 0; i < folded.size(); ++i) {
        const Fp2 term = folded[i] * weights[i % weights.size()];
        folded[i / weights.size()] =
            i % weights.size() == 0 ? term : folded[i / weights.size()] + term;
      }
      folded.resize(folded.size() / weights.size());
    }
    return folded[0];
  }

 private:
  const RunValues& values_;
};

}  // namespace

Result<Bytes> ProveWeights(const WeightsPlan& plan, RunValues& values,
                           std::vector<const CommittedMatrix*> matrices, Env& env,
                           const ReserveStated& reserve) {
  const LookupPlan& lookups = plan.layout().lookups();
  std::vector<std::int32_t> cells = values.Cells(plan.layout());
  FLAIR_DO(CountLookups(lookups, cells));
  const auto rows =
      std::make_shared<IntRows>(std::move(cells), plan.batch().matrices()[0].num_columns());
  FLAIR_TRY(BatchProver prover, BatchProver::Commit(plan.batch(), rows, std::move(matrices), env));
  Transcript transcript(kWeightsProtocol);
  plan.statement().Absorb(transcript);
  prover.AbsorbRoots(transcript);
  ProvenLookups proven = ProveLookups(lookups, rows->cells(), transcript, prover);
  Values weights(values);
  std::vector<Claim> claims = std::move(proven.claims);
  for (Claim& claim : plan.RunScript(transcript, prover, &weights, &values)) {
    claims.push_back(std::move(claim));
  }
  return FinishProof(prover, transcript, claims, plan.statement().Hash(), proven.nonce, reserve);
}

}  // namespace flair::zk
