// Commit: one point of a model's history. Its id covers the body alone; the
// signature, proofs, reviews and receipts are attachments (attachment.h).
//
// Place: object. Byte layout: docs/formats/object.md. Fields that later
// features need (program, data card, ticket, weights commitment) are in the
// format from the first version on.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "crypto/ed25519.h"
#include "object/encoding.h"
#include "object/ids.h"

namespace flair {

inline constexpr std::size_t kMaxParents = 256;
inline constexpr std::size_t kMaxMessageBytes = 64 * 1024;
inline constexpr std::size_t kMaxMetrics = 1024;
inline constexpr std::size_t kMaxLineage = 256;
inline constexpr std::size_t kMaxRecipeParameters = 256;
inline constexpr std::size_t kMaxParameterBytes = 4096;  // a recipe parameter's value
inline constexpr std::size_t kMaxNameBytes = 256;        // metrics, methods, parameters, frameworks
inline constexpr std::size_t kMaxCommitBytes = std::size_t{1} << 20;
// Of one training record: even kMaxParents of them add up to less than 2^40, as merges by
// samples need (docs/formats/merge.md). So no contribution can make a round impossible.
inline constexpr std::uint64_t kMaxSamples = std::uint64_t{1} << 32;
inline constexpr std::uint64_t kMaxTimeSeconds = 253'402'300'799;  // 9999-12-31T23:59:59Z

struct Metric {
  std::string name;
  double value = 0;  // finite
  bool operator==(const Metric&) const = default;
};

struct TrainingRecord {
  std::optional<Digest> program;  // hash of program.flair
  std::uint64_t first_step = 0;   // t0
  std::uint64_t num_steps = 0;    // T
  std::uint64_t num_samples = 0;  // distinct rows seen; at most kMaxSamples
  std::optional<Digest> data_card;
  std::optional<Digest> ticket;
  std::optional<Digest> weights_commitment;
  std::vector<Metric> metrics;  // ascending by name
  std::string framework;        // "pytorch 2.15.0"; empty when unknown
  std::vector<UnknownField> unknown;
  bool operator==(const TrainingRecord&) const = default;
};

// How a merge's tree follows from its parents: running it again gives the same tree.
struct MergeRecipe {
  std::string method;  // "fedavg", "krum", ...
  CommitId base;       // B, the common base shown to reviewers
  // Per parent after the first: weight * 2^24. Empty for methods without weights.
  std::vector<std::uint32_t> alpha;
  std::vector<std::pair<std::string, std::string>> parameters;  // ascending by key
  std::vector<UnknownField> unknown;
  bool operator==(const MergeRecipe&) const = default;
};

// Where a commit came from when its parents do not say it.
enum class LineageKind : std::uint8_t {
  kRevertHistory = 1,
  kRevertSubtract = 2,
  kCherryPick = 3,
};
struct Lineage {
  LineageKind kind = LineageKind::kCherryPick;
  CommitId commit;
  bool operator==(const Lineage&) const = default;
};

struct Commit {
  TreeId tree;
  std::vector<CommitId> parents;  // merge: the target's tip first, the others ascending by id
  Wallet author;
  std::uint64_t time_s = 0;  // Unix, UTC
  std::string message;       // UTF-8
  std::optional<TrainingRecord> training;
  std::optional<MergeRecipe> merge;
  std::vector<Lineage> lineage;
  std::vector<UnknownField> unknown;
  bool operator==(const Commit&) const = default;
};

Bytes EncodeCommit(const Commit& c);
// Errors: kCorrupt for anything EncodeCommit does not write or a limit above
// exceeded; kUnsupported for a lineage kind of a later version.
Result<Commit> DecodeCommit(ByteView bytes);
CommitId IdOf(const Commit& c);

// What the wallet signs: "Flair commit v1\n<id, 64 hex>".
std::string CommitSigningText(const CommitId& id);

}  // namespace flair
