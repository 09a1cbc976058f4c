// SPDX-License-Identifier: Apache-2.0
#include "zk/prover/k_vector.h"

#include <algorithm>
#include <cstdlib>

#include "base/check.h"

namespace flair::zk {

void FreeWords::operator()(std::uint64_t* words) const { std::free(words); }

Words AllocateWords(std::uint64_t count) {
  constexpr std::size_t kCacheLine = 64;
  const std::size_t bytes = std::max<std::size_t>(count, 1) * sizeof(std::uint64_t);
  const std::size_t rounded = (bytes + kCacheLine - 1) / kCacheLine * kCacheLine;
  void* const words = std::aligned_alloc(kCacheLine, rounded);
  FLAIR_CHECK(words != nullptr) << "no memory for " << rounded << " bytes";
  return Words(static_cast<std::uint64_t*>(words));
}

}  // namespace flair::zk
