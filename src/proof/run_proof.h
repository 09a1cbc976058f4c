// RunProof: the bytes of a run's proof: its chunks in order, each a statement and a proof.
//
//   "FLRP" | version (2) | chunks (4) | then each: length (4) | statement | length (8) | proof
//
// Place: proof, over zk. docs/spec/run-proof.md. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "base/byte_source.h"
#include "base/bytes.h"
#include "base/result.h"
#include "zk/training/statement.h"

namespace flair::proof {

inline constexpr std::uint32_t kMaxChunks = 1U << 16;

struct ChunkProof {
  zk::TrainingStatement statement;
  Bytes proof;
};

Bytes EncodeChunk(const ChunkProof& chunk);
// Hostile bytes of one chunk and nothing behind it. Errors: kCorrupt.
Result<ChunkProof> DecodeChunk(ByteView bytes);

Bytes EncodeRunProof(const std::vector<ChunkProof>& chunks);
// Hostile bytes. Errors: kCorrupt says what is wrong and in which chunk; kUnsupported for another
// version. Allocates what the bytes hold, not what they say.
Result<std::vector<ChunkProof>> DecodeRunProof(ByteView bytes);

// The same of a file, by its lengths alone: what is no proof is refused before it is read whole.
Status CheckLengths(const ByteSource& file);

}  // namespace flair::proof
