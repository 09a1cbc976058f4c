// SPDX-License-Identifier: Apache-2.0
#include "zk/prover/k_vector.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>

#include "base/check.h"

namespace flair::zk {
namespace {

constexpr std::size_t kCacheLine = 64;
constexpr std::size_t kLargePage = std::size_t{1} << 21;

}  // namespace

void FreeWords::operator()(std::uint64_t* words) const { std::free(words); }

Words AllocateWords(std::uint64_t count) {
  const std::size_t bytes = std::max<std::size_t>(count, 1) * sizeof(std::uint64_t);
  const std::size_t alignment = bytes >= 2 * kLargePage ? kLargePage : kCacheLine;
  const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  void* const words = std::aligned_alloc(alignment, rounded);
  FLAIR_CHECK(words != nullptr) << "no memory for " << rounded << " bytes";
  // Page faults would cost as much as the arithmetic. Only a hint: its failure does not matter.
  if (alignment == kLargePage) (void)madvise(words, rounded, MADV_HUGEPAGE);
  return Words(static_cast<std::uint64_t*>(words));
}

}  // namespace flair::zk
