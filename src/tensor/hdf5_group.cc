// SPDX-License-Identifier: Apache-2.0
#include "tensor/hdf5_group.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

namespace flair {
namespace {

Status AddLink(std::vector<Hdf5Link>& links, std::string_view name, std::uint64_t address,
               std::uint64_t at) {
  if (name.empty() || name.find('/') != std::string_view::npos ||
      name.find('\0') != std::string_view::npos) {
    return Hdf5Corrupt("the link" + AtByte(at) + " has no usable name");
  }
  links.push_back({.name = std::string(name), .address = address});
  return OkStatus();
}

class SymbolTableReader {
 public:
  SymbolTableReader(Hdf5Bytes& bytes, std::vector<Hdf5Link>& links)
      : bytes_(bytes), links_(links) {}

  // B-tree (8) | heap (8)
  Status Read(const Hdf5Message& m) {
    Hdf5Cursor cursor(m.body);
    const std::uint64_t tree = cursor.U64();
    const std::uint64_t heap = cursor.U64();
    if (!cursor.ok()) return Hdf5Corrupt("a message" + AtByte(m.offset) + " is cut short");
    FLAIR_DO(ReadHeap(heap));
    return ReadTree(tree, std::nullopt);
  }

 private:
  // HEAP | version (1) | 0 (3) | size (8) | free list (8) | address of the names (8)
  Status ReadHeap(std::uint64_t address) {
    FLAIR_TRY(const Bytes head, bytes_.Take(address, 32, "the local heap"));
    if (AsText(head).substr(0, 4) != "HEAP") return Hdf5Corrupt("no local heap" + AtByte(address));
    Hdf5Cursor cursor(ByteView(head).subspan(8));
    const std::uint64_t size_bytes = cursor.U64();
    cursor.Skip(8);
    FLAIR_TRY(names_, bytes_.Take(cursor.U64(), size_bytes, "the local heap's names"));
    return OkStatus();
  }

  // TREE | type (1) | level (1) | children (2) | siblings (8, 8) | key | child | ... | key,
  // eight bytes each. `level` is what the parent demands; a root may have any.
  Status ReadTree(std::uint64_t address, std::optional<std::uint64_t> level) {
    FLAIR_TRY(const Bytes head, bytes_.Take(address, 24, "the B-tree node"));
    Hdf5Cursor cursor(ByteView(head).subspan(4));
    const std::uint64_t type = cursor.U8();
    const std::uint64_t here = cursor.U8();
    const std::uint64_t num_children = cursor.U16();
    if (AsText(head).substr(0, 4) != "TREE" || type != 0) {
      return Hdf5Corrupt("no B-tree node of a group" + AtByte(address));
    }
    if (level && here != *level) {
      return Hdf5Corrupt("the B-tree node" + AtByte(address) + " is of level " +
                         std::to_string(here) + ", not " + std::to_string(*level));
    }
    FLAIR_TRY(const Bytes entries,
              bytes_.Take(address + head.size(), num_children * 16 + 8, "the B-tree node"));
    Hdf5Cursor children(entries);
    for (std::uint64_t i = 0; i < num_children; ++i) {
      children.Skip(8);
      const std::uint64_t child = children.U64();
      // Levels fall by one, from at most 255.
      FLAIR_DO(here == 0 ? ReadNode(child) : ReadTree(child, here - 1));
    }
    return OkStatus();
  }

  // SNOD | version (1) | 0 (1) | symbols (2) | symbols, 40 bytes each:
  // name (8) | object header (8) | kind of cache (4) | 0 (4) | cache (16)
  Status ReadNode(std::uint64_t address) {
    constexpr std::uint64_t kHeadBytes = 8;
    constexpr std::uint64_t kSymbolBytes = 40;
    constexpr std::uint64_t kSoftLink = 2;
    FLAIR_TRY(const Bytes head, bytes_.Take(address, kHeadBytes, "the symbol table node"));
    if (AsText(head).substr(0, 4) != "SNOD") {
      return Hdf5Corrupt("no symbol table node" + AtByte(address));
    }
    const std::uint64_t num_symbols = LoadLe16(ByteView(head).subspan(6));
    FLAIR_TRY(const Bytes symbols, bytes_.Take(address + kHeadBytes, num_symbols * kSymbolBytes,
                                               "the symbol table node"));
    for (std::uint64_t i = 0; i < num_symbols; ++i) {
      Hdf5Cursor cursor(ByteView(symbols).subspan(i * kSymbolBytes, kSymbolBytes));
      const std::uint64_t at = address + kHeadBytes + i * kSymbolBytes;
      const std::uint64_t name_at = cursor.U64();
      const std::uint64_t object = cursor.U64();
      if (cursor.U32() == kSoftLink) continue;
      FLAIR_TRY(const std::string_view name, NameAt(name_at, at));
      FLAIR_DO(AddLink(links_, name, object, at));
    }
    return OkStatus();
  }

