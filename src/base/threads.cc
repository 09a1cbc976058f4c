// SPDX-License-Identifier: Apache-2.0
#include "base/threads.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace flair {
namespace {

std::atomic<std::size_t> g_thread_count{0};

}  // namespace

std::size_t ThreadCount() {
  const std::size_t set = g_thread_count.load(std::memory_order_relaxed);
  if (set != 0) return set;
  static const std::size_t machine = std::max(1U, std::thread::hardware_concurrency());
  return machine;
}

void SetThreadCount(std::size_t count) { g_thread_count.store(count, std::memory_order_relaxed); }

Status ParallelFor(std::size_t n, const std::function<Status(std::size_t)>& body) {
  return ParallelFor(n, ThreadCount(), body);
}

Status ParallelFor(std::size_t n, std::size_t num_threads,
                   const std::function<Status(std::size_t)>& body) {
  num_threads = std::clamp<std::size_t>(num_threads, 1, std::max<std::size_t>(n, 1));
  if (num_threads == 1) {
    for (std::size_t i = 0; i < n; ++i) FLAIR_DO(body(i));
    return OkStatus();
  }

  // Indices are handed out in ascending order, so every index below a failing one
  // runs: the lowest failing index does not depend on the timing.
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  std::mutex mutex;
  std::size_t first_failed = n;
  std::optional<Error> error;
  const auto work = [&] {
    while (!failed.load(std::memory_order_relaxed)) {
      const std::size_t i = next.fetch_add(1, std::memory_order_relaxed);
      if (i >= n) return;
      Status status = body(i);
      if (status.ok()) continue;
      const std::lock_guard lock(mutex);
      failed.store(true, std::memory_order_relaxed);
      if (i < first_failed) {
        first_failed = i;
        error = std::move(status).error();
      }
    }
  };
  {
    std::vector<std::jthread> helpers;
    helpers.reserve(num_threads - 1);
    for (std::size_t t = 1; t < num_threads; ++t) helpers.emplace_back(work);
    work();
  }
  if (error) return *std::move(error);
  return OkStatus();
}

}  // namespace flair
