// The vectors of batch openings, tests/vectors/zk_opening.json.
//
// The protocol of a vector: the claims in order, those without a public value sent; then each
// product: its two values are sent, are those of two claims, and multiply to a public number.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "zk/prover/batch_testing.h"
#include "zk/prover/proof_vectors_testing.h"

namespace flair::zk {

// What both sides know but for the roots.
struct OpeningStatement {
  struct Product {
    std::array<std::size_t, 2> claims;
    Fp2 value;
  };

  std::string name;
  bool deaf = false;
  QueryPolicy policy;
  std::vector<MatrixShape> matrices;  // witness first, its data rows alone
  std::vector<Claim> claims;
  std::vector<std::optional<Fp2>> values;  // by claim; none: sent
  std::vector<Product> products;

  Result<BatchPlan> Plan() const {
    const auto sent = std::count(values.begin(), values.end(), std::nullopt);
    return BatchPlan::Make(matrices[0], {matrices.begin() + 1, matrices.end()},
                           static_cast<std::uint64_t>(sent), products.size(), policy);
  }
  std::unique_ptr<Transcript> NewTranscript() const {
    return zk::NewTranscript(deaf, "flair opening vectors 1");
  }
  // `truths`: by claim, 0 at the verifier's end.
  Script ScriptOf(std::vector<Fp2> truths) const {
    return [this, truths = std::move(truths)](Channel& channel, Transcript& transcript) {
      std::vector<Claim> made = claims;
      for (std::size_t i = 0; i < made.size(); ++i) {
        made[i].value = values[i]
                            ? Masked(*values[i])
                            : channel.Pass(transcript, Label::kClaimValue, {truths[i]})[0].masked;
      }
      for (const Product& stated : products) {
        const auto [a, b] = stated.claims;
        const auto product =
            channel.PassProduct(transcript, Label::kLookupMessage, truths[a], truths[b]);
        channel.RequireZero(product.a.masked - made[a].value);
        channel.RequireZero(product.b.masked - made[b].value);
        channel.RequireZero(product.product.masked - Masked(stated.value));
      }
      return made;
    };
  }
};

// --- reading and judging -------------------------------------------------------------------

inline OpeningStatement StatementOf(const json::value& vector) {
  OpeningStatement s;
  s.name = Str(vector.at("name"));
  s.deaf = vector.at("transcript") == "deaf";
  s.policy = PolicyOf(vector);
  s.matrices = ShapesOf(vector.at("matrices"));
  for (const json::value& claim : vector.at("claims").as_array()) {
    Claim read;
    read.matrix = Num(claim.at("matrix"));
    for (const json::value& block : claim.at("blocks").as_array()) {
      Block b{.coefficient = Ext(block.at("coefficient")), .offset = Num(block.at("offset"))};
      for (const json::value& x : block.at("point").as_array()) b.point.push_back(Ext(x));
      read.blocks.push_back(std::move(b));
    }
    s.claims.push_back(std::move(read));
    s.values.emplace_back();
    if (!claim.at("value").is_null()) s.values.back() = Ext(claim.at("value"));
  }
  for (const json::value& product : vector.at("products").as_array()) {
    const json::array& claims = product.at("claims").as_array();
    s.products.push_back({{Num(claims.at(0)), Num(claims.at(1))}, Ext(product.at("value"))});
  }
  return s;
}

// "accepted", or why not.
inline std::string JudgeOpening(const json::value& vector) {
  const OpeningStatement s = StatementOf(vector);
  const Result<BatchPlan> plan = s.Plan();
  if (!plan.ok()) return plan.error().message();
  const std::optional<BatchProof> proof = ProofOf(vector.at("proof"));
  if (!proof) return "a number that is no element";
  return JudgeScript(*plan,
                     {DigestsOf(vector.at("roots")), DigestsOf(vector.at("companions")), *proof},
                     *s.NewTranscript(), s.ScriptOf(std::vector<Fp2>(s.claims.size())));
}

// --- making --------------------------------------------------------------------------------

struct OpeningCase {
  const char* name;
  bool deaf;
  QueryPolicy policy;
  std::vector<MatrixShape> matrices;
  std::size_t num_claims;  // by turns on all matrices; every second value is sent
  std::size_t num_products;
};

inline std::vector<OpeningCase> OpeningCases() {
  constexpr MatrixShape kWitness{
      .log_columns = 5, .log_n = 7, .num_rows = 3, .num_pads = 16, .kind = MatrixKind::kWitness};
  constexpr MatrixShape kWeights{
      .log_columns = 4, .log_n = 6, .num_rows = 5, .num_pads = 14, .kind = MatrixKind::kWeights};
  constexpr MatrixShape kState{
      .log_columns = 4, .log_n = 6, .num_rows = 8, .num_pads = 14, .kind = MatrixKind::kState};
  constexpr MatrixShape kData{
      .log_columns = 4, .log_n = 7, .num_rows = 1, .num_pads = 13, .kind = MatrixKind::kData};
  // In the witness's group.
  constexpr MatrixShape kBeside{
      .log_columns = 5, .log_n = 7, .num_rows = 2, .num_pads = 16, .kind = MatrixKind::kData};
  constexpr MatrixShape kStrong{
      .log_columns = 8, .log_n = 12, .num_rows = 1, .num_pads = 100, .kind = MatrixKind::kWitness};
  constexpr QueryPolicy kFew{.work_bits = 3, .fixed_queries = 8, .has_tail = false};
  constexpr QueryPolicy kFewAndNoWork{.work_bits = 0, .fixed_queries = 8, .has_tail = false};
  constexpr QueryPolicy kTail{.work_bits = 3, .fixed_queries = 8, .has_tail = true};
  constexpr QueryPolicy kTailAndNoWork{.work_bits = 0, .fixed_queries = 8, .has_tail = true};
  return {
      {"one group", false, kFew, {kWitness}, 3, 0},
      {"three groups", false, kFew, {kWitness, kWeights, kState, kData}, 8, 0},
      {"products", false, kFew, {kWitness, kBeside, kWeights}, 6, 2},
      {"deaf", true, kFewAndNoWork, {kWitness, kData, kBeside}, 4, 1},
      {"full strength", false, {.has_tail = false}, {kStrong}, 2, 0},
      {"tail", false, kTail, {kWitness, kWeights, kBeside, kData}, 8, 1},
      {"deaf tail", true, kTailAndNoWork, {kWitness, kData, kBeside}, 4, 1},
      {"tail of full strength", false, {.has_tail = true}, {kStrong}, 2, 0},
  };
}

// Everything about it follows from its number.
class OpeningVector {
 public:
  OpeningVector(const OpeningCase& made, std::uint64_t number) : number_(number), random_(number) {
    s_.name = made.name;
    s_.deaf = made.deaf;
    s_.policy = made.policy;
    s_.matrices = made.matrices;
    for (const MatrixShape& shape : made.matrices) {
      cells_.push_back(RandomCells(shape, random_));
    }
    for (std::size_t i = 0; i < made.num_claims; ++i) AddClaim(i % made.matrices.size());
    for (std::size_t i = 0; i < made.num_products; ++i) {
      const std::size_t a = 1 + 2 * i;  // sent
      const std::size_t b = 2 * i;      // public
      s_.products.push_back({{a, b}, truths_[a] * truths_[b]});
    }
  }

