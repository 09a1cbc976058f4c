// Review: what an attachment of kind kReview says about its commit.
//
// Place: object. The payload's layout: docs/formats/object.md. The commit, the
// reviewer and the time are the attachment's own.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace flair {

inline constexpr std::size_t kMaxReviewBytes = 64 * 1024;  // of text

enum class Verdict : std::uint8_t { kApprove = 1, kReject = 2, kRequestChanges = 3 };
std::string_view VerdictName(Verdict v);  // "approve", "reject", "request_changes"

struct Review {
  Verdict verdict = Verdict::kApprove;
  std::string text{};  // UTF-8
  bool operator==(const Review&) const = default;
};

Bytes EncodeReview(const Review& r);
// Errors: kCorrupt; kUnsupported for a verdict of a later version.
Result<Review> DecodeReview(ByteView payload);

}  // namespace flair
