// Merges, norms and ranges of committed weights: proven, and what is none.
// SPDX-License-Identifier: Apache-2.0
#include "proof/weights_relation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <random>
#include <set>

#include "base/mem_env.h"
#include "program/lower_testing.h"
#include "proof/prover/commit_state.h"
#include "proof/prover/prove_weights.h"
#include "proof/prover/proven_run_testing.h"
#include "proof/prover/weights_vectors_testing.h"
#include "zk/prover/weights_prover.h"
#include "zk/verifier/weights_verifier.h"

namespace flair::proof {
namespace {

using testing::HasSubstr;

// Parameters of three scales, one cut into two axes, and buffers.
constexpr std::string_view kModel = R"(flair program 1
batch 4
data x [2, 4, 4] bits 12 scale 8
label y classes 3
param c.weight [3, 2, 3, 3] scale -1
param n.weight [3]
param n.bias [3]
param f.weight [3, 12] scale 1
buffer n.mean [3]
buffer n.var [3]
c = conv(x, c.weight, stride=[1, 1], pad=[1, 1, 1, 1])
n = batch_norm(c, n.weight, n.bias, n.mean, n.var, eps=0.001)
r = relu(n)
p = max_pool(r, window=[2, 2], stride=[2, 2])
v = flatten(p)
z = linear(v, f.weight)
l = cross_entropy(z, y)
loss l
optimiser sgd()
schedule 1/16
profile limb 12
profile logit 12 7
profile gradient 28 23
)";

struct Model {
  program::TrainingState state;
  std::optional<zk::CommittedMatrix> matrix;
};

class WeightsRelationTest : public testing::Test {
 protected:
  WeightsRelationTest() : training_(program::Prepared(kModel, {.weights = 0.15})) {}

  const program::Program& program() const { return training_.program; }
  const circuit::Circuit& circuit() const { return training_.lowered.circuit; }

  Model Committed(program::TrainingState state, int seed) const {
    Model made{.state = std::move(state), .matrix = {}};
    made.matrix.emplace(CommitState(circuit(), circuit::Carried::Role::kWeight, made.state,
                                    kOpeningsOfAnEnd, FilledWith(seed))
                            .value());
    return made;
  }
  // The training's weights, each moved by up to `most` units.
  Model Moved(int seed, std::int64_t most) const {
    std::mt19937_64 random(static_cast<std::uint64_t>(seed));
    program::TrainingState state = training_.state;
    for (circuit::Ints& cells : state.carried) {
      for (std::int64_t& cell : cells) {
        cell +=
            static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(2 * most + 1)) - most;
      }
    }
    return Committed(std::move(state), seed);
  }
  static std::vector<HeldWeights> Of(const std::vector<const Model*>& models) {
    std::vector<HeldWeights> held;
    for (const Model* m : models) held.push_back({&*m->matrix, &m->state});
    return held;
  }
  Result<ProvenWeights> Prove(const WeightsRelation& relation,
                              const std::vector<const Model*>& models) const {
    MemEnv env;
    return ProveWeightsClaim(program(), relation, FilledWith(7), Of(models), env);
  }
  static std::string Judge(const WeightsClaim& claim, ByteView proof) {
    const auto bits = VerifyWeightsClaim(claim, proof);
    return bits.ok() ? "" : bits.error().message();
  }
  // What an honest prover of a false statement says.
  std::string Refused(const WeightsRelation& relation,
                      const std::vector<const Model*>& models) const {
    const auto proven = Prove(relation, models);
    return proven.ok() ? "" : proven.error().message();
  }
  // sum a_i W_i / m, half up, and `off` units more in cell `cell` of tensor `tensor`.
  Model MeanOf(const std::vector<const Model*>& models, const MergeNumbers& merge, int seed,
               std::int64_t off = 0, std::size_t tensor = 0, std::size_t cell = 0) const {
    std::vector<const program::TrainingState*> merged;
    for (const Model* model : models) merged.push_back(&model->state);
    program::TrainingState state = proof::MeanOf(merged, merge);
    state.carried[tensor][cell] += off;
    return Committed(std::move(state), seed);
  }
  // |B - A|^2 over the parameters, in units of 2^-36.
  double NormOf(const Model& a, const Model& b) const {
    double sum = 0;
    for (std::size_t p = 0; p < program().parameters.size(); ++p) {
      for (std::size_t i = 0; i < a.state.carried[p].size(); ++i) {
        const double d =
            std::ldexp(static_cast<double>(b.state.carried[p][i] - a.state.carried[p][i]),
                       program().parameters[p].scale - 30);
        sum += d * d;
      }
    }
    return std::ldexp(sum, 36);
  }

