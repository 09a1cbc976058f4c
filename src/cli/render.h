// How values look to people: times, sizes, ids, numbers; and what must not reach a terminal.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/ed25519.h"
#include "tensor/dtype.h"

namespace flair::cli {

// UTC, RFC 3339: "2026-11-25T02:39:24Z".
std::string FormatTime(std::uint64_t time_s);
// "0 B", "1.0 KB", "5.4 GB" (powers of 1000).
std::string FormatBytes(std::uint64_t size_bytes);
// Four significant digits: "0.913", "1.234e-05".
std::string FormatNumber(double v);
// "12.5 %"
std::string FormatShare(double share);
// "F32 [64, 3, 3, 3]"
std::string FormatShape(DType dtype, const std::vector<std::uint64_t>& dims);
// "7xKX…gAsU" is ambiguous to scripts: the first 8 characters, for tables only.
std::string ShortWallet(const Wallet& wallet);

// Control characters, and bytes that are no UTF-8, as "\x1b": text from elsewhere must
// not move the cursor or change colours. Line feeds too, unless told to keep them.
enum class LineFeeds : std::uint8_t { kEscape, kKeep };
std::string Printable(std::string_view text, LineFeeds line_feeds = LineFeeds::kEscape);

// "1 file", "2 files".
std::string Count(std::uint64_t n, std::string_view noun);
// Columns, left-aligned, two spaces between.
std::string Table(const std::vector<std::vector<std::string>>& rows);
std::string FirstLine(std::string_view text);

}  // namespace flair::cli
