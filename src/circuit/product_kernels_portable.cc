// Compiled for every machine.
// SPDX-License-Identifier: Apache-2.0
#include <cstddef>

namespace flair::circuit {
namespace {
constexpr std::size_t kRows = 4;
constexpr std::size_t kLanes = 2;
}  // namespace
}  // namespace flair::circuit

#include "circuit/product_loops.h"

namespace flair::circuit {

const ProductKernels kPortableProductKernels = MakeProductKernels("portable");

}  // namespace flair::circuit
