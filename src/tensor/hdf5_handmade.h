// Small HDF5 files made by hand, for tests that need to lie in one byte.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace flair::handmade {

// Both files hold "a", F32 [2,3], and "b", I64 [2].

// Old: superblock 0, symbol table, headers of version 1. Where its parts are:
struct OldHdf5 {
  static constexpr std::size_t kRoot = 96, kTree = 136, kHeap = 200, kNames = 232, kNode = 256,
                               kA = 344, kB = 456, kDataA = 552, kDataB = 576, kEnd = 592;
  // Bodies of messages.
  static constexpr std::size_t kSymbolTable = kRoot + 24, kSpaceA = kA + 24, kTypeA = kA + 56,
                               kLayoutA = kA + 88, kSpaceB = kB + 24, kTypeB = kB + 48,
                               kLayoutB = kB + 72;
};

// New: superblock 2, link messages, headers of version 2; the root's second block holds
// the link to "b".
struct NewHdf5 {
  static constexpr std::size_t kRoot = 48, kBlock = 117, kA = 141, kB = 222, kDataA = 287,
                               kDataB = 311, kEnd = 327;
  static constexpr std::size_t kLinkInfo = kRoot + 11, kLinkA = kRoot + 33,
                               kContinuation = kRoot + 49, kLinkB = kBlock + 8, kSpaceA = kA + 11,
                               kTypeA = kA + 35, kLayoutA = kA + 59;
};

// Bytes beyond eight are zeros: numbers of their own.
inline void AppendNumber(Bytes& out, std::uint64_t v, std::size_t width) {
  for (std::size_t i = 0; i < width; ++i) {
    out.push_back(i < 8 ? static_cast<std::byte>(v >> (8 * i)) : std::byte{0});
  }
}
inline void AppendText(Bytes& out, std::string_view text, std::size_t width) {
  Append(out, AsBytes(text));
  out.resize(out.size() + width - text.size());
}

// Bodies of messages; the first three serve both files.
inline Bytes Layout(std::uint64_t offset, std::uint64_t size_bytes) {
  Bytes out;
  AppendNumber(out, 0x0103, 2);
  AppendNumber(out, offset, 8);
  AppendNumber(out, size_bytes, 8);
  return out;
}
inline Bytes TypeF32() {
  Bytes out;
  AppendNumber(out, 0x001f2011, 4);
  AppendNumber(out, 4, 4);
  AppendNumber(out, 0x00200000, 4);  // from bit 0, 32 bits
  AppendNumber(out, 0x17000817, 4);  // exponent at 23, 8 bits; mantissa at 0, 23 bits
  AppendNumber(out, 127, 4);
  return out;
}
inline Bytes TypeI64() {
  Bytes out;
  AppendNumber(out, 0x0810, 4);
  AppendNumber(out, 8, 4);
  AppendNumber(out, 0x00400000, 4);
  return out;
}
inline Bytes Space1(const std::vector<std::uint64_t>& dims) {
  Bytes out;
  AppendNumber(out, 1 | dims.size() << 8, 8);
  for (const std::uint64_t d : dims) AppendNumber(out, d, 8);
  return out;
}
inline Bytes Space2(const std::vector<std::uint64_t>& dims) {
  Bytes out;
  AppendNumber(out, 2 | dims.size() << 8 | std::uint64_t{dims.empty() ? 0u : 1u} << 24, 4);
  for (const std::uint64_t d : dims) AppendNumber(out, d, 8);
  return out;
}
inline Bytes LinkTo(std::string_view name, std::uint64_t address) {
  Bytes out;
  AppendNumber(out, 1 | std::uint64_t{name.size()} << 16, 3);
  Append(out, AsBytes(name));
  AppendNumber(out, address, 8);
  return out;
}
inline Bytes SymbolTable(std::uint64_t tree, std::uint64_t heap) {
  Bytes out;
  AppendNumber(out, tree, 8);
  AppendNumber(out, heap, 8);
  return out;
}

struct Message {
  std::uint64_t type = 0;
  Bytes body;
};

inline void AppendHeader1(Bytes& out, const std::vector<Message>& messages) {
  Bytes all;
  for (const Message& m : messages) {
    const std::size_t padded = (m.body.size() + 7) / 8 * 8;
    AppendNumber(all, m.type, 2);
    AppendNumber(all, padded, 6);
    Append(all, m.body);
    all.resize(all.size() + padded - m.body.size());
  }
  AppendNumber(out, 1 | messages.size() << 16, 4);
  AppendNumber(out, 1, 4);
  AppendNumber(out, all.size(), 8);
  Append(out, all);
}

