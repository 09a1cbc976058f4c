// SPDX-License-Identifier: Apache-2.0
#include "zk/transcript.h"

#include <unordered_set>

#include "base/check.h"
#include "crypto/sha256.h"

namespace flair::zk {
namespace {

constexpr std::uint8_t kTagBegin = 0;
constexpr std::uint8_t kTagAbsorb = 1;
constexpr std::uint8_t kTagDraw = 2;
constexpr std::uint8_t kTagGrind = 3;

unsigned LeadingZeroBits(const Digest& digest) {
  unsigned zeros = 0;
  for (const std::byte b : digest.bytes) {
    const auto v = std::to_integer<unsigned>(b);
    if (v != 0) return zeros + static_cast<unsigned>(__builtin_clz(v)) - 24;
    zeros += 8;
  }
  return zeros;
}

Bytes NonceBytes(std::uint64_t nonce) {
  Bytes bytes;
  AppendLe64(bytes, nonce);
  return bytes;
}

}  // namespace

std::string_view LabelName(Label label) {
  switch (label) {
    case Label::kProtocol:
      return "protocol";
    case Label::kParameters:
      return "parameters";
    case Label::kProgram:
      return "program";
    case Label::kStatement:
      return "statement";
    case Label::kCommitment:
      return "commitment";
    case Label::kWallet:
      return "wallet";
    case Label::kWitnessRoot:
      return "witness-root";
    case Label::kCompanionRoot:
      return "companion-root";
    case Label::kLookupWork:
      return "lookup-work";
    case Label::kLookupChallenge:
      return "lookup-challenge";
    case Label::kLookupMessage:
      return "lookup-message";
    case Label::kPoint:
      return "point";
    case Label::kSumcheckMessage:
      return "sumcheck-message";
    case Label::kSumcheckChallenge:
      return "sumcheck-challenge";
    case Label::kClaims:
      return "claims";
    case Label::kClaimBatch:
      return "claim-batch";
    case Label::kClaimValue:
      return "claim-value";
    case Label::kRowBatch:
      return "row-batch";
    case Label::kCombinedRow:
      return "combined-row";
    case Label::kMaskChallenge:
      return "mask-challenge";
    case Label::kMaskMessage:
      return "mask-message";
    case Label::kQueryWork:
      return "query-work";
    case Label::kQuery:
      return "query";
    case Label::kTailRoot:
      return "tail-root";
    case Label::kTailValue:
      return "tail-value";
    case Label::kTailSum:
      return "tail-sum";
    case Label::kTailRound:
      return "tail-round";
    case Label::kTailRow:
      return "tail-row";
    case Label::kTailChallenge:
      return "tail-challenge";
    case Label::kTailWork:
      return "tail-work";
    case Label::kTailQuery:
      return "tail-query";
  }
  return "";
}

Transcript::Transcript(std::string_view protocol) {
  state_ = Step(kTagBegin, Label::kProtocol, AsBytes(protocol));
}

Digest Transcript::Step(std::uint8_t tag, Label label, ByteView message) const {
  const std::string_view name = LabelName(label);
  Bytes input;
  input.reserve(Digest::kBytes + 1 + 8 + name.size() + message.size());
  flair::Append(input, state_.view());
  input.push_back(std::byte{tag});
  AppendLe64(input, name.size());
  flair::Append(input, AsBytes(name));
  flair::Append(input, message);
  return Sha256(input);
}

void Transcript::Absorb(Label label, ByteView message) {
  state_ = Step(kTagAbsorb, label, message);
}

void Transcript::Absorb(Label label, const std::vector<Fp2>& values) {
  Bytes bytes;
  bytes.reserve(values.size() * Fp2::kBytes);
  for (const Fp2& v : values) {
    AppendLe64(bytes, v.a.value());
    AppendLe64(bytes, v.b.value());
  }
  Absorb(label, bytes);
}

std::uint64_t Transcript::DrawWord(Label label) {
  state_ = Step(kTagDraw, label, {});
  return LoadLe64(state_.view());
}

Fp Transcript::DrawBase(Label label) {
  for (;;) {
    if (const auto drawn = Fp::FromCanonical(DrawWord(label))) return *drawn;
  }
}

Fp2 Transcript::Draw(Label label) {
  const Fp a = DrawBase(label);
  const Fp b = DrawBase(label);
  return {a, b};
}

std::vector<std::uint64_t> Transcript::DrawIndices(Label label, unsigned log_n, std::size_t count) {
  FLAIR_CHECK(log_n < 64 && count <= std::uint64_t{1} << log_n) << "more indices than there are";
  const std::uint64_t mask = (std::uint64_t{1} << log_n) - 1;
  std::vector<std::uint64_t> indices;
  std::unordered_set<std::uint64_t> drawn;
  while (indices.size() < count) {
    const std::uint64_t index = DrawWord(label) & mask;
    if (drawn.insert(index).second) indices.push_back(index);
  }
  return indices;
}

std::uint64_t Transcript::Grind(Label label, unsigned bits) {
  for (std::uint64_t nonce = 0;; ++nonce) {
    const Digest step = Step(kTagGrind, label, NonceBytes(nonce));
    if (LeadingZeroBits(step) < bits) continue;
    state_ = step;
    return nonce;
  }
}

bool Transcript::CheckWork(Label label, unsigned bits, std::uint64_t nonce) {
  state_ = Step(kTagGrind, label, NonceBytes(nonce));
  return LeadingZeroBits(state_) >= bits;
}

}  // namespace flair::zk
