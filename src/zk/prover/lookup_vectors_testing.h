// The vectors of the lookup argument, tests/vectors/zk_lookup.json: plans, and proofs.
//
// The protocol of a proof: the argument, and the opening of its two claims.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "zk/lookup/lookup_plan.h"
#include "zk/prover/batch_testing.h"
#include "zk/prover/int_rows.h"
#include "zk/prover/lookup_prover.h"
#include "zk/prover/proof_vectors_testing.h"
#include "zk/verifier/lookup_verifier.h"

namespace flair::zk {

inline constexpr std::string_view kLookupProtocol = "flair lookup vectors 1";

// --- reading and judging -------------------------------------------------------------------

inline Result<LookupPlan> LookupPlanOf(const json::value& vector) {
  const auto column = [](const json::value& v) {
    TableColumn out;
    if (const json::array* list = v.if_array()) {
      for (const json::value& value : *list) out.values.push_back(value.to_number<std::int32_t>());
    } else {
      out.constant = v.to_number<std::int32_t>();
    }
    return out;
  };
  const auto cell = [](const json::value& v) {
    return v.is_null() ? std::nullopt : std::optional(Num(v));
  };
  std::vector<TableSegment> segments;
  for (const json::value& s : vector.at("segments").as_array()) {
    segments.push_back({.class_number = s.at("class").to_number<std::uint32_t>(),
                        .log_rows = s.at("log_rows").to_number<unsigned>(),
                        .first = s.at("first").to_number<std::int32_t>(),
                        .c1 = column(s.at("c1")),
                        .c2 = column(s.at("c2")),
                        .multiplicities = Num(s.at("multiplicities"))});
  }
  std::vector<LookupBlock> lookups;
  for (const json::value& l : vector.at("lookups").as_array()) {
    lookups.push_back({.class_number = l.at("class").to_number<std::uint32_t>(),
                       .log_size = l.at("log_size").to_number<unsigned>(),
                       .v = Num(l.at("v")),
                       .c1 = cell(l.at("c1")),
                       .c2 = cell(l.at("c2"))});
  }
  return LookupPlan::Make(std::move(segments), std::move(lookups));
}

// In the reference's words: a plan, or why it is none.
inline std::string Describe(const Result<LookupPlan>& plan) {
  if (!plan.ok()) {
    constexpr std::pair<std::string_view, std::string_view> kReasons[] = {
        {"have no table", "class"},     {"not aligned", "aligned"},
        {"without lookups", "lookups"}, {"of another length", "column"},
        {"too large", "size"},          {"2^31 lookups", "size"},
        {"more than 2^32", "size"},     {"twice", "row"}};
    const std::string& message = plan.error().message();
    for (const auto& [words, reason] : kReasons) {
      if (message.find(words) != std::string::npos) return "refused: " + std::string(reason);
    }
    return message;
  }
  std::string out = std::to_string(plan->num_leaves()) + " leaves, " +
                    std::to_string(plan->num_layers()) + " layers, " +
                    std::to_string(plan->work_bits()) + " bits of work, " +
                    std::to_string(plan->num_pads()) + " pads, " +
                    std::to_string(plan->num_triples()) + " triples:";
  const char* between = " ";
  for (const LookupPlan::LeafBlock& block : plan->leaf_blocks()) {
    out += between + std::string(block.is_table ? "table " : "lookups ") +
           std::to_string(block.index) + " from " + std::to_string(block.first_leaf);
    between = ", ";
  }
  return out;
}

// Of a proof "accepted", or why not; of a plan what it is, or why there is none.
inline std::string JudgeLookup(const json::value& vector) {
  const Result<LookupPlan> plan = LookupPlanOf(vector);
  if (!plan.ok() || !vector.as_object().contains("proof")) return Describe(plan);
  const std::vector<MatrixShape> matrices = ShapesOf(vector.at("matrices"));
  const Result<BatchPlan> batch =
      BatchPlan::Make(matrices[0], {matrices.begin() + 1, matrices.end()}, plan->num_pads(),
                      plan->num_triples(), PolicyOf(vector));
  if (!batch.ok()) return batch.error().message();
  const std::optional<BatchProof> proof = ProofOf(vector.at("proof"));
  if (!proof) return "a number that is no element";
  auto verifier = BatchVerifier::Begin(*batch, DigestsOf(vector.at("roots")),
                                       DigestsOf(vector.at("companions")), *proof);
  if (!verifier.ok()) return verifier.error().message();
  const std::unique_ptr<Transcript> transcript =
      NewTranscript(vector.at("transcript") == "deaf", kLookupProtocol);
  verifier->AbsorbRoots(*transcript);
  const auto claims = CheckLookups(*plan, Word(vector.at("nonce")), *transcript, *verifier);
  if (!claims.ok()) return claims.error().message();
  const Status checked = verifier->Check(*transcript, *claims);
  return checked.ok() ? "accepted" : checked.error().message();
}

// --- making --------------------------------------------------------------------------------

// Tables and lookups with their cells.
class LookupCase {
 public:
  explicit LookupCase(std::string name) : name_(std::move(name)) {}
  // Without cells: for a plan.
  LookupCase(std::string name, std::vector<TableSegment> segments, std::vector<LookupBlock> lookups)
      : name_(std::move(name)), segments_(std::move(segments)), lookups_(std::move(lookups)) {}

