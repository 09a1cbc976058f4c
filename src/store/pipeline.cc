// SPDX-License-Identifier: Apache-2.0
#include "store/pipeline.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/threads.h"

namespace flair {
namespace {

class Pipeline {
 public:
  Pipeline(std::uint64_t n, const std::function<Status(std::uint64_t, Bytes&)>& produce)
      : n_(n), produce_(produce) {}

  void Work() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [&] { return stop_ || next_ == n_ || next_ < used_ + kPipelineWindow; });
      if (stop_ || next_ == n_) return;
      const std::uint64_t i = next_++;
      Slot& slot = slots_[i % kPipelineWindow];
      lock.unlock();
      Status status = produce_(i, slot.buffer);
      lock.lock();
      slot.done = std::move(status);
      changed_.notify_all();
    }
  }

  Status Consume(const std::function<Status(std::uint64_t, Bytes&)>& consume) {
    for (std::uint64_t i = 0; i < n_; ++i) {
      Slot& slot = slots_[i % kPipelineWindow];
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return slot.done.has_value(); });
      }
      Status status = *std::move(slot.done);
      if (status.ok()) status = consume(i, slot.buffer);
      const std::lock_guard lock(mutex_);
      slot.done.reset();
      used_ = i + 1;
      stop_ = !status.ok();
      changed_.notify_all();
      if (stop_) return status;
    }
    return OkStatus();
  }

 private:
  struct Slot {
    Bytes buffer;
    std::optional<Status> done;
  };
  const std::uint64_t n_;
  const std::function<Status(std::uint64_t, Bytes&)>& produce_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t next_ = 0;  // not yet taken by a worker
  std::uint64_t used_ = 0;  // consumed
  bool stop_ = false;
  std::array<Slot, kPipelineWindow> slots_;
};

}  // namespace

Status OrderedPipeline(std::uint64_t n, const std::function<Status(std::uint64_t, Bytes&)>& produce,
                       const std::function<Status(std::uint64_t, Bytes&)>& consume) {
  const std::uint64_t threads = std::min<std::uint64_t>({ThreadCount(), n, kPipelineWindow / 2});
  if (threads <= 1) {
    Bytes buffer;
    for (std::uint64_t i = 0; i < n; ++i) {
      FLAIR_DO(produce(i, buffer));
      FLAIR_DO(consume(i, buffer));
    }
    return OkStatus();
  }
  Pipeline pipeline(n, produce);
  std::vector<std::jthread> workers;
  for (std::uint64_t t = 0; t < threads; ++t) workers.emplace_back([&] { pipeline.Work(); });
  return pipeline.Consume(consume);
}

}  // namespace flair
