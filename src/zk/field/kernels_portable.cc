// SPDX-License-Identifier: Apache-2.0
#include "zk/field/kernels.h"
#include "zk/field/lanes_portable.h"
#include "zk/field/tile_loops.h"

namespace flair::zk {

const TileKernels kPortableKernels = MakeKernels("portable");

}  // namespace flair::zk
