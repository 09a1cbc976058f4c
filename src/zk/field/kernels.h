// The kernels that this build has; tile.h chooses among them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "zk/field/tile.h"

namespace flair::zk {

extern const TileKernels kPortableKernels;
#if defined(__x86_64__)
extern const TileKernels kAvx2Kernels;    // runs with AVX2
extern const TileKernels kAvx512Kernels;  // runs with AVX-512 F and DQ
#endif

}  // namespace flair::zk
