// PushJobs: who works on which push, and finishing that outlives its request.
//
// Place: hub. A push's data has one writer at a time. Finishing one (verify, store, accept)
// may take longer than a client waits: it runs on a thread of its own, and whoever asks
// meanwhile waits a little and is told that it still runs.
//
// Thread safety: any thread. The destructor waits for running jobs.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "base/result.h"
#include "wire/transfer.h"

namespace flair::hub {

class PushJobs {
 public:
  using Work = std::function<Result<wire::FinishResult>()>;

  PushJobs() = default;
  ~PushJobs();
  PushJobs(const PushJobs&) = delete;
  PushJobs& operator=(const PushJobs&) = delete;

  // Held while a request writes a push's data.
  class Writer {
   public:
    Writer(PushJobs* jobs, std::string id) : jobs_(jobs), id_(std::move(id)) {}
    Writer(Writer&& other) noexcept : jobs_(other.jobs_), id_(std::move(other.id_)) {
      other.jobs_ = nullptr;
    }
    Writer& operator=(Writer&&) = delete;
    ~Writer();

   private:
    PushJobs* jobs_;
    std::string id_;
  };
  // Errors: kConflict when somebody writes or finishes it.
  Result<Writer> Write(const std::string& id);

  bool IsFinishing(const std::string& id);
  // Starts `work` unless it runs already; its result, or `working` after `patience`.
  // A result is told once. Errors: kUnavailable while the data is being written.
  Result<wire::FinishResult> Finish(const std::string& id, Work work,
                                    std::chrono::milliseconds patience);

 private:
  struct Job {
    std::optional<Result<wire::FinishResult>> result;
  };

  std::mutex mutex_;
  std::condition_variable changed_;
  std::unordered_set<std::string> writing_;
  std::unordered_map<std::string, std::shared_ptr<Job>> jobs_;
  std::size_t running_ = 0;
};

}  // namespace flair::hub
