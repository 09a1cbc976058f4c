// SPDX-License-Identifier: Apache-2.0
#include "store/pack_file.h"

#include <utility>

namespace flair {

Result<std::shared_ptr<const ByteSource>> PackCache::Open(const PackFile& pack) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto at = by_pack_.find(&pack); at != by_pack_.end()) {
      recent_.splice(recent_.begin(), recent_, at->second);
      return at->second->source;
    }
  }
  auto opened = env_.OpenForRead(pack.path);
  if (!opened.ok()) {
    Error error = std::move(opened).error();
    if (error.code() == ErrorCode::kNotFound) {
      return Error(ErrorCode::kUnavailable, "pack " + pack.path + " is gone");
    }
    return error;
  }
  std::shared_ptr<const ByteSource> source = std::move(opened).value();
  const std::lock_guard lock(mutex_);
  if (by_pack_.contains(&pack)) return source;  // another thread was faster
  recent_.push_front({&pack, source});
  by_pack_[&pack] = recent_.begin();
  if (recent_.size() > kMaxOpen) {
    by_pack_.erase(recent_.back().pack);
    recent_.pop_back();
  }
  return source;
}

void PackCache::Forget(const PackFile& pack) {
  const std::lock_guard lock(mutex_);
  const auto at = by_pack_.find(&pack);
  if (at == by_pack_.end()) return;
  recent_.erase(at->second);
  by_pack_.erase(at);
}

Status PackCache::Read(const PackFile& pack, std::uint64_t offset, MutableByteView out) {
  FLAIR_TRY(const auto source, Open(pack));
  Status status = source->ReadAt(offset, out);
  if (status.ok()) return status;
  return std::move(status).error().In("pack " + pack.name + ", offset " + std::to_string(offset));
}

}  // namespace flair
