// SPDX-License-Identifier: Apache-2.0
#include "zk/prover/k_kernels.h"

#include <vector>

namespace flair::zk {
namespace {

std::vector<const KKernels*> Runnable() {
  std::vector<const KKernels*> kernels = {&kPortableKKernels};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) kernels.push_back(&kAvx2KKernels);
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")) {
    kernels.push_back(&kAvx512KKernels);
  }
#endif
  return kernels;
}

}  // namespace

std::span<const KKernels* const> AllKKernels() {
  static const std::vector<const KKernels*> kernels = Runnable();
  return kernels;
}

const KKernels& FastestKKernels() { return *AllKKernels().back(); }

}  // namespace flair::zk
