// Bytes of proofs and statements that are none: cut, longer, of another version, with elements or
// numbers out of range.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "zk/training/statement.h"
#include "zk/training/training_proof.h"

namespace flair::zk {
namespace {

using testing::HasSubstr;

constexpr MatrixShape kWitness{
    .log_columns = 5, .log_n = 7, .num_rows = 3, .num_pads = 16, .kind = MatrixKind::kWitness};
constexpr MatrixShape kWeights{
    .log_columns = 4, .log_n = 6, .num_rows = 2, .num_pads = 14, .kind = MatrixKind::kWeights};

// A proof of the right lengths; nothing in it is true.
class ProofBytesTest : public testing::TestWithParam<bool> {  // with a tail?
 protected:
  static BatchPlan Plan() {
    return BatchPlan::Make(kWitness, {kWeights}, 2, 1,
                           {.work_bits = 0, .fixed_queries = 3, .has_tail = GetParam()})
        .value();
  }
  static OpenedMatrix EmptyMatrix(std::uint64_t num_rows, std::uint64_t num_queries) {
    OpenedMatrix matrix;
    matrix.columns.assign(num_queries, std::vector<Fp>(num_rows));
    matrix.salts.resize(num_queries);
    matrix.path.resize(5);
    return matrix;
  }
  static TrainingProof Empty(const BatchPlan& plan) {
    TrainingProof proof;
    for (const BatchPlan::Group& group : plan.groups()) {
      if (group.companion) proof.companion_roots.emplace_back();
      GroupOpening opening;
      if (!GetParam()) {
        opening.combined_row.resize(plan.matrices()[group.members[0]].row_length());
      }
      const auto add = [&](std::uint64_t rows) {
        opening.matrices.push_back(EmptyMatrix(rows, group.num_queries));
      };
      for (const std::size_t m : group.members) add(plan.matrices()[m].num_rows);
      if (group.companion) add(group.companion->num_rows);
      proof.opening.groups.push_back(std::move(opening));
    }
    proof.opening.masked.resize(plan.mask().num_pads() + 2 * plan.mask().num_triples());
    proof.opening.mask.low_degree.resize(plan.mask().low_degree_size());
    proof.opening.mask.linear.resize(plan.mask().linear_size());
    proof.opening.mask.quadratic.resize(plan.mask().quadratic_size());
    if (const TailPlan* tail = plan.tail()) {
      proof.opening.tail.emplace().values.resize(plan.groups().size());
      proof.opening.tail->rounds.resize(tail->num_variables());
      proof.opening.tail->opening.combined_row.resize(tail->shape.row_length());
      proof.opening.tail->opening.matrices = {EmptyMatrix(tail->shape.num_rows, tail->num_queries)};
    }
    return proof;
  }
  // "accepted", or why not.
  std::string Says(ByteView bytes) const {
    const auto proof = DecodeProof(plan_, bytes);
    return proof.ok() ? "accepted" : proof.error().message();
  }

