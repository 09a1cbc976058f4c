// Digest: 32 bytes of BLAKE3 or SHA-256, compared and hashed as a value.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace flair {

struct Digest {
  static constexpr std::size_t kBytes = 32;
  std::array<std::byte, kBytes> bytes{};

  auto operator<=>(const Digest&) const = default;
  ByteView view() const { return bytes; }
  std::string ToHex() const;
  // Errors: kInvalidArgument unless 64 lower-case hex digits.
  static Result<Digest> FromHex(std::string_view text);
  // Errors: kCorrupt unless 32 bytes.
  static Result<Digest> FromBytes(ByteView bytes);
};

// A digest is uniform already: its first bytes are its hash.
struct DigestHash {
  std::size_t operator()(const Digest& d) const {
    std::size_t h;
    std::memcpy(&h, d.bytes.data(), sizeof h);
    return h;
  }
};

}  // namespace flair
