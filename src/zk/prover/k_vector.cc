// SPDX-License-Identifier: Apache-2.0
#include "zk/prover/k_vector.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <mutex>

#include "base/check.h"

namespace flair::zk {
namespace {

constexpr std::size_t kCacheLine = 64;
constexpr std::size_t kLargePage = std::size_t{1} << 21;

bool IsLarge(std::size_t bytes) { return bytes >= 2 * kLargePage; }

// Freed blocks by size.
class Kept {
 public:
  static Kept& Get() {
    static Kept kept;
    return kept;
  }
  ~Kept() { Release(); }

  // The smallest that fits without waste of more than half; `bytes` becomes its size.
  std::uint64_t* Take(std::size_t& bytes) {
    const std::lock_guard lock(mutex_);
    const auto at = blocks_.lower_bound(bytes);
    if (at == blocks_.end() || at->first > 2 * bytes) return nullptr;
    std::uint64_t* const words = at->second;
    bytes = at->first;
    total_ -= bytes;
    blocks_.erase(at);
    return words;
  }
  bool Keep(std::uint64_t* words, std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    if (total_ + bytes > kMaxKeptBytes) return false;
    blocks_.emplace(bytes, words);
    total_ += bytes;
    return true;
  }
  void Release() {
    const std::lock_guard lock(mutex_);
    for (const auto& [bytes, words] : blocks_) std::free(words);
    blocks_.clear();
    total_ = 0;
  }

 private:
  std::mutex mutex_;
  std::multimap<std::size_t, std::uint64_t*> blocks_;
  std::size_t total_ = 0;
};

}  // namespace

void FreeWords::operator()(std::uint64_t* words) const {
  if (!IsLarge(bytes) || !Kept::Get().Keep(words, bytes)) std::free(words);
}

Words AllocateWords(std::uint64_t count) {
  const std::size_t bytes = std::max<std::size_t>(count, 1) * sizeof(std::uint64_t);
  const std::size_t alignment = IsLarge(bytes) ? kLargePage : kCacheLine;
  std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  if (IsLarge(bytes)) {
    if (std::uint64_t* const kept = Kept::Get().Take(rounded)) return Words(kept, {rounded});
  }
  void* const words = std::aligned_alloc(alignment, rounded);
  FLAIR_CHECK(words != nullptr) << "no memory for " << rounded << " bytes";
  // Page faults would cost as much as the arithmetic. Only a hint: its failure does not matter.
  if (alignment == kLargePage) (void)madvise(words, rounded, MADV_HUGEPAGE);
  return Words(static_cast<std::uint64_t*>(words), {rounded});
}

void ReleaseKeptWords() { Kept::Get().Release(); }

}  // namespace flair::zk
