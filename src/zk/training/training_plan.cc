// SPDX-License-Identifier: Apache-2.0
#include "zk/training/training_plan.h"

#include <string>
#include <utility>

#include "zk/mask/counting_channel.h"
#include "zk/relation/relations.h"
#include "zk/training/opening_plan.h"

namespace flair::zk {
namespace {

Error Wrong(const std::string& what) { return {ErrorCode::kInvalidArgument, what}; }

// SOUNDNESS: Rule Z counts with these ranges; beyond them a form can be a multiple of p. Test:
// TrainingTest.APublicBeyondItsRangeIsRefused.
Status CheckPublics(const circuit::Circuit& circuit, const Publics& publics) {
  for (const circuit::ValueId id : circuit.publics) {
    const circuit::Value& value = circuit[id];
    for (const std::int64_t v : publics.CellsOf(id)) {
      if (v < value.lo || v > value.hi) {
        return Wrong("public '" + value.name + "' is " + std::to_string(v) + ", beyond its range");
      }
    }
  }
  return OkStatus();
}

}  // namespace

Status TrainingPlan::LinkMatrices() {
  const circuit::Circuit& circuit = *inputs_.circuit;
  FLAIR_DO(CheckColumns(circuit, inputs_.columns));
  FLAIR_TRY(LongLived data, DataLayout(inputs_.columns, statement_.num_records));
  FLAIR_TRY(LongLived weights, CarriedLayout(circuit, circuit::Carried::Role::kWeight));
  FLAIR_TRY(LongLived state, CarriedLayout(circuit, circuit::Carried::Role::kState));
  data_ = std::make_unique<LongLived>(std::move(data));
  weights_ = std::make_unique<LongLived>(std::move(weights));
  state_ = std::make_unique<LongLived>(std::move(state));
  const auto layout_of = [&](Role role) {
    return role == Role::kData                                           ? data_.get()
           : role == Role::kWeightsBefore || role == Role::kWeightsAfter ? weights_.get()
                                                                         : state_.get();
  };
  for (const Commitment& m : statement_.matrices) {
    const LongLived* layout = layout_of(m.role);
    const std::string name(RoleName(m.role));
    if (layout->tensors.empty()) return Wrong("the program has no " + name);
    const std::uint64_t columns = m.shape.num_columns();
    const std::uint64_t rows = (layout->num_cells + columns - 1) / columns;
    if (m.shape.num_rows != rows) {
      return Wrong("the matrix of " + name + " has " + std::to_string(m.shape.num_rows) +
                   " rows, the program's " + std::to_string(rows));
    }
    matrices_.push_back({m.role, matrices_.size() + 1, layout});
  }
  for (const Role role : {Role::kData, Role::kWeightsBefore, Role::kWeightsAfter}) {
    if (!layout_of(role)->tensors.empty() && statement_.Find(role) == nullptr) {
      return Wrong("the statement names no " + std::string(RoleName(role)));
    }
  }
  return OkStatus();
}

Result<TrainingPlan> TrainingPlan::Make(const TrainingStatement& statement,
                                        const TrainingInputs& inputs, QueryPolicy policy) {
  TrainingPlan plan;
  plan.statement_ = statement;
  plan.inputs_ = inputs;
  const circuit::Circuit& circuit = *inputs.circuit;
  FLAIR_DO(plan.LinkMatrices());
  std::uint64_t batch = 0;
  for (const circuit::ValueId id : circuit.data) {
    const std::uint64_t own = circuit.axes[circuit[id].axes[0]].size;
    if (batch != 0 && own != batch) return Wrong("columns of batches of two sizes");
    batch = own;
  }
  if (inputs.rows.size() != batch * statement.num_steps) {
    return Wrong("batches of " + std::to_string(inputs.rows.size()) + " records in all");
  }
  for (const std::uint32_t row : inputs.rows) {
    if (row >= statement.num_records) return Wrong("record " + std::to_string(row) + " is none");
  }
  FLAIR_DO(CheckPublics(circuit, *inputs.publics));
  FLAIR_TRY(Layout layout, Layout::Make(circuit, statement.num_steps));
  plan.layout_ = std::make_unique<Layout>(std::move(layout));

  CountingChannel counts;
  Transcript dry(kTrainingProtocol);
  plan.RunScript(dry, counts, nullptr, nullptr);
  std::vector<MatrixShape> long_lived;
  for (const Commitment& m : statement.matrices) long_lived.push_back(m.shape);
  FLAIR_TRY(BatchPlan made, PlanOpening({.num_cells = plan.layout_->num_cells(),
                                         .lookups = &plan.layout_->lookups(),
                                         .script = counts},
                                        std::move(long_lived), policy));
  plan.batch_ = std::make_unique<BatchPlan>(std::move(made));
  return plan;
}

std::vector<Claim> TrainingPlan::RunScript(Transcript& transcript, Channel& channel,
                                           LinkWitness* link_witness,
                                           RelationWitness* relation_witness) const {
  Links links(*inputs_.circuit, *layout_, matrices_, statement_.num_records, inputs_.rows,
              transcript, channel, link_witness);
  links.Show();
  Relations relations(*inputs_.circuit, *layout_, *inputs_.publics, transcript, channel,
                      relation_witness);
  relations.ShowZeros();
  std::vector<Claim> claims = links.TakeClaims();
  for (Claim& claim : relations.TakeClaims()) claims.push_back(std::move(claim));
  return claims;
}

}  // namespace flair::zk
