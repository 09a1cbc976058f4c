// Soundness: with what probability a false statement passes a plan, term by term: those of the
// opening, then those of what the caller draws besides. docs/spec/opening.md.
//
// Place: zk/batch, over pcs. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "zk/batch/batch_plan.h"
#include "zk/batch/soundness_term.h"

namespace flair::zk {

std::vector<SoundnessTerm> SoundnessTerms(const BatchPlan& plan);

}  // namespace flair::zk
