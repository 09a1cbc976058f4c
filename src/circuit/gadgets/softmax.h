// Softmax over the last axes of a tensor, and a class as a row of zeros and a one.
//
// Place: circuit, over builder.h. docs/spec/lowering.md has the identities.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "circuit/builder.h"

namespace flair::circuit {

struct SoftmaxWidths {
  Width distance;                  // unsigned, at most 20 bits
  Width maximum;                   // of a row, in units of the distances
  unsigned probability_bits = 24;  // unit 2^-bits
  unsigned limb_bits = 20;
};

// p = exp(y) / sum of exp(y), y = round(x / divisor), over `classes`; axes of x: rows, classes.
//
//   divisor (M - d) + r = x + floor(divisor/2)   d in the table, so d >= 0; r as in Divide()
//   sum h = 1, h = 1 only in the row d = 0       so M is the largest y
//   S = sum e, e = E[d]
//   q S + rho = 2^(2b+j) - 2^(b+1+j)             0 <= rho < S; b = probability_bits,
//   p = round(e q / 2^(b+j))                     2^j >= classes: p < 2^b
//
// Everything is unique but h where several y are largest. `exponentials`: AddExponentials()
// with the bits of `distance` and of the probability.
ValueId Softmax(Builder& builder, const std::string& name, ValueId x, std::int64_t divisor,
                const std::vector<AxisId>& rows, const std::vector<AxisId>& classes,
                TableId exponentials, const SoftmaxWidths& widths);

// [label = c] for c = 0, 1, ..: bits, one in each row, sum c onehot = label. `places` is a public
// over `classes` whose cells are 0, 1, ..
ValueId OneHot(Builder& builder, const std::string& name, ValueId label,
               const std::vector<AxisId>& classes, ValueId places);

}  // namespace flair::circuit
