// Soundness of the lookup argument: its terms beside those of an opening. docs/spec/lookup.md.
//
// Place: zk/lookup, over batch. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "zk/batch/soundness_term.h"
#include "zk/lookup/lookup_plan.h"

namespace flair::zk {

std::vector<SoundnessTerm> SoundnessTerms(const LookupPlan& plan);

}  // namespace flair::zk
