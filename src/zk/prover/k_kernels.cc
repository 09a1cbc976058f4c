// SPDX-License-Identifier: Apache-2.0
#include "zk/prover/k_kernels.h"

#include "zk/field/lanes.h"

namespace flair::zk {

std::span<const KKernels* const> AllKKernels() {
  static const auto kernels = RunnableOf<KKernels>({
    {Lanes::kPortable, &kPortableKKernels},
#if defined(__x86_64__)
        {Lanes::kAvx2, &kAvx2KKernels}, {Lanes::kAvx512, &kAvx512KKernels},
        {Lanes::kAvx512Ifma, &kAvx512IfmaKKernels},
#endif
  });
  return kernels;
}

const KKernels& FastestKKernels() { return *AllKKernels().back(); }

}  // namespace flair::zk