  void AddTable(TableSegment segment) {
    segment.multiplicities = Place(segment.log_rows);
    segments_.push_back(std::move(segment));
  }
  // Of rows of the class, drawn among its segments.
  void AddLookups(std::uint32_t class_number, unsigned log_size) {
    std::vector<const TableSegment*> own;
    for (const TableSegment& s : segments_) {
      if (s.class_number == class_number) own.push_back(&s);
    }
    const auto used = [&](TableColumn TableSegment::*column) {
      return std::any_of(own.begin(), own.end(), [&](const TableSegment* s) {
        return !(s->*column).values.empty() || (s->*column).constant != 0;
      });
    };
    LookupBlock block{.class_number = class_number,
                      .log_size = log_size,
                      .v = Place(log_size),
                      .c1 = {},
                      .c2 = {}};
    if (used(&TableSegment::c1)) block.c1 = Place(log_size);
    if (used(&TableSegment::c2)) block.c2 = Place(log_size);
    for (std::uint64_t i = 0; i < std::uint64_t{1} << log_size; ++i) {
      const TableSegment& s = *own[random_() % own.size()];
      const std::uint64_t row = random_() % (std::uint64_t{1} << s.log_rows);
      cells_[block.v + i] = s.first + static_cast<std::int32_t>(row);
      if (block.c1) cells_[*block.c1 + i] = s.c1.at(row);
      if (block.c2) cells_[*block.c2 + i] = s.c2.at(row);
    }
    lookups_.push_back(block);
  }
  json::value Plan() const {
    json::object vector = StatementJson();
    vector["plan"] = Describe(LookupPlan::Make(segments_, lookups_));
    return vector;
  }

  json::value Prove(bool deaf) {
    constexpr MatrixShape kWitness{
        .log_columns = 5, .log_n = 7, .num_rows = 0, .num_pads = 16, .kind = MatrixKind::kWitness};
    const QueryPolicy policy{.work_bits = deaf ? 0U : 3U, .fixed_queries = 8, .has_tail = false};
    const LookupPlan plan = LookupPlan::Make(segments_, lookups_).value();
    FLAIR_CHECK(CountLookups(plan, cells_).ok());
    MatrixShape witness = kWitness;
    witness.num_rows = (cells_.size() + 31) / 32;
    const BatchPlan batch =
        BatchPlan::Make(witness, {}, plan.num_pads(), plan.num_triples(), policy).value();
    const auto rows = std::make_shared<IntRows>(cells_, 32);
    BatchProver prover = BatchProver::Commit(batch, rows, {}, *SeededEnv(cells_.size())).value();
    const std::unique_ptr<Transcript> transcript = NewTranscript(deaf, kLookupProtocol);
    prover.AbsorbRoots(*transcript);
    const ProvenLookups proven = ProveLookups(plan, rows->cells(), *transcript, prover);

    json::object vector = StatementJson();
    vector["transcript"] = deaf ? "deaf" : "framed";
    vector["work_bits"] = policy.work_bits;
    vector["queries"] = QueriesJson(policy);
    vector["has_tail"] = *policy.has_tail;
    vector["matrices"] = ShapesJson({witness});
    vector["roots"] = DigestJson({prover.witness_root()});
    vector["companions"] = DigestJson(prover.companion_roots());
    vector["nonce"] = std::to_string(proven.nonce);
    vector["proof"] = ProofJson(prover.Prove(*transcript, proven.claims).value());
    return vector;
  }

