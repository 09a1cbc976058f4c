// Progress: how far a long operation is, told to whoever shows it.
//
// The sink is called from the operation's thread, often; it decides how often to
// draw. Returning an Error (kCancelled after SIGINT) stops the operation at the
// next safe point and becomes its result.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "base/result.h"

namespace flair {

struct Progress {
  std::string_view phase;  // "adding", "checking out", "verifying", "collecting"
  std::string_view item;   // the path or name being worked on
  std::uint64_t done_bytes = 0;
  std::uint64_t total_bytes = 0;  // 0 when unknown
};
using ProgressSink = std::function<Status(const Progress&)>;

// Calls `sink` when there is one.
inline Status Report(const ProgressSink& sink, const Progress& progress) {
  return sink ? sink(progress) : OkStatus();
}

}  // namespace flair
