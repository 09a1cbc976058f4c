// SPDX-License-Identifier: Apache-2.0
#include "base/byte_source.h"

#include <cstring>
#include <string>

#include "base/check.h"

namespace flair {
namespace {

Status CheckRange(std::uint64_t offset, std::uint64_t length, std::uint64_t size) {
  if (offset <= size && length <= size - offset) return OkStatus();
  return Error(ErrorCode::kCorrupt, "source of " + std::to_string(size) + " bytes ends before " +
                                        std::to_string(length) + " bytes at offset " +
                                        std::to_string(offset));
}

class BytesSource final : public ByteSource {
 public:
  explicit BytesSource(ByteView bytes) : bytes_(bytes) {}
  std::uint64_t size_bytes() const override { return bytes_.size(); }
  Status ReadAt(std::uint64_t offset, MutableByteView out) const override {
    FLAIR_DO(CheckRange(offset, out.size(), bytes_.size()));
    if (!out.empty()) std::memcpy(out.data(), bytes_.data() + offset, out.size());
    return OkStatus();
  }

 private:
  ByteView bytes_;
};

class RangeSource final : public ByteSource {
 public:
  RangeSource(const ByteSource& whole, std::uint64_t offset, std::uint64_t size)
      : whole_(whole), offset_(offset), size_(size) {}
  std::uint64_t size_bytes() const override { return size_; }
  Status ReadAt(std::uint64_t offset, MutableByteView out) const override {
    FLAIR_DO(CheckRange(offset, out.size(), size_));
    return whole_.ReadAt(offset_ + offset, out);
  }

 private:
  const ByteSource& whole_;
  std::uint64_t offset_;
  std::uint64_t size_;
};

}  // namespace

std::unique_ptr<ByteSource> SourceOfBytes(ByteView bytes) {
  return std::make_unique<BytesSource>(bytes);
}

std::unique_ptr<ByteSource> SourceOfRange(const ByteSource& whole, std::uint64_t offset,
                                          std::uint64_t size_bytes) {
  FLAIR_CHECK(offset <= whole.size_bytes() && size_bytes <= whole.size_bytes() - offset)
      << "range [" << offset << ", +" << size_bytes << ") of " << whole.size_bytes();
  return std::make_unique<RangeSource>(whole, offset, size_bytes);
}

}  // namespace flair
