// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.h"

#include <cstddef>

namespace flair {

std::optional<std::uint32_t> TakeCodePoint(std::string_view& text) {
  const auto byte = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i]));
  };
  const std::uint32_t lead = byte(0);
  std::size_t length = 0;
  std::uint32_t smallest = 0;  // anything less would be an overlong form
  std::uint32_t point = 0;
  if (lead < 0x80) {
    length = 1;
    point = lead;
  } else if (lead >= 0xC2 && lead < 0xE0) {
    length = 2;
    point = lead & 0x1F;
    smallest = 0x80;
  } else if (lead >= 0xE0 && lead < 0xF0) {
    length = 3;
    point = lead & 0x0F;
    smallest = 0x800;
  } else if (lead >= 0xF0 && lead < 0xF5) {
    length = 4;
    point = lead & 0x07;
    smallest = 0x10000;
  } else {
    return std::nullopt;
  }
  if (text.size() < length) return std::nullopt;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return std::nullopt;
    point = (point << 6) | (byte(i) & 0x3F);
  }
  const bool surrogate = point >= 0xD800 && point <= 0xDFFF;
  if (point < smallest || point > 0x10FFFF || surrogate) return std::nullopt;
  text.remove_prefix(length);
  return point;
}

bool IsValidUtf8(std::string_view text) {
  while (!text.empty()) {
    if (!TakeCodePoint(text)) return false;
  }
  return true;
}

}  // namespace flair
