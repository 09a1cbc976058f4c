// Statement files of refreshed commitments, and proofs of them.
// SPDX-License-Identifier: Apache-2.0
#include "proof/refresh_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "base/mem_env.h"
#include "proof/prover/commit_state.h"
#include "proof/prover/proven_run_testing.h"
#include "proof/prover/refresh_commitment.h"
#include "zk/prover/refresh_prover.h"

namespace flair::proof {
namespace {

using testing::HasSubstr;

class RefreshFileTest : public testing::Test {
 protected:
  static zk::CommittedMatrix Committed(int seed, std::uint64_t first = 1) {
    const zk::MatrixShape shape =
        zk::LongLivedShape(700, zk::MatrixKind::kWeights, kOpeningsOfABorder).value();
    std::vector<std::uint64_t> cells(shape.num_rows * shape.num_columns());
    for (std::size_t i = 0; i < 700; ++i) cells[i] = first + i;
    return zk::CommittedMatrix::Commit(
               shape, std::make_shared<zk::StoredRows>(std::move(cells), shape.num_columns()),
               FilledWith(seed))
        .value();
  }
  static RefreshClaim ClaimOf(const zk::CommittedMatrix& before, const zk::CommittedMatrix& after) {
    return {.wallet = FilledWith(7),
            .before = IdOf(before),
            .after = IdOf(after),
            .cards = std::nullopt};
  }
  static Bytes Prove(const zk::CommittedMatrix& before, const zk::CommittedMatrix& after) {
    return Prove(ClaimOf(before, after), before, after);
  }
  static Bytes Prove(const RefreshClaim& claim, const zk::CommittedMatrix& before,
                     const zk::CommittedMatrix& after) {
    MemEnv env;
    return zk::ProveRefresh(PlanOfRefresh(claim).value(), before, after, env).value();
  }
  static std::string Judge(const RefreshClaim& claim, ByteView proof) {
    const auto bits = VerifyRefresh(claim, proof);
    return bits.ok() ? "accepted" : bits.error().message();
  }
  static std::string Read(const std::string& text) {
    const auto claim = DecodeRefresh(text);
    return claim.ok() ? "accepted" : claim.error().message();
  }
  // The file with one part of it another.
  std::string With(const std::string& part, const std::string& other) const {
    std::string text = file_;
    const std::size_t at = text.find(part);
    EXPECT_NE(at, std::string::npos) << part;
    return text.replace(at, part.size(), other);
  }

