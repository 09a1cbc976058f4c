// Square roots and reciprocals between brackets.
//
// Place: circuit, over builder.h. docs/spec/lowering.md has the identities.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "circuit/builder.h"

namespace flair::circuit {

// s = floor(sqrt(x)):  s^2 + r = x, 0 <= r <= 2s. Unique: (s+1)^2 = s^2 + 2s + 1.
// `width`: of s, unsigned. REQUIRES: width.bits <= 30.
ValueId Root(Builder& builder, const std::string& name, ValueId x, const Width& width);

// q = floor(one / x):  q x + r = one, 0 <= r < x. Unique for x > 0, and impossible otherwise:
// a step with such an x has no witness. `width`: of q, unsigned.
ValueId Reciprocal(Builder& builder, const std::string& name, ValueId x, std::int64_t one,
                   const Width& width);

}  // namespace flair::circuit
