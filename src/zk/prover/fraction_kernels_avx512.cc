// Compiled for these lanes; runs only where fraction_kernels.cc saw them.
// SPDX-License-Identifier: Apache-2.0
#if defined(__x86_64__)
#include "zk/field/lanes_avx512.h"
#include "zk/prover/fraction_kernels.h"
#include "zk/prover/fraction_loops.h"

namespace flair::zk {

const FractionKernels kAvx512FractionKernels = MakeFractionKernels("avx512");

}  // namespace flair::zk
#endif
