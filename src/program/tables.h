// The operators, optimisers, clipping rules and profile lines that a program may name.
//
// Place: program, above signature.h. Codes are bytes of the canonical encoding
// (docs/spec/program.md, which also lists the codes that are reserved): append only.
// Thread safety: constants.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "program/signature.h"

namespace flair::program {

// Forward operators. Reverse-only ones live in graph.h: no program names them.
enum class OpCode : std::uint8_t {
  kLinear = 1,
  kMatmul = 2,
  kConv = 3,
  kAdd = 5,
  kMul = 6,
  kAffine = 7,
  kRelu = 8,
  kReduce = 13,
  kMaxPool = 14,
  kAvgPool = 15,
  kReshape = 20,
  kPermute = 21,
  kSlice = 23,
  kConcat = 24,
  kFlatten = 28,
  kBatchNorm = 32,
  kDropout = 33,
  kCrossEntropy = 40,
  kMse = 42,
};

std::span<const Signature> Operators();

enum class OptimiserCode : std::uint8_t { kSgd = 1, kAdam = 2, kAdamW = 3 };
std::span<const Signature> Optimisers();

enum class ClipCode : std::uint8_t { kNone = 0, kNorm = 1 };
std::span<const Signature> Clips();

// A signed integer of `bits` bits with unit 2^-scale. An unused scale is 0.
struct Format {
  std::uint8_t bits = 0;
  std::int8_t scale = 0;

  bool operator==(const Format&) const = default;
  std::int64_t lo() const { return -(std::int64_t{1} << (bits - 1)); }
  std::int64_t hi() const { return (std::int64_t{1} << (bits - 1)) - 1; }
};

// Widths and scales of the integers that carry the training, by class of tensor.
enum class ProfileLine : std::uint8_t {
  kLimb = 0,
  kTieZone,
  kActivation,
  kGradient,
  kUpdateGradient,
  kMomentum,
  kLogit,
  kProbability,
  kStatistics,
  kNormGradient,
  kAdamGradient,
  kAdamMean,
  kAdamRoot,
  kAdamUpdate,
  kClipNorm,
};
inline constexpr std::size_t kNumProfileLines = 15;

struct ProfileInfo {
  std::string_view name;
  Format otherwise;  // docs/spec/program.md says where each comes from
  std::uint8_t min_bits;
  std::uint8_t max_bits;
  bool has_scale;
};
const ProfileInfo& InfoOf(ProfileLine line);
// Null-like: kNumProfileLines when no line has this name.
std::size_t ProfileLineByName(std::string_view name);

using Profile = std::array<Format, kNumProfileLines>;
Profile DefaultProfile();

}  // namespace flair::program
