// PackFile: one pack on disk; PackCache: at most so many of them open at a time.
//
// Thread safety: reading from any thread. MoveTo and the writer's calls belong to
// the batch that owns the pack, before it is shared.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "base/env.h"

namespace flair {

struct PackFile {
  std::string name;  // "<64 hex>.pack", empty while it is written
  std::string path;
  std::uint64_t size_bytes = 0;
};

class PackCache {
 public:
  explicit PackCache(Env& env) : env_(env) {}

  // Errors: kUnavailable when the file is gone: garbage collection moved its
  // records, and a Refresh finds them.
  Result<std::shared_ptr<const ByteSource>> Open(const PackFile& pack);
  void Forget(const PackFile& pack);

  // Exactly out.size() bytes at `offset`. Errors name pack and offset.
  Status Read(const PackFile& pack, std::uint64_t offset, MutableByteView out);

 private:
  static constexpr std::size_t kMaxOpen = 64;
  struct Opened {
    const PackFile* pack;
    std::shared_ptr<const ByteSource> source;
  };
  Env& env_;
  std::mutex mutex_;
  std::list<Opened> recent_;  // latest first
  std::unordered_map<const PackFile*, std::list<Opened>::iterator> by_pack_;
};

}  // namespace flair
