// Folding a table into its own first half, on all threads.
//
// A fold binds a variable: out[i] = in[2i] + r (in[2i + 1] - in[2i]). Tables are the prover's
// largest, and a second one for the result costs fresh pages.
//
// Place: zk/prover, over base. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>

#include "base/check.h"
#include "base/threads.h"

namespace flair::zk {

// body(i) for i < num_tasks, where task i reads parts 2i and 2i + 1 of a table and writes part i.
// That part is read by task i / 2, which is over before: tasks 2^k ... 2^(k+1) - 1 run at once.
inline void FoldInPlace(std::uint64_t num_tasks, const std::function<void(std::uint64_t)>& body) {
  for (std::uint64_t begin = 0, end = 1; begin < num_tasks; begin = end, end *= 2) {
    end = std::min(end, num_tasks);
    const Status done = ParallelFor(end - begin, [&](std::size_t i) {
      body(begin + i);
      return OkStatus();
    });
    FLAIR_CHECK(done.ok()) << "a fold cannot fail";
  }
}

}  // namespace flair::zk
