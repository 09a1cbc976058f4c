// The vectors of refreshed commitments, tests/vectors/zk_refresh.json: two matrices, a proof that
// they hold the same, and what the verifier says when a byte of either is another one.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "zk/prover/batch_testing.h"
#include "zk/prover/byte_changes_testing.h"
#include "zk/prover/proof_vectors_testing.h"
#include "zk/prover/refresh_prover.h"
#include "zk/verifier/refresh_verifier.h"

namespace flair::zk {

// --- reading and judging -------------------------------------------------------------------

// "accepted", or what refused it and why: the plan or the verifier.
inline std::string JudgeRefresh(const json::value& vector) {
  const std::vector<MatrixShape> shapes = ShapesOf(vector.at("matrices"));
  const std::vector<Digest> roots = DigestsOf(vector.at("roots"));
  RefreshStatement statement{
      .wallet = Dig(vector.at("wallet")), .matrices = {}, .reading = std::nullopt};
  if (vector.as_object().contains("reading")) statement.reading = Dig(vector.at("reading"));
  statement.matrices = {{{shapes.at(0), roots.at(0)}, {shapes.at(1), roots.at(1)}}};
  const auto plan = RefreshPlan::Make(statement, PolicyOf(vector));
  if (!plan.ok()) return "plan: " + plan.error().message();
  return VerdictOf(VerifyRefresh(*plan, FromHex(Str(vector.at("proof"))).value()));
}

// --- making --------------------------------------------------------------------------------

// Cells under two shapes of one kind.
class RefreshCase {
 public:
  struct Options {
    std::size_t num_cells = 1;
    MatrixKind kind = MatrixKind::kWeights;
    unsigned log_columns_before = 5;
    unsigned log_columns_after = 5;
    bool has_tail = false;
  };

  RefreshCase(std::string name, const Options& options, std::uint64_t seed)
      : name_(std::move(name)), options_(options), random_(seed) {}

  json::value Prove() {
    std::vector<std::uint64_t> cells(options_.num_cells);
    for (std::uint64_t& cell : cells) cell = RandomElement(random_).a.value();
    const CommittedMatrix before = Commit(cells, options_.log_columns_before);
    const CommittedMatrix after = Commit(cells, options_.log_columns_after);
    const QueryPolicy policy{.work_bits = 3, .fixed_queries = 12, .has_tail = options_.has_tail};
    RefreshStatement statement{.wallet = AnyDigest(), .matrices = {}, .reading = std::nullopt};
    const bool is_data = options_.kind == MatrixKind::kData;
    if (is_data) statement.reading = AnyDigest();
    statement.matrices = {{{before.shape(), before.root()}, {after.shape(), after.root()}}};
    const RefreshPlan plan = RefreshPlan::Make(statement, policy).value();
    const auto env = SeededEnv(random_() % 1000);
    const Bytes proof = ProveRefresh(plan, before, after, *env).value();
    json::object vector{{"name", name_},
                        {"wallet", statement.wallet.ToHex()},
                        {"matrices", ShapesJson({before.shape(), after.shape()})},
                        {"roots", DigestJson({before.root(), after.root()})},
                        {"queries", QueriesJson(policy)},
                        {"work_bits", policy.work_bits},
                        {"has_tail", options_.has_tail},
                        {"proof", ToHex(proof)}};
    std::vector<std::string> parts = {"wallet", "roots.0", "roots.1"};
    if (is_data) {
      vector["reading"] = statement.reading->ToHex();
      parts.push_back("reading");
    }
    vector["changed"] = JudgedChanges(vector, parts, JudgeRefresh);
    return vector;
  }

 private:
  Digest AnyDigest() {
    Digest digest;
    for (std::byte& b : digest.bytes) b = static_cast<std::byte>(random_());
    return digest;
  }
  CommittedMatrix Commit(std::vector<std::uint64_t> cells, unsigned log_columns) {
    const std::uint64_t columns = std::uint64_t{1} << log_columns;
    const MatrixShape shape{.log_columns = log_columns,
                            .log_n = 7,
                            .num_rows = (cells.size() + columns - 1) / columns,
                            .num_pads = 12,
                            .kind = options_.kind};
    cells.resize(shape.num_rows * columns);
    return CommittedMatrix::Commit(shape, std::make_shared<StoredRows>(std::move(cells), columns),
                                   AnyDigest())
        .value();
  }

  std::string name_;
  Options options_;
  std::mt19937_64 random_;
};

inline json::array MakeRefreshVectors() {
  const std::pair<const char*, RefreshCase::Options> cases[] = {
      {"weights of one shape", {.num_cells = 75}},
      {"with a tail", {.num_cells = 75, .has_tail = true}},
      {"state of other widths",
       {.num_cells = 48,
        .kind = MatrixKind::kState,
        .log_columns_before = 5,
        .log_columns_after = 4}},
      {"data that become wider, with a tail",
       {.num_cells = 77,
        .kind = MatrixKind::kData,
        .log_columns_before = 4,
        .log_columns_after = 6,
        .has_tail = true}},
      {"one row", {.num_cells = 1}}};
  json::array vectors;
  for (const auto& [name, options] : cases) {
    vectors.push_back(RefreshCase(name, options, vectors.size() + 1).Prove());
  }
  return vectors;
}

}  // namespace flair::zk
