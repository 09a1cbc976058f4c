// SPDX-License-Identifier: Apache-2.0
#include "zk/pcs/shape.h"

#include <algorithm>
#include <string>

#include "base/check.h"
#include "crypto/sha256.h"

namespace flair::zk {
namespace {

constexpr std::string_view kLabel = "flair zk comm v1";
constexpr std::uint64_t kTop = std::uint64_t{1} << 63;

// A number below 1 as mantissa 2^-exponent, the mantissa in [2^63, 2^64); always rounded up,
// so that it is never below what it stands for, and the same on every machine.
class UpperBound {
 public:
  // Times a/b, a <= b < 2^63.
  void Multiply(std::uint64_t a, std::uint64_t b) {
    const Uint128 product = static_cast<Uint128>(mantissa_) * a;
    Uint128 quotient = (product + b - 1) / b;
    if (quotient == 0) quotient = 1;
    mantissa_ = static_cast<std::uint64_t>(quotient);  // <= the old mantissa, as a <= b
    while (mantissa_ < kTop) {
      mantissa_ *= 2;
      ++exponent_;
    }
  }
  bool AtMostTwoTo(int minus_bits) const {
    // mantissa 2^-exponent <= 2^-bits.
    const int limit = exponent_ - minus_bits;
    return limit > 64 || (limit == 64) || (limit == 63 && mantissa_ == kTop);
  }
  // In units of 2^-128.
  Uint128 Parts() const {
    if (exponent_ == 63) return ~Uint128{0};  // 1 is a unit more
    const Uint128 mantissa = mantissa_;
    if (exponent_ <= 128) return mantissa << (128 - exponent_);
    return exponent_ >= 192 ? 1 : (mantissa >> (exponent_ - 128)) + 1;
  }

 private:
  std::uint64_t mantissa_ = kTop;
  int exponent_ = 63;
};

// a = k + e: where a word that is off the code may agree with a codeword.
std::uint64_t Agreeing(std::uint64_t row_length, std::uint64_t n) {
  return row_length + (n - row_length) / 2;
}

Status Wrong(const MatrixShape& s, const char* why) {
  return Error(ErrorCode::kInvalidArgument,
               "a matrix of 2^" + std::to_string(s.log_columns) + " columns, " +
                   std::to_string(s.num_pads) + " pads and " + std::to_string(s.num_rows) +
                   " rows over 2^" + std::to_string(s.log_n) + " points: " + why);
}

}  // namespace

std::string_view MatrixKindName(MatrixKind kind) {
  switch (kind) {
    case MatrixKind::kWitness:
      return "witness";
    case MatrixKind::kCompanion:
      return "companion";
    case MatrixKind::kWeights:
      return "weights";
    case MatrixKind::kState:
      return "state";
    case MatrixKind::kData:
      return "data";
    case MatrixKind::kTail:
      return "tail";
  }
  return "unknown";
}

std::optional<MatrixKind> MatrixKindNamed(std::string_view name) {
  for (std::uint8_t kind = 1; MatrixKindName(MatrixKind{kind}) != "unknown"; ++kind) {
    if (MatrixKindName(MatrixKind{kind}) == name) return MatrixKind{kind};
  }
  return std::nullopt;
}

bool KeptWithItsSeed(MatrixKind kind) {
  return kind == MatrixKind::kWeights || kind == MatrixKind::kState || kind == MatrixKind::kData;
}

Status CheckShape(const MatrixShape& s) {
  if (s.log_columns > kMaxLogColumns || s.log_n > kMaxLogN) return Wrong(s, "too wide");
  if (s.num_rows == 0 || s.num_rows > kMaxRows) return Wrong(s, "no such number of rows");
  if (s.num_rows > kMaxCells >> s.log_columns) return Wrong(s, "too many cells");
  if (s.num_pads > s.num_columns()) return Wrong(s, "more pads than cells in a row");
  if (s.row_length() >= s.n()) return Wrong(s, "no redundancy");
  if (MatrixKindName(s.kind) == "unknown") return Wrong(s, "unknown kind");
  return OkStatus();
}

bool SameGroup(const MatrixShape& a, const MatrixShape& b) {
  return a.log_columns == b.log_columns && a.log_n == b.log_n && a.num_pads == b.num_pads;
}

Digest MatrixDigest(const MatrixShape& shape, const Digest& root) {
  Bytes message = ToBytes(kLabel);
  for (const std::uint64_t number :
       {std::uint64_t{shape.log_columns}, std::uint64_t{shape.log_n}, shape.num_rows,
        shape.num_pads, static_cast<std::uint64_t>(shape.kind)}) {
    AppendLe64(message, number);
  }
  Append(message, root.view());
  return Sha256(message);
}

std::uint64_t NumQueries(std::uint64_t row_length, std::uint64_t n, unsigned work_bits) {
  FLAIR_CHECK(work_bits <= kMaxQueryWorkBits) << "more work than anybody does";
  const std::uint64_t a = Agreeing(row_length, n);
  UpperBound missed;
  for (std::uint64_t t = 0; t <= std::min(a, kMaxQueries); ++t) {
    if (missed.AtMostTwoTo(static_cast<int>(kQueryBits - work_bits))) return t;
    missed.Multiply(a - t, n - t);
  }
  return 0;
}

Uint128 MissedParts(std::uint64_t row_length, std::uint64_t n, std::uint64_t num_queries) {
  const std::uint64_t a = Agreeing(row_length, n);
  UpperBound missed;
  for (std::uint64_t t = 0; t < num_queries && t < a; ++t) missed.Multiply(a - t, n - t);
  return missed.Parts();
}

std::uint64_t PadsForOneOpening(unsigned log_columns, unsigned log_n) {
  const std::uint64_t columns = std::uint64_t{1} << log_columns;
  const std::uint64_t n = std::uint64_t{1} << log_n;
  for (std::uint64_t h = 1; h <= columns && columns + h < n; ++h) {
    const std::uint64_t queries = NumQueries(columns + h, n);
    if (queries == 0) return 0;  // more pads only make it worse
    if (queries <= h) return h;
  }
  return 0;
}

}  // namespace flair::zk
