// SPDX-License-Identifier: Apache-2.0
#include "circuit/gadgets/root.h"

#include <bit>

#include "circuit/gadgets/terms.h"

namespace flair::circuit {
namespace {

// A number that is a form, 0 or more, at most `most`.
ValueId Exactly(Builder& b, const std::string& name, ValueId form, std::int64_t most,
                unsigned limb_bits) {
  const auto bits = static_cast<unsigned>(std::bit_width(static_cast<std::uint64_t>(most)));
  return b.Divide(name, form, 1, Unsigned(bits, limb_bits, ""));
}

}  // namespace

ValueId Root(Builder& b, const std::string& name, ValueId x, const Width& width) {
  const std::vector<AxisId> axes = b[x].axes;
  const ValueId s = b.AddNumber(name, axes, width,
                                {.kind = RuleKind::kRoot, .inputs = {b.At(x)}, .parameters = {}});
  const std::int64_t most = 2 * width.hi();
  const ValueId rest = b.AddForm(name + ".rest", axes,
                                 {.terms = {Times(1, {b.At(x)}), Times(-1, {b.At(s), b.At(s)})}});
  const ValueId r = Exactly(b, name + ".remainder", rest, most, width.limb_bits);
  const ValueId gap =
      b.AddForm(name + ".room", axes, {.terms = {Times(2, {b.At(s)}), Times(-1, {b.At(r)})}});
  Exactly(b, name + ".gap", gap, most, width.limb_bits);
  return s;
}

ValueId Reciprocal(Builder& b, const std::string& name, ValueId x, std::int64_t one,
                   const Width& width) {
  const std::vector<AxisId> axes = b[x].axes;
  const ValueId q = b.AddNumber(
      name, axes, width, {.kind = RuleKind::kReciprocal, .inputs = {b.At(x)}, .parameters = {one}});
  const std::int64_t most = b[x].hi;
  const ValueId rest =
      b.AddForm(name + ".rest", axes, {.terms = {Times(-1, {b.At(q), b.At(x)})}, .constant = one});
  const ValueId r = Exactly(b, name + ".remainder", rest, most, width.limb_bits);
  const ValueId gap = b.AddForm(
      name + ".room", axes, {.terms = {Times(1, {b.At(x)}), Times(-1, {b.At(r)})}, .constant = -1});
  Exactly(b, name + ".gap", gap, most, width.limb_bits);
  return q;
}

}  // namespace flair::circuit
