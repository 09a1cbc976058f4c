// OrderedPipeline: work on n items on several threads, results used in order.
//
//   produce(i, buffer)   on worker threads, any order
//   consume(i, buffer)   on the calling thread, i = 0, 1, 2, ...
//
// At most `kWindow` results wait at a time and buffers are reused, so memory does not
// grow with n. The first error, in the order of the items, ends everything.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>

#include "base/bytes.h"
#include "base/result.h"

namespace flair {

inline constexpr std::size_t kPipelineWindow = 12;  // blocks of 1 MiB

Status OrderedPipeline(std::uint64_t n, const std::function<Status(std::uint64_t, Bytes&)>& produce,
                       const std::function<Status(std::uint64_t, Bytes&)>& consume);

}  // namespace flair
