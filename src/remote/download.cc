// SPDX-License-Identifier: Apache-2.0
#include "remote/download.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "remote/parts.h"

namespace flair {
namespace {

constexpr int kAttemptsWithoutProgress = 5;

// Shared by the connections and the thread that applies.
class Downloader {
 public:
  Downloader(HubApi& api, const RepoAddress& from, FetchFolder& folder, const wire::FetchPlan& plan,
             std::vector<Part> parts, std::size_t first, std::size_t window)
      : api_(api),
        from_(from),
        folder_(folder),
        plan_(plan),
        parts_(std::move(parts)),
        done_(parts_.size(), false),
        next_(first),
        applied_(first),
        window_(window) {}

  ~Downloader() {
    Stop();
    for (std::thread& thread : threads_) thread.join();
  }

  void Start(std::size_t connections) {
    for (std::size_t i = 0; i < connections; ++i) {
      threads_.emplace_back([this] { Work(); });
    }
  }

  void Stop() {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    changed_.notify_all();
  }

  // Waits until part `index` is on disk, telling how far the whole is.
  Status WaitFor(std::size_t index, const std::function<Status()>& report) {
    std::unique_lock lock(mutex_);
    while (!done_[index] && !failure_.has_value()) {
      changed_.wait_for(lock, std::chrono::milliseconds(100));
      lock.unlock();
      FLAIR_DO(report());
      lock.lock();
    }
    if (!done_[index]) return *failure_;
    return OkStatus();
  }

  void SetApplied(std::size_t count) {
    const std::lock_guard lock(mutex_);
    applied_ = count;
    changed_.notify_all();
  }

  // Part `index` turned out to be damaged on disk: fetch it anew, here and now.
  Status FetchAgain(std::size_t index) {
    FLAIR_DO(folder_.env().RemoveFile(folder_.PartPath(index)));
    return FetchPart(index);
  }

  std::uint64_t received_bytes() const { return received_bytes_; }
  std::uint64_t resumed_bytes() const { return resumed_bytes_; }

 private:
  void Work() {
    for (;;) {
      std::size_t index = 0;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(
            lock, [this] { return stop_ || next_ >= parts_.size() || next_ < applied_ + window_; });
        if (stop_ || next_ >= parts_.size()) return;
        index = next_++;
      }
      Status status = FetchPart(index);
      const std::lock_guard lock(mutex_);
      if (status.ok()) {
        done_[index] = true;
      } else {
        if (!failure_.has_value()) failure_ = std::move(status).error();
        stop_ = true;
      }
      changed_.notify_all();
    }
  }

  Status FetchPart(std::size_t index) {
    const Part& part = parts_[index];
    std::uint64_t have = folder_.PartBytes(index);
    if (have > part.size_bytes) {
      FLAIR_DO(folder_.env().RemoveFile(folder_.PartPath(index)));
      have = 0;
    }
    resumed_bytes_ += have;
    for (int failures = 0; have < part.size_bytes;) {
      Status status = Continue(index, have);
      const std::uint64_t now = folder_.PartBytes(index);
      failures = now > have ? 0 : failures + 1;
      have = now;
      if (status.ok()) continue;
      const bool passing = status.error().code() == ErrorCode::kUnavailable;
      if (!passing || failures >= kAttemptsWithoutProgress) return status;
      FLAIR_DO(Pause(failures));
    }
    return OkStatus();
  }

  Status Continue(std::size_t index, std::uint64_t have) {
    const Part& part = parts_[index];
    const auto pieces = std::span(plan_.pieces).subspan(part.first_piece, part.num_pieces);
    FLAIR_TRY(const auto file,
              folder_.env().OpenForWrite(folder_.PartPath(index), WriteMode::kAppend));
    Status status = OkStatus();
    for (const PackRange& range : RangesFor(pieces, have)) {
      status = FetchRange(range, *file);
      if (!status.ok()) break;
    }
    // Also after an interruption: what arrived is what the next run goes on with.
    Status synced = file->Sync();
    Status closed = file->Close();
    if (!status.ok()) return status;
    FLAIR_DO(std::move(synced));
    return closed;
  }

  Status FetchRange(const PackRange& range, WritableFile& file) {
    std::size_t extent = 0;
    std::uint64_t skip = range.extents[0].skip;
    std::uint64_t take = range.extents[0].take;
    return api_.ReadPack(from_, range.pack, range.offset, range.length_bytes,
                         [&](ByteView data) -> Status {
                           if (stop_) return Error(ErrorCode::kCancelled, "interrupted");
                           while (!data.empty()) {
                             const auto skipped = std::min<std::uint64_t>(skip, data.size());
                             data = data.subspan(skipped);
                             skip -= skipped;
                             const auto taken = std::min<std::uint64_t>(take, data.size());
                             if (taken > 0) FLAIR_DO(file.Append(data.first(taken)));
                             data = data.subspan(taken);
                             take -= taken;
                             received_bytes_ += taken;
                             if (take == 0 && skip == 0 && extent + 1 < range.extents.size()) {
                               ++extent;
                               skip = range.extents[extent].skip;
                               take = range.extents[extent].take;
                             }
                           }
                           return OkStatus();
                         });
  }

