// The batch opening: many claims on several matrices, everything masked. Completeness, what a
// cheat meets (attacks 26, 28, 29), and that nothing but uniform values is seen.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>

#include "base/mem_env.h"
#include "crypto/sha256.h"
#include "zk/batch/binding.h"
#include "zk/prover/batch_prover.h"
#include "zk/prover/batch_testing.h"
#include "zk/verifier/batch_verifier.h"

namespace flair::zk {
namespace {

using testing::HasSubstr;

constexpr MatrixShape kWitness{
    .log_columns = 5, .log_n = 7, .num_rows = 11, .num_pads = 16, .kind = MatrixKind::kWitness};
constexpr MatrixShape kWeights{
    .log_columns = 4, .log_n = 6, .num_rows = 5, .num_pads = 14, .kind = MatrixKind::kWeights};
constexpr MatrixShape kState{
    .log_columns = 4, .log_n = 6, .num_rows = 8, .num_pads = 14, .kind = MatrixKind::kState};
constexpr MatrixShape kData{
    .log_columns = 4, .log_n = 7, .num_rows = 3, .num_pads = 13, .kind = MatrixKind::kData};
constexpr QueryPolicy kFewQueries{.work_bits = 3, .fixed_queries = 12, .has_tail = false};

std::shared_ptr<StoredRows> RandomRows(const MatrixShape& shape, std::mt19937_64& random) {
  return std::make_shared<StoredRows>(RandomCells(shape, random), shape.num_columns());
}

// A claim with public blocks; its value by definition.
struct Statement {
  Claim claim;
  Fp2 value;
  bool secret = false;  // sent masked instead of known
};

enum class Values { kMixed, kPublic };

// A whole proof: claims, one product that must equal a public number.
class Scenario {
 public:
  Scenario(std::uint64_t seed, std::vector<MatrixShape> long_lived, std::uint64_t num_claims,
           MatrixShape witness = kWitness, QueryPolicy policy = kFewQueries, bool product = true,
           Values values = Values::kMixed)
      : random_(seed), product_(product) {
    std::vector<MatrixShape> shapes = long_lived;
    shapes.insert(shapes.begin(), witness);
    std::vector<std::vector<std::uint64_t>> cells;
    for (const MatrixShape& shape : shapes) {
      cells.push_back(RandomCells(shape, random_));
      const auto rows = std::make_shared<StoredRows>(cells.back(), shape.num_columns());
      if (cells.size() == 1) {
        data_ = rows;
      } else {
        matrices_.push_back(std::make_unique<CommittedMatrix>(
            CommittedMatrix::Commit(shape, rows, SeedOf(random_())).value()));
      }
    }
    std::uint64_t pads = 0;
    for (std::uint64_t i = 0; i < num_claims; ++i) {
      Statement s;
      s.claim.matrix = i % shapes.size();
      s.claim.blocks = RandomBlocks(shapes[s.claim.matrix], 3, random_);
      s.value = ValueOn(cells[s.claim.matrix], s.claim.blocks);
      s.secret = values == Values::kMixed && random_() % 2 == 0;
      pads += s.secret ? 1 : 0;
      statements_.push_back(std::move(s));
    }
    plan_ = BatchPlan::Make(witness, long_lived, pads, product ? 1 : 0, policy).value();
    a_ = RandomElement(random_);
    b_ = RandomElement(random_);
    public_product_ = a_ * b_;
  }

  const BatchPlan& plan() const { return *plan_; }
  std::vector<Statement>& statements() { return statements_; }
  void ClaimProduct(Fp2 value) { public_product_ = value; }
  void UseData(std::shared_ptr<const RowSource> data) { data_ = std::move(data); }
  const CommittedMatrix& long_lived(std::size_t i) const { return *matrices_[i]; }
  // Of the last proof: the witness's, then the long-lived ones'.
  std::vector<Digest>& roots() { return proven_.roots; }
  const std::vector<Digest>& companions() const { return proven_.companions; }