  program::Training training_;
};

TEST_F(WeightsRelationTest, MeansAreProven) {
  const Model a = Moved(1, 1 << 20), b = Moved(2, 1 << 20), c = Moved(3, 1 << 20);
  for (const MergeNumbers& merge : {MergeNumbers{.factors = {1, 1, 2}, .divisor = 4},
                                    MergeNumbers{.factors = {17, 60, 23}, .divisor = 100},
                                    MergeNumbers{.factors = {1, 0, 0}, .divisor = 1}}) {
    const Model mean = MeanOf({&a, &b, &c}, merge, 4);
    const auto proven = Prove({.merge = merge, .norm = {}, .init = {}}, {&a, &b, &c, &mean});
    ASSERT_TRUE(proven.ok()) << proven.error().message();
    EXPECT_EQ(Judge(proven->claim, proven->proof), "");
    EXPECT_EQ(proven->shown.size(), 4U);
  }
}

// Attack: a hub publishes another model than the mean of what it merged.
TEST_F(WeightsRelationTest, AMeanThatIsNoneHasNoProof) {
  const Model a = Moved(1, 1 << 20), b = Moved(2, 1 << 20);
  const MergeNumbers merge{.factors = {1, 2}, .divisor = 3};
  const WeightsRelation relation{.merge = merge, .norm = {}, .init = {}};
  for (const std::size_t tensor : {0, 3, 4, 5}) {
    for (const std::int64_t off : {1, -1}) {
      const Model wrong = MeanOf({&a, &b}, merge, 4, off, tensor, 2);
      EXPECT_THAT(Refused(relation, {&a, &b, &wrong}),
                  testing::AnyOf(HasSubstr(".above"), HasSubstr(".below")));
    }
  }
  // Rounding to floats is allowed for, as far as the statement says.
  const Model near = MeanOf({&a, &b}, merge, 4, 16, 1, 1);
  EXPECT_EQ(
      Refused({.merge = MergeNumbers{{1, 2}, 3, 16}, .norm = {}, .init = {}}, {&a, &b, &near}), "");
  EXPECT_NE(
      Refused({.merge = MergeNumbers{{1, 2}, 3, 15}, .norm = {}, .init = {}}, {&a, &b, &near}), "");
}

TEST_F(WeightsRelationTest, NormsAreProven) {
  for (const std::int64_t most : {std::int64_t{0}, std::int64_t{1} << 10, std::int64_t{1} << 28}) {
    const Model before = Moved(1, 1), after = Moved(2, most == 0 ? 1 : most);
    // Rounded down: a unit for each tensor, four for one of scale 1, two below 0.
    const auto bound = static_cast<std::uint64_t>(NormOf(before, after)) + 9;
    const auto proven =
        Prove({.merge = {}, .norm = NormNumbers{bound}, .init = {}}, {&before, &after});
    ASSERT_TRUE(proven.ok()) << proven.error().message();
    EXPECT_EQ(Judge(proven->claim, proven->proof), "");
  }
}

// Attack: an update that is larger than the policy allows.
TEST_F(WeightsRelationTest, ANormBeyondItsBoundHasNoProof) {
  const Model before = Moved(1, 1), after = Moved(2, 1 << 27);
  const double exact = NormOf(before, after);
  const auto refused = [&](double bound) {
    return Refused(
        {.merge = {}, .norm = NormNumbers{static_cast<std::uint64_t>(bound)}, .init = {}},
        {&before, &after});
  };
  EXPECT_EQ(refused(exact + 9), "");
  EXPECT_THAT(refused(exact - 1), HasSubstr("norm.gap"));
  EXPECT_THAT(refused(exact / 2), HasSubstr("norm.gap"));
  EXPECT_THAT(refused(0), HasSubstr("norm.gap"));
}

