// SPDX-License-Identifier: Apache-2.0
#include "circuit/gadgets/bounded_sum.h"

#include <algorithm>
#include <bit>

#include "circuit/gadgets/terms.h"

namespace flair::circuit {

ValueId BoundedSum(Builder& builder, const std::string& name, ValueId a, ValueId b,
                   const SumWidth& width) {
  const Form form{.terms = {Times(1, {builder.At(a), builder.At(b)})}};
  const std::vector<AxisId> axes = builder[a].axes;
  std::vector<AxisId> kept;
  while (kept.size() < axes.size() && !builder.ExtentOf(kept, form).fits) {
    kept.push_back(axes[kept.size()]);
  }
  std::uint64_t count = 1;
  for (const AxisId axis : kept) count *= builder.axis(axis).size;
  const unsigned own =
      width.bits -
      std::min<unsigned>(width.bits - 2, static_cast<unsigned>(std::bit_width(count - 1)));
  const ValueId parts = builder.AddForm(name, kept, form);
  const ValueId number =
      builder.Divide(name, parts, 1,
                     width.is_signed ? Signed(own, width.limb_bits, width.line)
                                     : Unsigned(own, width.limb_bits, width.line));
  if (kept.empty()) return number;
  return builder.AddForm(name + ".all", {}, {.terms = {Times(1, {builder.At(number)})}});
}

}  // namespace flair::circuit