 private:
  std::uint64_t Place(unsigned log_size) {
    const std::uint64_t size = std::uint64_t{1} << log_size;
    const std::uint64_t at = (cells_.size() + size - 1) / size * size;
    cells_.resize(at + size);
    return at;
  }

  json::object StatementJson() const {
    const auto column = [](const TableColumn& c) -> json::value {
      if (c.values.empty()) return c.constant;
      return json::array(c.values.begin(), c.values.end());
    };
    const auto cell = [](const std::optional<std::uint64_t>& at) {
      json::value out;
      if (at) out = *at;
      return out;
    };
    json::array segments;
    for (const TableSegment& s : segments_) {
      segments.push_back({{"class", s.class_number},
                          {"log_rows", s.log_rows},
                          {"first", s.first},
                          {"c1", column(s.c1)},
                          {"c2", column(s.c2)},
                          {"multiplicities", s.multiplicities}});
    }
    json::array lookups;
    for (const LookupBlock& l : lookups_) {
      lookups.push_back({{"class", l.class_number},
                         {"log_size", l.log_size},
                         {"v", l.v},
                         {"c1", cell(l.c1)},
                         {"c2", cell(l.c2)}});
    }
    return {{"name", name_}, {"segments", segments}, {"lookups", lookups}};
  }

