// SPDX-License-Identifier: Apache-2.0
#include "tensor/hdf5_walk.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <tuple>
#include <unordered_set>
#include <utility>

#include "base/utf8.h"
#include "tensor/hdf5_group.h"

namespace flair {
namespace {

constexpr std::size_t kMaxPathBytes = 1024;  // of a tensor's name (object/file.h)
constexpr std::size_t kMaxAllPathsBytes = std::size_t{32} << 20;
constexpr std::string_view kSignature = "\x89HDF\r\n\x1a\n";

class Walker {
 public:
  explicit Walker(const ByteSource& file)
      : file_bytes_(file.size_bytes()), bytes_(file), heaps_(bytes_) {}

  Result<std::vector<Hdf5Tensor>> Walk() {
    FLAIR_TRY(const std::uint64_t root, ReadSuperblock());
    FLAIR_DO(Visit(root, "", 0));
    std::sort(tensors_.begin(), tensors_.end(), [](const Hdf5Tensor& a, const Hdf5Tensor& b) {
      return std::tie(a.elements.offset, a.path) < std::tie(b.elements.offset, b.path);
    });
    return std::move(tensors_);
  }

 private:
  // Returns where the root's object header is.
  Result<std::uint64_t> ReadSuperblock() {
    constexpr std::string_view kWhat = "the superblock";
    FLAIR_TRY(const Bytes head, bytes_.Take(0, kSignature.size() + 1, kWhat));
    if (AsText(head).substr(0, kSignature.size()) != kSignature) {
      return Hdf5Corrupt("no signature at byte 0");
    }
    const auto version = std::to_integer<std::uint64_t>(head.back());
    if (version > 3) return Hdf5Unsupported("version " + std::to_string(version));
    // Behind the version: 87, 91 or 39 bytes.
    FLAIR_TRY(const Bytes rest, bytes_.Take(head.size(),
                                            version == 0   ? 87
                                            : version == 1 ? 91
                                                           : 39,
                                            kWhat));
    Hdf5Cursor cursor(rest);
    if (version < 2) cursor.Skip(4);  // versions of other structures
    const std::uint64_t offset_bytes = cursor.U8();
    const std::uint64_t length_bytes = cursor.U8();
    if (offset_bytes != 8 || length_bytes != 8) {
      return Hdf5Unsupported("addresses of " + std::to_string(offset_bytes) + " and lengths of " +
                             std::to_string(length_bytes) + " bytes");
    }
    // Sizes of tree nodes (4, 8 in version 1) and flags, or flags alone.
    cursor.Skip(version == 0 ? 9 : version == 1 ? 13 : 1);
    const std::uint64_t base = cursor.U64();
    cursor.Skip(8);  // of free space; of the superblock's extension
    const std::uint64_t end = cursor.U64();
    if (base != 0) return Hdf5Unsupported("addresses that begin" + AtByte(base));
    if (end > file_bytes_) {
      return Hdf5Corrupt("the file has " + std::to_string(file_bytes_) + " bytes of " +
                         std::to_string(end));
    }
    bytes_.EndAt(end);
    if (version < 2) {
      // A driver puts parts of the file elsewhere.
      if (cursor.U64() != kNoHdf5Address) return Hdf5Unsupported("a file driver's block");
      cursor.Skip(8);  // the root's name
    }
    return cursor.U64();
  }

  // Each object once, a group's links in the order of their names: of several paths to
  // one object, the first on this walk is its name.
  Status Visit(std::uint64_t address, const std::string& path, std::size_t depth) {
    if (!seen_.insert(address).second) return OkStatus();
    if (seen_.size() > kMaxHdf5Objects) {
      return Hdf5Unsupported("more than " + std::to_string(kMaxHdf5Objects) + " objects");
    }
    if (depth > kMaxHdf5Depth) {
      return Hdf5Unsupported("groups more than " + std::to_string(kMaxHdf5Depth) + " deep");
    }
    // Headers are not kept while others are read.
    std::vector<Hdf5Link> links;
    {
      FLAIR_TRY(const Hdf5Header header, ReadHdf5Header(bytes_, address));
      FLAIR_DO(TakeTensor(header, path));
      FLAIR_TRY(links, ReadHdf5Links(bytes_, header));
    }
    for (const Hdf5Link& link : links) {
      std::string inner = path.empty() ? link.name : path + "/" + link.name;
      // What lies there could not be named.
      if (inner.size() > kMaxPathBytes || !IsValidUtf8(link.name)) continue;
      FLAIR_DO(Visit(link.address, inner, depth + 1));
    }
    return OkStatus();
  }

  Status TakeTensor(const Hdf5Header& header, const std::string& path) {
    FLAIR_TRY(std::optional<Hdf5Elements> elements, ReadHdf5Elements(header, heaps_));
    if (!elements || path.empty()) return OkStatus();
    const std::string what = "dataset '" + path + "'";
    if (elements->size_bytes > 0) {
      FLAIR_DO(bytes_.Claim(elements->offset, elements->size_bytes, what));
    }
    all_paths_bytes_ += path.size();
    if (all_paths_bytes_ > kMaxAllPathsBytes) {
      return Hdf5Unsupported("more than " + std::to_string(kMaxAllPathsBytes) + " bytes of names");
    }
    tensors_.push_back({.path = path, .elements = *std::move(elements)});
    return OkStatus();
  }

  const std::uint64_t file_bytes_;
  Hdf5Bytes bytes_;
  Hdf5Heaps heaps_;
  std::unordered_set<std::uint64_t> seen_;
  std::size_t all_paths_bytes_ = 0;
  std::vector<Hdf5Tensor> tensors_;
};

}  // namespace

bool LooksLikeHdf5(const ByteSource& file) {
  std::array<std::byte, kSignature.size()> head;
  if (file.size_bytes() < head.size() || !file.ReadAt(0, head).ok()) return false;
  return AsText(head) == kSignature;
}

Result<std::vector<Hdf5Tensor>> FindHdf5Tensors(const ByteSource& file) {
  return Walker(file).Walk();
}

}  // namespace flair
