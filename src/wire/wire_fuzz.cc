// Every decoder on the same bytes: none may crash, and what one accepts survives a round trip.
// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "wire/auth.h"
#include "wire/problem.h"
#include "wire/proposals.h"
#include "wire/repos.h"
#include "wire/transfer.h"

namespace {

template <typename Decode>
void RoundTrip(std::string_view text, Decode decode) {
  const auto first = decode(text);
  if (!first.ok()) return;
  const std::string encoded = Encode(*first);
  const auto second = decode(encoded);
  if (!second.ok() || Encode(*second) != encoded) std::abort();
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int LLVMFuzzerTestOneInput(
    const std::uint8_t* data, std::size_t size) {
  using namespace flair::wire;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  RoundTrip(text, [](std::string_view t) { return DecodeFetchRequest(t); });
  RoundTrip(text, [](std::string_view t) { return DecodeFetchPlan(t); });
  RoundTrip(text, [](std::string_view t) { return DecodePushRequest(t); });
  RoundTrip(text, [](std::string_view t) { return DecodePushState(t); });
  RoundTrip(text, [](std::string_view t) { return DecodeFinishRequest(t); });
  RoundTrip(text, [](std::string_view t) { return DecodeFinishResult(t); });
  RoundTrip(text, [](std::string_view t) { return DecodeRefList(t); });
  RoundTrip(text, [](std::string_view t) { return DecodeMergeRequest(t); });
  RoundTrip(text, [](std::string_view t) { return DecodeSessionInfo(t); });
  (void)DecodePreparedMerge(text).ok();
  (void)DecodeProposalList(text).ok();
  (void)DecodeRepoList(text).ok();
  (void)DecodeMembers(text).ok();
  (void)DecodeTokens(text).ok();
  (void)DecodeChallenge(text).ok();
  (void)DecodeProblem(400, text);
  return 0;
}