  std::string name_;
  std::mt19937_64 random_{1};
  std::vector<TableSegment> segments_;
  std::vector<LookupBlock> lookups_;
  std::vector<std::int32_t> cells_;
};

// Plans that can be, at their limits, and one for each reason why there is none.
inline json::array MakePlans() {
  json::array vectors;
  const auto add = [&](const char* name, std::vector<TableSegment> segments,
                       std::vector<LookupBlock> lookups) {
    vectors.push_back(LookupCase(name, std::move(segments), std::move(lookups)).Plan());
  };
  const auto lookups_of = [](std::initializer_list<unsigned> sizes) {
    std::vector<LookupBlock> out;
    for (const unsigned size : sizes) out.push_back({.log_size = size});
    return out;
  };
  constexpr std::int32_t kLeast = std::numeric_limits<std::int32_t>::min();
  constexpr std::int32_t kMost = std::numeric_limits<std::int32_t>::max();
  const TableSegment range{.log_rows = 4};
  const TableSegment single{};
  add("a lookup and a row", {single}, lookups_of({0}));
  add("a power of two", {range}, lookups_of({4}));
  add("one leaf more", {range, {.class_number = 1}}, lookups_of({4}));
  add("larger first, lookups before tables",
      {{.first = -1}, range, {.log_rows = 2, .first = 16}, {.class_number = 3, .log_rows = 4}},
      lookups_of({0, 4, 2, 0, 3, 4}));
  add("2^22 leaves", {range},
      lookups_of({4, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5}));
  add("2^22 leaves and one", {single}, lookups_of({22}));
  std::vector<LookupBlock> most;
  for (unsigned size = 0; size < 31; ++size) most.push_back({.log_size = size});
  add("2^31 lookups of a class but one", {single}, most);
  most.push_back({.log_size = 0});
  add("2^31 lookups of a class", {single}, most);
  add("2^31 lookups in one block", {single}, {{.log_size = 31}});
  add("2^32 lookups in one block", {single}, {{.log_size = 32}});
  std::vector<TableSegment> tables;
  most.clear();
  for (std::uint32_t number = 0; number < 4; ++number) {
    tables.push_back({.class_number = number});
    for (unsigned size = 0; size < 30; ++size) {
      most.push_back({.class_number = number, .log_size = size});
    }
  }
  add("2^32 leaves", tables, most);
  tables.push_back({.first = 1});
  add("2^32 leaves and one", tables, most);
  add("no lookups", {range}, {});
  add("the least v", {{.log_rows = 4, .first = kLeast}}, lookups_of({0}));
  add("the greatest v", {{.log_rows = 4, .first = kMost - 15}}, lookups_of({0}));
  add("a v that is greater", {{.log_rows = 4, .first = kMost - 14}}, lookups_of({0}));
  add("no table", {range}, {{.class_number = 1}});
  add("counts at an odd cell", {{.log_rows = 1, .multiplicities = 3}}, lookups_of({0}));
  add("v at an odd cell", {range}, {{.log_size = 1, .v = 3}});
  add("c1 at an odd cell", {range}, {{.log_size = 1, .c1 = 5}});
  add("c2 at an odd cell", {range}, {{.log_size = 1, .c1 = 4, .c2 = 7}});
  add("c1 too short", {{.log_rows = 2, .c1 = {.values = {1, 2, 3}}}}, lookups_of({0}));
  add("c2 too long", {{.c2 = {.values = {1, 2}}}}, lookups_of({0}));
  const auto tie = [&](const char* name, TableColumn c1, TableColumn c2) {
    add(name, {range, {.log_rows = 2, .first = 14, .c1 = std::move(c1), .c2 = std::move(c2)}},
        lookups_of({0}));
  };
  tie("a row twice", {}, {});
  tie("a row twice but for c1", {.constant = -1}, {});
  tie("a row twice but for c2", {}, {.constant = 1});
  tie("a row twice by lists", {.values = {7, 0, 0, 0}}, {.values = {0, 0, 0, 0}});
  tie("a row twice but for lists", {.values = {7, 0, 0, 0}}, {.values = {0, -2, 0, 0}});
  add("a row of two classes", {range, {.class_number = 1, .log_rows = 2, .first = 14}},
      lookups_of({0}));
  return vectors;
}

// 1 is a range, 2 a sign with two rows for a tie, 3 a function of v < 0 as well with a selector,
// 4 a single row, 5 a list of pairs.
inline LookupCase AllKinds(std::string name, std::initializer_list<unsigned> sizes) {
  LookupCase made(std::move(name));
  made.AddTable({.class_number = 1, .log_rows = 4, .first = -8});
  made.AddTable({.class_number = 2, .log_rows = 3, .first = 0, .c1 = {.constant = 0}});
  made.AddTable({.class_number = 2, .log_rows = 3, .first = 8, .c1 = {.constant = 1}});
  made.AddTable({.class_number = 2, .log_rows = 0, .first = 8, .c1 = {.constant = 0}});
  made.AddTable({.class_number = 2, .log_rows = 0, .first = 7, .c1 = {.constant = 1}});
  made.AddTable({.class_number = 3,
                 .log_rows = 2,
                 .first = -2,
                 .c1 = {.values = {9, -4, 5, 5}},
                 .c2 = {.constant = 1}});
  made.AddTable({.class_number = 3, .log_rows = 3, .first = -4});
  made.AddTable({.class_number = 4, .log_rows = 0, .first = -77});
  made.AddTable({.class_number = 5,
                 .log_rows = 1,
                 .first = 1 << 20,
                 .c1 = {.values = {-3, 1 << 30}},
                 .c2 = {.values = {0, -6}}});
  std::uint32_t class_number = 0;
  for (const unsigned size : sizes) made.AddLookups(class_number++ % 5 + 1, size);
  return made;
}

inline json::array MakeLookupVectors() {
  json::array vectors = MakePlans();
  LookupCase range("range");
  range.AddTable({.class_number = 0, .log_rows = 4});
  for (const unsigned size : {3, 2, 2}) range.AddLookups(0, size);
  vectors.push_back(range.Prove(false));
  LookupCase least("one lookup");
  least.AddTable({.class_number = 9, .first = -3, .c1 = {.constant = 2}});
  least.AddLookups(9, 0);
  vectors.push_back(least.Prove(false));
  vectors.push_back(AllKinds("all kinds", {2, 3, 1, 0, 2, 4}).Prove(false));
  vectors.push_back(AllKinds("deaf", {1, 0, 2, 1, 0}).Prove(true));
  return vectors;
}

}  // namespace flair::zk
