// The vectors of proofs of committed weights, tests/vectors/zk_weights.json: a program and a
// relation, commitments, a proof, and what the verifier says when a byte of these is another one.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "program/circuit_digest_testing.h"
#include "program/text.h"
#include "proof/prover/prove_weights.h"
#include "zk/prover/batch_testing.h"
#include "zk/prover/byte_changes_testing.h"
#include "zk/prover/proof_vectors_testing.h"
#include "zk/prover/training_prover.h"

namespace flair::proof {

namespace json = boost::json;

// --- relations in JSON ---------------------------------------------------------------------

inline json::value RelationJson(const WeightsRelation& relation) {
  if (relation.merge) {
    return {{"merge",
             {{"factors", json::value_from(relation.merge->factors)},
              {"divisor", relation.merge->divisor},
              {"tolerance", relation.merge->tolerance}}}};
  }
  if (relation.norm) return {{"norm", {{"bound", relation.norm->bound}}}};
  return {{"init", {{"bounds", json::value_from(relation.init->bounds)}}}};
}

// One or several of the three, or none.
inline WeightsRelation RelationOf(const json::value& value) {
  WeightsRelation relation;
  if (const json::value* merge = value.as_object().if_contains("merge")) {
    relation.merge = {.factors = json::value_to<std::vector<std::int64_t>>(merge->at("factors")),
                      .divisor = merge->at("divisor").to_number<std::int64_t>(),
                      .tolerance = merge->at("tolerance").to_number<std::uint32_t>()};
  }
  if (const json::value* norm = value.as_object().if_contains("norm")) {
    relation.norm = {.bound = norm->at("bound").to_number<std::uint64_t>()};
  }
  if (const json::value* init = value.as_object().if_contains("init")) {
    relation.init = {.bounds = json::value_to<std::vector<std::uint64_t>>(init->at("bounds"))};
  }
  return relation;
}

// --- reading and judging -------------------------------------------------------------------

// "accepted", or what refused it and why: program, relation and commitments, or the verifier.
inline std::string JudgeWeights(const json::value& vector) {
  const auto program = program::ParseProgram(zk::Str(vector.at("program")));
  if (!program.ok()) return "plan: " + program.error().message();
  WeightsClaim claim{.program = *program,
                     .relation = RelationOf(vector.at("relation")),
                     .wallet = zk::Dig(vector.at("wallet")),
                     .matrices = {}};
  const auto shapes = zk::ShapesOf(vector.at("matrices"));
  const auto roots = zk::DigestsOf(vector.at("roots"));
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    claim.matrices.push_back({.shape = shapes[i], .root = roots.at(i)});
  }
  const Bytes proof = FromHex(zk::Str(vector.at("proof"))).value();
  const auto bits = VerifyWeightsClaim(claim, proof, zk::PolicyOf(vector));
  if (bits.ok()) return "accepted";
  const bool has_plan = bits.error().code() == ErrorCode::kRejected ||
                        bits.error().code() == ErrorCode::kCorrupt ||
                        bits.error().code() == ErrorCode::kUnsupported;
  return has_plan ? zk::VerdictOf(bits.error()) : "plan: " + bits.error().message();
}

// Of {"program", "relation"}: the digests of the relation and of its circuit, or "refused: why".
inline std::string CircuitOfRelation(const json::value& question) {
  const auto program = program::ParseProgram(zk::Str(question.at("program")));
  if (!program.ok()) return "refused: " + program.error().message();
  const WeightsRelation relation = RelationOf(question.at("relation"));
  auto made = CircuitOf(*program, relation);
  if (!made.ok()) return "refused: " + made.error().message();
  program::Lowered lowered;
  lowered.circuit = std::move(made->circuit);
  return RelationDigest(*program, relation).ToHex() + " " + program::CircuitDigest(lowered);
}

// --- making --------------------------------------------------------------------------------

inline constexpr std::string_view kTwoLayers = R"(flair program 1
batch 2
data x [3] bits 8 scale 6
label y classes 2
param w [2, 3]
param b [2]
z = linear(x, w, b)
l = cross_entropy(z, y)
loss l
optimiser sgd()
schedule 1/16
profile limb 10
profile logit 8 4
)";