inline void AppendMessages2(Bytes& out, const std::vector<Message>& messages) {
  for (const Message& m : messages) {
    AppendNumber(out, m.type | std::uint64_t{m.body.size()} << 8, 4);
    Append(out, m.body);
  }
}
inline void AppendHeader2(Bytes& out, const std::vector<Message>& messages) {
  Bytes all;
  AppendMessages2(all, messages);
  AppendText(out, "OHDR\x02", 6);
  AppendNumber(out, all.size(), 1);
  Append(out, all);
  AppendNumber(out, 0, 4);  // the checksum is not looked at
}

inline void AppendData(Bytes& out) {
  for (std::uint32_t i = 0; i < 6; ++i) AppendNumber(out, 0x3f800000 + i, 4);
  for (std::uint64_t i = 1; i <= 2; ++i) AppendNumber(out, i, 8);
}

inline Bytes MakeOldHdf5() {
  using At = OldHdf5;
  Bytes f;
  AppendText(f, "\x89HDF\r\n\x1a\n", 13);
  AppendNumber(f, 0x0808, 3);
  AppendNumber(f, 0x0001'0001, 8);  // the smallest tree nodes
  for (const std::uint64_t v : {std::uint64_t{0}, ~std::uint64_t{0}, std::uint64_t{At::kEnd},
                                ~std::uint64_t{0}, std::uint64_t{0}, std::uint64_t{At::kRoot}}) {
    AppendNumber(f, v, 8);
  }
  f.resize(At::kRoot);
  AppendHeader1(f, {{0x11, SymbolTable(At::kTree, At::kHeap)}});
  AppendText(f, "TREE", 6);
  AppendNumber(f, 1, 2);
  for (const std::uint64_t v : {~std::uint64_t{0}, ~std::uint64_t{0}, std::uint64_t{0},
                                std::uint64_t{At::kNode}, std::uint64_t{16}}) {
    AppendNumber(f, v, 8);
  }
  f.resize(At::kHeap);
  AppendText(f, "HEAP", 8);
  for (const std::uint64_t v : {std::uint64_t{24}, std::uint64_t{1}, std::uint64_t{At::kNames}}) {
    AppendNumber(f, v, 8);
  }
  AppendText(f, "", 8);
  AppendText(f, "a", 8);
  AppendText(f, "b", 8);
  AppendText(f, "SNOD\x01", 6);
  AppendNumber(f, 2, 2);
  for (const auto& [name, address] : {std::pair{8, At::kA}, std::pair{16, At::kB}}) {
    AppendNumber(f, static_cast<std::uint64_t>(name), 8);
    AppendNumber(f, address, 8);
    f.resize(f.size() + 24);
  }
  AppendHeader1(f, {{1, Space1({2, 3})}, {3, TypeF32()}, {8, Layout(At::kDataA, 24)}});
  AppendHeader1(f, {{1, Space1({2})}, {3, TypeI64()}, {8, Layout(At::kDataB, 16)}});
  AppendData(f);
  return f;
}

inline Bytes MakeNewHdf5() {
  using At = NewHdf5;
  Bytes f;
  AppendText(f, "\x89HDF\r\n\x1a\n\x02\x08\x08", 12);
  for (const std::uint64_t v :
       {std::uint64_t{0}, ~std::uint64_t{0}, std::uint64_t{At::kEnd}, std::uint64_t{At::kRoot}}) {
    AppendNumber(f, v, 8);
  }
  AppendNumber(f, 0, 4);
  Bytes none(2);  // link info: no fractal heap, no index
  none.resize(18, std::byte{0xff});
  constexpr std::size_t kBlockBytes = At::kA - At::kBlock;
  AppendHeader2(
      f, {{2, none}, {6, LinkTo("a", At::kA)}, {0x10, SymbolTable(At::kBlock, kBlockBytes)}});
  AppendText(f, "OCHK", 4);
  AppendMessages2(f, {{6, LinkTo("b", At::kB)}});
  AppendNumber(f, 0, 4);
  AppendHeader2(f, {{1, Space2({2, 3})}, {3, TypeF32()}, {8, Layout(At::kDataA, 24)}});
  AppendHeader2(f, {{1, Space2({2})}, {3, TypeI64()}, {8, Layout(At::kDataB, 16)}});
  AppendData(f);
  return f;
}

}  // namespace flair::handmade
