// Archives and pickles made by hand, for tests that need to lie in one byte.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace flair::handmade {

// --- Zip archives.

enum class Descriptor : std::uint8_t { kNone, kBare, kSigned, kSigned64 };

struct ZipPart {
  std::string name;
  std::string data;
  std::uint16_t method = 0;
  Descriptor descriptor = Descriptor::kNone;
  bool sizes_in_64 = false;
};

enum class ZipEnd : std::uint8_t { k32, k64 };

inline constexpr std::uint32_t kSomeCrc = 0x11223344;  // no reader here computes one

inline void AppendLe16(Bytes& out, std::size_t v) { AppendLe(out, static_cast<std::uint16_t>(v)); }

inline void AppendHeaderSizes(Bytes& out, const ZipPart& part, bool known) {
  const auto size = static_cast<std::uint32_t>(part.data.size());
  AppendLe32(out, known ? kSomeCrc : 0);
  for (int i = 0; i < 2; ++i) AppendLe32(out, part.sizes_in_64 ? 0xffff'ffff : known ? size : 0);
  AppendLe16(out, part.name.size());
  AppendLe16(out, part.sizes_in_64 ? 20 : 0);
}

inline void AppendNameAndSizes64(Bytes& out, const ZipPart& part) {
  Append(out, AsBytes(part.name));
  if (!part.sizes_in_64) return;
  AppendLe16(out, 1);
  AppendLe16(out, 16);
  for (int i = 0; i < 2; ++i) AppendLe64(out, part.data.size());
}

inline void AppendDescriptor(Bytes& out, const ZipPart& part) {
  if (part.descriptor == Descriptor::kNone) return;
  if (part.descriptor != Descriptor::kBare) AppendLe32(out, 0x08074b50);
  AppendLe32(out, kSomeCrc);
  for (int i = 0; i < 2; ++i) {
    if (part.descriptor == Descriptor::kSigned64) {
      AppendLe64(out, part.data.size());
    } else {
      AppendLe32(out, static_cast<std::uint32_t>(part.data.size()));
    }
  }
}

inline Bytes Zip(const std::vector<ZipPart>& parts, ZipEnd end = ZipEnd::k32) {
  Bytes out;
  Bytes directory;
  for (const ZipPart& part : parts) {
    const bool known = part.descriptor == Descriptor::kNone;
    const auto header_at = static_cast<std::uint32_t>(out.size());
    AppendLe32(out, 0x04034b50);
    AppendLe32(directory, 0x02014b50);
    AppendLe16(directory, 45);
    for (Bytes* b : {&out, &directory}) {
      AppendLe16(*b, 45);
      AppendLe16(*b, known ? 0 : 8);
      AppendLe16(*b, part.method);
      AppendLe32(*b, 0);  // time
    }
    AppendHeaderSizes(out, part, known);
    AppendNameAndSizes64(out, part);
    Append(out, AsBytes(part.data));
    AppendDescriptor(out, part);
    AppendHeaderSizes(directory, part, true);
    for (int i = 0; i < 3; ++i) AppendLe16(directory, 0);  // comment, disk, attributes
    AppendLe32(directory, 0);
    AppendLe32(directory, header_at);
    AppendNameAndSizes64(directory, part);
  }
  const std::uint64_t directory_at = out.size();
  Append(out, directory);
  const std::uint64_t end_at = out.size();
  if (end == ZipEnd::k64) {
    AppendLe32(out, 0x06064b50);
    AppendLe64(out, 44);
    AppendLe32(out, 0);
    AppendLe64(out, 0);
    AppendLe64(out, parts.size());
    AppendLe64(out, parts.size());
    AppendLe64(out, directory.size());
    AppendLe64(out, directory_at);
    AppendLe32(out, 0x07064b50);
    AppendLe32(out, 0);
    AppendLe64(out, end_at);
    AppendLe32(out, 1);
  }
  AppendLe32(out, 0x06054b50);
  AppendLe32(out, 0);
  AppendLe16(out, parts.size());
  AppendLe16(out, parts.size());
  AppendLe32(out, static_cast<std::uint32_t>(directory.size()));
  AppendLe32(out, static_cast<std::uint32_t>(directory_at));
  AppendLe16(out, 0);
  return out;
}

// --- Pickles: each function returns the opcodes that push one value.

inline std::string Le(std::uint64_t v, int width) {
  std::string out;
  for (int i = 0; i < width; ++i) out += static_cast<char>(v >> (8 * i));
  return out;
}
inline std::string Text(std::string_view s) { return "X" + Le(s.size(), 4) + std::string(s); }
inline std::string Int(std::int64_t v) { return "\x8a\x08" + Le(static_cast<std::uint64_t>(v), 8); }
inline std::string Join(const std::vector<std::string>& values) {
  std::string out;
  for (const std::string& v : values) out += v;
  return out;
}
inline std::string Tuple(const std::vector<std::string>& values) {
  return "(" + Join(values) + "t";
}
inline std::string List(const std::vector<std::string>& values) {
  return "](" + Join(values) + "e";
}
inline std::string Ints(const std::vector<std::int64_t>& values) {
  std::vector<std::string> out;
  for (const std::int64_t v : values) out.push_back(Int(v));
  return Tuple(out);
}
inline std::string Dict(const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::string out = "}(";
  for (const auto& [key, value] : pairs) out += Text(key) + value;
  return out + "u";
}
inline std::string Global(std::string_view module, std::string_view name) {
  return "c" + std::string(module) + "\n" + std::string(name) + "\n";
}
inline std::string Call(const std::string& callee, const std::vector<std::string>& arguments) {
  return callee + Tuple(arguments) + "R";
}
inline std::string WholePickle(const std::string& value) { return "\x80\x02" + value + "."; }

inline std::string Storage(std::string_view kind, std::string_view key, std::int64_t elements,
                           const std::vector<std::string>& more = {}) {
  return Tuple({Text("storage"), Global("torch", kind), Text(key), Text("cpu"), Int(elements),
                Join(more)}) +
         "Q";
}
inline std::string Tensor(const std::string& storage, std::int64_t offset,
                          const std::vector<std::int64_t>& dims,
                          const std::vector<std::int64_t>& strides) {
  return Call(Global("torch._utils", "_rebuild_tensor_v2"),
              {storage, Int(offset), Ints(dims), Ints(strides), "\x89", "}"});
}
inline std::string Tensor3(const std::string& storage, std::int64_t offset,
                           const std::vector<std::int64_t>& dims,
                           const std::vector<std::int64_t>& strides, std::string_view dtype) {
  return Call(
      Global("torch._utils", "_rebuild_tensor_v3"),
      {storage, Int(offset), Ints(dims), Ints(strides), "\x89", "}", Global("torch", dtype), "N"});
}

// --- Files of torch.save. A storage is its key and its bytes.

using Storages = std::vector<std::pair<std::string, std::string>>;

inline std::vector<ZipPart> TorchParts(const std::string& value, const Storages& storages) {
  std::vector<ZipPart> parts = {{.name = "m/data.pkl", .data = WholePickle(value)},
                                {.name = "m/byteorder", .data = "little"}};
  for (const auto& [key, data] : storages) {
    parts.push_back({.name = "m/data/" + key, .data = data, .descriptor = Descriptor::kSigned});
  }
  parts.push_back({.name = "m/version", .data = "3\n"});
  return parts;
}
inline Bytes TorchZip(const std::string& value, const Storages& storages) {
  return Zip(TorchParts(value, storages));
}

// ('storage', class, key, location, elements, view): `view` is new in this format.
inline std::string LegacyStorage(std::string_view kind, std::string_view key, std::int64_t elements,
                                 const std::string& view = "N") {
  return Storage(kind, key, elements, {view});
}

struct LegacyPart {
  std::string key;
  std::uint64_t num_elements = 0;
  std::string data;
};

inline std::string TorchLegacy(const std::string& value, const std::vector<LegacyPart>& storages,
                               const std::string& little_endian = "\x88", int protocol = 1001) {
  std::vector<std::string> keys;
  std::string data;
  for (const LegacyPart& s : storages) {
    keys.push_back(Text(s.key));
    data += Le(s.num_elements, 8) + s.data;
  }
  return WholePickle("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19") +
         WholePickle(Int(protocol)) +
         WholePickle(
             Dict({{"protocol_version", Int(protocol)}, {"little_endian", little_endian}})) +
         WholePickle(value) + WholePickle(List(keys)) + data;
}

}  // namespace flair::handmade