// Tensors of three scales and a convolution's four axes, and buffers.
inline constexpr std::string_view kOfManyScales = R"(flair program 1
batch 2
data x [1, 4, 4] bits 8 scale 6
label y classes 2
param k [2, 1, 3, 3] scale -1
param g [2]
param b [2]
param f [2, 2] scale 1
buffer m [2]
buffer v [2]
h = conv(x, k)
n = batch_norm(h, g, b, m, v)
r = relu(n)
p = max_pool(r)
q = flatten(p)
z = linear(q, f)
l = cross_entropy(z, y)
loss l
optimiser sgd()
schedule 1/16
profile limb 12
profile logit 12 7
profile gradient 28 23
)";

// sum a_i W_i / m, half up.
inline program::TrainingState MeanOf(const std::vector<const program::TrainingState*>& models,
                                     const MergeNumbers& merge) {
  program::TrainingState mean = *models[0];
  for (std::size_t t = 0; t < mean.carried.size(); ++t) {
    for (std::size_t i = 0; i < mean.carried[t].size(); ++i) {
      std::int64_t sum = merge.divisor / 2;
      for (std::size_t m = 0; m < models.size(); ++m) {
        sum += merge.factors[m] * models[m]->carried[t][i];
      }
      const std::int64_t rest = (sum % merge.divisor + merge.divisor) % merge.divisor;
      mean.carried[t][i] = (sum - rest) / merge.divisor;
    }
  }
  return mean;
}

class WeightsCase {
 public:
  WeightsCase(std::string name, std::string_view program, std::uint64_t seed)
      : name_(std::move(name)),
        program_(program::ParseProgram(program).value()),
        lowered_(program::Lower(program_).value()),
        random_(seed) {}

  // Random weights of `most` units at most.
  program::TrainingState AnyModel(std::int64_t most) {
    program::TrainingState state;
    for (const circuit::Carried& carried : lowered_.circuit.carried) {
      const circuit::Value& value = lowered_.circuit[carried.number];
      circuit::Ints& cells = state.carried.emplace_back(lowered_.circuit.SizeOf(value.axes));
      const std::int64_t own = std::min(most, value.hi);
      for (std::int64_t& cell : cells) {
        cell = static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(2 * own + 1)) - own;
      }
    }
    return state;
  }
  // Weights of which each number is another by up to `most`.
  program::TrainingState Moved(const program::TrainingState& from, std::int64_t most) {
    program::TrainingState state = AnyModel(most);
    for (std::size_t t = 0; t < state.carried.size(); ++t) {
      for (std::size_t i = 0; i < state.carried[t].size(); ++i) {
        state.carried[t][i] += from.carried[t][i];
      }
    }
    return state;
  }

  json::value Prove(const WeightsRelation& relation,
                    const std::vector<program::TrainingState>& models) {
    const zk::QueryPolicy policy{.work_bits = 3, .fixed_queries = 12, .has_tail = {}};
    std::vector<std::unique_ptr<zk::CommittedMatrix>> matrices;
    std::vector<HeldWeights> held;
    for (const program::TrainingState& model : models) {
      // Of two shapes, so that there are two groups of them.
      matrices.push_back(Commit(model, held.empty() ? 4 : 5));
      held.push_back({.matrix = matrices.back().get(), .state = &model});
    }
    const Digest wallet = AnyDigest();
    const auto env = zk::SeededEnv(random_() % 1000);
    const ProvenWeights proven =
        ProveWeightsClaim(program_, relation, wallet, held, *env, {}, policy).value();
    std::vector<zk::MatrixShape> shapes;
    std::vector<Digest> roots;
    for (const MatrixId& matrix : proven.claim.matrices) {
      shapes.push_back(matrix.shape);
      roots.push_back(matrix.root);
    }
    program::Lowered made;
    made.circuit = CircuitOf(program_, relation).value().circuit;
    json::object vector{{"name", name_},
                        {"program", program::PrintProgram(program_)},
                        {"relation", RelationJson(relation)},
                        {"digest", RelationDigest(program_, relation).ToHex()},
                        {"circuit", program::CircuitDigest(made)},
                        {"wallet", wallet.ToHex()},
                        {"matrices", zk::ShapesJson(shapes)},
                        {"roots", zk::DigestJson(roots)},
                        {"queries", zk::QueriesJson(policy)},
                        {"work_bits", policy.work_bits},
                        {"proof", ToHex(proven.proof)}};
    std::vector<std::string> digests = {"wallet"};
    for (std::size_t i = 0; i < roots.size(); ++i) digests.push_back("roots." + std::to_string(i));
    vector["changed"] = zk::JudgedChanges(vector, digests, JudgeWeights);
    return vector;
  }

 private:
  Digest AnyDigest() {
    Digest digest;
    for (std::byte& b : digest.bytes) b = static_cast<std::byte>(random_());
    return digest;
  }
  std::unique_ptr<zk::CommittedMatrix> Commit(const program::TrainingState& model,
                                              unsigned log_columns) {
    const auto role = circuit::Carried::Role::kWeight;
    const zk::LongLived layout = zk::CarriedLayout(lowered_.circuit, role).value();
    std::vector<circuit::Ints> values(lowered_.circuit.values.size());
    for (std::size_t i = 0; i < model.carried.size(); ++i) {
      values[lowered_.circuit.carried[i].number] = model.carried[i];
    }
    std::vector<std::uint64_t> cells = zk::CarriedCells(layout, values);
    const std::uint64_t columns = std::uint64_t{1} << log_columns;
    const zk::MatrixShape shape{.log_columns = log_columns,
                                .log_n = 7,
                                .num_rows = (cells.size() + columns - 1) / columns,
                                .num_pads = 12,
                                .kind = zk::MatrixKind::kWeights};
    cells.resize(shape.num_rows * columns);
    return std::make_unique<zk::CommittedMatrix>(
        zk::CommittedMatrix::Commit(
            shape, std::make_shared<zk::StoredRows>(std::move(cells), columns), AnyDigest())
            .value());
  }

  std::string name_;
  program::Program program_;
  program::Lowered lowered_;
  std::mt19937_64 random_;
};