  const zk::CommittedMatrix before_ = Committed(1), after_ = Committed(2);
  const RefreshClaim claim_ = ClaimOf(before_, after_);
  const std::string file_ = EncodeRefresh(claim_);
};

TEST_F(RefreshFileTest, WhatWasWrittenIsReadAndProven) {
  EXPECT_TRUE(IsRefreshStatement(file_));
  const RefreshClaim claim = DecodeRefresh(file_).value();
  EXPECT_EQ(EncodeRefresh(claim), file_);
  EXPECT_EQ(Judge(claim, Prove(before_, after_)), "accepted");
}

// Attack: other weights under the new commitment.
TEST_F(RefreshFileTest, OtherCellsHaveNoProof) {
  const zk::CommittedMatrix foreign = Committed(3, 2);
  EXPECT_NE(Judge(ClaimOf(before_, foreign), Prove(before_, foreign)), "accepted");
  EXPECT_NE(Judge(ClaimOf(before_, foreign), Prove(before_, after_)), "accepted");
  EXPECT_NE(Judge(ClaimOf(after_, before_), Prove(before_, after_)), "accepted");
}

TEST_F(RefreshFileTest, WhatIsNoStatementIsRefused) {
  EXPECT_EQ(Read(file_), "accepted");
  EXPECT_THAT(Read(With("\"kind\":\"refresh\"", "\"kind\":\"run\"")), HasSubstr("'kind' must be"));
  EXPECT_THAT(Read(With("\"format\":1", "\"format\":2")), HasSubstr("format 2"));
  EXPECT_THAT(Read(With("\"of\":\"weights\"", "\"of\":\"witness\"")), HasSubstr("'of' must be"));
  EXPECT_THAT(Read(With("\"wallet\":\"", "\"wallet\":\"0")), HasSubstr("no address"));
  EXPECT_THAT(Read(With("\"of\":", "\"more\":1,\"of\":")), HasSubstr("unknown"));
  EXPECT_THAT(Read(With("\"after\":", "\"rear\":")), HasSubstr("unknown"));
  EXPECT_THAT(Read(With(",\"of\"", ", \"of\"")), HasSubstr("as it is written"));
  EXPECT_THAT(Read(With("\"rows\":", "\"rows\":99999999")), HasSubstr("rows"));
  EXPECT_THAT(Read(With("\"after\":{", "\"after\":{\"x\":1,")), HasSubstr("after"));
  EXPECT_FALSE(DecodeRefresh(file_.substr(1)).ok());
  EXPECT_FALSE(IsRefreshStatement("{\"format\":1,\"program\":"));
  EXPECT_THAT(Read(file_ + file_), HasSubstr("behind its end"));
}

// Attack: none; a disk may be anything.
TEST_F(RefreshFileTest, WhatWaitsIsReadAsItWasWritten) {
  const ProvenRefresh waits{.claim = claim_,
                            .proof = Prove(before_, after_),
                            .shown = {{{3, 1}, {7}}},
                            .seed = FilledWith(9)};
  const Bytes bytes = EncodeProvenRefresh(waits);
  const auto read = DecodeProvenRefresh(bytes);
  ASSERT_TRUE(read.ok()) << read.error().message();
  EXPECT_EQ(read->seed, waits.seed);
  EXPECT_EQ(read->shown, waits.shown);
  EXPECT_EQ(read->proof, waits.proof);
  EXPECT_EQ(EncodeProvenRefresh(*read), bytes);
  const std::size_t head = bytes.size() - waits.proof.size();
  for (std::size_t size = 0; size < head; ++size) {
    EXPECT_FALSE(DecodeProvenRefresh(ByteView(bytes).first(size)).ok()) << size;
  }
  for (const std::size_t at : {0, 4, 38, 41, 58}) {
    Bytes changed = bytes;
    changed[at] ^= std::byte{0x41};
    EXPECT_FALSE(DecodeProvenRefresh(changed).ok()) << at;
  }
  // And it is believed only if the proof is one.
  MemEnv env;
  ASSERT_TRUE(WritePendingRefresh(env, "/p", waits).ok());
  EXPECT_TRUE(ReadPendingRefresh(env, "/p").value().has_value());
  Bytes cut = bytes;
  cut.pop_back();
  ASSERT_TRUE(WriteFileAtomically(env, "/p", cut).ok());
  EXPECT_EQ(ReadPendingRefresh(env, "/p").error().code(), ErrorCode::kCorrupt);
  EXPECT_FALSE(ReadPendingRefresh(env, "/none").value().has_value());
}

// Three numbers and a class for each of 20 records.
class RefreshedCardsTest : public RefreshFileTest {
 protected:
  static zk::CommittedMatrix CommittedData(int seed) {
    const std::uint64_t cells = zk::DataLayout(data::DataColumnsOf(Columns()), 20)->num_cells;
    const zk::MatrixShape shape = zk::LongLivedShape(cells, zk::MatrixKind::kData, 2).value();
    std::vector<std::uint64_t> values(shape.num_rows * shape.num_columns());
    for (std::size_t i = 0; i < cells; ++i) values[i] = i % 7;
    return zk::CommittedMatrix::Commit(
               shape, std::make_shared<zk::StoredRows>(std::move(values), shape.num_columns()),
               FilledWith(seed))
        .value();
  }
  static data::DataCard Columns() {
    return {
        .name = "tiny",
        .num_records = 20,
        .columns = {{.name = "x",
                     .dims = {},
                     .source = DType::kI16,
                     .format = {.bits = 12, .scale = 3},
                     .classes = 0},
                    {.name = "z",
                     .dims = {},
                     .source = DType::kI16,
                     .format = {.bits = 12, .scale = 3},
                     .classes = 0},
                    {.name = "y", .dims = {}, .source = DType::kU8, .format = {}, .classes = 10}},
        .generation = 0,
        .shape = {},
        .root = {}};
  }
  static data::DataCard CardOf(const zk::CommittedMatrix& matrix, std::uint64_t generation) {
    data::DataCard card = Columns();
    card.generation = generation;
    card.shape = matrix.shape();
    card.root = matrix.root();
    EXPECT_TRUE(data::CheckCard(card).ok());
    return card;
  }

