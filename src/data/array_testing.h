// Arrays by hand: the bytes of NPY, IDX and gzip files, for tests and fuzzing.
//
// Place: data, tests. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <zlib.h>

#include <bit>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/byte_source.h"
#include "base/bytes.h"
#include "data/source_column.h"

namespace flair::data {

// Bytes in memory that the source owns.
class HeldBytes final : public ByteSource {
 public:
  explicit HeldBytes(Bytes bytes) : bytes_(std::move(bytes)), source_(SourceOfBytes(bytes_)) {}
  std::uint64_t size_bytes() const override { return bytes_.size(); }
  Status ReadAt(std::uint64_t offset, MutableByteView out) const override {
    return source_->ReadAt(offset, out);
  }

 private:
  Bytes bytes_;
  std::unique_ptr<ByteSource> source_;
};

inline std::shared_ptr<const ByteSource> Held(Bytes bytes) {
  return std::make_shared<HeldBytes>(std::move(bytes));
}

// The low `width` bytes of each value.
inline Bytes Elements(unsigned width, ByteOrder order, const std::vector<std::int64_t>& values) {
  Bytes out;
  for (const std::int64_t v : values) {
    for (unsigned i = 0; i < width; ++i) {
      const unsigned at = order == ByteOrder::kLittle ? i : width - 1 - i;
      out.push_back(static_cast<std::byte>(static_cast<std::uint64_t>(v) >> (8 * at)));
    }
  }
  return out;
}

inline Bytes Floats(const std::vector<float>& values, ByteOrder order = ByteOrder::kLittle) {
  std::vector<std::int64_t> bits;
  for (const float v : values) bits.push_back(std::bit_cast<std::int32_t>(v));
  return Elements(4, order, bits);
}

// The length field has the header's size.
inline Bytes NpyWithHeader(std::string_view header, ByteView data, unsigned major = 1) {
  Bytes file = ToBytes("\x93NUMPY");
  file.push_back(static_cast<std::byte>(major));
  file.push_back(std::byte{0});
  const auto size = static_cast<std::int64_t>(header.size());
  Append(file, Elements(major == 1 ? 2 : 4, ByteOrder::kLittle, {size}));
  Append(file, AsBytes(header));
  Append(file, data);
  return file;
}

// As numpy.save() writes it, but for the blanks that align the data.
inline Bytes Npy(std::string_view descr, std::string_view shape, ByteView data) {
  return NpyWithHeader("{'descr': '" + std::string(descr) +
                           "', 'fortran_order': False, 'shape': " + std::string(shape) + ", }\n",
                       data);
}

inline Bytes Idx(unsigned type, const std::vector<std::int64_t>& dims, ByteView data) {
  Bytes file = {std::byte{0}, std::byte{0}, static_cast<std::byte>(type),
                static_cast<std::byte>(dims.size())};
  Append(file, Elements(4, ByteOrder::kBig, dims));
  Append(file, data);
  return file;
}

inline Bytes Gzip(ByteView data) {
  z_stream z{};
  deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  Bytes out(deflateBound(&z, data.size()) + 32);
  z.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(data.data()));
  z.avail_in = static_cast<uInt>(data.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

}  // namespace flair::data
