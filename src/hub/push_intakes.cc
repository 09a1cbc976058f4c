// SPDX-License-Identifier: Apache-2.0
#include "hub/push_intakes.h"

#include <condition_variable>
#include <optional>
#include <thread>
#include <utility>

#include "hub/push_store.h"

namespace flair::hub {
namespace {

// Early intakes that ended and whose push nobody finished: they hold nothing any more, and
// being remembered keeps a push from being read again with every byte that it sends.
constexpr std::size_t kMaxRemembered = 1024;

}  // namespace

// One push's data on its way into a batch.
class PushIntakes::Intake {
 public:
  Intake(Env& env, std::shared_ptr<RepoStore> store, std::string id, Limits limits)
      : env_(env), store_(std::move(store)), id_(std::move(id)), limits_(limits) {
    follower_ = std::jthread([this] { Run(); });
  }
  ~Intake() {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    changed_.notify_all();
  }  // follower_ is joined, being the last member

  void Advance(std::uint64_t size) {
    const std::lock_guard lock(mutex_);
    arrived_ = size;
    changed_.notify_all();
  }

  bool HasEnded() {
    const std::lock_guard lock(mutex_);
    return ended_.has_value();
  }

  // `size` bytes are all there is: the batch that holds every frame of them, not committed.
  Result<ObjectBatch*> Complete(std::uint64_t size) {
    std::unique_lock lock(mutex_);
    arrived_ = size;
    complete_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return ended_.has_value(); });
    FLAIR_DO(*ended_);
    return batch_.get();
  }

 private:
  struct Progress {
    std::uint64_t size = 0;
    bool complete = false;
  };

  void Run() {
    Status status = Follow();
    if (!status.ok()) batch_.reset();  // its files go now, not when the push does
    const std::lock_guard lock(mutex_);
    ended_ = std::move(status);
    changed_.notify_all();
  }

  // Waits for more than `seen`.
  Result<Progress> Await(std::uint64_t seen) {
    std::unique_lock lock(mutex_);
    const bool woken = changed_.wait_for(lock, limits_.idle,
                                         [&] { return stop_ || complete_ || arrived_ > seen; });
    if (stop_ || !woken) return Error(ErrorCode::kCancelled, "the upload was left alone");
    return Progress{.size = arrived_, .complete = complete_};
  }

  Status Follow() {
    FLAIR_TRY(batch_, store_->objects().Begin());
    FLAIR_TRY(FrameReader frames, PushStore(env_, store_->quarantine_folder()).OpenFrames(id_));
    for (Progress progress; !progress.complete;) {
      FLAIR_TRY(progress, Await(progress.size));
      FLAIR_DO(TakeFrames(frames, progress));
    }
    return OkStatus();
  }

  // Every frame that is whole.
  Status TakeFrames(FrameReader& frames, const Progress& progress) {
    while (frames.offset() < progress.size) {
      const std::uint64_t at = frames.offset();
      FLAIR_TRY(const auto length, frames.PeekLength(progress.size));
      if (length && *length > limits_.max_early_frame_bytes && !progress.complete) {
        return Error(ErrorCode::kCancelled, "a frame too large to be taken early");
      }
      FLAIR_TRY(const std::optional<ByteView> frame, frames.Next(progress.size));
      if (!frame && progress.complete) {
        return Error(ErrorCode::kCorrupt,
                     "upload, byte " + std::to_string(at) + ": ends inside a frame");
      }
      if (!frame) break;
      if (Status s = batch_->PutRecords(*frame); !s.ok()) {
        return std::move(s).error().In("upload, frame at byte " + std::to_string(at));
      }
      const std::lock_guard lock(mutex_);
      if (stop_) return Error(ErrorCode::kCancelled, "the hub stops");
    }
    return OkStatus();
  }

  Env& env_;
  const std::shared_ptr<RepoStore> store_;
  const std::string id_;
  const Limits limits_;
  std::unique_ptr<ObjectBatch> batch_;  // follower_'s until ended_

  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t arrived_ = 0;  // guarded by mutex_, like all below
  bool complete_ = false;      // no byte will follow
  bool stop_ = false;
  std::optional<Status> ended_;
  std::jthread follower_;
};

PushIntakes::~PushIntakes() = default;

void PushIntakes::Advance(Env& env, const std::shared_ptr<RepoStore>& store, const std::string& id,
                          std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  if (const auto found = early_.find(id); found != early_.end()) {
    found->second->Advance(size);
    return;
  }
  if (size < limits_.early_bytes) return;
  std::size_t running = 0;
  for (const auto& [push, intake] : early_) running += intake->HasEnded() ? 0 : 1;
  if (running >= limits_.max_early) return;
  if (early_.size() >= kMaxRemembered) {
    std::erase_if(early_, [](const auto& entry) { return entry.second->HasEnded(); });
  }
  const auto intake = std::make_shared<Intake>(env, store, id, limits_);
  intake->Advance(size);
  early_.emplace(id, intake);
}

std::shared_ptr<PushIntakes::Intake> PushIntakes::Take(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto found = early_.find(id);
  if (found == early_.end()) return nullptr;
  auto intake = std::move(found->second);
  early_.erase(found);
  return intake;
}

Status PushIntakes::Finish(Env& env, const std::shared_ptr<RepoStore>& store, const std::string& id,
                           std::uint64_t size) {
  if (const auto early = Take(id)) {
    const auto batch = early->Complete(size);
    const auto lock = store->WriteLock();
    if (batch.ok() && !(*batch)->IsStale()) return (*batch)->Commit();
  }
  if (size == 0) return OkStatus();
  const auto lock = store->WriteLock();
  Intake whole(env, store, id, limits_);
  FLAIR_TRY(ObjectBatch* const batch, whole.Complete(size));
  return batch->Commit();
}

}  // namespace flair::hub