  json::value Make() {
    const BatchPlan plan = s_.Plan().value();
    std::vector<CommittedMatrix> committed;
    for (std::size_t m = 1; m < s_.matrices.size(); ++m) {
      committed.push_back(CommittedMatrix::Commit(s_.matrices[m], Rows(m), Seed()).value());
    }
    std::vector<const CommittedMatrix*> long_lived;
    for (const CommittedMatrix& matrix : committed) long_lived.push_back(&matrix);
    const Proven proven = ProveScript(plan, Rows(0), long_lived, *SeededEnv(number_),
                                      *s_.NewTranscript(), s_.ScriptOf(truths_));
    json::object vector = StatementJson();
    vector["roots"] = DigestJson(proven.roots);
    vector["companions"] = DigestJson(proven.companions);
    vector["proof"] = ProofJson(proven.proof);
    return vector;
  }

 private:
  Digest Seed() {
    Digest seed;
    for (std::byte& b : seed.bytes) b = static_cast<std::byte>(random_());
    return seed;
  }
  std::shared_ptr<StoredRows> Rows(std::size_t matrix) const {
    return std::make_shared<StoredRows>(cells_[matrix], s_.matrices[matrix].num_columns());
  }

  void AddClaim(std::size_t matrix) {
    Claim claim{
        .matrix = matrix, .blocks = RandomBlocks(s_.matrices[matrix], 2, random_), .value = {}};
    truths_.push_back(ValueOn(cells_[matrix], claim.blocks));
    s_.values.emplace_back();
    if (s_.claims.size() % 2 == 0) s_.values.back() = truths_.back();
    s_.claims.push_back(std::move(claim));
  }

  json::object StatementJson() const {
    json::array claims;
    for (std::size_t i = 0; i < s_.claims.size(); ++i) {
      json::array blocks;
      for (const Block& block : s_.claims[i].blocks) {
        blocks.push_back({{"coefficient", ExtJson(block.coefficient)},
                          {"offset", block.offset},
                          {"point", ExtJson(block.point)}});
      }
      json::value value;
      if (s_.values[i]) value = ExtJson(*s_.values[i]);
      claims.push_back({{"matrix", s_.claims[i].matrix}, {"value", value}, {"blocks", blocks}});
    }
    json::array products;
    for (const OpeningStatement::Product& product : s_.products) {
      const json::array two = {product.claims[0], product.claims[1]};
      products.push_back({{"claims", two}, {"value", ExtJson(product.value)}});
    }
    return {{"name", s_.name},
            {"transcript", s_.deaf ? "deaf" : "framed"},
            {"work_bits", s_.policy.work_bits},
            {"queries", QueriesJson(s_.policy)},
            {"has_tail", *s_.policy.has_tail},
            {"matrices", ShapesJson(s_.matrices)},
            {"claims", claims},
            {"products", products}};
  }

  std::uint64_t number_;
  std::mt19937_64 random_;
  OpeningStatement s_;
  std::vector<std::vector<std::uint64_t>> cells_;  // by matrix
  std::vector<Fp2> truths_;                        // by claim
};

inline json::array MakeOpeningVectors() {
  json::array vectors;
  for (const OpeningCase& made : OpeningCases()) {
    vectors.push_back(OpeningVector(made, vectors.size() + 1).Make());
  }
  return vectors;
}

}  // namespace flair::zk
