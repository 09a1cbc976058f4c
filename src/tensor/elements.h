// Questions about elements that need no arithmetic: answered on the stored bits.
//
// Place: tensor; `repo` and the hub ask them of whole tensors, block by block. Pure.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "tensor/dtype.h"

namespace flair {

// True when a float among the elements is NaN or infinite; false for other types.
// REQUIRES: in.size() is a multiple of DTypeBytes(dtype). Bytes need no alignment.
bool HasNonFinite(DType dtype, ByteView in);

// How many elements of `element_bytes` (1, 2, 4, 8 or 16) differ in any bit.
// REQUIRES: a.size() == b.size(), a multiple of element_bytes.
std::uint64_t CountDifferent(ByteView a, ByteView b, std::uint64_t element_bytes);

}  // namespace flair
