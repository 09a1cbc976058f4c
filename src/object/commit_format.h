// The two messages nested in a commit: the training record and the merge recipe.
//
// Place: object, private to it. Layout: docs/formats/object.md.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "object/commit.h"

namespace flair {

Bytes EncodeTraining(const TrainingRecord& t);
// Errors: kCorrupt, among others for a metric that is not finite.
Result<TrainingRecord> DecodeTraining(ByteView bytes);

Bytes EncodeRecipe(const MergeRecipe& r);
Result<MergeRecipe> DecodeRecipe(ByteView bytes);

}  // namespace flair