  BatchProof Prove(std::uint64_t seed) {
    Transcript transcript("test");
    return Prove(seed, transcript);
  }
  BatchProof Prove(std::uint64_t seed, Transcript& transcript) {
    std::vector<const CommittedMatrix*> long_lived;
    for (const auto& m : matrices_) long_lived.push_back(m.get());
    proven_ = ProveScript(*plan_, data_, long_lived, *SeededEnv(seed), transcript, TheScript());
    return proven_.proof;
  }
  std::string Verify(const BatchProof& proof) {
    Transcript transcript("test");
    proven_.proof = proof;
    return JudgeScript(*plan_, proven_, transcript, TheScript());
  }

 private:
  Script TheScript() const {
    return [this](Channel& channel, Transcript& transcript) {
      std::vector<Claim> claims;
      for (const Statement& s : statements_) {
        claims.push_back(s.claim);
        claims.back().value =
            s.secret ? channel.Pass(transcript, Label::kClaimValue, {s.value})[0].masked
                     : Masked(s.value);
      }
      if (product_) {
        const auto product = channel.PassProduct(transcript, Label::kLookupMessage, a_, b_);
        channel.RequireZero(product.product.masked - Masked(public_product_));
      }
      return claims;
    };
  }

  std::mt19937_64 random_;
  bool product_;
  std::shared_ptr<const RowSource> data_;
  std::vector<std::unique_ptr<CommittedMatrix>> matrices_;
  std::vector<Statement> statements_;
  std::optional<BatchPlan> plan_;
  Proven proven_;  // the last
  Fp2 a_;
  Fp2 b_;
  Fp2 public_product_;
};

TEST(BatchTest, TrueClaimsAreAccepted) {
  const std::vector<std::vector<MatrixShape>> several = {
      {}, {kWeights}, {kWeights, kState}, {kWeights, kState, kData}, {kData, kWeights, kData}};
  std::uint64_t seed = 0;
  for (const auto& long_lived : several) {
    for (const std::uint64_t num_claims : {1, 2, 7}) {
      Scenario scenario(++seed, long_lived, num_claims);
      EXPECT_EQ(scenario.Verify(scenario.Prove(100 + seed)), "accepted") << seed;
    }
  }
  // One row, many rows, no redundancy to speak of, the full number of queries.
  for (const std::uint64_t rows : {1, 2, 64}) {
    MatrixShape witness = kWitness;
    witness.num_rows = rows;
    Scenario scenario(++seed, {kState}, 3, witness);
    EXPECT_EQ(scenario.Verify(scenario.Prove(seed)), "accepted") << rows;
  }
  MatrixShape witness{.log_columns = 10, .log_n = 11, .num_rows = 2, .num_pads = 281};
  Scenario full(++seed, {}, 2, witness, {});
  EXPECT_EQ(full.plan().groups()[0].num_queries, 281U);
  EXPECT_EQ(full.Verify(full.Prove(seed)), "accepted");
}

TEST(BatchTest, WhatDoesNotFitIsRefusedInThePlan) {
  const auto says = [](const MatrixShape& witness, QueryPolicy policy) {
    const auto plan = BatchPlan::Make(witness, {}, 0, 0, policy);
    return plan.ok() ? "" : plan.error().message();
  };
  MatrixShape narrow = kWitness;
  narrow.num_pads = 20;
  EXPECT_THAT(says(narrow, kFewQueries), HasSubstr("no room for mask rows"));
  EXPECT_THAT(says(kWitness, {}), HasSubstr("queries do not fit"));
  MatrixShape wrong = kWitness;
  wrong.num_rows = 0;
  EXPECT_THAT(says(wrong, kFewQueries), HasSubstr("rows"));
}

// Attack 26, masked: a claim that is not true, known or secret, on any matrix.
TEST(BatchTest, FalseClaimsAreRejected) {
  for (std::size_t i = 0; i < 8; ++i) {
    Scenario scenario(50 + i, {kWeights, kState, kData}, 8);
    scenario.statements()[i].value += Fp2(1);
    EXPECT_THAT(scenario.Verify(scenario.Prove(i)), HasSubstr("constraint between pads"));
  }
  Scenario scenario(60, {kWeights}, 2);
  scenario.ClaimProduct(Fp2(5));
  EXPECT_THAT(scenario.Verify(scenario.Prove(1)), HasSubstr("constraint between pads"));
}

// Mu tells so many constraints apart; the bound of a plan's soundness counts on it.
TEST(BatchTest, MoreConstraintsThanTheBoundCountsAreRefused) {
  std::mt19937_64 random(62);
  const BatchPlan plan = BatchPlan::Make(kWitness, {}, 0, 0, kFewQueries).value();
  const auto data = RandomRows(kWitness, random);
  const auto says = [&](std::size_t num_constraints) {
    const Script script = [&](Channel& channel, Transcript&) {
      for (std::size_t i = 0; i < num_constraints; ++i) channel.RequireZero(Masked());
      return std::vector<Claim>{};
    };
    Transcript proving("test");
    const Proven proven = ProveScript(plan, data, {}, *SeededEnv(1), proving, script);
    Transcript verifying("test");
    return JudgeScript(plan, proven, verifying, script);
  };
  // A round each, the sum behind them, the group's row.
  const std::size_t own = plan.num_variables() + 2;
  EXPECT_EQ(says(kMaxConstraints - own), "accepted");
  EXPECT_EQ(says(kMaxConstraints - own + 1), "more constraints than an opening has");
}

// What the plan counts is there, no more and no less, before anything of it is read.
TEST(BatchTest, WhatDoesNotFitThePlanIsRefusedAtTheBeginning) {
  Scenario scenario(63, {kWeights}, 2);
  const BatchProof honest = scenario.Prove(1);
  const auto says = [&](const std::function<void(std::vector<Digest>&, std::vector<Digest>&,
                                                 BatchProof&)>& change) {
    std::vector<Digest> roots = scenario.roots();
    std::vector<Digest> companions = scenario.companions();
    BatchProof proof = honest;
    change(roots, companions, proof);
    const auto begun = BatchVerifier::Begin(scenario.plan(), roots, companions, proof);
    return begun.ok() ? "accepted" : begun.error().message();
  };
  EXPECT_EQ(says([](auto&, auto&, auto&) {}), "accepted");
  EXPECT_EQ(says([](auto& r, auto&, auto&) { r.pop_back(); }), "another number of roots");
  EXPECT_EQ(says([](auto&, auto& c, auto&) { c.emplace_back(); }), "another number of roots");
  EXPECT_THAT(says([](auto&, auto&, auto& p) { p.masked.pop_back(); }), HasSubstr("masked values"));
  EXPECT_EQ(says([](auto&, auto&, auto& p) { p.groups.emplace_back(); }),
            "another number of groups");
  EXPECT_EQ(says([](auto&, auto&, auto& p) { p.groups[1].combined_row.pop_back(); }),
            "a combined row of another length");
}

// A value that the plan has a pad for, and no script reads.
TEST(BatchTest, AValueThatNobodyReadsIsRejected) {
  std::mt19937_64 random(64);
  const BatchPlan plan = BatchPlan::Make(kWitness, {}, 1, 0, kFewQueries).value();
  const Script script = [](Channel&, Transcript&) { return std::vector<Claim>{}; };
  Transcript proving("test");
  Proven proven =
      ProveScript(plan, RandomRows(kWitness, random), {}, *SeededEnv(1), proving, script);
  proven.proof.masked.emplace_back();
  Transcript verifying("test");
  EXPECT_EQ(JudgeScript(plan, proven, verifying, script), "the proof holds values nobody reads");
}

// A block that is not where it says: rounded down it would be its neighbour, wrapped around
// the matrix's first cells.
TEST(BatchTest, ClaimsOutsideOfTheirMatrixAreRefused) {
  Scenario scenario(61, {kWeights}, 2);
  const BatchProof honest = scenario.Prove(1);
  ASSERT_EQ(scenario.Verify(honest), "accepted");
  Claim& claim = scenario.statements()[1].claim;
  const Claim before = claim;
  const std::uint64_t num_cells = kWeights.num_rows * kWeights.num_columns();
  for (const std::uint64_t offset : {num_cells, std::uint64_t{1} << kWeights.log_columns << 3,
                                     ~std::uint64_t{0} - 1, num_cells - 1}) {
    claim.blocks[0].offset = offset;
    claim.blocks[0].point.resize(1);
    EXPECT_THAT(scenario.Verify(honest), HasSubstr("outside of matrix 1")) << offset;
  }
  claim = before;
  claim.blocks[0].point.resize(70);
  EXPECT_THAT(scenario.Verify(honest), HasSubstr("outside of matrix 1"));
  claim = before;
  claim.matrix = 2;
  EXPECT_THAT(scenario.Verify(honest), HasSubstr("matrix that is not there"));
}

// Attacks 23, 28 and 29: everything that is sent counts.
TEST(BatchTest, EveryChangedMessageIsRejected) {
  Scenario scenario(7, {kWeights, kState, kData}, 6);
  const BatchProof honest = scenario.Prove(7);
  ASSERT_EQ(scenario.Verify(honest), "accepted");
  std::size_t num_changes = 0;
  const auto rejected = [&](const std::string& what,
                            const std::function<void(BatchProof&)>& change) {
    BatchProof proof = honest;
    change(proof);
    EXPECT_NE(scenario.Verify(proof), "accepted") << what;
    ++num_changes;
  };
  const auto change_all = [&](const std::string& what,
                              const std::function<std::vector<Fp2>&(BatchProof&)>& list) {
    BatchProof copy = honest;
    const std::size_t size = list(copy).size();
    for (std::size_t i = 0; i < size; ++i) {
      rejected(what, [&](BatchProof& p) { list(p)[i] += i % 2 == 0 ? Fp2(1) : Fp2(0, 1); });
    }
    rejected(what + ", longer", [&](BatchProof& p) { list(p).emplace_back(); });
    rejected(what + ", shorter", [&](BatchProof& p) { list(p).pop_back(); });
  };
  change_all(
      "masked value", [](BatchProof & p) -> auto& { return p.masked; });
  change_all(
      "u_z", [](BatchProof & p) -> auto& { return p.mask.low_degree; });
  change_all(
      "q_d", [](BatchProof & p) -> auto& { return p.mask.linear; });
  change_all(
      "q_q", [](BatchProof & p) -> auto& { return p.mask.quadratic; });
  // Attack 28: q_d with the right sum and other coefficients; multiples of the width cancel.
  rejected("q_d of the same sum", [&](BatchProof& p) {
    p.mask.linear[0] += Fp2(1);
    p.mask.linear[scenario.plan().mask().width()] -= Fp2(1);
  });
  rejected("nonce", [](BatchProof& p) { ++p.nonce; });
  for (std::size_t g = 0; g < honest.groups.size(); ++g) {
    change_all(
        "combined row", [&](BatchProof & p) -> auto& { return p.groups[g].combined_row; });
    for (std::size_t m = 0; m < honest.groups[g].matrices.size(); ++m) {
      const auto matrix = [&](BatchProof& p) -> OpenedMatrix& { return p.groups[g].matrices[m]; };
      for (std::size_t r = 0; r < honest.groups[g].matrices[m].columns[3].size(); ++r) {
        rejected("cell", [&](BatchProof& p) { matrix(p).columns[3][r] += Fp(1); });
      }
      rejected("salt", [&](BatchProof& p) { matrix(p).salts[1].bytes[0] ^= std::byte{1}; });
      rejected("path", [&](BatchProof& p) { matrix(p).path[0].bytes[0] ^= std::byte{1}; });
      rejected("column less", [&](BatchProof& p) { matrix(p).columns.pop_back(); });
    }
    rejected("matrix less", [&](BatchProof& p) { p.groups[g].matrices.pop_back(); });
  }
  rejected("group less", [](BatchProof& p) { p.groups.pop_back(); });
  EXPECT_GT(num_changes, 330U);
}

TEST(BatchTest, AProofIsForItsStatement) {
  Scenario scenario(8, {kWeights}, 4);
  const BatchProof proof = scenario.Prove(8);
  scenario.statements()[0].claim.blocks[0].coefficient += Fp2(1);
  EXPECT_NE(scenario.Verify(proof), "accepted");
  scenario.statements()[0].claim.blocks[0].coefficient -= Fp2(1);
  EXPECT_EQ(scenario.Verify(proof), "accepted");
  scenario.ClaimProduct(Fp2(1));
  EXPECT_NE(scenario.Verify(proof), "accepted");
}

// Lambda as the roots alone would make it: what a forger may know before the claims are fixed.
TEST(BatchTest, PublicValuesChosenAfterLambdaAreRejected) {
  Scenario scenario(1, {}, 2, kWitness, kFewQueries, /*product=*/false, Values::kPublic);
  const BatchProof proof = scenario.Prove(1);
  ASSERT_EQ(scenario.Verify(proof), "accepted");
  Transcript transcript("test");
  AbsorbMatrices(scenario.plan(), scenario.roots(), scenario.companions(), transcript);
  const Fp2 lambda = transcript.Draw(Label::kClaimBatch);
  scenario.statements()[0].value += lambda * Fp2(5);
  scenario.statements()[1].value -= Fp2(5);
  EXPECT_NE(scenario.Verify(proof), "accepted");
}

// All columns of the weights but those that are opened are taken from another matrix: the tree,
// made after the columns are known, commits to that one.
TEST(BatchTest, ALongLivedRootChosenAfterTheColumnsIsRejected) {
  Scenario scenario(2, {kWeights}, 2);
  const BatchProof honest = scenario.Prove(1);
  ASSERT_EQ(scenario.Verify(honest), "accepted");
  std::vector<std::uint64_t> all(kWeights.n());
  for (std::size_t j = 0; j < all.size(); ++j) all[j] = j;
  const OpenedMatrix claimed = scenario.long_lived(0).Open(all);
  std::mt19937_64 random(77);
  OpenedMatrix table =
      CommittedMatrix::Commit(kWeights, RandomRows(kWeights, random), SeedOf(5))->Open(all);
  BatchProof forged = honest;
  OpenedMatrix& shown = forged.groups[1].matrices[0];
  std::vector<std::uint64_t> columns;
  for (Salt& salt : shown.salts) {
    const auto at = std::find(claimed.salts.begin(), claimed.salts.end(), salt);
    columns.push_back(static_cast<std::uint64_t>(at - claimed.salts.begin()));
    table.columns[columns.back()] = claimed.columns[columns.back()];
    salt = table.salts[columns.back()];
  }
  std::vector<Digest> leaves;
  for (const std::uint64_t j : all) {
    leaves.push_back(ColumnLeaf(j, table.salts[j], table.columns[j]));
  }
  const MerkleTree tree(std::move(leaves));
  shown.path = tree.Path(columns);
  scenario.roots()[1] = tree.root();
  EXPECT_NE(scenario.Verify(forged), "accepted");
}

TEST(BatchTest, LongLivedMatricesAreThoseOfTheStatement) {
  Scenario scenario(3, {kWeights, kData}, 3);
  const BatchProof proof = scenario.Prove(1);
  const auto says = [&](std::vector<Digest> digests) {
    const auto verifier =
        BatchVerifier::Begin(scenario.plan(), scenario.roots(), scenario.companions(), proof);
    const Status checked = verifier->CheckDigests(digests);
    return checked.ok() ? "stated" : checked.error().message();
  };
  const Digest weights = scenario.long_lived(0).digest();
  const Digest data = scenario.long_lived(1).digest();
  EXPECT_EQ(says({weights, data}), "stated");
  EXPECT_THAT(says({data, weights}), HasSubstr("matrix 1 is not the one stated"));
  EXPECT_THAT(says({weights, Digest{}}), HasSubstr("matrix 2 is not the one stated"));
  EXPECT_THAT(says({weights}), HasSubstr("another number of digests"));
}

// Attack 39: pads that serve twice show the difference of what they hide.
TEST(BatchTest, TwoAttemptsShareNoPad) {
  const BatchPlan plan = BatchPlan::Make(kWitness, {kWeights}, 1, 0, kFewQueries).value();
  std::mt19937_64 random(1);
  const auto data = RandomRows(kWitness, random);
  const CommittedMatrix weights =
      CommittedMatrix::Commit(kWeights, RandomRows(kWeights, random), SeedOf(1)).value();
  const auto sent = [&](Env& env, Fp2 value) {
    BatchProver prover = BatchProver::Commit(plan, data, {&weights}, env).value();
    Transcript transcript("test");
    return std::pair(prover.Send(transcript, Label::kClaimValue, value).masked.known(),
                     std::pair(prover.witness_root(), prover.companion_roots()[0]));
  };
  MemEnv env;
  for (Env* const random_source : {static_cast<Env*>(&env), &PosixEnv()}) {
    const auto [first, first_roots] = sent(*random_source, Fp2(5));
    const auto [second, second_roots] = sent(*random_source, Fp2(22));
    EXPECT_NE(second - first, Fp2(17));
    EXPECT_NE(first_roots.first, second_roots.first);
    EXPECT_NE(first_roots.second, second_roots.second);
  }
}

TEST(BatchTest, OnlyMatricesWhoseSeedsAreKeptAreLongLived) {
  const auto says = [](MatrixKind witness, MatrixKind long_lived) {
    MatrixShape first = kWitness;
    MatrixShape second = kWeights;
    first.kind = witness;
    second.kind = long_lived;
    const auto plan = BatchPlan::Make(first, {second}, 0, 0, kFewQueries);
    return plan.ok() ? "" : plan.error().message();
  };
  EXPECT_EQ(says(MatrixKind::kWitness, MatrixKind::kState), "");
  EXPECT_EQ(says(MatrixKind::kData, MatrixKind::kState), "matrix 0 is of another kind");
  EXPECT_EQ(says(MatrixKind::kWitness, MatrixKind::kWitness), "matrix 1 is of another kind");
  EXPECT_EQ(says(MatrixKind::kWitness, MatrixKind::kCompanion), "matrix 1 is of another kind");
}

// --- zero knowledge ------------------------------------------------------------------

// Challenges that do not depend on what is absorbed, so that messages are affine in the
// prover's randomness: the test below is linear algebra.
class FixedTranscript final : public Transcript {
 public:
  explicit FixedTranscript(std::uint64_t seed) : Transcript("fixed"), seed_(seed) {}

