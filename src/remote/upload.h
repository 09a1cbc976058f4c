// Upload: frames of records from the local packs into a push's quarantine on the hub.
//
// The stream is a pure function of the journal's frames: every run sends the same bytes, so
// that it can go on at any offset.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "remote/journal.h"
#include "remote/transfer.h"

namespace flair {

// Records grouped into frames of about wire::kPieceBytes.
std::vector<UploadFrame> FramesOf(std::vector<RecordLocation> records);

// The bytes of an upload from `offset` on, at most `limit_bytes` of them.
class UploadStream {
 public:
  UploadStream(const ObjectStore& objects, const std::vector<UploadFrame>& frames,
               std::uint64_t offset);
  // Fills `out` as far as the stream goes; 0 at its end.
  Result<std::size_t> Read(MutableByteView out);

 private:
  Status Load();  // the frame at next_frame_

  const ObjectStore& objects_;
  const std::vector<UploadFrame>& frames_;
  std::size_t next_frame_ = 0;
  Bytes frame_;
  std::size_t at_ = 0;
  Bytes record_;
};

struct UploadOutcome {
  std::uint64_t sent_bytes = 0;
  std::uint64_t resumed_bytes = 0;
};
// Errors: kNotFound when the hub has forgotten the push, or a pack is gone here: start anew.
Result<UploadOutcome> Upload(Repository& repo, HubApi& api, const RepoAddress& to,
                             const PushJournal& journal, const TransferOptions& options);

}  // namespace flair
