// SPDX-License-Identifier: Apache-2.0
#include "zk/field/lanes_portable.h"
#include "zk/prover/k_arithmetic.h"
#include "zk/prover/k_kernels.h"
#include "zk/prover/k_loops.h"

namespace flair::zk {

const KKernels kPortableKKernels = MakeKKernels("portable");

}  // namespace flair::zk
