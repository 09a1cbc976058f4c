// SPDX-License-Identifier: Apache-2.0
#include "zk/field/tile.h"

#include <vector>

#include "zk/field/kernels.h"

namespace flair::zk {
namespace {

std::vector<const TileKernels*> Runnable() {
  std::vector<const TileKernels*> kernels = {&kPortableKernels};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) kernels.push_back(&kAvx2Kernels);
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")) {
    kernels.push_back(&kAvx512Kernels);
  }
#endif
  return kernels;
}

}  // namespace

std::span<const TileKernels* const> AllKernels() {
  static const std::vector<const TileKernels*> kernels = Runnable();
  return kernels;
}

const TileKernels& Kernels() { return *AllKernels().back(); }

}  // namespace flair::zk
