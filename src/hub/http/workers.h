// Workers: a pool of threads that grows with what waits and shrinks when idle.
//
// Place: hub/http. A worker may block on a client's socket, so there are more of
// them than cores; an idle connection holds none.
// Thread safety: any thread may submit.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>

namespace flair::hub {

class Workers {
 public:
  explicit Workers(std::size_t max_threads) : max_threads_(max_threads) {}
  ~Workers();  // finishes what was submitted

  void Submit(std::function<void()> job);

 private:
  void Work();

  const std::size_t max_threads_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  std::size_t num_threads_ = 0;
  std::size_t num_idle_ = 0;
  bool stopping_ = false;
};

}  // namespace flair::hub
