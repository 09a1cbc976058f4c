// What the vectors of proofs share: tests/vectors/zk_opening.json and zk_lookup.json, made by the
// prover from fixed seeds, judged by the verifier as they are read, and by reference/ as well.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "crypto/sha256.h"
#include "zk/batch/batch_plan.h"
#include "zk/batch/batch_proof.h"
#include "zk/transcript.h"
#include "zk/vectors_testing.h"

namespace flair::zk {

// Its challenges depend on no message, and all work is done: a changed message meets the check
// that is about it, instead of columns that are not those opened.
class DeafTranscript final : public Transcript {
 public:
  using Transcript::Transcript;

 private:
  Digest Step(std::uint8_t tag, Label, ByteView) const override {
    return tag == 2 ? Sha256(state().view()) : state();
  }
};

inline std::unique_ptr<Transcript> NewTranscript(bool deaf, std::string_view protocol) {
  if (deaf) return std::make_unique<DeafTranscript>(protocol);
  return std::make_unique<Transcript>(protocol);
}

// --- reading -------------------------------------------------------------------------------

inline QueryPolicy PolicyOf(const json::value& vector) {
  QueryPolicy policy{.work_bits = static_cast<unsigned>(Num(vector.at("work_bits"))),
                     .fixed_queries = {},
                     .has_tail = {}};
  if (!vector.at("queries").is_null()) policy.fixed_queries = Num(vector.at("queries"));
  if (const json::value* tail = vector.as_object().if_contains("has_tail")) {
    policy.has_tail = tail->as_bool();
  }
  return policy;
}

inline std::vector<MatrixShape> ShapesOf(const json::value& list) {
  std::vector<MatrixShape> out;
  for (const json::value& shape : list.as_array()) out.push_back(ShapeOf(shape));
  return out;
}

inline std::vector<Digest> DigestsOf(const json::value& list) {
  std::vector<Digest> out;
  for (const json::value& v : list.as_array()) out.push_back(Dig(v));
  return out;
}

// Nothing when a number is no element.
inline std::optional<BatchProof> ProofOf(const json::value& proof) {
  bool canonical = true;
  const auto base = [&](const json::value& v) {
    const auto element = Fp::FromCanonical(Word(v));
    canonical = canonical && element;
    return element.value_or(Fp());
  };
  const auto extensions = [&](const json::value& list) {
    std::vector<Fp2> out;
    for (const json::value& v : list.as_array()) out.emplace_back(base(v.at(0)), base(v.at(1)));
    return out;
  };
  const auto matrix_of = [&](const json::value& matrix) {
    OpenedMatrix opened;
    for (const json::value& column : matrix.at("columns").as_array()) {
      opened.columns.emplace_back();
      for (const json::value& v : column.as_array()) opened.columns.back().push_back(base(v));
    }
    opened.salts = DigestsOf(matrix.at("salts"));
    opened.path = DigestsOf(matrix.at("path"));
    return opened;
  };
  BatchProof out;
  out.masked = extensions(proof.at("masked"));
  for (const json::value& group : proof.at("groups").as_array()) {
    GroupOpening opening{.combined_row = extensions(group.at("combined_row")), .matrices = {}};
    for (const json::value& matrix : group.at("matrices").as_array()) {
      opening.matrices.push_back(matrix_of(matrix));
    }
    out.groups.push_back(std::move(opening));
  }
  const json::value& mask = proof.at("mask");
  out.mask.low_degree = extensions(mask.at("low_degree"));
  out.mask.linear = extensions(mask.at("linear"));
  out.mask.quadratic = extensions(mask.at("quadratic"));
  out.nonce = Word(proof.at("nonce"));
  const json::value* tail = proof.as_object().if_contains("tail");
  if (tail != nullptr && !tail->is_null()) {
    out.tail.emplace().root = Dig(tail->at("root"));
    out.tail->values = extensions(tail->at("values"));
    for (const json::value& round : tail->at("rounds").as_array()) {
      const std::vector<Fp2> two = extensions(round);
      out.tail->rounds.push_back({two.at(0), two.at(1)});
    }
    out.tail->opening.combined_row = extensions(tail->at("row"));
    out.tail->nonce = Word(tail->at("nonce"));
    out.tail->opening.matrices.push_back(matrix_of(tail->at("matrix")));
  }
  if (!canonical) return std::nullopt;
  return out;
}

// --- writing -------------------------------------------------------------------------------

inline json::value QueriesJson(const QueryPolicy& policy) {
  json::value queries;
  if (policy.fixed_queries) queries = *policy.fixed_queries;
  return queries;
}

inline json::array ShapesJson(const std::vector<MatrixShape>& shapes) {
  json::array out;
  for (const MatrixShape& shape : shapes) {
    out.push_back({{"log_columns", shape.log_columns},
                   {"log_n", shape.log_n},
                   {"num_rows", shape.num_rows},
                   {"num_pads", shape.num_pads},
                   {"kind", MatrixKindName(shape.kind)}});
  }
  return out;
}

inline json::value ExtJson(Fp2 v) {
  return {std::to_string(v.a.value()), std::to_string(v.b.value())};
}

inline json::array ExtJson(const std::vector<Fp2>& list) {
  json::array out;
  for (const Fp2& v : list) out.push_back(ExtJson(v));
  return out;
}

inline json::array DigestJson(const std::vector<Digest>& list) {
  json::array out;
  for (const Digest& d : list) out.emplace_back(d.ToHex());
  return out;
}

inline json::value MatrixJson(const OpenedMatrix& opened) {
  json::array columns;
  for (const std::vector<Fp>& column : opened.columns) {
    json::array entries;
    for (const Fp v : column) entries.emplace_back(std::to_string(v.value()));
    columns.push_back(std::move(entries));
  }
  return {{"columns", std::move(columns)},
          {"salts", DigestJson(opened.salts)},
          {"path", DigestJson(opened.path)}};
}

inline json::value TailJson(const TailProof& tail) {
  json::array rounds;
  for (const auto& [at_0, at_2] : tail.rounds) rounds.push_back(ExtJson({at_0, at_2}));
  return {{"root", tail.root.ToHex()},
          {"values", ExtJson(tail.values)},
          {"rounds", rounds},
          {"row", ExtJson(tail.opening.combined_row)},
          {"nonce", std::to_string(tail.nonce)},
          {"matrix", MatrixJson(tail.opening.matrices.at(0))}};
}

inline json::value ProofJson(const BatchProof& proof) {
  json::array groups;
  for (const GroupOpening& group : proof.groups) {
    json::array matrices;
    for (const OpenedMatrix& opened : group.matrices) {
      matrices.push_back(MatrixJson(opened));
    }
    groups.push_back({{"combined_row", ExtJson(group.combined_row)}, {"matrices", matrices}});
  }
  json::object json = {{"masked", ExtJson(proof.masked)},
                       {"groups", groups},
                       {"mask",
                        {{"low_degree", ExtJson(proof.mask.low_degree)},
                         {"linear", ExtJson(proof.mask.linear)},
                         {"quadratic", ExtJson(proof.mask.quadratic)}}},
                       {"nonce", std::to_string(proof.nonce)}};
  if (proof.tail) json["tail"] = TailJson(*proof.tail);
  return json;
}

}  // namespace flair::zk
