// Compiled with -mavx512f -mavx512dq; runs only where lanes.h saw both.
// SPDX-License-Identifier: Apache-2.0
#if defined(__x86_64__)
#include "zk/field/kernels.h"
#include "zk/field/lanes_avx512.h"
#include "zk/field/tile_loops.h"

namespace flair::zk {

const TileKernels kAvx512Kernels = MakeKernels("avx512");

}  // namespace flair::zk
#endif
