// Log: what a server or a person debugging wants to know, through one replaceable sink.
//
// Place: base. The library never prints: without a sink, and that is the default, a
// message costs one atomic load. Only cli and hub install one.
//
// Thread safety: any thread may log; the sink is called from the logging thread and
// must be thread-safe itself.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace flair {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning, kError };

std::string_view LogLevelName(LogLevel level);  // "debug", "info", ...

using LogSink = std::function<void(LogLevel, std::string_view message)>;

// Messages below `lowest` are dropped. An empty sink silences. Not for hot paths.
void SetLogSink(LogSink sink, LogLevel lowest = LogLevel::kInfo);

// Ask first when building the message costs something.
bool LogEnabled(LogLevel level);
void Log(LogLevel level, std::string_view message);

}  // namespace flair
