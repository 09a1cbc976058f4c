// Compiled with -mavx2; runs only where lanes.h saw it.
// SPDX-License-Identifier: Apache-2.0
#if defined(__x86_64__)
#include "zk/field/kernels.h"
#include "zk/field/lanes_avx2.h"
#include "zk/field/tile_loops.h"

namespace flair::zk {

const TileKernels kAvx2Kernels = MakeKernels("avx2");

}  // namespace flair::zk
#endif
