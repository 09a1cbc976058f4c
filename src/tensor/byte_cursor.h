// ByteCursor: reads a file from front to back in small steps, a window at a time.
//
// Place: tensor, below the readers of formats whose headers have no known size. Memory
// is one window and the texts that the caller keeps, whatever the file says.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/byte_source.h"
#include "base/result.h"

namespace flair {

class ByteCursor {
 public:
  // Reads `file` from `begin` on. `format` begins every message. `file` must outlive it.
  ByteCursor(const ByteSource& file, std::string_view format, std::uint64_t begin = 0);

  std::uint64_t at() const { return at_; }
  std::uint64_t left() const { return file_.size_bytes() - at_; }

  // Errors, for all: kCorrupt when the file ends first; those of `file`.
  Result<std::uint8_t> U8();
  Result<std::uint32_t> Le32();
  Result<std::uint64_t> Le64();
  // LEB128 of up to 64 bits, as protobuf writes it; kCorrupt when longer.
  Result<std::uint64_t> Varint();
  // kCorrupt as well when `size_bytes` > `limit`, with `what` in the message.
  Result<std::string> Text(std::uint64_t size_bytes, std::uint64_t limit, std::string_view what);
  Status Skip(std::uint64_t size_bytes);

  // "onnx: ... at byte N", N where the last value began.
  Error Corrupt(const std::string& what) const;

 private:
  static constexpr std::size_t kWindowBytes = 64 << 10;

  Status Fill();
  Result<std::uint64_t> Le(int width);

  const ByteSource& file_;
  std::string format_;
  std::uint64_t at_ = 0;
  std::uint64_t value_at_ = 0;
  Bytes window_;
  std::uint64_t window_at_ = 0;
};

}  // namespace flair
