// SPDX-License-Identifier: Apache-2.0
#include "tensor/hdf5_bytes.h"

#include <algorithm>
#include <iterator>

namespace flair {
namespace {

// What one read costs at least: it bounds how many a file of tiny structures can ask for.
constexpr std::uint64_t kMinReadBytes = 64;

}  // namespace

Error Hdf5Corrupt(const std::string& what) { return {ErrorCode::kCorrupt, "hdf5 file: " + what}; }
Error Hdf5Unsupported(const std::string& what) {
  return {ErrorCode::kUnsupported, "hdf5 file: " + what};
}
std::string AtByte(std::uint64_t offset) { return " at byte " + std::to_string(offset); }

Status Hdf5Bytes::Claim(std::uint64_t offset, std::uint64_t n, std::string_view what) {
  if (offset == kNoHdf5Address) return Hdf5Corrupt(std::string(what) + " has no address");
  if (offset > end_ || n > end_ - offset) {
    return Hdf5Corrupt(std::string(what) + AtByte(offset) +
                       " reaches beyond the file's end, byte " + std::to_string(end_));
  }
  if (n == 0) return OkStatus();
  const auto next = taken_.upper_bound(offset);
  const auto before = next == taken_.begin() ? taken_.end() : std::prev(next);
  if ((before != taken_.end() && before->second > offset) ||
      (next != taken_.end() && next->first - offset < n)) {
    return Hdf5Corrupt(std::string(what) + AtByte(offset) +
                       " shares bytes with another part of the file");
  }
  if (before != taken_.end() && before->second == offset) {
    before->second += n;
  } else {
    taken_.emplace_hint(next, offset, offset + n);
  }
  return OkStatus();
}

Result<Bytes> Hdf5Bytes::Take(std::uint64_t offset, std::uint64_t n, std::string_view what) {
  FLAIR_DO(Claim(offset, n, what));
  if (std::max(n, kMinReadBytes) > kMaxHdf5StructureBytes - read_bytes_) {
    return Hdf5Unsupported("more than " + std::to_string(kMaxHdf5StructureBytes) +
                           " bytes of structures");
  }
  read_bytes_ += std::max(n, kMinReadBytes);
  Bytes out(n);
  FLAIR_DO(file_.ReadAt(offset, out));
  return out;
}

ByteView Hdf5Cursor::View(std::uint64_t n) {
  if (n > left_.size()) {
    ok_ = false;
    left_ = {};
    return {};
  }
  const ByteView taken = left_.first(n);
  left_ = left_.subspan(n);
  return taken;
}

std::uint64_t Hdf5Cursor::Number(std::size_t width) {
  std::uint64_t value = 0;
  std::size_t shift = 0;
  for (const std::byte b : View(width)) {
    value |= std::to_integer<std::uint64_t>(b) << shift;
    shift += 8;
  }
  return value;
}

}  // namespace flair
