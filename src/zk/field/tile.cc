// SPDX-License-Identifier: Apache-2.0
#include "zk/field/tile.h"

#include "zk/field/kernels.h"
#include "zk/field/lanes.h"

namespace flair::zk {

std::span<const TileKernels* const> AllKernels() {
  static const auto kernels = RunnableOf<TileKernels>({
    {Lanes::kPortable, &kPortableKernels},
#if defined(__x86_64__)
        {Lanes::kAvx2, &kAvx2Kernels}, {Lanes::kAvx512, &kAvx512Kernels},
#endif
  });
  return kernels;
}

const TileKernels& Kernels() { return *AllKernels().back(); }

}  // namespace flair::zk
