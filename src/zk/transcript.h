// Transcript: Fiat-Shamir over SHA-256, framed and labelled. docs/spec/transcript.md.
//
//   state <- SHA-256(state || tag || LE64(|label|) || label || message)
//   tags: 0 begin, 1 absorb, 2 draw, 3 grind
//
// Prover and verifier hold one each and feed it the same bytes in the same order; a
// challenge depends on everything before it. What is absorbed is exactly what is serialised, or a
// hash of what follows from it.
//
// Place: zk, over field and crypto; used by both sides.
// Thread safety: one thread at a time.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "crypto/digest.h"
#include "zk/field/fp2.h"

namespace flair::zk {

// Every role that a message or a challenge can have, once. LabelName is what is hashed.
enum class Label : std::uint8_t {
  kProtocol,    // begins the transcript
  kParameters,  // the parameter set's identifier
  kProgram,     // digest of P
  kStatement,
  kCommitment,  // place and digest of a long-lived commitment
  kWallet,      // the committer's public key
  kWitnessRoot,
  kCompanionRoot,
  kLookupWork,
  kLookupChallenge,
  kLookupMessage,
  kPoint,
  kSumcheckMessage,
  kSumcheckChallenge,
  kClaims,  // a hash of them
  kClaimBatch,
  kClaimValue,
  kRowBatch,
  kCombinedRow,
  kMaskChallenge,
  kMaskMessage,
  kQueryWork,
  kQuery,
  kTailRoot,
  kTailValue,
  kTailSum,
  kTailRound,
  kTailRow,
  kTailChallenge,
  kTailWork,
  kTailQuery,
};
std::string_view LabelName(Label label);

class Transcript {
 public:
  // Begins with the protocol's name and version.
  explicit Transcript(std::string_view protocol);
  Transcript(const Transcript&) = default;
  Transcript& operator=(const Transcript&) = default;
  virtual ~Transcript() = default;

  void Absorb(Label label, ByteView message);
  // 16 bytes each: a, b.
  void Absorb(Label label, const std::vector<Fp2>& values);

  // Uniform in F and in K: draws at or above p are drawn again.
  Fp DrawBase(Label label);
  Fp2 Draw(Label label);
  // `count` distinct ones of 2^log_n indices, in the order they were drawn.
  // REQUIRES: count <= 2^log_n.
  std::vector<std::uint64_t> DrawIndices(Label label, unsigned log_n, std::size_t count);

  // Finds the least nonce whose step begins with `bits` zero bits, and takes that step.
  std::uint64_t Grind(Label label, unsigned bits);
  // Takes the step of `nonce`; false when it has no such beginning.
  [[nodiscard]] bool CheckWork(Label label, unsigned bits, std::uint64_t nonce);

  const Digest& state() const { return state_; }

 protected:
  // Virtual for tests alone, whose challenges do not depend on the messages.
  virtual Digest Step(std::uint8_t tag, Label label, ByteView message) const;

 private:
  std::uint64_t DrawWord(Label label);

  Digest state_;
};

}  // namespace flair::zk
