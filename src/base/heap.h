// How the process's heap treats memory that is freed.
//
// Place: base; a command calls it before its threads start. Thread safety: not with others.
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace flair {

// Freed memory stays with the process, large arrays too. A prover frees and takes hundreds of
// megabytes stage after stage, and the system clears every page that it hands out: on a virtual
// machine that costs more than most of what is then computed there, and with large pages twice as
// much as with small ones.
void KeepFreedMemory();

}  // namespace flair
