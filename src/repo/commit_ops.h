// Making and checking commits, and what is attached to them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/ed25519.h"
#include "object/attachment.h"
#include "object/commit.h"
#include "object/tree.h"
#include "repo/repository.h"

namespace flair {

enum class EmptyCommit : std::uint8_t { kRefuse, kAllow };

struct CommitRequest {
  std::string message;
  // Parts of the training record; the record is left out when all are absent.
  std::vector<Metric> metrics;  // any order
  std::optional<std::uint64_t> num_samples;
  std::optional<Digest> data_card;
  // A run's record (t0, T, framework, ...); the three fields above override its own.
  std::optional<TrainingRecord> training;
  std::optional<std::uint64_t> time_s;  // now when absent
  EmptyCommit empty = EmptyCommit::kRefuse;
};

// Commits the staging index on HEAD, signs, moves the branch (or detached HEAD).
// Errors: kInvalidArgument (empty message, too long, non-finite metric, nothing
// staged), kConflict when the branch moved, kUnsupported in a light clone.
Result<CommitId> CreateCommit(Repository& repo, const CommitRequest& request,
                              const Keypair& author);

// Stores tree, commit and signature in one batch; moves nothing.
// REQUIRES: key.wallet() == commit.author; the files of `tree` are stored.
Result<CommitId> StoreSignedCommit(Repository& repo, const Tree& tree, const Commit& commit,
                                   const Keypair& key);

// {"accuracy": 0.93, ...}. Errors: kInvalidArgument: not an object of finite numbers,
// duplicate key, too many.
Result<std::vector<Metric>> ParseMetrics(std::string_view json);

struct AttachmentEntry {
  AttachmentId id;
  AttachmentKind kind = AttachmentKind::kSignature;
  bool operator==(const AttachmentEntry&) const = default;
};
// For received objects, stored already: verifies and lists them. Errors: kNotFound when a
// commit is absent, kRejected for a false signature.
Status RegisterAttachments(Repository& repo, const std::vector<AttachmentId>& ids);
Result<std::vector<AttachmentEntry>> ListAttachments(Repository& repo, const CommitId& commit);
Result<Attachment> ReadAttachment(const ObjectStore& objects, const AttachmentId& id);

// The author's signature is present and good, and the tree is complete.
// Errors: kRejected (no or false signature), kCorrupt / kNotFound (closure).
Status VerifyCommit(Repository& repo, const CommitId& id);
// The same for a signature found elsewhere (hub): the first good one of `signatures`.
Status VerifySignatures(const CommitId& id, const Commit& commit,
                        const std::vector<Attachment>& signatures);

}  // namespace flair
