// PackWriter: appends records to packs under tmp/, sealing each at its size limit.
//
// A pack's name is the plain BLAKE3 of the file, so `b3sum` checks one. Sealed packs
// are durable (fdatasync, on a thread of its own while the next pack fills) but not
// visible: publish.h moves them into place.
//
// Place: store; used by batches and by garbage collection. Thread safety: none.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/env.h"
#include "crypto/blake3.h"
#include "store/catalog.h"
#include "store/pack_file.h"
#include "store/pack_index.h"

namespace flair {

struct SealedPack {
  std::shared_ptr<PackFile> file;
  PackIndex index;
};

class PackWriter {
 public:
  // Files are named "<prefix>-<n>", and `nonce` is in their headers. Records are entered into
  // `catalog` as they come and can be read back after Flush. All references outlive this.
  PackWriter(Env& env, PackCache& packs, Catalog& catalog, std::string prefix, std::uint64_t nonce,
             std::uint64_t max_pack_bytes)
      : env_(env),
        packs_(packs),
        catalog_(catalog),
        prefix_(std::move(prefix)),
        nonce_(nonce),
        max_pack_bytes_(max_pack_bytes) {}
  ~PackWriter();
  PackWriter(const PackWriter&) = delete;
  PackWriter& operator=(const PackWriter&) = delete;

  // `record` is whole, `h` its header. After an error every later call fails.
  Status Append(const RecordHeader& h, ByteView record);
  // Makes what was appended readable through the cache.
  Status Flush();
  // Seals the last pack and waits until all are durable.
  Result<std::vector<SealedPack>> Finish();

  std::uint64_t records() const { return records_; }

 private:
  Status Open();
  Status Write(ByteView data);
  Status Seal();
  Status JoinSync();
  Status Remember(Status status);

  Env& env_;
  PackCache& packs_;
  Catalog& catalog_;
  std::string prefix_;
  std::uint64_t nonce_;
  std::uint64_t max_pack_bytes_;
  std::optional<Error> failed_;
  std::uint64_t records_ = 0;

  // The pack being written, when file_ is set.
  std::unique_ptr<WritableFile> file_;
  std::shared_ptr<PackFile> pack_;
  Bytes buffer_;
  std::uint64_t size_ = 0;
  std::optional<Blake3Hasher> hasher_;
  PackIndexBuilder index_;

  std::vector<std::shared_ptr<PackFile>> files_;  // all of them; the catalog points there
  std::vector<SealedPack> sealed_;
  std::jthread syncer_;
  Status sync_status_ = OkStatus();  // syncer_'s; read after joining
};

}  // namespace flair
