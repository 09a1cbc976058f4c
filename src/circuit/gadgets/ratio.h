// The quotient of two values, to the nearest integer.
//
// Place: circuit, over builder.h. docs/spec/circuit.md lists it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "circuit/builder.h"

namespace flair::circuit {

// u = round(x / d), half up:  2 d u + r = 2 x + d, 0 <= r < 2 d. Unique for d > 0, and impossible
// otherwise: a step with such a d has no witness.
//
// d u can pass what Rule Z allows where no step has such a product. Of a u of several limbs,
// u = 2^w h + l, the product p = d h is therefore a number, with as many bits as x leaves it:
//   r = 2 x + d - 2 d l - 2^(w+1) p
// `width`: of u, signed. REQUIRES: |x| and |d| below 2^60 by their ranges.
ValueId Ratio(Builder& builder, const std::string& name, ValueId x, ValueId d, const Width& width);

}  // namespace flair::circuit
