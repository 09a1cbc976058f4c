// SPDX-License-Identifier: Apache-2.0
#include "circuit/rules.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "base/check.h"

namespace flair::circuit {
namespace {

using Cells = std::span<const std::int64_t>;
__extension__ using Int128 = __int128;

std::int64_t FloorDiv(std::int64_t a, std::int64_t b) {
  const std::int64_t q = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q;
}

// The double is off by a few at most; integers decide.
std::int64_t FloorRoot(std::int64_t v) {
  if (v <= 0) return 0;
  auto root = static_cast<std::int64_t>(std::sqrt(static_cast<double>(v)));
  while (root * root > v) --root;
  while ((root + 1) * (root + 1) <= v) ++root;
  return root;
}

// floor(x/y + 1/2); one that has no 64 bits fits no number.
std::int64_t Nearest(std::int64_t x, std::int64_t y) {
  if (y <= 0) return 0;
  const Int128 twice = 2 * Int128{x} + y;
  const Int128 q = twice / (2 * Int128{y});
  return static_cast<std::int64_t>(twice < 0 && q * 2 * y != twice ? q - 1 : q);
}

template <typename F>
Ints Each(Cells x, F f) {
  Ints out(x.size());
  std::transform(x.begin(), x.end(), out.begin(), f);
  return out;
}

Ints Maxima(Cells x, std::size_t row, std::int64_t divisor, std::int64_t offset) {
  Ints out(x.size() / row);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const Cells cells = x.subspan(i * row, row);
    out[i] = FloorDiv(*std::max_element(cells.begin(), cells.end()), divisor) - offset;
  }
  return out;
}

Ints FirstMinima(Cells x, std::size_t row) {
  Ints out(x.size());
  for (std::size_t i = 0; i < x.size(); i += row) {
    const Cells cells = x.subspan(i, row);
    const auto least = std::min_element(cells.begin(), cells.end()) - cells.begin();
    out[i + static_cast<std::size_t>(least)] = 1;
  }
  return out;
}

Ints OneHot(Cells x, std::size_t row) {
  Ints out(x.size() * row);
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (x[i] >= 0 && x[i] < static_cast<std::int64_t>(row)) {
      out[i * row + static_cast<std::size_t>(x[i])] = 1;
    }
  }
  return out;
}

// Companion `column` of the first row of `table` with this v.
std::int64_t LookUp(const Table& table, std::int64_t v, std::int64_t column) {
  for (const TableSegment& segment : table.segments) {
    const std::int64_t row = v - segment.first;
    if (row < 0 || row >= std::int64_t{1} << segment.log_rows) continue;
    const TableColumn& c = column == 1 ? segment.c1 : segment.c2;
    return c.values.empty() ? c.constant : c.values[static_cast<std::size_t>(row)];
  }
  FLAIR_CHECK(false) << "table '" << table.name << "' has no row " << v;
  return 0;
}

}  // namespace

Ints ComputeRule(const Circuit& circuit, const Rule& rule, const std::vector<Cells>& inputs) {
  const Cells x = inputs.empty() ? Cells{} : inputs[0];
  const auto parameter = [&](std::size_t i) { return rule.parameters[i]; };
  switch (rule.kind) {
    case RuleKind::kData:
    case RuleKind::kRecorded:
      break;
    case RuleKind::kQuotient:
      return Each(
          x, [&](std::int64_t v) { return FloorDiv(v + rule.parameters[1], rule.parameters[0]); });
    case RuleKind::kRemainder:
      return Each(x, [&](std::int64_t v) {
        v += rule.parameters[1];
        return v - FloorDiv(v, rule.parameters[0]) * rule.parameters[0];
      });
    case RuleKind::kPositive:
    case RuleKind::kGivenSign:
      return Each(x, [](std::int64_t v) { return v > 0 ? 1 : 0; });
    case RuleKind::kNegative:
      return Each(x, [](std::int64_t v) { return v < 0 ? 1 : 0; });
    case RuleKind::kDeviation: {
      Ints out(x.size());
      std::transform(x.begin(), x.end(), inputs[1].begin(), out.begin(),
                     [](std::int64_t v, std::int64_t sign) { return (v > 0 ? 1 : 0) ^ sign; });
      return out;
    }
    case RuleKind::kMaximum:
    case RuleKind::kGivenMaximum:
      return Maxima(x, static_cast<std::size_t>(parameter(0)), parameter(1), parameter(2));
    case RuleKind::kFirstMinimum:
    case RuleKind::kGivenMinimum:
      return FirstMinima(x, static_cast<std::size_t>(parameter(0)));
    case RuleKind::kOneHot:
      return OneHot(x, static_cast<std::size_t>(parameter(0)));
    case RuleKind::kTable: {
      const Table& table = circuit.tables[static_cast<std::size_t>(parameter(0))];
      return Each(x, [&](std::int64_t v) { return LookUp(table, v, rule.parameters[1]); });
    }
    case RuleKind::kReciprocal:
      return Each(
          x, [&](std::int64_t v) { return v > 0 ? rule.parameters[0] / v : rule.parameters[0]; });
    case RuleKind::kRoot:
      return Each(x, FloorRoot);
    case RuleKind::kRatio: {
      Ints out(x.size());
      std::transform(x.begin(), x.end(), inputs[1].begin(), out.begin(), Nearest);
      return out;
    }
  }
  FLAIR_CHECK(false) << "a rule that computes nothing";
  return {};
}

}  // namespace flair::circuit
