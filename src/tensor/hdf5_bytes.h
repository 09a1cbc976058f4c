// Hdf5Bytes: the parts of an HDF5 file as they are found, each byte part of one thing.
//
// Place: tensor, under hdf5_walk.h. Numbers in a file are believed here first: nothing
// is read or sized before it is compared with the file's end.
//
// Invariants
//   (1) No byte is taken twice. So a walk that takes what it follows ends: a cycle of
//       nodes and two structures that overlap are the same error.
//   (2) At most kMaxHdf5StructureBytes are read, however large the file is.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/byte_source.h"
#include "base/result.h"

namespace flair {

// Headers, trees and heaps of 100,000 datasets. Elements are not read.
inline constexpr std::uint64_t kMaxHdf5StructureBytes = std::uint64_t{64} << 20;
// "No address", as the format writes it.
inline constexpr std::uint64_t kNoHdf5Address = ~std::uint64_t{0};

Error Hdf5Corrupt(const std::string& what);
Error Hdf5Unsupported(const std::string& what);
std::string AtByte(std::uint64_t offset);  // " at byte 12"

class Hdf5Bytes {
 public:
  // `file` must outlive this.
  explicit Hdf5Bytes(const ByteSource& file) : file_(file), end_(file.size_bytes()) {}

  // Nothing behind `end` is part of the file. REQUIRES: end <= the file's size.
  void EndAt(std::uint64_t end) { end_ = end; }

  // Errors of both: kCorrupt when a byte lies behind the end or was taken before.
  Status Claim(std::uint64_t offset, std::uint64_t n, std::string_view what);
  // Also kUnsupported past the limit.
  Result<Bytes> Take(std::uint64_t offset, std::uint64_t n, std::string_view what);

 private:
  const ByteSource& file_;
  std::uint64_t end_;
  std::uint64_t read_bytes_ = 0;
  std::map<std::uint64_t, std::uint64_t> taken_;  // begin -> end; neighbours joined
};

// Takes little-endian numbers off a structure. Past its end come zeros, and ok() is
// false for good: one check behind a row of numbers serves all of them.
class Hdf5Cursor {
 public:
  explicit Hdf5Cursor(ByteView bytes) : left_(bytes) {}
  bool ok() const { return ok_; }
  std::size_t left() const { return left_.size(); }

  ByteView View(std::uint64_t n);
  void Skip(std::uint64_t n) { (void)View(n); }
  // REQUIRES: 1 <= width <= 8.
  std::uint64_t Number(std::size_t width);
  std::uint64_t U8() { return Number(1); }
  std::uint64_t U16() { return Number(2); }
  std::uint64_t U32() { return Number(4); }
  std::uint64_t U64() { return Number(8); }

 private:
  ByteView left_;
  bool ok_ = true;
};

}  // namespace flair