inline json::array MakeWeightsVectors() {
  json::array vectors;
  const auto merge = [&](const char* name, std::string_view program, const MergeNumbers& numbers) {
    WeightsCase made(name, program, vectors.size() + 1);
    std::vector<program::TrainingState> models;
    for (std::size_t i = 0; i < numbers.factors.size(); ++i) {
      models.push_back(made.AnyModel(std::int64_t{1} << 28));
    }
    std::vector<const program::TrainingState*> merged;
    for (const program::TrainingState& model : models) merged.push_back(&model);
    // Each cell off by the tolerance, to either side.
    program::TrainingState mean = MeanOf(merged, numbers);
    const auto off = static_cast<std::int64_t>(numbers.tolerance);
    for (circuit::Ints& cells : mean.carried) {
      for (std::size_t i = 0; i < cells.size(); ++i) cells[i] += i % 2 == 0 ? off : -off;
    }
    models.push_back(std::move(mean));
    vectors.push_back(made.Prove({.merge = numbers, .norm = {}, .init = {}}, models));
  };
  const auto norm = [&](const char* name, std::string_view program, std::uint64_t bound) {
    WeightsCase made(name, program, vectors.size() + 1);
    const program::TrainingState before = made.AnyModel(std::int64_t{1} << 28);
    vectors.push_back(made.Prove({.merge = {}, .norm = NormNumbers{bound}, .init = {}},
                                 {before, made.Moved(before, std::int64_t{1} << 20)}));
  };
  merge("a mean of two, rounded", kTwoLayers, {.factors = {1, 2}, .divisor = 3});
  merge("a mean of three that a float file holds", kTwoLayers,
        {.factors = {17, 60, 23}, .divisor = 100, .tolerance = 32});
  merge("one of two, with buffers", kOfManyScales, {.factors = {0, 1}, .divisor = 1});
  norm("a norm", kTwoLayers, std::uint64_t{1} << 40);
  norm("a norm of three scales", kOfManyScales, std::uint64_t{1} << 50);
  WeightsCase made("ranges", kTwoLayers, vectors.size() + 1);
  vectors.push_back(
      made.Prove({.merge = {}, .norm = {}, .init = InitNumbers{{1 << 20, (1U << 31) - 1}}},
                 {made.AnyModel(1 << 20)}));
  return vectors;
}

}  // namespace flair::proof
