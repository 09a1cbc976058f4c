// SPDX-License-Identifier: Apache-2.0
#include "circuit/gadgets/exponential.h"

#include <array>
#include <cstddef>
#include <string>
#include <utility>

#include "base/check.h"

namespace flair::circuit {
namespace {

__extension__ using UInt128 = unsigned __int128;

// Fractions of 2^62. A product is rounded down: 20 of them lose less than 2^-57, and a value
// of 24 bits is the nearest integer unless it lies within 2^-33 of the middle of two.
constexpr unsigned kFraction = 62;
constexpr std::uint64_t kOne = std::uint64_t{1} << kFraction;

std::uint64_t Times(std::uint64_t a, std::uint64_t b) {
  return static_cast<std::uint64_t>((UInt128{a} * b) >> kFraction);
}

// exp(-2^exponent): below 1/2 by Taylor's series, above by squaring.
std::uint64_t ExpOfMinusPower(int exponent) {
  if (exponent >= 6) return 0;  // exp(-64) < 2^-92
  if (exponent > -2) {
    const std::uint64_t root = ExpOfMinusPower(exponent - 1);
    return Times(root, root);
  }
  if (exponent < -static_cast<int>(kFraction)) return kOne;
  const std::uint64_t x = kOne >> -exponent;
  std::uint64_t sum = kOne;
  std::uint64_t term = kOne;
  for (std::uint64_t n = 1; term != 0; ++n) {  // 1 - x + x^2/2 - ...
    term = Times(term, x) / n;
    sum = n % 2 == 1 ? sum - term : sum + term;
  }
  return sum;
}

}  // namespace

std::vector<std::int32_t> Exponentials(unsigned bits, int scale, unsigned value_bits) {
  FLAIR_CHECK(bits <= 20 && value_bits <= 24) << "a table of exponentials is too large";
  std::vector<std::uint64_t> factors;  // exp(-2^(j - scale))
  for (unsigned j = 0; j < bits; ++j) {
    factors.push_back(ExpOfMinusPower(static_cast<int>(j) - scale));
  }
  const std::uint64_t top = (std::uint64_t{1} << value_bits) - 1;
  std::vector<std::int32_t> values(std::size_t{1} << bits);
  std::vector<std::uint64_t> exact(values.size());
  exact[0] = kOne;
  for (unsigned j = 0; j < bits; ++j) {
    const std::size_t half = std::size_t{1} << j;
    for (std::size_t d = 0; d < half; ++d) exact[half + d] = Times(exact[d], factors[j]);
  }
  for (std::size_t d = 0; d < values.size(); ++d) {
    const UInt128 product = UInt128{exact[d]} * top + kOne / 2;
    values[d] = static_cast<std::int32_t>(static_cast<std::uint64_t>(product >> kFraction));
  }
  return values;
}

TableId AddExponentials(Builder& builder, unsigned bits, int scale, unsigned value_bits) {
  std::vector<std::int32_t> values = Exponentials(bits, scale, value_bits);
  const std::int32_t first = values[0];
  return builder.AddTable(
      {.name = "exp " + std::to_string(bits),
       .segments = {
           {.log_rows = bits, .first = 0, .c1 = {.constant = 0, .values = std::move(values)}},
           {.log_rows = 0,
            .first = 0,
            .c1 = {.constant = first, .values = {}},
            .c2 = {.constant = 1, .values = {}}}}});
}

}  // namespace flair::circuit
