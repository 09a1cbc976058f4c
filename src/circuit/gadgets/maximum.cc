// SPDX-License-Identifier: Apache-2.0
#include "circuit/gadgets/maximum.h"

#include <utility>

namespace flair::circuit {
namespace {

// B_k = sum of h_j over j > k in the order of a window's cells: at the first axis on which they
// differ j is further on.
ValueId AddBefore(Builder& b, const std::string& name, ValueId selector, const Windows& windows,
                  const std::vector<AxisId>& cells) {
  Form form;
  for (std::size_t differs = 0; differs < windows.kernel.size(); ++differs) {
    const AxisId k = windows.kernel[differs];
    const std::uint64_t size = b.axis(k).size;
    if (size < 2) continue;
    std::vector<AxisId> axes = cells;
    const std::size_t first = windows.rows.size();
    for (std::size_t i = differs; i < windows.kernel.size(); ++i) {
      axes[first + i] = b.AddAxis(name + ".later", b.axis(windows.kernel[i]).size);
    }
    // j = k + i + 1 for an i of 0, ..., size - 2
    form.terms.push_back({.coefficient = 1,
                          .factors = {b.As(selector, axes)},
                          .windows = {{.out = k,
                                       .kernel = b.AddAxis(name + ".by", size - 1),
                                       .in = axes[first + differs],
                                       .offset = 1}}});
  }
  return b.AddForm(name + ".before", cells, std::move(form));
}

// g over the cells of `rest`, which is divisor g, tied to the selector by its limbs' tables.
ValueId AddGap(Builder& b, const std::string& name, ValueId rest, std::int64_t divisor,
               const Width& of_value, Maximum& made, unsigned zone) {
  const std::vector<AxisId> cells = b[rest].axes;
  const LimbRef h{made.selector, 0};
  Width width = Unsigned(of_value.bits, of_value.limb_bits, of_value.line);
  if (zone > 0) {
    width.bits = of_value.bits + 1;
    width.bias = std::int64_t{1} << zone;
    width.cut = zone;
  }
  const ValueId g = b.AddNumber(
      name + ".gap", cells, width,
      {.kind = RuleKind::kQuotient, .inputs = {b.At(rest)}, .parameters = {divisor, 0}}, false);
  const std::vector<unsigned> limbs = b[g].number.limb_bits;
  const auto top = static_cast<unsigned>(limbs.size() - (zone > 0 ? 1 : 0));
  for (unsigned limb = 0; limb < top; ++limb) {
    b.AddLookup({.table = b.Chosen(limbs[limb]), .v = {g, limb}, .c1 = h});
  }
  if (zone == 0) return g;
  // SOUNDNESS: g >= 0 is the lowest value of the upper limb that is no deviation.
  made.choice_deviation =
      b.AddNumber(name + ".other", cells, Unsigned(1, 1, ""),
                  {.kind = RuleKind::kNegative, .inputs = {b.At(g)}, .parameters = {}}, false);
  b.RequireOneLimbAbove(name, g, zone);
  b.AddLookup({.table = b.TiedChoice(limbs[top]),
               .v = {g, top},
               .c1 = h,
               .c2 = LimbRef{*made.choice_deviation, 0}});
  return g;
}

}  // namespace

Maximum AddMaximum(Builder& b, const std::string& name, const Read& x, std::int64_t divisor,
                   std::int64_t least, const Windows& windows, const Width& width, Sign sign,
                   unsigned zone) {
  std::vector<AxisId> cells = windows.rows;
  cells.insert(cells.end(), windows.kernel.begin(), windows.kernel.end());
  std::int64_t row = 1;
  for (const AxisId axis : windows.kernel) row *= static_cast<std::int64_t>(b.axis(axis).size);
  const auto term = [](std::int64_t coefficient, std::vector<Read> factors,
                       std::vector<Window> slides = {}) -> Term {
    return {
        .coefficient = coefficient, .factors = std::move(factors), .windows = std::move(slides)};
  };

  // Where a window has no cell a read gives 0: above that, and so never the largest there, are
  // the cells with least - 1 taken from them.
  const std::int64_t offset = windows.padded ? 1 - least : 0;
  ValueId inside = x.value;
  if (!windows.slides.empty()) {
    const ValueId raised =
        b.AddForm(name + ".raised", b[x.value].axes,
                  {.terms = {term(1, {b.At(x.value)})}, .constant = divisor * offset});
    inside = b.AddForm(name + ".windows", cells,
                       {.terms = {term(1, {b.As(raised, x.axes)}, windows.slides)}});
  }
  Rule rule{
      .kind = RuleKind::kMaximum, .inputs = {b.At(inside)}, .parameters = {row, divisor, offset}};
  if (zone > 0) {
    rule.kind = RuleKind::kGivenMaximum;
    rule.parameters.push_back((std::int64_t{1} << zone) - 1);
  }
  Maximum made{};
  if (sign == Sign::kRead) {
    const Builder::Branch branch = b.AddSigned(name, windows.rows, width, std::move(rule), zone);
    made.value = branch.value;
    made.positive = branch.positive;
    made.deviation = branch.deviation;
  } else {
    made.value = b.AddNumber(name, windows.rows, width, std::move(rule));
  }
  const Read y = b.At(made.value);

  const ValueId below = b.AddForm(
      name + ".below", cells,
      {.terms = {term(divisor, {y}), term(-1, {b.At(inside)})}, .constant = divisor * offset});
  made.selector = b.AddNumber(name + ".selector", cells, Unsigned(1, 1, ""),
                              {.kind = zone > 0 ? RuleKind::kGivenMinimum : RuleKind::kFirstMinimum,
                               .inputs = {b.At(below)},
                               .parameters = {row, divisor}},
                              false);
  const Read h = b.At(made.selector);

  // divisor (y - B) - x, nothing outside of the tensor
  const std::vector<Window> within = windows.padded ? windows.slides : std::vector<Window>{};
  const ValueId before = AddBefore(b, name, made.selector, windows, cells);
  const ValueId rest =
      b.AddForm(name + ".gaps", cells,
                {.terms = {term(divisor, {y}, within), term(-divisor, {b.At(before)}, within),
                           term(-1, {x}, windows.slides)}});
  const ValueId g = AddGap(b, name, rest, divisor, width, made, zone);
  b.AddZero(name + ".gap",
            b.AddForm(name + ".gap.exact", cells,
                      {.terms = {term(divisor, {b.At(g)}), term(-1, {b.At(rest)})}}));
  b.AddZero(name + ".selector", b.AddForm(name + ".one selected", windows.rows,
                                          {.terms = {term(1, {h})}, .constant = -1}));
  if (windows.padded) {
    b.AddZero(name + ".outside", b.AddForm(name + ".selected outside", cells,
                                           {.terms = {term(1, {h}), term(-1, {h}, within)}}));
  }
  return made;
}

}  // namespace flair::circuit
