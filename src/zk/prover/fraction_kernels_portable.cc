// SPDX-License-Identifier: Apache-2.0
#include "zk/field/lanes_portable.h"
#include "zk/prover/fraction_kernels.h"
#include "zk/prover/fraction_loops.h"

namespace flair::zk {

const FractionKernels kPortableFractionKernels = MakeFractionKernels("portable");

}  // namespace flair::zk
