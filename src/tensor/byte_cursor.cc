// SPDX-License-Identifier: Apache-2.0
#include "tensor/byte_cursor.h"

#include <algorithm>

#include "base/check.h"

namespace flair {

ByteCursor::ByteCursor(const ByteSource& file, std::string_view format, std::uint64_t begin)
    : file_(file), format_(format), at_(begin), value_at_(begin) {
  FLAIR_CHECK(begin <= file.size_bytes()) << "a cursor behind the end";
}

Error ByteCursor::Corrupt(const std::string& what) const {
  return Error(ErrorCode::kCorrupt,
               format_ + ": " + what + " at byte " + std::to_string(value_at_));
}

Status ByteCursor::Fill() {
  if (at_ >= window_at_ && at_ - window_at_ < window_.size()) return OkStatus();
  if (left() == 0) return Corrupt("the file ends inside the value");
  window_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(left(), kWindowBytes)));
  window_at_ = at_;
  const Status read = file_.ReadAt(at_, window_);
  if (!read.ok()) window_.clear();
  return read;
}

Result<std::uint8_t> ByteCursor::U8() {
  value_at_ = at_;
  FLAIR_DO(Fill());
  return std::to_integer<std::uint8_t>(window_[static_cast<std::size_t>(at_++ - window_at_)]);
}

Result<std::uint64_t> ByteCursor::Le(int width) {
  const std::uint64_t begin = at_;
  std::uint64_t v = 0;
  for (int i = 0; i < width; ++i) {
    auto byte = U8();
    value_at_ = begin;
    if (!byte.ok()) return left() == 0 ? Corrupt("the file ends inside the value") : byte.error();
    v |= std::uint64_t{*byte} << (8 * i);
  }
  return v;
}

Result<std::uint32_t> ByteCursor::Le32() {
  FLAIR_TRY(const std::uint64_t v, Le(4));
  return static_cast<std::uint32_t>(v);
}

Result<std::uint64_t> ByteCursor::Le64() { return Le(8); }

Result<std::uint64_t> ByteCursor::Varint() {
  const std::uint64_t begin = at_;
  std::uint64_t v = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    FLAIR_TRY(const std::uint8_t byte, U8());
    value_at_ = begin;
    // The tenth byte has one bit left.
    if (shift == 63 && byte > 1) break;
    v |= std::uint64_t{byte & 0x7fU} << shift;
    if (byte < 0x80) return v;
  }
  return Corrupt("a number of more than 64 bits");
}

Result<std::string> ByteCursor::Text(std::uint64_t size_bytes, std::uint64_t limit,
                                     std::string_view what) {
  value_at_ = at_;
  if (size_bytes > left()) return Corrupt("the file ends inside " + std::string(what));
  if (size_bytes > limit) {
    return Corrupt(std::string(what) + " has " + std::to_string(size_bytes) +
                   " bytes; allowed are " + std::to_string(limit) + ",");
  }
  std::string text(static_cast<std::size_t>(size_bytes), '\0');
  FLAIR_DO(file_.ReadAt(at_, std::as_writable_bytes(std::span(text.data(), text.size()))));
  at_ += size_bytes;
  return text;
}

Status ByteCursor::Skip(std::uint64_t size_bytes) {
  value_at_ = at_;
  if (size_bytes > left()) {
    return Corrupt(std::to_string(size_bytes) + " bytes are announced, the file has " +
                   std::to_string(left()) + ",");
  }
  at_ += size_bytes;
  return OkStatus();
}

}  // namespace flair