 private:
  Digest Step(std::uint8_t tag, Label, ByteView) const override {
    if (tag == 3) return Digest{};  // any nonce has all the work
    if (tag == 1) return state();
    Bytes input;
    AppendLe64(input, seed_);
    AppendLe64(input, ++step_);
    return Sha256(input);
  }
  std::uint64_t seed_;
  mutable std::uint64_t step_ = 0;
};

// All that a verifier sees but for hashes.
std::vector<Fp> Seen(const BatchProof& proof) {
  std::vector<Fp> seen;
  const auto add = [&](const std::vector<Fp2>& list) {
    for (const Fp2& v : list) {
      seen.push_back(v.a);
      seen.push_back(v.b);
    }
  };
  add(proof.masked);
  add(proof.mask.low_degree);
  add(proof.mask.linear);
  add(proof.mask.quadratic);
  for (const GroupOpening& group : proof.groups) {
    add(group.combined_row);
    for (const OpenedMatrix& m : group.matrices) {
      for (const auto& column : m.columns) seen.insert(seen.end(), column.begin(), column.end());
    }
  }
  return seen;
}

// A basis in echelon form.
class Span {
 public:
  // False when it lies in the span already.
  bool Add(std::vector<Fp> v) {
    for (const auto& [pivot, row] : rows_) {
      if (v[pivot].is_zero()) continue;
      const Fp factor = v[pivot];
      for (std::size_t i = 0; i < v.size(); ++i) v[i] -= factor * row[i];
    }
    const auto first = std::find_if(v.begin(), v.end(), [](Fp x) { return !x.is_zero(); });
    if (first == v.end()) return false;
    const auto pivot = static_cast<std::size_t>(first - v.begin());
    const Fp inverse = v[pivot].Inverse();
    for (Fp& x : v) x *= inverse;
    rows_.emplace_back(pivot, std::move(v));
    return true;
  }
  std::size_t dimension() const { return rows_.size(); }

