// The byte aliases the project uses, and little-endian loads and stores.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace flair {

using Bytes = std::vector<std::byte>;
using ByteView = std::span<const std::byte>;
using MutableByteView = std::span<std::byte>;

// REQUIRES: in.size() >= sizeof(T).
template <typename T>
inline T LoadLe(ByteView in) {
  std::uint64_t v = 0;
  for (std::size_t i = sizeof(T); i-- > 0;) v = (v << 8) | std::to_integer<std::uint64_t>(in[i]);
  return static_cast<T>(v);
}
inline std::uint16_t LoadLe16(ByteView in) { return LoadLe<std::uint16_t>(in); }
inline std::uint32_t LoadLe32(ByteView in) { return LoadLe<std::uint32_t>(in); }
inline std::uint64_t LoadLe64(ByteView in) { return LoadLe<std::uint64_t>(in); }

template <typename T>
inline void AppendLe(Bytes& out, T v) {
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    out.push_back(static_cast<std::byte>(static_cast<std::uint64_t>(v) >> (8 * i)));
  }
}
inline void AppendLe32(Bytes& out, std::uint32_t v) { AppendLe(out, v); }
inline void AppendLe64(Bytes& out, std::uint64_t v) { AppendLe(out, v); }

inline void Append(Bytes& out, ByteView in) { out.insert(out.end(), in.begin(), in.end()); }

inline ByteView AsBytes(std::string_view s) { return std::as_bytes(std::span(s.data(), s.size())); }
inline std::string_view AsText(ByteView b) {
  return {reinterpret_cast<const char*>(b.data()), b.size()};
}
inline Bytes ToBytes(std::string_view s) {
  const ByteView v = AsBytes(s);
  return {v.begin(), v.end()};
}

}  // namespace flair
