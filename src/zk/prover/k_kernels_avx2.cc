// Compiled for these lanes; runs only where lanes.h saw them.
// SPDX-License-Identifier: Apache-2.0
#if defined(__x86_64__)
#include "zk/field/lanes_avx2.h"
#include "zk/prover/k_arithmetic.h"
#include "zk/prover/k_kernels.h"
#include "zk/prover/k_loops.h"

namespace flair::zk {

const KKernels kAvx2KKernels = MakeKKernels("avx2");

}  // namespace flair::zk
#endif