  BatchPlan plan_ = Plan();
  Bytes bytes_ = EncodeProof(Empty(plan_));
};

TEST_P(ProofBytesTest, WhatWasWrittenIsRead) {
  ASSERT_EQ(Says(bytes_), "accepted");
  EXPECT_EQ(EncodeProof(DecodeProof(plan_, bytes_).value()), bytes_);
}

TEST_P(ProofBytesTest, AProofThatIsCutOrLongerIsRefused) {
  for (std::size_t n = 0; n < bytes_.size(); ++n) {
    EXPECT_EQ(Says(ByteView(bytes_).first(n)), "proof: it is cut off") << n;
  }
  Bytes longer = bytes_;
  longer.push_back(std::byte{0});
  EXPECT_EQ(Says(longer), "proof: bytes behind its end");
}

TEST_P(ProofBytesTest, AnotherFormatIsRefused) {
  for (std::size_t at = 0; at < 8; ++at) {
    Bytes changed = bytes_;
    changed[at] ^= std::byte{1};
    EXPECT_THAT(Says(changed), HasSubstr(at < 4 ? "it is none" : "a version")) << at;
  }
}

// One spelling for each element: p is not 0.
TEST_P(ProofBytesTest, ElementsOfPOrMoreAreRefused) {
  const auto with = [&](std::size_t at, std::uint64_t element) {
    Bytes changed = bytes_;
    for (std::size_t i = 0; i < 8; ++i) {
      changed[at + i] = static_cast<std::byte>(element >> (8 * i));
    }
    return Says(changed);
  };
  // Behind magic, versions, digests of statement, witness, companion and tail, and two nonces.
  const std::size_t masked = 8 + (GetParam() ? 4 : 3) * Digest::kBytes + 16;
  const std::size_t row = masked + 16 * (plan_.mask().num_pads() + 2 * plan_.mask().num_triples());
  const std::size_t column = GetParam() ? row : row + 16 * plan_.matrices()[0].row_length();
  // The last of q_q, or of the tail's columns, behind which are salts and a path.
  std::size_t last = bytes_.size() - 8;
  if (GetParam()) last -= (plan_.tail()->num_queries + 5) * Digest::kBytes + 8;
  for (const std::size_t at : {masked, masked + 8, row, column, column + 16, last}) {
    EXPECT_EQ(with(at, Fp::kModulus - 1), "accepted") << at;
    EXPECT_EQ(with(at, Fp::kModulus), "proof: an element of p or more") << at;
    EXPECT_EQ(with(at, ~std::uint64_t{0}), "proof: an element of p or more") << at;
  }
}

// Attack: an empty path, spelled as one that is longer than all bytes.
TEST_P(ProofBytesTest, APathBeyondTheEndIsRefused) {
  const MaskShape& mask = plan_.mask();
  std::size_t end = bytes_.size();  // of the last path
  if (!GetParam()) {
    end -= Fp2::kBytes * (mask.low_degree_size() + mask.linear_size() + mask.quadratic_size());
  }
  const std::size_t digests = end - 5 * Digest::kBytes;
  for (const unsigned log_length : {3U, 20U, 40U, 59U, 63U}) {
    Bytes changed = bytes_;
    for (std::size_t i = 0; i < 8; ++i) {
      changed[digests - 8 + i] =
          static_cast<std::byte>(log_length / 8 == i ? 1 << log_length % 8 : 0);
    }
    EXPECT_NE(Says(changed), "accepted") << log_length;
    changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(digests),
                  changed.begin() + static_cast<std::ptrdiff_t>(end));
    EXPECT_NE(Says(changed), "accepted") << log_length;
  }
}

INSTANTIATE_TEST_SUITE_P(WithAndWithoutTail, ProofBytesTest, testing::Bool());

constexpr std::size_t kFirstMatrix = 4 + 2 + 5 * Digest::kBytes + 3 * 8 + 1;

TrainingStatement Statement() {
  MatrixShape data = kWeights;
  data.kind = MatrixKind::kData;
  return {.program = {},
          .first_step = 5,
          .num_steps = 2,
          .seed = {},
          .wallet = {},
          .data_card = {},
          .slack = {},
          .num_records = 9,
          .matrices = {{Role::kData, data, {}},
                       {Role::kWeightsBefore, kWeights, {}},
                       {Role::kWeightsAfter, kWeights, {}}}};
}

TEST(StatementBytesTest, WhatIsNoStatementIsRefused) {
  using Change = std::function<void(TrainingStatement&)>;
  const auto says = [](const Change& change, const std::function<void(Bytes&)>& change_bytes = {}) {
    TrainingStatement statement = Statement();
    if (change) change(statement);
    Bytes bytes = statement.Encode();
    if (change_bytes) change_bytes(bytes);
    const auto decoded = TrainingStatement::Decode(bytes);
    return decoded.ok() ? "accepted" : decoded.error().message();
  };
  using S = TrainingStatement;
  EXPECT_EQ(says({}), "accepted");
  for (const Change& change : std::vector<Change>{[](S& s) { s.num_steps = 0; },
                                                  [](S& s) { s.num_steps = (1ULL << 32) + 1; },
                                                  [](S& s) { s.first_step = (1ULL << 48) + 1; },
                                                  [](S& s) { s.num_records = (1ULL << 32) + 1; }}) {
    EXPECT_EQ(says(change), "statement: steps or records out of range");
  }
  EXPECT_THAT(says([](S& s) { s.matrices[2].role = static_cast<Role>(9); }),
              HasSubstr("role 9 is none"));
  EXPECT_THAT(says([](S& s) { std::swap(s.matrices[1].role, s.matrices[2].role); }),
              HasSubstr("not in order"));
  EXPECT_THAT(says([](S& s) { s.matrices[1].role = Role::kData; }), HasSubstr("not in order"));
  EXPECT_THAT(says([](S& s) { s.matrices[1].shape.log_columns = 99; }), HasSubstr("too wide"));
  EXPECT_THAT(says([](S& s) { s.matrices[1].shape.log_n = 99; }), HasSubstr("too wide"));
  EXPECT_THAT(says([](S& s) { s.matrices[1].shape.num_rows = 0; }), HasSubstr("number of rows"));
  const auto byte = [&](std::size_t at) {
    return says({}, [at](Bytes& bytes) { bytes[at] ^= std::byte{1}; });
  };
  EXPECT_THAT(byte(0), HasSubstr("it is none"));
  EXPECT_THAT(byte(4), HasSubstr("a version"));
  // 2^32 more columns than there are.
  EXPECT_THAT(byte(kFirstMatrix + 1 + 4), HasSubstr("too wide"));
  EXPECT_THAT(says({}, [](Bytes& bytes) { bytes.push_back({}); }), HasSubstr("its length"));
  EXPECT_THAT(says({}, [](Bytes& bytes) { bytes.pop_back(); }), HasSubstr("its length"));
  EXPECT_THAT(says({}, [](Bytes& bytes) { bytes.resize(40); }), HasSubstr("cut off"));
}

}  // namespace
}  // namespace flair::zk
