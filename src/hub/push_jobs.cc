// SPDX-License-Identifier: Apache-2.0
#include "hub/push_jobs.h"

#include <thread>

namespace flair::hub {
namespace {

// Results that nobody came back for; the push itself remembers what it became.
constexpr std::size_t kMaxUntold = 1024;

}  // namespace

PushJobs::~PushJobs() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return running_ == 0; });
}

PushJobs::Writer::~Writer() {
  if (jobs_ == nullptr) return;
  const std::lock_guard lock(jobs_->mutex_);
  jobs_->writing_.erase(id_);
}

Result<PushJobs::Writer> PushJobs::Write(const std::string& id) {
  const std::lock_guard lock(mutex_);
  if (jobs_.contains(id) || !writing_.insert(id).second) {
    return Error(ErrorCode::kConflict, "push " + id + " is being written by another request")
        .WithHint("try again in a moment");
  }
  return Writer(this, id);
}

bool PushJobs::IsFinishing(const std::string& id) {
  const std::lock_guard lock(mutex_);
  return jobs_.contains(id);
}

Result<wire::FinishResult> PushJobs::Finish(const std::string& id, Work work,
                                            std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  if (writing_.contains(id)) {
    return Error(ErrorCode::kUnavailable, "push " + id + " is still being written")
        .WithHint("try again in a moment");
  }
  std::shared_ptr<Job> job;
  if (const auto found = jobs_.find(id); found != jobs_.end()) {
    job = found->second;
  } else {
    std::erase_if(jobs_, [&](const auto& entry) {
      return jobs_.size() > kMaxUntold && entry.second->result.has_value();
    });
    job = std::make_shared<Job>();
    jobs_.emplace(id, job);
    ++running_;
    std::thread([this, job, work = std::move(work)] {
      auto result = work();
      const std::lock_guard finished(mutex_);
      job->result = std::move(result);
      --running_;
      changed_.notify_all();  // under the lock: the destructor may be waiting for it
    }).detach();
  }
  const bool done = changed_.wait_for(lock, patience, [&] { return job->result.has_value(); });
  if (!done) return wire::FinishResult{.working = true};
  if (const auto found = jobs_.find(id); found != jobs_.end() && found->second == job) {
    jobs_.erase(found);
  }
  return *job->result;
}

}  // namespace flair::hub
