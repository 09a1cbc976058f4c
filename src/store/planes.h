// Byte planes: the reversible mapping that makes weights compressible.
//
// PLANE: element x, for floats rotated left by one so that the exponent fills the top
// byte, then byte j of every element goes to plane j.
// SUB: with o(x) the order-preserving map of floats to unsigned integers (identity for
// integers), d = o(x) - o(base) modulo 2^bits, zigzag z = 2d or -2d-1, planes of z.
//
// Place: store. Exact on every bit pattern: NaN payloads, signed zeros, denormals.
// All variants (portable, AVX2, AVX-512) give the same bytes; the tests hold them to
// a slow reference.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.h"
#include "store/format.h"

namespace flair {

// `planes` takes the whole elements: plane j at j * (block.size() / element bytes).
// Bytes behind the last whole element are the caller's.
// REQUIRES: planes.size() >= whole elements' bytes; base.size() >= block.size().
void SplitPlanes(ByteView block, ElementShape shape, MutableByteView planes);
void SplitDelta(ByteView block, ByteView base, ElementShape shape, MutableByteView planes);
// The inverses: fill the whole elements of `block`.
void MergePlanes(ByteView planes, ElementShape shape, MutableByteView block);
void MergeDelta(ByteView planes, ByteView base, ElementShape shape, MutableByteView block);

enum class PlaneKernels : std::uint8_t { kPortable, kAvx2, kAvx512 };
// What this machine runs; tests may choose a lower one.
PlaneKernels BestPlaneKernels();
void UsePlaneKernels(PlaneKernels kernels);  // REQUIRES: kernels <= BestPlaneKernels()

}  // namespace flair