TEST_F(WeightsRelationTest, RangesAreProven) {
  const Model model = Moved(1, 1);
  InitNumbers init;
  for (std::size_t p = 0; p < program().parameters.size(); ++p) {
    std::int64_t most = 0;
    for (const std::int64_t cell : model.state.carried[p]) most = std::max(most, std::abs(cell));
    init.bounds.push_back(static_cast<std::uint64_t>(most));
  }
  const auto proven = Prove({.merge = {}, .norm = {}, .init = init}, {&model});
  ASSERT_TRUE(proven.ok()) << proven.error().message();
  EXPECT_EQ(Judge(proven->claim, proven->proof), "");
  // Attack: weights beyond their range.
  for (std::uint64_t& bound : init.bounds) {
    --bound;
    EXPECT_NE(Refused({.merge = {}, .norm = {}, .init = init}, {&model}), "");
    ++bound;
  }
}

// Every number that a proof says something about is the committed one.
TEST_F(WeightsRelationTest, OtherWeightsThanTheCommittedHaveNoProof) {
  const Model a = Moved(1, 1 << 20), b = Moved(2, 1 << 20);
  const MergeNumbers merge{.factors = {1, 1}, .divisor = 2};
  const WeightsRelation relation{.merge = merge, .norm = {}, .init = {}};
  const Model mean = MeanOf({&a, &b}, merge, 3);
  for (std::size_t model = 0; model < 3; ++model) {
    for (const std::size_t tensor : {0, 3, 5}) {
      // The matrix of other weights, the relation's numbers of the right ones.
      std::vector<const Model*> models = {&a, &b, &mean};
      program::TrainingState state = models[model]->state;
      state.carried[tensor][1] += 1;
      const Model foreign = Committed(std::move(state), 9);
      std::vector<HeldWeights> held = Of(models);
      held[model].matrix = &*foreign.matrix;
      MemEnv env;
      const auto proven = ProveWeightsClaim(program(), relation, FilledWith(7), held, env);
      ASSERT_FALSE(proven.ok()) << model << " " << tensor;
      EXPECT_EQ(proven.error().code(), ErrorCode::kRejected);
    }
  }
}

TEST_F(WeightsRelationTest, AProofIsAboutItsClaimAlone) {
  const Model a = Moved(1, 1 << 20), b = Moved(2, 1 << 20);
  const MergeNumbers merge{.factors = {1, 1}, .divisor = 2};
  const Model mean = MeanOf({&a, &b}, merge, 3);
  const ProvenWeights honest =
      Prove({.merge = merge, .norm = {}, .init = {}}, {&a, &b, &mean}).value();
  ASSERT_EQ(Judge(honest.claim, honest.proof), "");
  const std::vector<std::function<void(WeightsClaim&)>> changes = {
      [](WeightsClaim& c) { c.wallet = FilledWith(8); },
      [](WeightsClaim& c) {
        c.relation.merge->factors = {2, 1};
      },
      [](WeightsClaim& c) { c.relation.merge->divisor = 3; },
      [](WeightsClaim& c) { c.relation.merge->tolerance = 1; },
      [](WeightsClaim& c) { std::swap(c.matrices[0], c.matrices[2]); },
      // The mean of equal parts: true, and another statement.
      [](WeightsClaim& c) { std::swap(c.matrices[0], c.matrices[1]); },
      [](WeightsClaim& c) { c.matrices.pop_back(); },
      [](WeightsClaim& c) { c.matrices[1].root.bytes[0] ^= std::byte{1}; },
      [](WeightsClaim& c) { c.matrices[1].shape.kind = zk::MatrixKind::kState; },
      [](WeightsClaim& c) { c.program.schedule.pieces[0].numerator += 2; },
      [](WeightsClaim& c) {
        std::swap(c.program.parameters[1].name, c.program.parameters[2].name);
      }};
  for (std::size_t i = 0; i < changes.size(); ++i) {
    WeightsClaim changed = honest.claim;
    changes[i](changed);
    EXPECT_NE(Judge(changed, honest.proof), "") << i;
  }
  for (std::size_t at = 0; at < honest.proof.size(); at += 1 + honest.proof.size() / 40) {
    Bytes changed = honest.proof;
    changed[at] ^= std::byte{1};
    EXPECT_NE(Judge(honest.claim, changed), "") << at;
    EXPECT_NE(Judge(honest.claim, ByteView(honest.proof).first(at)), "") << at;
  }
}

