// Journals: what an interrupted transfer needs to go on. One folder of `.flair/transfer/`
// for each remote and direction.
//
//   fetch-KEY/plan.json      address, wants, and the hub's plan, word for word
//   fetch-KEY/applied        how many parts are committed to the store
//   fetch-KEY/part-NNNNNN    bytes of one part, from its beginning
//   push-KEY.json            push id, tip, frames of the upload
//
// Files are written by temp + rename (parts are appended). A journal that does not
// read back is dropped: the transfer starts anew, nothing else is lost.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/env.h"
#include "object/ids.h"
#include "repo/repository.h"
#include "store/object_store.h"
#include "wire/transfer.h"

namespace flair {

struct FetchJournal {
  std::string address;  // RepoAddress::ToUrl()
  wire::FetchRequest request;
  wire::FetchPlan plan;
};

class FetchFolder {
 public:
  FetchFolder(Env& env, std::string folder) : env_(env), folder_(std::move(folder)) {}

  // Absent: nothing to go on with; a broken journal is removed.
  Result<std::optional<FetchJournal>> Load();
  Status Save(const FetchJournal& journal);
  Result<std::size_t> AppliedParts();
  Status SetAppliedParts(std::size_t count);
  Status Remove();

  std::string PartPath(std::size_t index) const;
  std::uint64_t PartBytes(std::size_t index);
  Env& env() { return env_; }

 private:
  Env& env_;
  std::string folder_;
};

// One frame of an upload: records that are sent together.
struct UploadFrame {
  std::vector<RecordLocation> records;
  std::uint64_t length_bytes = 0;  // without the frame's header
};
struct PushJournal {
  std::string address;
  std::string push;
  std::string target;
  std::string source_branch;
  CommitId tip;
  std::vector<UploadFrame> frames;

  std::uint64_t upload_bytes() const;
};
Result<std::optional<PushJournal>> LoadPushJournal(Env& env, const std::string& path);
Status SavePushJournal(Env& env, const std::string& path, const PushJournal& journal);

// `.flair/transfer/<direction>-<hash of key>`; makes the folder above it.
Result<std::string> TransferPath(Repository& repo, std::string_view direction,
                                 std::string_view key);

}  // namespace flair
