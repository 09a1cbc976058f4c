// SPDX-License-Identifier: Apache-2.0
#include "tensor/hdf5_header.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

namespace flair {
namespace {

constexpr std::uint64_t kContinuation = 0x10;
constexpr std::uint64_t kShared = 1 << 1;  // of a message's flags
constexpr std::uint64_t kPrefix1Bytes = 16;
constexpr std::uint64_t kChecksumBytes = 4;
constexpr std::uint64_t kSignatureBytes = 4;
constexpr std::array kKnownTypes = {
    Hdf5MessageType::kDataspace, Hdf5MessageType::kLinkInfo,      Hdf5MessageType::kDatatype,
    Hdf5MessageType::kLink,      Hdf5MessageType::kExternalFiles, Hdf5MessageType::kLayout,
    Hdf5MessageType::kFilters,   Hdf5MessageType::kAttribute,     Hdf5MessageType::kSymbolTable,
};

class HeaderReader {
 public:
  HeaderReader(Hdf5Bytes& bytes, std::uint64_t address) : bytes_(bytes), address_(address) {}

  Result<Hdf5Header> Read() {
    // Version 1 has no signature; its first byte is its version.
    FLAIR_TRY(const Bytes head, bytes_.Take(address_, 6, kWhat));
    if (head[0] == std::byte{1}) {
      FLAIR_DO(ReadFirst1(head));
    } else if (AsText(head).substr(0, 4) == "OHDR") {
      FLAIR_DO(ReadFirst2(head));
    } else {
      return Hdf5Corrupt("no object header" + AtByte(address_));
    }
    // Every block is taken once, so that a chain of them ends.
    for (std::size_t i = 0; i < continuations_.size(); ++i) {
      FLAIR_DO(ReadContinuation(continuations_[i]));
    }
    return std::move(header_);
  }

 private:
  static constexpr std::string_view kWhat = "the object header";
  struct Block {
    std::uint64_t offset = 0;
    std::uint64_t size_bytes = 0;
  };

  // version (1) | 0 (1) | messages (2) | references (4) | size (4) | 0 (4) | messages
  Status ReadFirst1(ByteView head) {
    FLAIR_TRY(const Bytes rest,
              bytes_.Take(address_ + head.size(), kPrefix1Bytes - head.size(), kWhat));
    Hdf5Cursor cursor(rest);
    cursor.Skip(2);
    return ReadMessages({.offset = address_ + kPrefix1Bytes, .size_bytes = cursor.U32()});
  }

  // OHDR | version (1) | flags (1) | [times (16)] | [limits (4)] | size (1 to 8) |
  // messages | checksum (4)
  Status ReadFirst2(ByteView head) {
    Hdf5Cursor cursor(head.subspan(kSignatureBytes));
    if (cursor.U8() != 2) return Hdf5Unsupported("an object header of another version");
    version_ = 2;
    flags_ = cursor.U8();
    const std::uint64_t skipped = ((flags_ & 0x20) != 0 ? 16 : 0) + ((flags_ & 0x10) != 0 ? 4 : 0);
    const std::uint64_t width = std::uint64_t{1} << (flags_ & 3);
    FLAIR_TRY(const Bytes rest, bytes_.Take(address_ + head.size(), skipped + width, kWhat));
    Hdf5Cursor size(rest);
    size.Skip(skipped);
    const Block messages{.offset = address_ + head.size() + skipped + width,
                         .size_bytes = size.Number(width)};
    FLAIR_DO(ReadMessages(messages));
    return bytes_.Claim(messages.offset + messages.size_bytes, kChecksumBytes, kWhat);
  }

  // Version 1 has nothing around the messages, version 2 OCHK and a checksum.
  Status ReadContinuation(Block block) {
    if (version_ == 1) return ReadMessages(block);
    if (block.size_bytes < kSignatureBytes + kChecksumBytes) {
      return Hdf5Corrupt("a header's block" + AtByte(block.offset) + " is too small");
    }
    FLAIR_TRY(const Bytes signature, bytes_.Take(block.offset, kSignatureBytes, kWhat));
    if (AsText(signature) != "OCHK") {
      return Hdf5Corrupt("no block of an object header" + AtByte(block.offset));
    }
    const Block messages{.offset = block.offset + kSignatureBytes,
                         .size_bytes = block.size_bytes - kSignatureBytes - kChecksumBytes};
    FLAIR_DO(ReadMessages(messages));
    return bytes_.Claim(messages.offset + messages.size_bytes, kChecksumBytes, kWhat);
  }

  Status ReadMessages(Block block) {
    FLAIR_TRY(Bytes chunk, bytes_.Take(block.offset, block.size_bytes, kWhat));
    if (chunk.size() > kMaxHdf5HeaderBytes - size_bytes_) {
      return Hdf5Unsupported("more than " + std::to_string(kMaxHdf5HeaderBytes) +
                             " bytes of object header" + AtByte(address_));
    }
    size_bytes_ += chunk.size();
    header_.chunks.push_back(std::move(chunk));
    Hdf5Cursor cursor(header_.chunks.back());
    const bool has_order = version_ == 2 && (flags_ & 4) != 0;
    const std::size_t head_bytes = version_ == 1 ? 8 : has_order ? 6 : 4;
    // Fewer bytes than a message needs are a gap.
    while (cursor.left() >= head_bytes) {
      const std::uint64_t type = cursor.Number(version_ == 1 ? 2 : 1);
      const std::uint64_t size = cursor.U16();
      const bool shared = (cursor.U8() & kShared) != 0;
      cursor.Skip(version_ == 1 ? 3 : has_order ? 2 : 0);
      const std::uint64_t offset = block.offset + block.size_bytes - cursor.left();
      const ByteView body = cursor.View(size);
      if (!cursor.ok()) return Hdf5Corrupt("a message" + AtByte(offset) + " leaves its header");
      FLAIR_DO(AddMessage(type, shared, offset, body));
    }
    return OkStatus();
  }

  Status AddMessage(std::uint64_t type, bool shared, std::uint64_t offset, ByteView body) {
    if (type == kContinuation) {
      Hdf5Cursor cursor(body);
      Block next{.offset = cursor.U64()};
      next.size_bytes = cursor.U64();
      if (!cursor.ok()) return Hdf5Corrupt("a message" + AtByte(offset) + " is cut short");
      continuations_.push_back(next);
      return OkStatus();
    }
    for (const Hdf5MessageType known : kKnownTypes) {
      if (type != static_cast<std::uint64_t>(known)) continue;
      header_.messages.push_back({.type = known, .shared = shared, .offset = offset, .body = body});
    }
    return OkStatus();
  }

  Hdf5Bytes& bytes_;
  const std::uint64_t address_;
  int version_ = 1;
  std::uint64_t flags_ = 0;  // of version 2
  std::uint64_t size_bytes_ = 0;
  std::vector<Block> continuations_;
  Hdf5Header header_;
};

}  // namespace

const Hdf5Message* Hdf5Header::Find(Hdf5MessageType type) const {
  const auto found = std::find_if(messages.begin(), messages.end(),
                                  [&](const Hdf5Message& m) { return m.type == type; });
  return found == messages.end() ? nullptr : &*found;
}

Result<Hdf5Header> ReadHdf5Header(Hdf5Bytes& bytes, std::uint64_t address) {
  return HeaderReader(bytes, address).Read();
}

}  // namespace flair
