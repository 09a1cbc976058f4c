// ObjectStore: where one repository's objects and contents live, in immutable packs.
//
// Place: store; above object, below repo and hub. Holds (a) small objects by
// (kind, id), (b) contents by hash, cut into 1 MiB blocks, each block encoded
// RAW, PLANE or SUB against a base content's block, whichever is smallest.
// Format: docs/formats/pack.md.
//
// Invariants
//   (1) Everything read is verified against its id or hash.
//   (2) A batch is visible after Commit() returned OK, and then it is durable;
//       before, or after a crash, none of it is visible.
//   (3) Packs are never changed in place; deltas never dangle.
//
// Thread safety: reads from any thread; any number of open batches, each used by one thread
// at a time, committed one after the other (ObjectBatch::IsStale); other processes' packs
// appear after Refresh().
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/env.h"
#include "base/result.h"
#include "object/content.h"
#include "object/ids.h"

namespace flair {

struct PutOptions {
  std::uint64_t element_bytes = 1;  // 1, 2, 4, 8: how PLANE and SUB see the bytes
  bool is_float = false;            // SUB maps floats to monotone integers first
  std::optional<Digest> base;       // content to try SUB against; ignored unless stored here
};

// One stored record, as transfer sees it: an object, or one block of a content.
struct RecordLocation {
  std::string pack;  // file name under packs/, "<64 hex>.pack"
  std::uint64_t offset = 0;
  std::uint64_t length_bytes = 0;  // record header included
};

class ObjectBatch {
 public:
  virtual ~ObjectBatch() = default;  // discards what was not committed

  // Returns the object's id; does nothing when it is stored already.
  virtual Result<Digest> PutObject(ObjectKind kind, ByteView stored) = 0;
  // Hashes, encodes and writes; multi-threaded inside, bounded memory.
  virtual Result<ContentRef> PutContent(const ByteSource& source, const PutOptions& options) = 0;
  // Copies received records (whole, concatenated) after verifying every one:
  // header bounds, decoded length, object id, block chaining value. Bases must be
  // stored or come earlier, a content's head before its blocks. A stream may be cut
  // between records only (store/format.h: WholeRecordBytes). Blocks are verified in
  // parallel within one call, so larger calls are faster.
  // Errors: kCorrupt names the record's offset; the batch is spent then.
  virtual Status PutRecords(ByteView records) = 0;
  // Another batch has made a content visible that this one holds as well. Committing both
  // could leave each the base of the other: discard this one and begin again, which finds
  // the content stored.
  virtual bool IsStale() const = 0;
  // Seals, makes durable, makes visible. Contents received by PutRecords must be
  // complete and match their hash. The batch is spent afterwards.
  virtual Status Commit() = 0;
};

class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  // `folder` holds packs/ and tmp/. Creates it when absent.
  static Result<std::unique_ptr<ObjectStore>> Open(Env& env, const std::string& folder);

  virtual bool HasObject(ObjectKind kind, const Digest& id) const = 0;
  virtual bool HasContent(const Digest& hash) const = 0;

  // The hint of every error about a content that is not stored: how this store's owner gets
  // it. Empty: none. Set before the store is shared between threads.
  virtual void ExplainAbsence(std::string hint) = 0;
  // What reading `hash`, a content that is not stored, gives: kNotFound with that hint, or
  // kCorrupt while a pack that may hold it is damaged.
  virtual Error AbsentContent(const Digest& hash) const = 0;

  // Errors: kNotFound, kCorrupt (names pack and offset).
  virtual Result<Bytes> ReadObject(ObjectKind kind, const Digest& id) const = 0;
  virtual Result<std::uint64_t> ContentBytes(const Digest& hash) const = 0;
  // Any range; touches only the blocks it covers.
  virtual Status ReadContent(const Digest& hash, std::uint64_t offset,
                             MutableByteView out) const = 0;
  // In order, in pieces of at most 1 MiB, decoded ahead on several threads.
  virtual Status StreamContent(const Digest& hash,
                               const std::function<Status(ByteView)>& sink) const = 0;
  // A thread-safe source over a stored content; keeps what it needs of the store.
  virtual Result<std::unique_ptr<ByteSource>> OpenContent(const Digest& hash) const = 0;

  virtual Result<std::unique_ptr<ObjectBatch>> Begin() = 0;

  // --- transfer -----------------------------------------------------------------
  // Records of objects and contents in an order that a receiver can apply: bases
  // first. Bases whose content is in `receiver_has` are left out.
  virtual Result<std::vector<RecordLocation>> Locate(
      const std::vector<std::pair<ObjectKind, Digest>>& objects,
      const std::vector<Digest>& contents,
      const std::function<bool(const Digest&)>& receiver_has_content) const = 0;
  // The raw record bytes, for sending.
  virtual Status ReadRecord(const RecordLocation& where, Bytes& out) const = 0;
  virtual std::string PackPath(const std::string& pack) const = 0;

  // --- upkeep -------------------------------------------------------------------
  struct Damage {
    std::string what;  // "pack ab12….pack, offset 4096: block 3 of content …: hash differs"
  };
  // Re-reads every record of every pack.
  virtual Result<std::vector<Damage>> Verify() const = 0;

  struct GcResult {
    std::uint64_t removed_records = 0;
    std::uint64_t freed_bytes = 0;
  };
  // Rewrites packs without what `keep` does not name; new packs first, old ones
  // deleted after. Packs younger than `grace_s` stay, and every base of what stays.
  // REQUIRES: nobody else holds an open batch, or a commit that no ref names yet:
  // what such a batch found stored already is kept by the grace period alone.
  // Errors: kCorrupt while a pack is damaged.
  virtual Result<GcResult> CollectGarbage(
      const std::function<bool(ObjectKind, const Digest&)>& keep_object,
      const std::function<bool(const Digest&)>& keep_content, std::int64_t grace_s) = 0;

  virtual Status Refresh() = 0;
  virtual std::uint64_t StoredBytes() const = 0;  // sum of pack sizes
};

}  // namespace flair
