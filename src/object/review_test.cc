// SPDX-License-Identifier: Apache-2.0
#include "object/review.h"

#include <gtest/gtest.h>

#include "base/hex.h"

namespace flair {
namespace {

TEST(Review, SurvivesStorageInOneEncoding) {
  for (const Verdict v : {Verdict::kApprove, Verdict::kReject, Verdict::kRequestChanges}) {
    for (const char* text : {"", "Norms as expected", "ß"}) {
      const Review r{.verdict = v, .text = text};
      EXPECT_EQ(DecodeReview(EncodeReview(r)).value(), r);
    }
  }
  EXPECT_EQ(ToHex(EncodeReview({.verdict = Verdict::kReject, .text = "no"})), "01010202026e6f");
}

TEST(Review, RefusesMalformedPayloads) {
  const struct {
    const char* name;
    Bytes payload;
    ErrorCode code;
  } kCases[] = {
      {"nothing", {}, ErrorCode::kCorrupt},
      {"a verdict of a later version", FromHex("010104").value(), ErrorCode::kUnsupported},
      {"verdict 0", FromHex("010100").value(), ErrorCode::kUnsupported},
      {"an empty text", FromHex("0101010200").value(), ErrorCode::kCorrupt},
      {"not UTF-8", FromHex("0101010201ff").value(), ErrorCode::kCorrupt},
      {"an unknown field", FromHex("010101400100").value(), ErrorCode::kCorrupt},
      {"a text too long", EncodeReview({.text = std::string(kMaxReviewBytes + 1, 'x')}),
       ErrorCode::kCorrupt},
  };
  for (const auto& c : kCases) {
    const auto r = DecodeReview(c.payload);
    ASSERT_FALSE(r.ok()) << c.name;
    EXPECT_EQ(r.error().code(), c.code) << c.name;
  }
}

}  // namespace
}  // namespace flair
