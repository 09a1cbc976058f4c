// LookupProver: shows that all lookups are rows of their tables. docs/spec/lookup.md.
//
// Place: zk/prover, over lookup and the batch prover, which hides the values.
// Thread safety: functions; they use the machine's threads.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "zk/lookup/lookup_plan.h"
#include "zk/prover/batch_prover.h"

namespace flair::zk {

// Writes how often each row occurs to the cells of the multiplicities.
// Errors: kInvalidArgument for a lookup that is no row of its table, naming its cell.
Status CountLookups(const LookupPlan& plan, std::span<std::int32_t> cells);

struct ProvenLookups {
  std::uint64_t nonce = 0;
  std::vector<Claim> claims;  // to be proven with the others
};

// `cells`: the committed witness. When a denominator happens to be 0 (about 2^-100) the proof is
// none: like every proof it is verified before it leaves.
ProvenLookups ProveLookups(const LookupPlan& plan, std::span<const std::int32_t> cells,
                           Transcript& transcript, BatchProver& values);

}  // namespace flair::zk
