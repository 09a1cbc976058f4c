// Compiled for these lanes; runs only where product_kernels.cc saw them.
// SPDX-License-Identifier: Apache-2.0
#if defined(__x86_64__)
#include <cstddef>

namespace flair::circuit {
namespace {
constexpr std::size_t kRows = 8;
constexpr std::size_t kLanes = 8;
}  // namespace
}  // namespace flair::circuit

#include "circuit/product_loops.h"

namespace flair::circuit {

const ProductKernels kAvx512ProductKernels = MakeProductKernels("avx512");

}  // namespace flair::circuit
#endif
