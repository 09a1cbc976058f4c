// Tree: the files of one commit, by full path, sorted bytewise.
//
// Place: object. Byte layout: docs/formats/object.md. A tree that was decoded can
// be written to disk as it is: no path leaves the folder, no two collide.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "object/ids.h"

namespace flair {

inline constexpr std::size_t kMaxTreeEntries = 100'000;

enum class FileMode : std::uint8_t { kRegular = 1, kExecutable = 2 };

struct TreeEntry {
  std::string path;  // passes CheckRepoPath (base/path.h)
  FileMode mode = FileMode::kRegular;
  FileId file;
  std::uint64_t size_bytes = 0;
  bool operator==(const TreeEntry&) const = default;
};

struct Tree {
  std::vector<TreeEntry> entries;  // ascending by path, no path twice, none a folder of another

  bool operator==(const Tree&) const = default;
  const TreeEntry* Find(std::string_view path) const;
};

Bytes EncodeTree(const Tree& t);
// Errors: kCorrupt for a bad, repeated, colliding (case) or unsorted path.
Result<Tree> DecodeTree(ByteView bytes);
TreeId IdOf(const Tree& t);

}  // namespace flair
