// SPDX-License-Identifier: Apache-2.0
#include "object/tree.h"

#include <algorithm>
#include <array>

#include "base/path.h"
#include "crypto/blake3.h"
#include "object/encoding.h"

namespace flair {
namespace {

constexpr std::uint32_t kEntries = 1;
constexpr std::array kTreeFields = {kEntries};

Error Corrupt(std::string what) { return Error(ErrorCode::kCorrupt, std::move(what)); }

// A path rule broken inside an object is damage, not a typing mistake.
Status AsCorrupt(Status status) {
  if (status.ok()) return status;
  return Corrupt(status.error().message());
}

Result<TreeEntry> DecodeEntry(ByteReader& reader) {
  TreeEntry e;
  FLAIR_TRY(const ByteView path, reader.TakePrefixed());
  e.path = std::string(AsText(path));
  FLAIR_DO(AsCorrupt(CheckRepoPath(e.path)));
  FLAIR_TRY(const std::uint64_t mode, reader.Varint());
  if (mode != static_cast<std::uint64_t>(FileMode::kRegular) &&
      mode != static_cast<std::uint64_t>(FileMode::kExecutable)) {
    return Corrupt("mode " + std::to_string(mode) + " is not known");
  }
  e.mode = static_cast<FileMode>(mode);
  FLAIR_TRY(e.file.digest, reader.TakeDigest());
  FLAIR_TRY(e.size_bytes, reader.Varint());
  return e;
}

// REQUIRES: ascending entries.
Status CheckNoFileIsFolder(const Tree& t) {
  for (const TreeEntry& e : t.entries) {
    for (std::size_t at = e.path.find('/'); at != std::string::npos;
         at = e.path.find('/', at + 1)) {
      const std::string_view folder = std::string_view(e.path).substr(0, at);
      if (t.Find(folder) != nullptr) {
        return Corrupt("path \"" + std::string(folder) + "\" is a file and a folder");
      }
    }
  }
  return OkStatus();
}

Result<Tree> DecodeFields(ByteView bytes) {
  FLAIR_TRY(const MessageDecoder m, MessageDecoder::Parse(bytes, kTreeFields));
  if (!m.unknown().empty()) {
    return Corrupt("field " + std::to_string(m.unknown().front().number) + " is not known");
  }
  Tree t;
  if (!m.Has(kEntries)) return t;
  FLAIR_TRY(const ByteView payload, m.Raw(kEntries));
  if (payload.empty()) return Corrupt("an empty list of entries, which is left out");
  ByteReader reader(payload);
  std::vector<std::string> paths;
  while (!reader.empty()) {
    if (t.entries.size() == kMaxTreeEntries) {
      return Corrupt("more than " + std::to_string(kMaxTreeEntries) + " entries");
    }
    auto entry = DecodeEntry(reader);
    if (!entry.ok()) {
      return std::move(entry).error().In("entry " + std::to_string(t.entries.size()));
    }
    if (!t.entries.empty() && entry->path <= t.entries.back().path) {
      return Corrupt("path \"" + entry->path + "\" is out of order or repeated");
    }
    paths.push_back(entry->path);
    t.entries.push_back(std::move(*entry));
  }
  FLAIR_DO(CheckNoFileIsFolder(t));
  FLAIR_DO(AsCorrupt(CheckNoCaseCollisions(paths)));
  return t;
}

}  // namespace

const TreeEntry* Tree::Find(std::string_view path) const {
  const auto at =
      std::lower_bound(entries.begin(), entries.end(), path,
                       [](const TreeEntry& e, std::string_view wanted) { return e.path < wanted; });
  return at != entries.end() && at->path == path ? &*at : nullptr;
}

Bytes EncodeTree(const Tree& t) {
  MessageEncoder m;
  if (!t.entries.empty()) {
    Bytes list;
    for (const TreeEntry& e : t.entries) {
      AppendVarint(list, e.path.size());
      Append(list, AsBytes(e.path));
      AppendVarint(list, static_cast<std::uint64_t>(e.mode));
      Append(list, e.file.digest.view());
      AppendVarint(list, e.size_bytes);
    }
    m.Raw(kEntries, list);
  }
  return m.Take();
}

Result<Tree> DecodeTree(ByteView bytes) {
  auto t = DecodeFields(bytes);
  if (!t.ok()) return std::move(t).error().In("tree");
  return t;
}

TreeId IdOf(const Tree& t) { return {Blake3DeriveKey("flair.v1.tree", EncodeTree(t))}; }

}  // namespace flair
