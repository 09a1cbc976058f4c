// Statement: what a proof of training is about. docs/spec/training.md.
//
// Place: zk/training; used by both sides. It knows digests and sizes, no repository and no
// program: whoever verifies derives circuit, rows and learning rates from the program, and the
// columns of the data from the card, that the digests name.
// Thread safety: values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/digest.h"
#include "zk/pcs/stated_matrix.h"
#include "zk/transcript.h"

namespace flair::zk {

// A committed matrix that outlives proofs, and what it is in this one.
enum class Role : std::uint8_t {
  kData = 1,
  kWeightsBefore = 2,
  kWeightsAfter = 3,
  kStateBefore = 4,  // without it the state begins at zero
  kStateAfter = 5,   // without it the state is not passed on
};
std::string_view RoleName(Role role);

struct Commitment {
  Role role = Role::kData;
  MatrixShape shape;
  Digest root;

  StatedMatrix stated() const { return {shape, root}; }
};

struct TrainingStatement {
  Digest program;
  std::uint64_t first_step = 0;  // of the run
  std::uint64_t num_steps = 1;
  Digest seed;       // of the run: batches and draws
  Digest wallet;     // the committer's public key
  Digest data_card;  // says columns, records and matrix of the data set
  Digest slack;      // says what recorded steps may differ by; zeros: they are exact
  std::uint64_t num_records = 0;
  std::vector<Commitment> matrices;  // ascending by role; each role once at most

  Bytes Encode() const;
  // Errors: kCorrupt says what is wrong. Nothing is allocated beyond what the bytes hold.
  static Result<TrainingStatement> Decode(ByteView bytes);
  // SHA-256 of the encoding.
  Digest Hash() const;
  const Commitment* Find(Role role) const;
  // Begins a transcript with everything that is public.
  void Absorb(Transcript& transcript) const;
};

}  // namespace flair::zk
