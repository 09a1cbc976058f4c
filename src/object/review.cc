// SPDX-License-Identifier: Apache-2.0
#include "object/review.h"

#include <array>

#include "object/encoding.h"

namespace flair {
namespace {

constexpr std::uint32_t kVerdict = 1;
constexpr std::uint32_t kText = 2;
constexpr std::array kReviewFields = {kVerdict, kText};

Result<Review> DecodeFields(ByteView payload) {
  FLAIR_TRY(const MessageDecoder m, MessageDecoder::Parse(payload, kReviewFields));
  if (!m.unknown().empty()) {
    return Error(ErrorCode::kCorrupt,
                 "field " + std::to_string(m.unknown().front().number) + " is not known");
  }
  Review r;
  FLAIR_TRY(const std::uint64_t verdict, m.Uint(kVerdict));
  if (verdict == 0 || verdict > static_cast<std::uint64_t>(Verdict::kRequestChanges)) {
    return Error(ErrorCode::kUnsupported,
                 "verdict " + std::to_string(verdict) + " is not known to this version of flair");
  }
  r.verdict = static_cast<Verdict>(verdict);
  FLAIR_TRY(r.text, m.TextOr(kText, ""));
  if (r.text.size() > kMaxReviewBytes) {
    return Error(ErrorCode::kCorrupt, "a text of " + std::to_string(r.text.size()) +
                                          " bytes; the limit is " +
                                          std::to_string(kMaxReviewBytes));
  }
  return r;
}

}  // namespace

std::string_view VerdictName(Verdict v) {
  switch (v) {
    case Verdict::kApprove:
      return "approve";
    case Verdict::kReject:
      return "reject";
    case Verdict::kRequestChanges:
      return "request_changes";
  }
  return "unknown";
}

Bytes EncodeReview(const Review& r) {
  MessageEncoder m;
  m.Uint(kVerdict, static_cast<std::uint64_t>(r.verdict));
  if (!r.text.empty()) m.Text(kText, r.text);
  return m.Take();
}

Result<Review> DecodeReview(ByteView payload) {
  auto r = DecodeFields(payload);
  if (!r.ok()) return std::move(r).error().In("review");
  return r;
}

}  // namespace flair
