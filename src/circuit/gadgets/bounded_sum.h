// A sum of products over all axes, whose ranges alone would pass what a form may hold.
//
// Place: circuit, over builder.h. docs/spec/step.md, "Sum".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "circuit/builder.h"

namespace flair::circuit {

struct SumWidth {
  unsigned bits = 1;  // of the whole sum
  bool is_signed = false;
  unsigned limb_bits = 20;
  std::string line;
};

// sum of a b, cell by cell, as numbers that together have `bits`: as many axes are summed at once
// as Rule Z allows. Without axes. REQUIRES: the axes of `a` in `b`, too.
ValueId BoundedSum(Builder& builder, const std::string& name, ValueId a, ValueId b,
                   const SumWidth& width);

}  // namespace flair::circuit
