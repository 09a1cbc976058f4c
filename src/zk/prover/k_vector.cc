// SPDX-License-Identifier: Apache-2.0
#include "zk/prover/k_vector.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <iterator>
#include <map>
#include <mutex>
#include <vector>

#include "base/check.h"

namespace flair::zk {
namespace {

constexpr std::size_t kCacheLine = 64;
constexpr std::size_t kLargePage = std::size_t{1} << 21;

bool IsLarge(std::size_t bytes) { return bytes >= 2 * kLargePage; }

// Addresses without memory behind them, until they are written to.
constexpr std::size_t kReservedBytes = std::size_t{1} << 38;

class Arena {
 public:
  // Never destroyed: words of other static objects may be in it.
  static Arena& Get() {
    static Arena* const arena = new Arena;
    return *arena;
  }

  // At the lowest address where they fit, which has been written to most likely; null when there
  // is none. REQUIRES: whole large pages.
  std::uint64_t* Take(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    const std::size_t pages = bytes / kLargePage;
    const auto at = std::find_if(free_.begin(), free_.end(),
                                 [&](const auto& range) { return range.second >= pages; });
    if (at == free_.end()) return nullptr;
    const auto [first, count] = *at;
    free_.erase(at);
    if (count > pages) free_.emplace(first + pages, count - pages);
    const auto written = written_.begin() + static_cast<std::ptrdiff_t>(first);
    const auto end = written + static_cast<std::ptrdiff_t>(pages);
    kept_ -= static_cast<std::size_t>(std::count(written, end, true)) * kLargePage;
    std::fill(written, end, true);
    return reinterpret_cast<std::uint64_t*>(base_ + first * kLargePage);
  }

  // False when the words are not of the arena.
  bool Free(std::uint64_t* words, std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    auto* const address = reinterpret_cast<std::byte*>(words);
    if (base_ == nullptr || address < base_ || address >= base_ + kReservedBytes) return false;
    std::size_t first = static_cast<std::size_t>(address - base_) / kLargePage;
    std::size_t pages = bytes / kLargePage;
    kept_ += bytes;
    if (kept_ > kMaxKeptBytes) GiveBack(first, pages);
    // One range with the free ones next to it.
    auto next = free_.lower_bound(first);
    if (next != free_.end() && next->first == first + pages) {
      pages += next->second;
      next = free_.erase(next);
    }
    if (next != free_.begin()) {
      const auto before = std::prev(next);
      if (before->first + before->second == first) {
        first = before->first;
        pages += before->second;
        free_.erase(before);
      }
    }
    free_.emplace(first, pages);
    return true;
  }

  void Release() {
    const std::lock_guard lock(mutex_);
    for (const auto& [first, pages] : free_) GiveBack(first, pages);
  }

 private:
  Arena() {
    void* const reserved = mmap(nullptr, kReservedBytes + kLargePage, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (reserved == MAP_FAILED) return;  // then every block is the C library's
    const std::size_t skipped =
        (kLargePage - reinterpret_cast<std::uintptr_t>(reserved) % kLargePage) % kLargePage;
    base_ = static_cast<std::byte*>(reserved) + skipped;
    // Page faults would cost as much as the arithmetic. Only a hint: its failure does not matter.
    (void)madvise(base_, kReservedBytes, MADV_HUGEPAGE);
    free_.emplace(0, kReservedBytes / kLargePage);
    written_.resize(kReservedBytes / kLargePage);
  }

  // To the system, which has it read as zeros. REQUIRES: free pages.
  void GiveBack(std::size_t first, std::size_t pages) {
    for (std::size_t i = first; i < first + pages;) {
      std::size_t end = i;
      while (end < first + pages && written_[end]) written_[end++] = false;
      if (end > i) {
        (void)madvise(base_ + i * kLargePage, (end - i) * kLargePage, MADV_DONTNEED);
        kept_ -= (end - i) * kLargePage;
      }
      i = end + 1;
    }
  }

  std::mutex mutex_;
  std::byte* base_ = nullptr;
  std::map<std::size_t, std::size_t> free_;  // ranges of large pages: first, count
  std::vector<bool> written_;                // by large page
  std::size_t kept_ = 0;                     // bytes of pages that are free and written to
};

}  // namespace

void FreeWords::operator()(std::uint64_t* words) const {
  if (!IsLarge(bytes) || !Arena::Get().Free(words, bytes)) std::free(words);
}

Words AllocateWords(std::uint64_t count) {
  const std::size_t bytes = std::max<std::size_t>(count, 1) * sizeof(std::uint64_t);
  const std::size_t alignment = IsLarge(bytes) ? kLargePage : kCacheLine;
  const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  if (IsLarge(bytes)) {
    if (std::uint64_t* const words = Arena::Get().Take(rounded)) return Words(words, {rounded});
  }
  void* const words = std::aligned_alloc(alignment, rounded);
  FLAIR_CHECK(words != nullptr) << "no memory for " << rounded << " bytes";
  return Words(static_cast<std::uint64_t*>(words), {rounded});
}

void ReleaseKeptWords() { Arena::Get().Release(); }

}  // namespace flair::zk
