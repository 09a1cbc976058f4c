// SPDX-License-Identifier: Apache-2.0
#include "merge/weights.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <utility>

#include "base/check.h"
#include "merge/method.h"

namespace flair {
namespace {

// 2^24 * 2^40 still fits 64 bits, with room for nothing more.
constexpr std::uint64_t kMaxSampleSum = (std::uint64_t{1} << 40) - 1;

// Hands out the units that rounding down left over, largest remainder first.
std::vector<std::uint32_t> Apportion(std::span<const std::uint64_t> parts, std::uint64_t sum) {
  std::vector<std::uint32_t> alpha(parts.size());
  std::vector<std::uint64_t> remainder(parts.size());
  std::uint64_t given = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::uint64_t scaled = std::uint64_t{kAlphaOne} * parts[i];
    alpha[i] = static_cast<std::uint32_t>(scaled / sum);
    remainder[i] = scaled % sum;
    given += alpha[i];
  }
  std::vector<std::size_t> order(parts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return remainder[a] > remainder[b]; });
  // Fewer units are left than there are inputs: each remainder is below one unit.
  for (std::size_t i = 0; given < kAlphaOne; ++i, ++given) ++alpha[order[i]];
  return alpha;
}

std::uint64_t IntegerSqrt(std::uint64_t v) {
  auto root = static_cast<std::uint64_t>(std::sqrt(static_cast<double>(v)));
  root = std::min<std::uint64_t>(root, 0xffff'ffff);
  while (root * root > v) --root;
  while (root < 0xffff'ffff && (root + 1) * (root + 1) <= v) ++root;
  return root;
}

}  // namespace

Result<std::vector<std::uint32_t>> WeightsBySamples(std::span<const std::uint64_t> samples) {
  if (samples.empty()) return Error(ErrorCode::kInvalidArgument, "no input to weigh");
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (samples[i] == 0) {
      return Error(ErrorCode::kInvalidArgument,
                   "input " + std::to_string(i + 1) + " declares no sample count")
          .WithHint("weigh the inputs equally, or give the weights");
    }
    if (samples[i] > kMaxSampleSum - sum) {
      return Error(ErrorCode::kInvalidArgument,
                   "sample counts add up to more than " + std::to_string(kMaxSampleSum));
    }
    sum += samples[i];
  }
  return Apportion(samples, sum);
}

std::vector<std::uint32_t> EqualWeights(std::size_t num_inputs) {
  FLAIR_CHECK(num_inputs > 0) << "weights of no input";
  return Apportion(std::vector<std::uint64_t>(num_inputs, 1), num_inputs);
}

std::uint32_t DiscountForStaleness(std::uint32_t alpha, std::uint64_t staleness) {
  if (staleness == ~std::uint64_t{0}) return 0;
  // k^2 (1 + s) <= a^2  <=>  k^2 <= floor(a^2 / (1 + s)), because k^2 is an integer.
  const std::uint64_t square = std::uint64_t{alpha} * alpha;
  return static_cast<std::uint32_t>(IntegerSqrt(square / (1 + staleness)));
}

Result<std::uint32_t> ParseWeight(std::string_view text) {
  constexpr std::uint64_t kBillion = 1'000'000'000;
  std::string wrong(text.substr(0, 40));
  wrong += ": no weight; write a decimal from 0 to 255 like 0.25";
  const Error bad(ErrorCode::kInvalidArgument, std::move(wrong));
  const std::size_t point = std::min(text.find('.'), text.size());
  const std::string_view whole = text.substr(0, point);
  const std::string_view fraction = point < text.size() ? text.substr(point + 1) : "";
  if (whole.empty() || whole.size() > 3 || fraction.size() > 9) return bad;
  if (point < text.size() && fraction.empty()) return bad;
  std::uint64_t billionths = 0;
  for (const std::string_view digits : {whole, fraction}) {
    for (const char c : digits) {
      if (c < '0' || c > '9') return bad;
      billionths = billionths * 10 + static_cast<std::uint64_t>(c - '0');
    }
  }
  for (std::size_t i = fraction.size(); i < 9; ++i) billionths *= 10;
  if (billionths > 255 * kBillion) return bad;
  // billionths < 2^38, so the product stays below 2^62.
  return static_cast<std::uint32_t>((billionths * kAlphaOne + kBillion / 2) / kBillion);
}

}  // namespace flair
