// SPDX-License-Identifier: Apache-2.0
#include "circuit/product_kernels.h"

#include <vector>

namespace flair::circuit {

std::span<const ProductKernels* const> AllProductKernels() {
  static const auto kernels = [] {
    std::vector<const ProductKernels*> all = {&kPortableProductKernels};
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
      all.push_back(&kAvx2ProductKernels);
    }
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")) {
      all.push_back(&kAvx512ProductKernels);
    }
#endif
    return all;
  }();
  return kernels;
}

const ProductKernels& FastestProductKernels() { return *AllProductKernels().back(); }

}  // namespace flair::circuit
