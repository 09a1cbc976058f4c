// SPDX-License-Identifier: Apache-2.0
#include "remote/upload.h"

#include <algorithm>
#include <chrono>
#include <thread>

namespace flair {
namespace {

// A request that fails loses nothing, but a proxy may keep what it was given: bounded.
constexpr std::uint64_t kRequestBytes = std::uint64_t{256} << 20;
constexpr int kAttemptsWithoutProgress = 6;

void PauseBefore(int attempt, const TransferOptions& options) {
  for (int left = 100 << std::min(attempt, 5); left > 0; left -= 50) {
    if (!Report(options.progress, {.phase = "pushing", .item = "waiting"}).ok()) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

}  // namespace

std::vector<UploadFrame> FramesOf(std::vector<RecordLocation> records) {
  std::vector<UploadFrame> frames;
  for (RecordLocation& record : records) {
    if (frames.empty() || frames.back().length_bytes + record.length_bytes > wire::kPieceBytes) {
      frames.emplace_back();
    }
    frames.back().length_bytes += record.length_bytes;
    frames.back().records.push_back(std::move(record));
  }
  return frames;
}

UploadStream::UploadStream(const ObjectStore& objects, const std::vector<UploadFrame>& frames,
                           std::uint64_t offset)
    : objects_(objects), frames_(frames) {
  while (next_frame_ < frames_.size()) {
    const std::uint64_t whole = wire::kFrameHeaderBytes + frames_[next_frame_].length_bytes;
    if (offset < whole) break;
    offset -= whole;
    ++next_frame_;
  }
  at_ = offset;  // inside the frame that Load reads first
}

Status UploadStream::Load() {
  const UploadFrame& frame = frames_[next_frame_];
  frame_.clear();
  frame_.reserve(wire::kFrameHeaderBytes + frame.length_bytes);
  AppendLe32(frame_, static_cast<std::uint32_t>(frame.length_bytes));  // <= kMaxPieceBytes
  for (const RecordLocation& record : frame.records) {
    FLAIR_DO(objects_.ReadRecord(record, record_));
    Append(frame_, record_);
  }
  ++next_frame_;
  return OkStatus();
}

Result<std::size_t> UploadStream::Read(MutableByteView out) {
  std::size_t filled = 0;
  while (filled < out.size()) {
    if (at_ >= frame_.size()) {
      if (next_frame_ == frames_.size()) break;
      if (!frame_.empty()) at_ = 0;  // a whole frame was read before
      FLAIR_DO(Load());
    }
    const std::size_t n = std::min(out.size() - filled, frame_.size() - at_);
    std::copy_n(frame_.begin() + static_cast<std::ptrdiff_t>(at_), n,
                out.begin() + static_cast<std::ptrdiff_t>(filled));
    filled += n;
    at_ += n;
  }
  return filled;
}

Result<UploadOutcome> Upload(Repository& repo, HubApi& api, const RepoAddress& to,
                             const PushJournal& journal, const TransferOptions& options) {
  const std::uint64_t total = journal.upload_bytes();
  UploadOutcome outcome;
  FLAIR_TRY(std::uint64_t offset, api.PushOffset(to, journal.push));
  if (offset > total) return Error(ErrorCode::kNotFound, "the hub holds another upload");
  outcome.resumed_bytes = offset;
  for (int failures = 0; offset < total;) {
    UploadStream stream(repo.objects(), journal.frames, offset);
    const std::uint64_t length = std::min(total - offset, kRequestBytes);
    std::uint64_t read = 0;
    const BodySource source = [&](MutableByteView out) -> Result<std::size_t> {
      const auto want = std::min<std::uint64_t>(out.size(), length - read);
      FLAIR_TRY(const std::size_t n, stream.Read(out.first(want)));
      read += n;
      FLAIR_DO(Report(options.progress, {.phase = "pushing",
                                         .item = to.name,
                                         .done_bytes = offset + read,
                                         .total_bytes = total}));
      return n;
    };
    auto appended = api.AppendPush(to, journal.push, offset, length, source);
    if (appended.ok()) {
      outcome.sent_bytes += *appended - std::min(offset, *appended);
      failures = *appended > offset ? 0 : failures + 1;
      offset = *appended;
    } else {
      // A lost connection, or another run of this push wrote meanwhile: where is the hub?
      const ErrorCode code = appended.error().code();
      const bool passing = code == ErrorCode::kUnavailable || code == ErrorCode::kConflict;
      if (!passing) return std::move(appended).error();
      if (++failures >= kAttemptsWithoutProgress) {
        return Error(ErrorCode::kUnavailable, appended.error().message())
            .WithHint("run the push again: it goes on where it stopped");
      }
      PauseBefore(failures, options);
      FLAIR_TRY(const std::uint64_t now, api.PushOffset(to, journal.push));
      if (now > offset) {
        outcome.sent_bytes += now - offset;
        failures = 0;
      }
      offset = now;
    }
    if (failures >= kAttemptsWithoutProgress || offset > total) {
      return Error(ErrorCode::kUnavailable, "the hub takes no more of the upload")
          .WithHint("run the push again: it goes on where it stopped");
    }
  }
  return outcome;
}

}  // namespace flair
