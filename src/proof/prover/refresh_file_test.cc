// Statement files of refreshed commitments, and proofs of them.
// SPDX-License-Identifier: Apache-2.0
#include "proof/refresh_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "base/mem_env.h"
#include "proof/prover/commit_state.h"
#include "proof/prover/proven_run_testing.h"
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
    return {.wallet = FilledWith(7), .before = IdOf(before), .after = IdOf(after)};
  }
  static Bytes Prove(const zk::CommittedMatrix& before, const zk::CommittedMatrix& after) {
    const RefreshClaim claim = ClaimOf(before, after);
    const auto plan =
        zk::RefreshPlan::Make({.wallet = claim.wallet, .matrices = {claim.before, claim.after}});
    MemEnv env;
    return zk::ProveRefresh(plan.value(), before, after, env).value();
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

}  // namespace
}  // namespace flair::proof
