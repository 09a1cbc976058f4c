// `run_judge make|judge` answers questions from standard input, one a line, for the tests that
// compare this build with other verifiers:
//
//   make    {"program": TEXT, "rows", "first_step", "steps", "chunk": steps of each, "slack": null
//           or its bounds, "passes_state"}: {"statement": TEXT, "proof": HEX} of a run on data and
//           weights that follow from the program, or {"error": why}. A recorded run has weights
//           that are one part in 2000 off the exact ones.
//           {"refresh": "weights", "state" or "data", "cells"}: the same of a refreshed commitment
//   judge   {"statement", "proof"}: "accepted", or what is wrong: "rejected: why", "corrupt: why"
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <boost/json.hpp>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>

#include "base/hex.h"
#include "base/mem_env.h"
#include "program/circuit_digest_testing.h"
#include "program/encoding.h"
#include "program/steps_testing.h"
#include "proof/prover/commit_state.h"
#include "proof/prover/prove_run.h"
#include "proof/refresh_file.h"
#include "proof/statement_file.h"
#include "proof/verify_run.h"
#include "zk/prover/refresh_prover.h"
#include "zk/prover/training_prover.h"

namespace flair::proof {
namespace {

namespace json = boost::json;

Digest FilledWith(int byte) {
  Digest digest;
  digest.bytes.fill(static_cast<std::byte>(byte));
  return digest;
}

struct Question {
  json::object asked;  // data and weights, too
  RunStatement statement;
  program::Lowered exact;
  program::Lowered lowered;  // with its slack
  program::DataSet data;
  program::TrainingState start;
  std::uint64_t steps_per_chunk = 1;
  bool passes_state = false;
};

std::vector<circuit::Ints> Tensors(const json::object& of, std::string_view key) {
  return json::value_to<std::vector<circuit::Ints>>(of.at(key));
}

Result<Question> Read(const std::string& line) {
  const json::object said = json::parse(line).as_object();
  const auto number = [&](std::string_view key) { return said.at(key).to_number<std::uint64_t>(); };
  Question q;
  const std::string text(said.at("program").as_string());
  FLAIR_TRY(q.statement.program, program::ParseProgram(text));
  FLAIR_TRY(q.exact, program::Lower(q.statement.program));
  const std::optional<program::Slack> slack = program::SlackOf(said.at("slack"));
  FLAIR_TRY(q.lowered, program::Lower(q.statement.program, slack));
  const auto rows = static_cast<std::uint32_t>(number("rows"));
  q.asked = program::QuestionOf(text, rows, number("steps"));
  q.data = {.rows = rows, .columns = Tensors(q.asked, "columns")};
  FLAIR_TRY(q.start,
            program::StartOf(q.exact, Tensors(q.asked, "parameters"), Tensors(q.asked, "buffers")));
  q.steps_per_chunk = number("chunk");
  q.passes_state = said.at("passes_state").as_bool();
  q.statement.claim = {.program = program::HashProgram(q.statement.program),
                       .seed = FilledWith(3),
                       .wallet = FilledWith(7),
                       .first_step = number("first_step"),
                       .num_steps = number("steps"),
                       .data = std::nullopt,
                       .slack = slack,
                       .before = {},
                       .after = {}};
  // A run that goes on remembers something.
  if (q.statement.claim.first_step > 0 && HasState(q.lowered.circuit)) {
    q.statement.claim.before.state.emplace();
    for (std::size_t i = 0; i < q.start.carried.size(); ++i) {
      if (q.exact.circuit.carried[i].role != circuit::Carried::Role::kState) continue;
      std::fill(q.start.carried[i].begin(), q.start.carried[i].end(), 1);
    }
  }
  return q;
}

// Commits to the data, and has the statement name the card.
Result<zk::CommittedMatrix> Register(Question& q) {
  data::DataCard card{.name = "set", .num_records = q.data.rows, .columns = {}};
  for (const program::Column& column : q.statement.program.columns) {
    card.columns.push_back({.name = column.name,
                            .dims = column.row,
                            .source = DType::kI32,
                            .format = column.format,
                            .classes = column.classes});
  }
  const std::vector<zk::DataColumn> columns = data::DataColumnsOf(card);
  FLAIR_TRY(const zk::LongLived layout, zk::DataLayout(columns, q.data.rows));
  const std::vector<std::span<const std::int64_t>> values(q.data.columns.begin(),
                                                          q.data.columns.end());
  FLAIR_TRY(std::vector<std::uint64_t> cells, zk::DataCells(columns, layout, q.data.rows, values));
  FLAIR_TRY(card.shape, zk::LongLivedShape(cells.size(), zk::MatrixKind::kData, kOpeningsOfAnEnd));
  cells.resize(card.shape.num_rows * card.shape.num_columns());
  FLAIR_TRY(
      zk::CommittedMatrix matrix,
      zk::CommittedMatrix::Commit(
          card.shape, std::make_shared<zk::StoredRows>(std::move(cells), card.shape.num_columns()),
          FilledWith(5)));
  card.root = matrix.root();
  q.statement.claim.data = DataClaimOf(card);
  q.statement.card = std::move(card);
  return matrix;
}

// What a framework might have made of a step: the exact weights, every other cell a little off.
Result<std::vector<std::vector<circuit::Ints>>> Record(const Question& q) {
  const RunClaim& claim = q.statement.claim;
  program::TrainingState state = q.start;
  std::vector<std::vector<circuit::Ints>> weights;
  for (std::uint64_t step = 0; step < claim.num_steps; ++step) {
    const program::TrainingState before = state;
    FLAIR_TRY(state, program::Train(q.exact, q.data, std::move(state),
                                    {.seed = claim.seed, .first_step = claim.first_step + step},
                                    [](const program::TrainingStep&) { return OkStatus(); }));
    weights.emplace_back();
    for (std::size_t i = 0; i < q.exact.parameters.size(); ++i) {
      for (std::size_t cell = 0; cell < state.carried[i].size(); cell += 2) {
        state.carried[i][cell] += (state.carried[i][cell] - before.carried[i][cell]) / 2000;
      }
      weights.back().push_back(state.carried[i]);
    }
  }
  return weights;
}

// A record for every two cells.
data::DataCard CardOf(const zk::CommittedMatrix& matrix, std::uint64_t num_cells,
                      std::uint64_t generation) {
  return {
      .name = "counted",
      .num_records = num_cells / 2,
      .columns = {{.name = "x",
                   .dims = {},
                   .source = DType::kI16,
                   .format = {.bits = 12, .scale = 3},
                   .classes = 0},
                  {.name = "y", .dims = {}, .source = DType::kU8, .format = {}, .classes = 100}},
      .generation = generation,
      .shape = matrix.shape(),
      .root = matrix.root()};
}

// Cells that count up, under two seeds; the second commitment for more openings than the first.
Result<json::object> MakeRefresh(const json::object& asked) {
  const zk::MatrixKind kind = *zk::MatrixKindNamed(std::string(asked.at("refresh").as_string()));
  const auto count = asked.at("cells").to_number<std::uint64_t>();
  const auto commit = [&](int seed, std::uint64_t openings) -> Result<zk::CommittedMatrix> {
    FLAIR_TRY(const zk::MatrixShape shape, zk::LongLivedShape(count, kind, openings));
    std::vector<std::uint64_t> cells(shape.num_rows * shape.num_columns());
    for (std::uint64_t i = 0; i < count; ++i) cells[i] = i + 1;
    return zk::CommittedMatrix::Commit(
        shape, std::make_shared<zk::StoredRows>(std::move(cells), shape.num_columns()),
        FilledWith(seed));
  };
  FLAIR_TRY(const zk::CommittedMatrix before, commit(1, 2));
  FLAIR_TRY(const zk::CommittedMatrix after, commit(2, kOpeningsOfAnEnd));
  RefreshClaim claim{
      .wallet = FilledWith(7), .before = IdOf(before), .after = IdOf(after), .cards = std::nullopt};
  if (kind == zk::MatrixKind::kData) {
    claim = RefreshClaimOf(claim.wallet, CardOf(before, count, 0), CardOf(after, count, 1));
  }
  FLAIR_TRY(const zk::RefreshPlan plan, PlanOfRefresh(claim));
  MemEnv env;
  FLAIR_TRY(const Bytes proof, zk::ProveRefresh(plan, before, after, env));
  return json::object{{"statement", EncodeRefresh(claim)}, {"proof", ToHex(proof)}};
}

Result<json::object> Make(const std::string& line) {
  const json::object said = json::parse(line).as_object();
  if (said.contains("refresh")) return MakeRefresh(said);
  FLAIR_TRY(Question q, Read(line));
  std::optional<zk::CommittedMatrix> matrix;
  if (!q.lowered.circuit.data.empty()) {
    FLAIR_TRY(matrix, Register(q));
  }
  RunSecrets secrets{.data = &q.data,
                     .data_matrix = matrix ? &*matrix : nullptr,
                     .start = q.start,
                     .recorded = {},
                     .weights_seed = FilledWith(9),
                     .border_seed = FilledWith(10)};
  std::vector<std::vector<circuit::Ints>> weights;
  const std::uint64_t first = q.statement.claim.first_step;
  if (q.statement.claim.slack) {
    FLAIR_TRY(weights, Record(q));
    secrets.start.carried.resize(q.lowered.circuit.carried.size(), {0});
    secrets.recorded = [&](std::uint64_t step) -> Result<std::vector<circuit::Ints>> {
      return weights[step - first];
    };
  }
  MemEnv env;
  FLAIR_TRY(const ProvenRun proven, ProveRun(q.lowered, q.statement.claim, secrets,
                                             {.steps_per_chunk = q.steps_per_chunk,
                                              .folder = "/chunks",
                                              .passes_state = q.passes_state},
                                             env));
  q.statement.claim = proven.claim;
  return json::object{{"statement", EncodeStatement(q.statement)}, {"proof", ToHex(proven.proof)}};
}

std::string AnswerMake(const std::string& line) {
  const auto made = Make(line);
  if (made.ok()) return json::serialize(*made);
  return json::serialize(json::object{{"error", made.error().message()}});
}

Status Judge(const std::string& line) {
  const json::value asked = json::parse(line);
  const std::string_view text = asked.at("statement").as_string();
  FLAIR_TRY(const Bytes proof, FromHex(asked.at("proof").as_string()));
  if (IsRefreshStatement(text)) {
    FLAIR_TRY(const RefreshClaim claim, DecodeRefresh(text));
    FLAIR_DO(VerifyRefresh(claim, proof));
    return OkStatus();
  }
  FLAIR_TRY(const RunStatement statement, DecodeStatement(text));
  FLAIR_TRY(const program::Lowered lowered,
            program::Lower(statement.program, statement.claim.slack));
  FLAIR_DO(VerifyRun(lowered, statement.claim, proof));
  return OkStatus();
}

std::string AnswerJudge(const std::string& line) {
  const Status verdict = Judge(line);
  if (verdict.ok()) return "accepted";
  const char* kind = "unchecked";
  if (verdict.error().code() == ErrorCode::kRejected) kind = "rejected";
  if (verdict.error().code() == ErrorCode::kCorrupt) kind = "corrupt";
  return std::string(kind) + ": " + verdict.error().message();
}

int Main(const std::string_view kind) {
  if (kind != "make" && kind != "judge") {
    std::cerr << "usage: run_judge make|judge\n";
    return 2;
  }
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << (kind == "make" ? AnswerMake(line) : AnswerJudge(line)) << std::endl;
  }
  return 0;
}

}  // namespace
}  // namespace flair::proof

int main(int count, char** arguments) { return flair::proof::Main(count == 2 ? arguments[1] : ""); }
