// SPDX-License-Identifier: Apache-2.0
#include "circuit/gadgets/ratio.h"

#include <algorithm>
#include <bit>

#include "circuit/gadgets/terms.h"

namespace flair::circuit {
namespace {

unsigned BitsOf(std::int64_t most) {
  return static_cast<unsigned>(std::bit_width(static_cast<std::uint64_t>(most)));
}

// h of u = 2^w h + l, l the lowest limb, of w bits.
ValueId Upper(Builder& b, const std::string& name, ValueId u) {
  const std::vector<unsigned> limbs = b[u].number.limb_bits;
  Form form{.terms = {}, .constant = -(b[u].number.bias >> limbs[0])};
  unsigned below = 0;
  for (std::size_t limb = 1; limb < limbs.size(); below += limbs[limb++]) {
    Read part = b.At(u);
    part.limb = static_cast<int>(limb);
    form.terms.push_back(circuit::Times(std::int64_t{1} << below, {part}));
  }
  return b.AddForm(name, b[u].axes, std::move(form));
}

}  // namespace

ValueId Ratio(Builder& b, const std::string& name, ValueId x, ValueId d, const Width& width) {
  const std::vector<AxisId> axes = b[x].axes;
  const ValueId u =
      b.AddNumber(name, axes, width,
                  {.kind = RuleKind::kRatio, .inputs = {b.At(x), b.At(d)}, .parameters = {}});
  if (b.error()) return u;
  Form rest{.terms = {Times(2, {b.At(x)}), Times(1, {b.At(d)})}};
  if (b[u].number.limb_bits.size() == 1) {
    rest.terms.push_back(Times(-2, {b.At(d), b.At(u)}));
  } else {
    const unsigned w = b[u].number.limb_bits[0];
    Read lowest = b.At(u);
    lowest.limb = 0;
    const ValueId upper = Upper(b, name + ".upper", u);
    const ValueId exact =
        b.AddForm(name + ".product", axes, {.terms = {Times(1, {b.At(d), b.At(upper)})}});
    // |2^w p| <= |x| + d/2 + 2^w d
    const std::int64_t most = (std::max(b[x].hi, -b[x].lo) >> w) + 2 * b[d].hi + 1;
    const ValueId p = b.Divide(name + ".product", exact, 1,
                               Signed(BitsOf(most) + 1, width.limb_bits, width.line));
    rest.terms.push_back(Times(-2, {b.At(d), lowest}));
    rest.terms.push_back(Times(-(std::int64_t{2} << w), {b.At(p)}));
  }
  const Width bound = Unsigned(BitsOf(2 * b[d].hi - 1), width.limb_bits, "");
  // SOUNDNESS: without the gap the quotient could be any smaller one. Test:
  // RatioTest.AnotherQuotientIsRefused.
  const ValueId r =
      b.Divide(name + ".remainder", b.AddForm(name + ".rest", axes, std::move(rest)), 1, bound);
  const ValueId room = b.AddForm(
      name + ".room", axes, {.terms = {Times(2, {b.At(d)}), Times(-1, {b.At(r)})}, .constant = -1});
  b.Divide(name + ".gap", room, 1, bound);
  return u;
}

}  // namespace flair::circuit
