// SPDX-License-Identifier: Apache-2.0
#include "cli/render.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

#include "base/utf8.h"

namespace flair::cli {
namespace {

template <typename... Args>
std::string Format(const char* format, Args... args) {
  std::array<char, 128> text{};
  const int n = std::snprintf(text.data(), text.size(), format, args...);
  return {text.data(), static_cast<std::size_t>(std::clamp(n, 0, 127))};
}

// Code points, as an estimate of columns.
std::size_t Width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    if (!TakeCodePoint(text)) text.remove_prefix(1);
    ++width;
  }
  return width;
}

}  // namespace

std::string FormatTime(std::uint64_t time_s) {
  const auto days = std::chrono::days(time_s / 86'400);
  const std::chrono::year_month_day date{std::chrono::sys_days(days)};
  const auto rest = static_cast<unsigned>(time_s % 86'400);
  return Format("%04d-%02u-%02uT%02u:%02u:%02uZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), rest / 3600,
                rest / 60 % 60, rest % 60);
}

std::string FormatBytes(std::uint64_t size_bytes) {
  if (size_bytes < 1000) return std::to_string(size_bytes) + " B";
  constexpr std::array kUnits = {"KB", "MB", "GB", "TB", "PB", "EB"};
  double v = static_cast<double>(size_bytes) / 1000;
  std::size_t unit = 0;
  for (; v >= 999.95 && unit + 1 < kUnits.size(); v /= 1000) ++unit;
  return Format("%.1f %s", v, kUnits[unit]);
}

std::string FormatNumber(double v) { return Format("%.4g", v); }

std::string FormatShare(double share) { return Format("%.1f %%", 100 * share); }

std::string FormatShape(DType dtype, const std::vector<std::uint64_t>& dims) {
  std::string out = std::string(DTypeName(dtype)) + " [";
  for (std::size_t i = 0; i < dims.size(); ++i) {
    out += (i == 0 ? "" : ", ") + std::to_string(dims[i]);
  }
  return out + "]";
}

std::string ShortWallet(const Wallet& wallet) { return wallet.ToBase58().substr(0, 8); }

std::string Printable(std::string_view text, LineFeeds line_feeds) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::string_view before = text;
    const auto point = TakeCodePoint(text);
    const bool control = !point || *point < 0x20 || (*point >= 0x7F && *point < 0xA0) ||
                         *point == 0x202E || *point == 0x2066 || *point == 0x2067;
    const bool kept = point && *point == '\n' && line_feeds == LineFeeds::kKeep;
    if (!point) text.remove_prefix(1);
    const std::string_view taken = before.substr(0, before.size() - text.size());
    if (!control || kept) {
      out += taken;
      continue;
    }
    for (const char c : taken)
      out += Format("\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
  }
  return out;
}

std::string Count(std::uint64_t n, std::string_view noun) {
  return std::to_string(n) + " " + std::string(noun) + (n == 1 ? "" : "s");
}

std::string Table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Width(row[i]));
  }
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - Width(row[i]) + 2, ' ');
    }
    while (!line.empty() && line.back() == ' ') line.pop_back();
    out += line + "\n";
  }
  return out;
}

std::string FirstLine(std::string_view text) {
  return std::string(text.substr(0, text.find('\n')));
}

}  // namespace flair::cli
