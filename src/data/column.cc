// SPDX-License-Identifier: Apache-2.0
#include "data/column.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>

#include "program/fixed_point.h"
#include "program/shapes.h"

namespace flair::data {
namespace {

constexpr unsigned kInferredFloatBits = 15;  // four values share a cell
constexpr unsigned kMaxIntegerBits = 30;
constexpr int kMaxScale = 60;
constexpr std::int64_t kMostInferredClasses = 1 << 15;

// The largest and the smallest value, and where they are.
template <typename T>
struct Extremes {
  T lo = std::numeric_limits<T>::max();
  T hi = std::numeric_limits<T>::lowest();
  std::uint64_t at_lo = 0;
  std::uint64_t at_hi = 0;

  void Add(std::uint64_t index, T value) {
    if (value < lo) {
      lo = value;
      at_lo = index;
    }
    if (value > hi) {
      hi = value;
      at_hi = index;
    }
  }
};

std::string Number(double v) {
  std::array<char, 40> text{};
  const int size = std::snprintf(text.data(), text.size(), "%.9g", v);
  return {text.data(), static_cast<std::size_t>(size)};
}

Error NotFinite(const SourceColumn& source, std::uint64_t index, double v) {
  return AtRecord(source, index, std::isnan(v) ? "NaN is no number" : "it is infinite");
}

bool IsCalledLabel(std::string_view name) {
  return name == "label" || name == "labels" || name == "y" || name == "target";
}

Result<program::Format> InferIntegers(const SourceColumn& source,
                                      const Extremes<std::int64_t>& seen) {
  for (unsigned bits = 2; bits <= kMaxIntegerBits; ++bits) {
    const program::Format format{.bits = static_cast<std::uint8_t>(bits), .scale = 0};
    if (seen.lo >= format.lo() && seen.hi <= format.hi()) return format;
  }
  const bool low = seen.lo < -(std::int64_t{1} << (kMaxIntegerBits - 1));
  return AtRecord(source, low ? seen.at_lo : seen.at_hi,
                  std::to_string(low ? seen.lo : seen.hi) + " is more than 30 bits hold");
}

Result<program::Format> InferReals(const SourceColumn& source, const Extremes<double>& seen) {
  program::Format format{.bits = kInferredFloatBits, .scale = 0};
  if (seen.lo == 0 && seen.hi == 0) return format;
  const auto lo = static_cast<double>(format.lo()), hi = static_cast<double>(format.hi());
  for (int scale = kMaxScale; scale >= -kMaxScale; --scale) {
    if (program::RoundHalfUp(seen.lo, scale) < lo || program::RoundHalfUp(seen.hi, scale) > hi)
      continue;
    format.scale = static_cast<std::int8_t>(scale);
    return format;
  }
  const bool low = -seen.lo > seen.hi;
  return AtRecord(source, low ? seen.at_lo : seen.at_hi,
                  Number(low ? seen.lo : seen.hi) + " is too large for any scale");
}

std::vector<std::uint64_t> WithoutOnes(std::span<const std::uint64_t> dims) {
  std::vector<std::uint64_t> out;
  std::copy_if(dims.begin(), dims.end(), std::back_inserter(out), [](auto d) { return d != 1; });
  return out;
}

// Stores one value after the other, or says why not.
class Storing {
 public:
  Storing(const SourceColumn& source, const CardColumn& column)
      : source_(source), column_(column), lo_(column.format.lo()), hi_(column.format.hi()) {
    values_.reserve(source.num_elements());
  }

  Status Class(std::uint64_t index, std::int64_t v) {
    if (v < 0 || v >= std::int64_t{column_.classes}) {
      return AtRecord(
          source_, index,
          std::to_string(v) + " is none of " + std::to_string(column_.classes) + " classes");
    }
    values_.push_back(v);
    return OkStatus();
  }

  Status Integer(std::uint64_t index, std::int64_t v) {
    const int scale = column_.format.scale;
    if (scale >= 0) {
      // v 2^scale is within [lo, hi] just when v is within these; then it is below 2^30.
      if (v < -(-lo_ >> scale) || v > hi_ >> scale) return TooLarge(index, std::to_string(v));
      values_.push_back(v * (std::int64_t{1} << scale));
      return OkStatus();
    }
    const std::int64_t unit = std::int64_t{1} << -scale;
    if (v % unit != 0) {
      return AtRecord(source_, index,
                      std::to_string(v) + " is no multiple of 2^" + std::to_string(-scale));
    }
    if (v / unit < lo_ || v / unit > hi_) return TooLarge(index, std::to_string(v));
    values_.push_back(v / unit);
    return OkStatus();
  }

