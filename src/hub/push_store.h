// PushStore: pushes in quarantine, as files.
//
// Place: hub, over Env alone. DATA/repos/ID/quarantine/<push id>/ holds
//   push.json     who pushes what where (written once, before the id is told)
//   data          the upload: frames, as far as they arrived
//   outcome.json  what became of it; asked again, the same answer
// Invariants
//   (1) The length of `data` is the upload's offset; a kill leaves a prefix.
//   (2) Bytes here are never served and never trusted: finishing verifies all of them.
//
// Thread safety: functions of one push by one thread at a time (PushJobs sees to it).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/env.h"
#include "hub/http/message.h"
#include "object/ids.h"
#include "store/object_store.h"
#include "wire/transfer.h"

namespace flair::hub {

inline constexpr std::int64_t kPushLifetimeS = 7 * 24 * 3600;
inline constexpr std::size_t kMaxOpenPushes = 256;  // of one repository

struct PushRecord {
  std::string wallet;
  std::string target;
  std::string source_branch;
  CommitId tip;
};

// The frames of one push's data, in order, as far as they arrived: the data may grow meanwhile.
class FrameReader {
 public:
  explicit FrameReader(std::unique_ptr<ByteSource> data) : data_(std::move(data)) {}

  // Where the next frame begins.
  std::uint64_t offset() const { return at_; }
  // The length of the next frame, when `size` bytes of data hold its header.
  // Errors: kCorrupt (with the frame's offset) for a length that no frame has.
  Result<std::optional<std::uint64_t>> PeekLength(std::uint64_t size);
  // The next frame, valid until the next call; none while `size` bytes do not hold all of it.
  // Errors: like PeekLength.
  Result<std::optional<ByteView>> Next(std::uint64_t size);

 private:
  std::unique_ptr<ByteSource> data_;
  std::uint64_t at_ = 0;
  Bytes frame_;
};

class PushStore {
 public:
  PushStore(Env& env, std::string quarantine_folder)
      : env_(env), folder_(std::move(quarantine_folder)) {}

  // Returns the new push's id. Removes pushes older than kPushLifetimeS; when too many are
  // open, the oldest goes.
  Result<std::string> Create(const PushRecord& push);
  // Errors: kNotFound (hint: push again), also for another wallet's push.
  Result<PushRecord> Read(std::string_view id, std::string_view wallet);
  Result<std::uint64_t> Offset(std::string_view id);
  // Appends the whole of `body` at `offset`; returns the offset after. Tells `arrived` every
  // offset that it passes.
  // Errors: kConflict when the upload is elsewhere; what arrived before an error stays.
  Result<std::uint64_t> Append(std::string_view id, std::uint64_t offset, BodyReader& body,
                               const std::function<void(std::uint64_t)>& arrived);
  // Errors: kNotFound while nothing has arrived.
  Result<FrameReader> OpenFrames(std::string_view id);

  Result<std::optional<wire::FinishResult>> ReadOutcome(std::string_view id);
  Status WriteOutcome(std::string_view id, const wire::FinishResult& outcome,
                      std::uint64_t upload_bytes);
  // The length that a finished push's upload had.
  Result<std::uint64_t> FinishedBytes(std::string_view id);
  // The bytes alone, after their objects were stored.
  Status DropData(std::string_view id);
  Status Remove(std::string_view id);
  Status RemoveOld();

 private:
  std::string FolderOf(std::string_view id) const { return folder_ + "/" + std::string(id); }

  Env& env_;
  std::string folder_;
};

}  // namespace flair::hub