 private:
  std::vector<std::pair<std::size_t, std::vector<Fp>>> rows_;
};

std::vector<Fp> Minus(std::vector<Fp> a, const std::vector<Fp>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] -= b[i];
  return a;
}

// For fixed challenges what is seen is an affine image of uniform randomness: uniform on an
// affine space. Two witnesses of one statement are told apart by nothing exactly when the
// spaces are the same; and a simulator that draws from the verifier's equations alone is
// perfect when they fill all solutions of those equations.
TEST(ZeroKnowledgeTest, WhatIsSeenIsUniformOnTheSolutionsOfTheVerifiersEquations) {
  constexpr MatrixShape kToy{
      .log_columns = 3, .log_n = 5, .num_rows = 2, .num_pads = 4, .kind = MatrixKind::kWitness};
  constexpr QueryPolicy kToyPolicy{.work_bits = 0, .fixed_queries = 4, .has_tail = false};
  // One claim: the first cell, which both witnesses share.
  Scenario scenario(3, {}, 1, kToy, kToyPolicy, /*product=*/false);
  Block first_cell;
  scenario.statements()[0].claim.blocks = {first_cell};
  scenario.statements()[0].value = Fp2(42);
  const auto witness = [&](std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::vector<std::uint64_t> cells(kToy.num_rows * kToy.num_columns());
    for (std::uint64_t& cell : cells) cell = Fp(random()).value();
    cells[0] = 42;
    return std::make_shared<StoredRows>(cells, kToy.num_columns());
  };
  const auto seen = [&](std::uint64_t witness_seed, std::uint64_t randomness) {
    scenario.UseData(witness(witness_seed));
    FixedTranscript transcript(9);
    return Seen(scenario.Prove(randomness, transcript));
  };

  const std::vector<Fp> origin = seen(1, 0);
  Span span;
  std::uint64_t randomness = 1;
  for (int failures = 0; failures < 5; ++randomness) {
    failures = span.Add(Minus(seen(1, randomness), origin)) ? 0 : failures + 1;
  }
  // Other witnesses are in the same affine space.
  for (std::uint64_t other = 2; other < 12; ++other) {
    EXPECT_FALSE(span.Add(Minus(seen(other, 1000 + other), origin))) << "witness " << other;
  }
  // The equations over F: at each column one in K for the combined row and one for each mask
  // message; the sum of q_d.
  const BatchPlan::Group& group = scenario.plan().groups()[0];
  const std::size_t equations = group.num_queries * 4 * 2 + 2;
  EXPECT_EQ(span.dimension(), origin.size() - equations);
}

// A prover that forgets to mask is seen by the same test: its value does not move.
TEST(ZeroKnowledgeTest, TheTestSeesAnUnmaskedCell) {
  Span span;
  EXPECT_TRUE(span.Add({Fp(1), Fp(2), Fp(0)}));
  EXPECT_TRUE(span.Add({Fp(1), Fp(3), Fp(0)}));
  EXPECT_FALSE(span.Add({Fp(5), Fp(9), Fp(0)}));
  EXPECT_TRUE(span.Add({Fp(0), Fp(0), Fp(7)}));
}

// First-order statistics of real proofs: the top bit of everything that is seen, for an empty
// and for a full witness.
TEST(ZeroKnowledgeTest, EveryElementLooksUniformWhateverTheWitness) {
  constexpr int kProofs = 200;
  for (const bool full : {false, true}) {
    MatrixShape witness = kWitness;
    witness.num_rows = 2;
    Scenario scenario(21, {}, 1, witness);
    scenario.statements()[0].claim.blocks = {Block{}};
    scenario.statements()[0].value = Fp2();
    std::vector<std::uint64_t> cells(witness.num_rows * witness.num_columns(),
                                     full ? Fp::kModulus - 1 : 0);
    cells[0] = 0;
    scenario.UseData(std::make_shared<StoredRows>(cells, witness.num_columns()));
    std::vector<int> top;
    for (int i = 0; i < kProofs; ++i) {
      const std::vector<Fp> seen = Seen(scenario.Prove(500 + static_cast<std::uint64_t>(i)));
      top.resize(seen.size());
      for (std::size_t k = 0; k < seen.size(); ++k) top[k] += seen[k].value() >> 63 ? 1 : 0;
    }
    // 100 expected, standard deviation 7; six of them for every one of a thousand elements.
    for (std::size_t k = 0; k < top.size(); ++k) {
      EXPECT_NEAR(top[k], kProofs / 2, 43) << "element " << k << (full ? ", full" : ", empty");
    }
  }
}

}  // namespace
}  // namespace flair::zk
