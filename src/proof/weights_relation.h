// WeightsRelation: what may be shown of commitments to weights, as circuits of one step.
// docs/spec/weights.md.
//
//   merge  |m W - sum a_i W_i| <= B in every cell: W is the mean of the W_i, rounded
//   norm   ||W_1 - W_0||^2 <= the bound, over the parameters
//   init   every parameter lies in the range that its tensor has
//
// All weights are in the range of their format besides: what is not committed to as an integer of
// 32 bits has no proof.
//
// Place: proof, over program and circuit; whoever verifies derives the circuit from the program and
// the relation's numbers. Thread safety: values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "circuit/circuit.h"
#include "program/program.h"
#include "proof/run_claim.h"
#include "zk/batch/batch_plan.h"

namespace flair::proof {

inline constexpr std::size_t kMaxMerged = 62;  // models in one merge

// The mean sum a_i W_i / m, half up, up to `tolerance` units of each tensor: what a float file of
// the mean differs by. Buffers too.
struct MergeNumbers {
  std::vector<std::int64_t> factors;  // a_i, 0 or more
  std::int64_t divisor = 1;           // m
  std::uint32_t tolerance = 0;
};

// B^2 in units of 2^-36 of the weights' square: floor(B^2 2^36).
struct NormNumbers {
  std::uint64_t bound = 0;
};

// |w| <= bounds[p] units of parameter p.
struct InitNumbers {
  std::vector<std::uint64_t> bounds;
};

// One of them.
struct WeightsRelation {
  std::optional<MergeNumbers> merge;  // matrices: the W_i, then W
  std::optional<NormNumbers> norm;    // W_0, W_1
  std::optional<InitNumbers> init;    // W
};

// SHA-256 of "flair weights relation v1", the program's hash, the kind (1 merge, 2 norm, 3 init; 1
// byte) and its numbers, LE64 each: of a merge their count, the a_i, m, the tolerance; of a norm
// the bound; of an init their count and the bounds.
Digest RelationDigest(const program::Program& program, const WeightsRelation& relation);

struct RelationCircuit {
  circuit::Circuit circuit;
  // By matrix: its tensors, parameters and then buffers, as commitments of the program hold them.
  std::vector<std::vector<circuit::ValueId>> numbers;
};
// Errors: kInvalidArgument for numbers that are none of the relation's, or pass Rule Z; those of
// program::Lower().
Result<RelationCircuit> CircuitOf(const program::Program& program, const WeightsRelation& relation);

struct WeightsClaim {
  program::Program program;
  WeightsRelation relation;
  Digest wallet;  // the committer's public key
  std::vector<MatrixId> matrices;
};
// Bits of soundness. Errors: kRejected names the check that failed; kCorrupt; kInvalidArgument for
// a claim that cannot be.
Result<double> VerifyWeightsClaim(const WeightsClaim& claim, ByteView proof,
                                  zk::QueryPolicy policy = {});

}  // namespace flair::proof
