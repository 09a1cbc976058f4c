// ParallelFor: work over [0, n) on a bounded number of threads.
//
// Results must not depend on the number of threads: give each index its own
// output. The first error (by index) is returned; later indices may not run.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>

#include "base/result.h"

namespace flair {

// The machine's cores, or FLAIR_THREADS' value as set by SetThreadCount; >= 1.
std::size_t ThreadCount();
// 0 restores the machine's count. For tests, `--threads` and the hub's configuration.
void SetThreadCount(std::size_t count);

Status ParallelFor(std::size_t n, const std::function<Status(std::size_t)>& body);
Status ParallelFor(std::size_t n, std::size_t num_threads,
                   const std::function<Status(std::size_t)>& body);

}  // namespace flair
