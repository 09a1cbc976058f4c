// Bytes of proofs of training and of their statements. The first byte chooses: 0 a statement, 1 a
// proof, 2 a proof with a tail. Decoded or refused; what is decoded has one spelling.
// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/check.h"
#include "zk/training/statement.h"
#include "zk/training/training_proof.h"

namespace {

using flair::zk::BatchPlan;

BatchPlan Plan(bool has_tail) {
  constexpr flair::zk::MatrixShape kWitness{.log_columns = 5,
                                            .log_n = 7,
                                            .num_rows = 3,
                                            .num_pads = 16,
                                            .kind = flair::zk::MatrixKind::kWitness};
  constexpr flair::zk::MatrixShape kWeights{.log_columns = 4,
                                            .log_n = 6,
                                            .num_rows = 2,
                                            .num_pads = 14,
                                            .kind = flair::zk::MatrixKind::kWeights};
  return BatchPlan::Make(kWitness, {kWeights}, 2, 1,
                         {.work_bits = 0, .fixed_queries = 3, .has_tail = has_tail})
      .value();
}

void CheckProof(const BatchPlan& plan, flair::ByteView bytes) {
  const auto proof = flair::zk::DecodeProof(plan, bytes);
  if (!proof.ok()) return;
  const flair::Bytes again = flair::zk::EncodeProof(*proof);
  FLAIR_CHECK(flair::AsText(again) == flair::AsText(bytes)) << "a second spelling";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const BatchPlan plans[] = {Plan(false), Plan(true)};
  if (size == 0 || data[0] > 2) return 0;
  const flair::ByteView bytes = std::as_bytes(std::span(data, size)).subspan(1);
  if (data[0] > 0) {
    CheckProof(plans[data[0] - 1], bytes);
    return 0;
  }
  const auto statement = flair::zk::TrainingStatement::Decode(bytes);
  if (!statement.ok()) return 0;
  const flair::Bytes again = statement->Encode();
  FLAIR_CHECK(flair::AsText(again) == flair::AsText(bytes)) << "a second spelling";
  return 0;
}
