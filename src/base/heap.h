// How the process's heap treats memory that is freed.
//
// Place: base; a command calls it before its threads start. Thread safety: not with others.
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace flair {

// Freed memory stays with the process, large arrays too. A prover frees and takes hundreds of
// megabytes stage after stage, and the system clears every page that it hands out, which is slow
// on a virtual machine (docs/design/0006-prover-time.md).
void KeepFreedMemory();

}  // namespace flair