  Status Real(std::uint64_t index, double v) {
    if (!std::isfinite(v)) return NotFinite(source_, index, v);
    const double scaled = program::RoundHalfUp(v, column_.format.scale);
    if (scaled < static_cast<double>(lo_) || scaled > static_cast<double>(hi_)) {
      return TooLarge(index, Number(v));
    }
    values_.push_back(static_cast<std::int64_t>(scaled));
    return OkStatus();
  }

  std::vector<std::int64_t> Take() { return std::move(values_); }

 private:
  Error TooLarge(std::uint64_t index, const std::string& value) const {
    const int scale = column_.format.scale;
    return AtRecord(source_, index,
                    value + " is outside of [" +
                        Number(std::ldexp(static_cast<double>(lo_), -scale)) + ", " +
                        Number(std::ldexp(static_cast<double>(hi_), -scale)) + "], which " +
                        std::to_string(column_.format.bits) + " bits at scale " +
                        std::to_string(scale) + " hold");
  }

  const SourceColumn& source_;
  const CardColumn& column_;
  std::int64_t lo_;
  std::int64_t hi_;
  std::vector<std::int64_t> values_;
};

}  // namespace

Result<CardColumn> InferColumn(const SourceColumn& source) {
  FLAIR_DO(CheckUsable(source));
  CardColumn column{.name = source.name,
                    .dims = {source.dims.begin() + 1, source.dims.end()},
                    .source = source.dtype};
  if (IsFloat(source.dtype)) {
    Extremes<double> seen;
    FLAIR_DO(ForEachReal(source, [&](std::uint64_t first, auto values) -> Status {
      for (std::size_t i = 0; i < values.size(); ++i) {
        if (!std::isfinite(values[i])) return NotFinite(source, first + i, values[i]);
        seen.Add(first + i, values[i]);
      }
      return OkStatus();
    }));
    FLAIR_TRY(column.format, InferReals(source, seen));
    return column;
  }
  Extremes<std::int64_t> seen;
  FLAIR_DO(ForEachInteger(source, [&](std::uint64_t first, auto values) -> Status {
    for (std::size_t i = 0; i < values.size(); ++i) seen.Add(first + i, values[i]);
    return OkStatus();
  }));
  if (IsCalledLabel(source.name) && column.dims.empty() && seen.lo >= 0 &&
      seen.hi < kMostInferredClasses) {
    column.classes = static_cast<std::uint32_t>(std::max<std::int64_t>(2, seen.hi + 1));
    return column;
  }
  FLAIR_TRY(column.format, InferIntegers(source, seen));
  return column;
}

Result<CardColumn> ColumnFor(const SourceColumn& source, const program::Column& wanted) {
  FLAIR_DO(CheckUsable(source));
  const program::Dims row(source.dims.begin() + 1, source.dims.end());
  if (WithoutOnes(row) != WithoutOnes(wanted.row)) {
    return Error(ErrorCode::kInvalidArgument, "column '" + wanted.name + "': a record has dims " +
                                                  program::ToText(row) + "; the program's are " +
                                                  program::ToText(wanted.row));
  }
  if (wanted.is_label() && IsFloat(source.dtype)) {
    return Error(ErrorCode::kInvalidArgument, "column '" + wanted.name + "' holds " +
                                                  std::string(DTypeName(source.dtype)) +
                                                  "; classes are whole numbers");
  }
  CardColumn column{.name = wanted.name,
                    .dims = wanted.row,
                    .source = source.dtype,
                    .format = wanted.format,
                    .classes = wanted.classes};
  if (column.has_classes()) column.format = {};
  return column;
}

Result<std::vector<std::int64_t>> ReadColumn(const SourceColumn& source, const CardColumn& column) {
  // A class's format is unused, and has no range.
  CardColumn with_range = column;
  if (column.has_classes()) with_range.format = {.bits = 2, .scale = 0};
  Storing storing(source, with_range);
  const auto store_reals = [&](std::uint64_t first, std::span<const double> values) -> Status {
    for (std::size_t i = 0; i < values.size(); ++i) FLAIR_DO(storing.Real(first + i, values[i]));
    return OkStatus();
  };
  const auto store_integers = [&](std::uint64_t first,
                                  std::span<const std::int64_t> values) -> Status {
    for (std::size_t i = 0; i < values.size(); ++i) {
      FLAIR_DO(column.has_classes() ? storing.Class(first + i, values[i])
                                    : storing.Integer(first + i, values[i]));
    }
    return OkStatus();
  };
  FLAIR_DO(IsFloat(source.dtype) ? ForEachReal(source, store_reals)
                                 : ForEachInteger(source, store_integers));
  return storing.Take();
}

}  // namespace flair::data
