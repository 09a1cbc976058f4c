// SPDX-License-Identifier: Apache-2.0
#include "data/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <string>
#include <utility>

#include "base/check.h"

namespace flair::data {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{256} << 10;
constexpr int kGzipOnly = 16 + MAX_WBITS;

class OwnedBytes final : public ByteSource {
 public:
  explicit OwnedBytes(Bytes bytes) : bytes_(std::move(bytes)), source_(SourceOfBytes(bytes_)) {}
  std::uint64_t size_bytes() const override { return bytes_.size(); }
  Status ReadAt(std::uint64_t offset, MutableByteView out) const override {
    return source_->ReadAt(offset, out);
  }

 private:
  Bytes bytes_;
  std::unique_ptr<ByteSource> source_;
};

class Inflater {
 public:
  Inflater() { FLAIR_CHECK(inflateInit2(&stream_, kGzipOnly) == Z_OK) << "zlib does not start"; }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { inflateEnd(&stream_); }
  z_stream& stream() { return stream_; }

 private:
  z_stream stream_{};
};

}  // namespace

Result<std::shared_ptr<const ByteSource>> Unpack(const ByteSource& file, std::uint64_t max_bytes) {
  Inflater inflater;
  z_stream& z = inflater.stream();
  Bytes in(kPieceBytes), piece(kPieceBytes), out;
  bool ended = false;  // behind the end of a member
  for (std::uint64_t at = 0; at < file.size_bytes();) {
    const auto taken = std::min<std::uint64_t>(in.size(), file.size_bytes() - at);
    FLAIR_DO(file.ReadAt(at, MutableByteView(in).first(taken)));
    at += taken;
    z.next_in = reinterpret_cast<Bytef*>(in.data());
    z.avail_in = static_cast<uInt>(taken);
    bool full = true;  // the last call filled its output: there may be more
    while (z.avail_in > 0 || full) {
      if (ended) {
        if (z.avail_in == 0) break;
        FLAIR_CHECK(inflateReset(&z) == Z_OK) << "zlib does not start again";
        ended = false;
      }
      z.next_out = reinterpret_cast<Bytef*>(piece.data());
      z.avail_out = static_cast<uInt>(piece.size());
      const int said = inflate(&z, Z_NO_FLUSH);
      full = z.avail_out == 0;
      if (said != Z_OK && said != Z_STREAM_END && said != Z_BUF_ERROR) {
        return Error(ErrorCode::kCorrupt,
                     "gzip: " + std::string(z.msg != nullptr ? z.msg : "not one") +
                         ", before byte " + std::to_string(at - z.avail_in));
      }
      const std::size_t made = piece.size() - z.avail_out;
      if (made > max_bytes - out.size()) {
        return Error(ErrorCode::kUnsupported,
                     "gzip: more than " + std::to_string(max_bytes) + " bytes unpacked");
      }
      out.insert(out.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(made));
      ended = said == Z_STREAM_END;
      if (said == Z_BUF_ERROR) break;  // it wants more input
    }
  }
  if (!ended) return Error(ErrorCode::kCorrupt, "gzip: the file ends before its data do");
  return std::shared_ptr<const ByteSource>(std::make_shared<OwnedBytes>(std::move(out)));
}

}  // namespace flair::data
