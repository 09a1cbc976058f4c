// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <utility>

namespace flair {
namespace {

constexpr std::uint8_t kSilent = 255;

std::atomic<std::uint8_t> g_lowest{kSilent};
std::mutex g_mutex;
std::shared_ptr<const LogSink> g_sink;  // guarded by g_mutex

}  // namespace

std::string_view LogLevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "unknown";
}

void SetLogSink(LogSink sink, LogLevel lowest) {
  const std::lock_guard lock(g_mutex);
  g_lowest = sink ? static_cast<std::uint8_t>(lowest) : kSilent;
  g_sink = sink ? std::make_shared<const LogSink>(std::move(sink)) : nullptr;
}

bool LogEnabled(LogLevel level) {
  return static_cast<std::uint8_t>(level) >= g_lowest.load(std::memory_order_relaxed);
}

void Log(LogLevel level, std::string_view message) {
  if (!LogEnabled(level)) return;
  std::shared_ptr<const LogSink> sink;
  {
    const std::lock_guard lock(g_mutex);
    sink = g_sink;
  }
  if (sink) (*sink)(level, message);
}

}  // namespace flair
