// Batch: the ObjectBatch of a StoreCore.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "store/object_store.h"
#include "store/pack_writer.h"
#include "store/publish.h"
#include "store/store_core.h"

namespace flair {

class Batch final : public ObjectBatch {
 public:
  Batch(std::shared_ptr<StoreCore> store, BatchLease lease);
  ~Batch() override;

  Result<Digest> PutObject(ObjectKind kind, ByteView stored) override;
  Result<ContentRef> PutContent(const ByteSource& source, const PutOptions& options) override;
  Status PutRecords(ByteView records) override;
  bool IsStale() const override;
  Status Commit() override;

  // A record copied as it is; the caller vouches for it. For garbage collection.
  Status PutVerified(const RecordHeader& h, ByteView record) { return writer_.Append(h, record); }

 private:
  struct Received;
  Status CheckOpen() const;
  Status WriteBlocks(const ByteSource& source, const ContentRef& content,
                     std::span<const Digest> chaining_values, const PutOptions& options);
  Status TakeRecords(ByteView records);
  Status TakeRecord(const Received& record, std::vector<Received>& blocks);
  Status FlushBlocks(std::vector<Received>& blocks);
  Result<bool> ReceiveBlock(const Received& record, Bytes& out);

  // Shared, so that a batch may outlive the store it came from.
  std::shared_ptr<StoreCore> core_;
  StoreCore& store_;
  BatchLease lease_;
  Catalog catalog_;  // of this batch; the store's is below it
  Reader reader_;
  std::optional<PackWriter> writer_storage_;
  PackWriter& writer_;
  bool spent_ = false;
};

}  // namespace flair
