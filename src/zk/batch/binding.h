// Binding: what an opening is about goes into the transcript before the challenges it depends on.
//
//   by matrix:  LE64(place) || MatrixDigest(shape, root)       before anything is drawn
//   claims:     SHA-256 of them all (ClaimsDigest)              before lambda
//
// Whoever could choose a root, a shape or a claim after the challenge that tests it could make
// what is false cancel. docs/spec/opening.md, steps 1 and 3.
//
// Place: zk/batch; used by both sides. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "crypto/digest.h"
#include "zk/batch/batch_plan.h"
#include "zk/batch/claim.h"
#include "zk/transcript.h"

namespace flair::zk {

// `roots`: by matrix, the witness first; the places are their numbers. `companions`: by group
// that has one; the place is the group's number. REQUIRES: as many as the plan has.
void AbsorbMatrices(const BatchPlan& plan, std::span<const Digest> roots,
                    std::span<const Digest> companions, Transcript& transcript);

// Of the places of pads, and of every claim its matrix, blocks and value. The value as both ends
// know it: its public part, and the pads ascending with their coefficients that are not 0.
Digest ClaimsDigest(const BatchPlan& plan, std::span<const Claim> claims);
// Absorbs it, then draws what the claims are batched with.
Fp2 DrawLambda(const BatchPlan& plan, std::span<const Claim> claims, Transcript& transcript);

}  // namespace flair::zk