  const zk::CommittedMatrix old_data_ = CommittedData(1), new_data_ = CommittedData(2);
  const data::DataCard old_card_ = CardOf(old_data_, 0), new_card_ = CardOf(new_data_, 1);
  const RefreshClaim honest_ = RefreshClaimOf(FilledWith(7), old_card_, new_card_);
  const Bytes proof_ = Prove(honest_, old_data_, new_data_);
};

TEST_F(RefreshedCardsTest, TheFileHoldsBoth) {
  const std::string text = EncodeRefresh(honest_);
  const auto claim = DecodeRefresh(text);
  ASSERT_TRUE(claim.ok()) << claim.error().message();
  ASSERT_TRUE(claim->cards);
  EXPECT_EQ((*claim->cards)[0], old_card_);
  EXPECT_EQ((*claim->cards)[1], new_card_);
  EXPECT_EQ(claim->after, honest_.after);
  EXPECT_EQ(EncodeRefresh(*claim), text);
  EXPECT_EQ(Judge(*claim, proof_), "accepted");
  // Matrices alone, as of weights, are not enough.
  RefreshClaim bare = honest_;
  bare.cards = std::nullopt;
  EXPECT_THAT(Read(EncodeRefresh(bare)), HasSubstr("before: data card: "));
  EXPECT_THAT(Judge(bare, proof_), HasSubstr("what their cards say"));
  // Nor are cards something that weights have, or cards of others.
  RefreshClaim weights = claim_;
  weights.cards = honest_.cards;
  EXPECT_THAT(Judge(weights, proof_), HasSubstr("another matrix"));
  // A proof of matrices that are not the cards'.
  const zk::CommittedMatrix foreign = CommittedData(3);
  RefreshClaim moved = honest_;
  moved.after = IdOf(foreign);
  const auto plan = zk::RefreshPlan::Make({.wallet = moved.wallet,
                                           .matrices = {moved.before, moved.after},
                                           .reading = data::ReadingOf(old_card_)});
  MemEnv env;
  const Bytes of_foreign = zk::ProveRefresh(plan.value(), old_data_, foreign, env).value();
  EXPECT_NE(Judge(moved, of_foreign), "accepted");
  std::string named = text;
  named.replace(named.find("\"data\""), 6, "\"weights\"");
  EXPECT_FALSE(DecodeRefresh(named).ok());
}

// Attacks: the same cells under a card that makes other data of them.
TEST_F(RefreshedCardsTest, CardsThatReadOtherwiseAreRejected) {
  const struct {
    const char* message;
    std::function<void(data::DataCard&)> change;
  } kAttacks[] = {
      {"column 0 is 'x', I16 [] as 12 bits, scale 3, and 'x', I16 [] as 12 bits, scale 4",
       [](data::DataCard& c) { c.columns[0].format.scale = 4; }},
      {"20 records and 19", [](data::DataCard& c) { c.num_records = 19; }},
      {"column 0 is 'x', ", [](data::DataCard& c) { std::swap(c.columns[0], c.columns[1]); }},
      {"column 0 is 'x', ",
       [](data::DataCard& c) { std::swap(c.columns[0].name, c.columns[1].name); }},
      {"12 bits, scale 3, and 'x', I16 [] as 13 bits",
       [](data::DataCard& c) { c.columns[0].format.bits = 13; }},
      {"[] as 12 bits, scale 3, and 'x', I16 [1]",
       [](data::DataCard& c) { c.columns[0].dims = {1}; }},
      {"I16 [] as 12 bits, scale 3, and 'z', F32",
       [](data::DataCard& c) { c.columns[1].source = DType::kF32; }},
      {"10 classes, and 'y', U8 as 11 classes",
       [](data::DataCard& c) { c.columns[2].classes = 11; }},
      {"3 columns and 2", [](data::DataCard& c) { c.columns.pop_back(); }},
      {"'tiny' and 'other'", [](data::DataCard& c) { c.name = "other"; }},
  };
  for (const auto& attack : kAttacks) {
    data::DataCard other = new_card_;
    attack.change(other);
    ASSERT_TRUE(data::CheckCard(other).ok()) << attack.message;
    const RefreshClaim claim = RefreshClaimOf(honest_.wallet, old_card_, other);
    EXPECT_THAT(Judge(claim, proof_), HasSubstr(attack.message));
    const auto read = DecodeRefresh(EncodeRefresh(claim));
    ASSERT_TRUE(read.ok()) << read.error().message();
    const auto verdict = VerifyRefresh(*read, proof_);
    ASSERT_FALSE(verdict.ok()) << attack.message;
    EXPECT_EQ(verdict.error().code(), ErrorCode::kRejected);
    // Both cards alike, and the proof is of others.
    data::DataCard before = old_card_;
    attack.change(before);
    EXPECT_EQ(Judge(RefreshClaimOf(honest_.wallet, before, other), proof_),
              "the proof is about another statement");
    // Whoever has the cells can prove that, and it is true.
    if (&attack == &kAttacks[0]) {
      const RefreshClaim both = RefreshClaimOf(honest_.wallet, before, other);
      EXPECT_EQ(Judge(both, Prove(both, old_data_, new_data_)), "accepted");
    }
  }
}

}  // namespace
}  // namespace flair::proof
