// LookupVerifier: are all lookups rows of their tables? docs/spec/lookup.md.
//
// Place: zk/verifier, over lookup and the batch verifier, which holds the values and proves the
// equations at the end. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "zk/lookup/lookup_plan.h"
#include "zk/verifier/batch_verifier.h"

namespace flair::zk {

// Reads the argument's messages and returns what it claims of the witness. The claims must be
// checked: without them nothing was shown. Errors: kRejected for a nonce without work.
Result<std::vector<Claim>> CheckLookups(const LookupPlan& plan, std::uint64_t nonce,
                                        Transcript& transcript, BatchVerifier& values);

}  // namespace flair::zk
