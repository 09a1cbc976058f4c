// SPDX-License-Identifier: Apache-2.0
#include "circuit/gadgets/softmax.h"

#include <bit>
#include <cstdint>
#include <utility>

#include "circuit/gadgets/root.h"
#include "circuit/gadgets/terms.h"

namespace flair::circuit {
namespace {

std::vector<AxisId> Joined(std::vector<AxisId> a, const std::vector<AxisId>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

std::int64_t CellsOf(const Builder& b, const std::vector<AxisId>& axes) {
  std::int64_t cells = 1;
  for (const AxisId axis : axes) cells *= static_cast<std::int64_t>(b.axis(axis).size);
  return cells;
}

}  // namespace

ValueId Softmax(Builder& b, const std::string& name, ValueId x, std::int64_t divisor,
                const std::vector<AxisId>& rows, const std::vector<AxisId>& classes,
                TableId exponentials, const SoftmaxWidths& widths) {
  const std::vector<AxisId> axes = Joined(rows, classes);
  const std::int64_t row = CellsOf(b, classes);

  // divisor y = x + floor(divisor/2) - r
  Form scaled{.terms = {Times(1, {b.At(x)})}, .constant = divisor / 2};
  if (const auto r = b.Remainder(name + ".logit", x, divisor, widths.limb_bits)) {
    scaled.terms.push_back(Times(-1, {b.At(*r)}));
  }
  const ValueId y = b.AddForm(name + ".logit", axes, std::move(scaled));
  const ValueId maximum = b.AddNumber(
      name + ".maximum", rows, widths.maximum,
      {.kind = RuleKind::kMaximum, .inputs = {b.At(y)}, .parameters = {row, divisor, 0}});
  const ValueId below = b.AddForm(
      name + ".below", axes, {.terms = {Times(divisor, {b.At(maximum)}), Times(-1, {b.At(y)})}});

  const auto companion = [&](const char* part, unsigned bits, Rule rule) {
    return b.AddNumber(name + part, axes, Unsigned(bits, bits, ""), std::move(rule), false);
  };
  Width whole = widths.distance;  // a table's v is one limb
  whole.limb_bits = whole.bits;
  const ValueId d = b.AddNumber(
      name + ".distance", axes, whole,
      {.kind = RuleKind::kQuotient, .inputs = {b.At(below)}, .parameters = {divisor, 0}}, false);
  const ValueId e = companion(".exponential", widths.probability_bits,
                              {.kind = RuleKind::kTable,
                               .inputs = {b.At(d)},
                               .parameters = {static_cast<std::int64_t>(exponentials), 1}});
  const ValueId h = companion(
      ".largest", 1, {.kind = RuleKind::kFirstMinimum, .inputs = {b.At(d)}, .parameters = {row}});
  b.AddLookup({.table = exponentials, .v = {d, 0}, .c1 = LimbRef{e, 0}, .c2 = LimbRef{h, 0}});
  b.AddZero(name + ".distance",
            b.AddForm(name + ".distances", axes,
                      {.terms = {Times(divisor, {b.At(d)}), Times(-1, {b.At(below)})}}));
  b.AddZero(name + ".largest", b.AddForm(name + ".one largest", rows,
                                         {.terms = {Times(1, {b.At(h)})}, .constant = -1}));

  const ValueId sum = b.AddForm(name + ".sum", rows, {.terms = {Times(1, {b.At(e)})}});
  const auto j = static_cast<unsigned>(std::bit_width(static_cast<std::uint64_t>(row - 1)));
  const unsigned bits = widths.probability_bits;
  const std::int64_t one =
      (std::int64_t{1} << (2 * bits + j)) - (std::int64_t{1} << (bits + 1 + j));
  const ValueId q =
      Reciprocal(b, name + ".reciprocal", sum, one, Unsigned(bits + j, widths.limb_bits, ""));

  const ValueId exact =
      b.AddForm(name + ".product", axes, {.terms = {Times(1, {b.At(e), b.At(q)})}});
  return b.Round(name, exact, bits + j, Unsigned(bits, widths.limb_bits, ""));
}

ValueId OneHot(Builder& b, const std::string& name, ValueId label,
               const std::vector<AxisId>& classes, ValueId places) {
  const std::vector<AxisId> rows = b[label].axes;
  const ValueId bits = b.AddNumber(
      name, Joined(rows, classes), Unsigned(1, 1, ""),
      {.kind = RuleKind::kOneHot, .inputs = {b.At(label)}, .parameters = {CellsOf(b, classes)}});
  b.AddZero(name + ".one",
            b.AddForm(name + ".count", rows, {.terms = {Times(1, {b.At(bits)})}, .constant = -1}));
  b.AddZero(name + ".class", b.AddForm(name + ".difference", rows,
                                       {.terms = {Times(1, {b.At(bits), b.As(places, classes)}),
                                                  Times(-1, {b.At(label)})}}));
  return bits;
}

}  // namespace flair::circuit
