// SPDX-License-Identifier: Apache-2.0
#include "hub/http/workers.h"

#include <chrono>
#include <thread>
#include <utility>

namespace flair::hub {
namespace {
constexpr std::chrono::seconds kIdleLife{20};
}

Workers::~Workers() {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  changed_.notify_all();
  changed_.wait(lock, [&] { return num_threads_ == 0; });
}

void Workers::Submit(std::function<void()> job) {
  const std::lock_guard lock(mutex_);
  waiting_.push_back(std::move(job));
  if (waiting_.size() > num_idle_ && num_threads_ < max_threads_) {
    ++num_threads_;
    std::thread([this] { Work(); }).detach();  // the destructor waits for the count
  } else {
    changed_.notify_one();
  }
}

void Workers::Work() {
  std::unique_lock lock(mutex_);
  while (true) {
    if (waiting_.empty()) {
      if (stopping_) break;
      ++num_idle_;
      const bool woken =
          changed_.wait_for(lock, kIdleLife, [&] { return stopping_ || !waiting_.empty(); });
      --num_idle_;
      if (!woken) break;
      continue;
    }
    std::function<void()> job = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    job();
    job = nullptr;
    lock.lock();
  }
  --num_threads_;
  changed_.notify_all();
}

}  // namespace flair::hub
