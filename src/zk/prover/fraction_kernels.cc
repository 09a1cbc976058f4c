// SPDX-License-Identifier: Apache-2.0
#include "zk/prover/fraction_kernels.h"

#include <vector>

namespace flair::zk {
namespace {

std::vector<const FractionKernels*> Runnable() {
  std::vector<const FractionKernels*> kernels = {&kPortableFractionKernels};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) kernels.push_back(&kAvx2FractionKernels);
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")) {
    kernels.push_back(&kAvx512FractionKernels);
  }
#endif
  return kernels;
}

}  // namespace

std::span<const FractionKernels* const> AllFractionKernels() {
  static const std::vector<const FractionKernels*> kernels = Runnable();
  return kernels;
}

const FractionKernels& FastestFractionKernels() { return *AllFractionKernels().back(); }

}  // namespace flair::zk