TEST_F(WeightsRelationTest, NumbersThatAreNoneAreRefused) {
  const auto refused = [&](const WeightsRelation& relation) {
    const auto made = CircuitOf(program(), relation);
    return made.ok() ? "" : made.error().message();
  };
  const auto merge = [&](std::vector<std::int64_t> factors, std::int64_t divisor,
                         std::uint32_t tolerance = 0) {
    return refused(
        {.merge = MergeNumbers{std::move(factors), divisor, tolerance}, .norm = {}, .init = {}});
  };
  EXPECT_THAT(refused({}), HasSubstr("a relation is"));
  EXPECT_THAT(refused({.merge = MergeNumbers{{1}, 1, 0}, .norm = NormNumbers{1}, .init = {}}),
              HasSubstr("a relation is"));
  EXPECT_THAT(merge({}, 1), HasSubstr("0 models"));
  EXPECT_THAT(merge(std::vector<std::int64_t>(63, 1), 63), HasSubstr("63 models"));
  EXPECT_THAT(merge({1, -1}, 1), HasSubstr("2^28"));
  EXPECT_THAT(merge({1}, 0), HasSubstr("2^28"));
  EXPECT_THAT(merge({(1 << 28) + 1}, 1), HasSubstr("2^28"));
  // Attack: sums that wrap p. Rule Z refuses what passes 2^62.
  EXPECT_THAT(merge(std::vector<std::int64_t>(62, 1 << 28), 1 << 28), HasSubstr("2^62"));
  EXPECT_THAT(merge({1}, 1, (1 << 28) + 1), HasSubstr("2^28"));
  EXPECT_EQ(merge({1 << 27, 1 << 27}, 1 << 28), "");
  EXPECT_THAT(refused({.merge = {}, .norm = NormNumbers{std::uint64_t{1} << 60}, .init = {}}),
              HasSubstr("2^60"));
  EXPECT_THAT(refused({.merge = {}, .norm = {}, .init = InitNumbers{{1, 2}}}),
              HasSubstr("4 parameters"));
  EXPECT_THAT(refused({.merge = {}, .norm = {}, .init = InitNumbers{{1, 2, 3, 1U << 31}}}),
              HasSubstr("2^31"));
}

// Attack: a proof about nothing at all.
TEST_F(WeightsRelationTest, ProgramsWithoutWeightsHaveNoRelations) {
  const auto refused = [](const std::string& leaves, const WeightsRelation& relation) {
    const auto made = CircuitOf(
        program::Parsed("flair program 1\nbatch 2\ndata x [2] bits 8 scale 6\nlabel y classes 2\n" +
                        leaves +
                        "l = cross_entropy(x, y)\nloss l\noptimiser sgd()\nschedule 1/16\n"
                        "profile limb 10\nprofile logit 8 4\n"),
        relation);
    return made.ok() ? "" : made.error().message();
  };
  const WeightsRelation merge{.merge = MergeNumbers{{1}, 1, 0}, .norm = {}, .init = {}};
  const WeightsRelation norm{.merge = {}, .norm = NormNumbers{1}, .init = {}};
  EXPECT_THAT(refused("", merge), HasSubstr("no weights"));
  EXPECT_THAT(refused("", norm), HasSubstr("no weights"));
  // Buffers alone have a mean, and no norm.
  EXPECT_EQ(refused("buffer m [2]\n", merge), "");
  EXPECT_THAT(refused("buffer m [2]\n", norm), HasSubstr("no parameters"));
}

TEST_F(WeightsRelationTest, EveryNumberOfARelationIsInItsDigest) {
  std::set<std::string> digests;
  const std::vector<WeightsRelation> relations = {
      {.merge = MergeNumbers{{1, 2}, 3, 0}, .norm = {}, .init = {}},
      {.merge = MergeNumbers{{2, 1}, 3, 0}, .norm = {}, .init = {}},
      {.merge = MergeNumbers{{1, 2}, 4, 0}, .norm = {}, .init = {}},
      {.merge = MergeNumbers{{1, 2}, 3, 1}, .norm = {}, .init = {}},
      {.merge = MergeNumbers{{1, 2, 3}, 0, 0}, .norm = {}, .init = {}},
      {.merge = {}, .norm = NormNumbers{1}, .init = {}},
      {.merge = {}, .norm = NormNumbers{2}, .init = {}},
      {.merge = {}, .norm = {}, .init = InitNumbers{{1}}},
      {.merge = {}, .norm = {}, .init = InitNumbers{{1, 1}}}};
  for (const WeightsRelation& relation : relations) {
    digests.insert(RelationDigest(program(), relation).ToHex());
  }
  program::Program other = program();
  other.batch = 5;
  digests.insert(RelationDigest(other, relations[0]).ToHex());
  EXPECT_EQ(digests.size(), relations.size() + 1);
}

}  // namespace
}  // namespace flair::proof