  Result<std::string_view> NameAt(std::uint64_t offset, std::uint64_t symbol_at) const {
    const std::string_view names = AsText(names_);
    const std::size_t end = offset < names.size() ? names.find('\0', offset) : names.npos;
    if (end == names.npos) {
      return Hdf5Corrupt("the name of the link" + AtByte(symbol_at) + " leaves its heap");
    }
    return names.substr(offset, end - offset);
  }

  Hdf5Bytes& bytes_;
  std::vector<Hdf5Link>& links_;
  Bytes names_;
};

// version (1) | flags (1) | [kind (1)] | [creation order (8)] | [encoding (1)] |
// size of name (1 to 8) | name | address (8)
Status ReadLink(const Hdf5Message& m, std::vector<Hdf5Link>& links) {
  constexpr std::uint64_t kHard = 0;
  Hdf5Cursor cursor(m.body);
  if (cursor.U8() != 1) return Hdf5Unsupported("a link of another version" + AtByte(m.offset));
  const std::uint64_t flags = cursor.U8();
  const std::uint64_t kind = (flags & 0x08) != 0 ? cursor.U8() : kHard;
  if ((flags & 0x04) != 0) cursor.Skip(8);
  if ((flags & 0x10) != 0) cursor.Skip(1);
  const std::uint64_t name_bytes = cursor.Number(std::size_t{1} << (flags & 3));
  const ByteView name = cursor.View(name_bytes);
  const std::uint64_t address = kind == kHard ? cursor.U64() : 0;
  if (!cursor.ok()) return Hdf5Corrupt("a message" + AtByte(m.offset) + " is cut short");
  if (kind != kHard) return OkStatus();
  return AddLink(links, AsText(name), address, m.offset);
}

// version (1) | flags (1) | [largest creation order (8)] | fractal heap (8) | ...
Status CheckLinkInfo(const Hdf5Message& m) {
  Hdf5Cursor cursor(m.body);
  cursor.Skip(1);
  if ((cursor.U8() & 1) != 0) cursor.Skip(8);
  const std::uint64_t heap = cursor.U64();
  if (!cursor.ok()) return Hdf5Corrupt("a message" + AtByte(m.offset) + " is cut short");
  if (heap != kNoHdf5Address) {
    return Hdf5Unsupported("the links of a group" + AtByte(m.offset) + " are in a fractal heap");
  }
  return OkStatus();
}

}  // namespace

Result<std::vector<Hdf5Link>> ReadHdf5Links(Hdf5Bytes& bytes, const Hdf5Header& header) {
  std::vector<Hdf5Link> links;
  for (const Hdf5Message& m : header.messages) {
    if (m.shared) continue;
    if (m.type == Hdf5MessageType::kSymbolTable) {
      FLAIR_DO(SymbolTableReader(bytes, links).Read(m));
    }
    if (m.type == Hdf5MessageType::kLink) FLAIR_DO(ReadLink(m, links));
    if (m.type == Hdf5MessageType::kLinkInfo) FLAIR_DO(CheckLinkInfo(m));
  }
  std::sort(links.begin(), links.end(),
            [](const Hdf5Link& a, const Hdf5Link& b) { return a.name < b.name; });
  const auto twice =
      std::adjacent_find(links.begin(), links.end(),
                         [](const Hdf5Link& a, const Hdf5Link& b) { return a.name == b.name; });
  if (twice != links.end()) {
    return Hdf5Corrupt("the name '" + twice->name.substr(0, 64) + "' stands twice in a group");
  }
  return links;
}

}  // namespace flair
