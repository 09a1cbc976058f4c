// SPDX-License-Identifier: Apache-2.0
#include "store/pack_writer.h"

#include <utility>

namespace flair {
namespace {

// Small records are gathered so that a tree of files is not a write each.
constexpr std::size_t kBufferBytes = 256 << 10;

}  // namespace

PackWriter::~PackWriter() {
  if (syncer_.joinable()) syncer_.join();
  for (const auto& file : files_) packs_.Forget(*file);
}

Status PackWriter::Remember(Status status) {
  if (!status.ok() && !failed_) failed_ = status.error();
  return status;
}

Status PackWriter::Append(const RecordHeader& h, ByteView record) {
  if (failed_) return *failed_;
  const auto append = [&]() -> Status {
    if (file_) {
      const std::uint64_t entry = kRecordHeaderBytes + Digest::kBytes + sizeof(PackIndex::Place);
      const bool full = size_ + record.size() + index_.bytes_max() + entry > max_pack_bytes_;
      if (full) FLAIR_DO(Seal());
    }
    if (!file_) FLAIR_DO(Open());
    PackIndexBuilder one;
    const auto offset = static_cast<std::uint32_t>(size_);
    one.Add(h, record, offset);
    index_.Add(h, record, offset);
    FLAIR_DO(Write(record));
    catalog_.Add(*pack_, one.Take());
    ++records_;
    return OkStatus();
  };
  return Remember(append());
}

Status PackWriter::Open() {
  pack_ = std::make_shared<PackFile>();
  pack_->path = prefix_ + "-" + std::to_string(files_.size());
  pack_->name = "(being written)";
  files_.push_back(pack_);
  FLAIR_TRY(file_, env_.OpenForWrite(pack_->path, WriteMode::kCreateNew));
  size_ = 0;
  hasher_.emplace();
  Bytes header;
  AppendPackHeader(header, nonce_);
  return Write(header);
}

Status PackWriter::Write(ByteView data) {
  hasher_->Update(data);
  size_ += data.size();
  if (buffer_.size() + data.size() < kBufferBytes) {
    flair::Append(buffer_, data);
    return OkStatus();
  }
  FLAIR_DO(Flush());
  return file_->Append(data);
}

Status PackWriter::Flush() {
  if (failed_) return *failed_;
  if (buffer_.empty()) return OkStatus();
  Status status = file_->Append(buffer_);
  buffer_.clear();
  return Remember(std::move(status));
}

Status PackWriter::Seal() {
  PackIndex index = index_.Take();
  FLAIR_DO(Write(EncodeIndexAndFooter(index, size_)));
  FLAIR_DO(Flush());
  pack_->name = hasher_->Finish().ToHex() + ".pack";
  pack_->size_bytes = size_;
  sealed_.push_back({std::move(pack_), std::move(index)});
  FLAIR_DO(JoinSync());
  syncer_ = std::jthread([this, file = std::move(file_)]() mutable {
    sync_status_ = file->Sync();
    if (sync_status_.ok()) sync_status_ = file->Close();
  });
  file_ = nullptr;
  return OkStatus();
}

Status PackWriter::JoinSync() {
  if (!syncer_.joinable()) return OkStatus();
  syncer_.join();
  return sync_status_;
}

Result<std::vector<SealedPack>> PackWriter::Finish() {
  const auto finish = [&]() -> Status {
    if (file_) FLAIR_DO(Seal());
    return JoinSync();
  };
  if (failed_) return *failed_;
  FLAIR_DO(Remember(finish()));
  // Opened to read back, they know the size of that moment only.
  for (const auto& file : files_) packs_.Forget(*file);
  return std::move(sealed_);
}

}  // namespace flair