  Status Pause(int failures) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::milliseconds(200 << std::min(failures, 5)),
                      [this] { return stop_.load(); });
    if (stop_) return Error(ErrorCode::kCancelled, "interrupted");
    return OkStatus();
  }

  HubApi& api_;
  const RepoAddress& from_;
  FetchFolder& folder_;
  const wire::FetchPlan& plan_;
  const std::vector<Part> parts_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<bool> done_;
  std::size_t next_;
  std::size_t applied_;
  const std::size_t window_;
  std::optional<Error> failure_;
  std::atomic<bool> stop_{false};
  std::atomic<std::uint64_t> received_bytes_{0};
  std::atomic<std::uint64_t> resumed_bytes_{0};
  std::vector<std::thread> threads_;
};

Status ApplyPart(Env& env, const std::string& path, std::span<const wire::Piece> pieces,
                 ObjectBatch& batch) {
  FLAIR_TRY(const auto file, env.OpenForRead(path));
  Bytes buffer;
  std::uint64_t offset = 0;
  for (const wire::Piece& piece : pieces) {
    buffer.resize(piece.length_bytes);  // <= kMaxPieceBytes, checked by the decoder
    FLAIR_DO(file->ReadAt(offset, buffer));
    FLAIR_DO(batch.PutRecords(buffer));
    offset += piece.length_bytes;
  }
  return OkStatus();
}

}  // namespace

Result<DownloadOutcome> Download(Repository& repo, HubApi& api, const RepoAddress& from,
                                 FetchFolder& folder, const wire::FetchPlan& plan,
                                 const TransferOptions& options) {
  const std::vector<Part> parts = SplitIntoParts(plan.pieces);
  FLAIR_TRY(std::size_t committed, folder.AppliedParts());
  committed = std::min(committed, parts.size());
  std::uint64_t applied_bytes = 0;
  for (std::size_t i = 0; i < committed; ++i) applied_bytes += parts[i].size_bytes;
  const std::uint64_t skipped_bytes = applied_bytes;

  // The window bounds what lies on disk beyond the last commit to the store.
  const std::size_t connections = std::clamp<std::size_t>(options.connections, 1, 16);
  std::size_t longest = 0;
  for (std::size_t i = 0, run = 0; i < parts.size(); ++i) {
    longest = std::max(longest, ++run);
    if (parts[i].seal) run = 0;
  }
  Downloader downloader(api, from, folder, plan, parts, committed, longest + 2 * connections);
  downloader.Start(std::min(connections, parts.size() - committed));
  const auto report = [&](std::string_view phase) {
    return Report(options.progress, {.phase = phase,
                                     .item = from.name,
                                     .done_bytes = skipped_bytes + downloader.received_bytes() +
                                                   downloader.resumed_bytes(),
                                     .total_bytes = plan.total_bytes});
  };

  const auto pieces_of = [&](std::size_t i) {
    return std::span(plan.pieces).subspan(parts[i].first_piece, parts[i].num_pieces);
  };
  // Applies parts [committed, end) in one batch.
  const auto apply_group = [&](std::size_t end) -> Status {
    FLAIR_TRY(const auto batch, repo.objects().Begin());
    for (std::size_t i = committed; i < end; ++i) {
      FLAIR_DO(downloader.WaitFor(i, [&] { return report("fetching"); }));
      auto applied = ApplyPart(repo.env(), folder.PartPath(i), pieces_of(i), *batch);
      if (!applied.ok()) return std::move(applied).error().In("received data");
    }
    return batch->Commit();
  };
  for (std::size_t i = committed; i < parts.size(); ++i) {
    if (!parts[i].seal && i + 1 < parts.size()) continue;
    Status status = apply_group(i + 1);
    if (!status.ok() && status.error().code() == ErrorCode::kCorrupt &&
        downloader.resumed_bytes() > 0) {
      // A power cut may leave a part's tail unwritten: its bytes are fetched once more.
      for (std::size_t k = committed; k <= i; ++k) FLAIR_DO(downloader.FetchAgain(k));
      status = apply_group(i + 1);
    }
    FLAIR_DO(std::move(status));
    FLAIR_DO(folder.SetAppliedParts(i + 1));
    for (std::size_t k = committed; k <= i; ++k) {
      FLAIR_DO(folder.env().RemoveFile(folder.PartPath(k)));
    }
    committed = i + 1;
    downloader.SetApplied(committed);
    FLAIR_DO(report("fetching"));
  }
  return DownloadOutcome{.received_bytes = downloader.received_bytes(),
                         .resumed_bytes = downloader.resumed_bytes() + skipped_bytes};
}

}  // namespace flair
