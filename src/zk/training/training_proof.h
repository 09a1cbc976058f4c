// TrainingProof: the bytes of a proof of training. docs/spec/training.md.
//
// Every count follows from the plan and is not in the bytes, but for the lengths of paths, which
// follow from challenges. Place: zk/training; used by both sides. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "zk/batch/batch_plan.h"
#include "zk/batch/batch_proof.h"

namespace flair::zk {

struct TrainingProof {
  Digest statement;  // its hash
  Digest witness_root;
  std::vector<Digest> companion_roots;
  std::uint64_t lookup_nonce = 0;
  BatchProof opening;
};

Bytes EncodeProof(const TrainingProof& proof);
// The statement's hash alone: which proof is this? Errors: kCorrupt.
Result<Digest> StatementOf(ByteView bytes);
// Errors: kCorrupt: cut off, too long, an element of p or more, another version. Allocates what
// the bytes hold, not what they say.
Result<TrainingProof> DecodeProof(const BatchPlan& plan, ByteView bytes);

}  // namespace flair::zk
