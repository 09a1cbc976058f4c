// SPDX-License-Identifier: Apache-2.0
#include "program/tables.h"

namespace flair::program {
namespace {

using Kind = AttributeKind;

AttributeInfo Integer(std::string_view name, std::int64_t otherwise) {
  return {name, Kind::kInteger, {}, {otherwise}};
}
AttributeInfo List(std::string_view name, std::vector<std::int64_t> otherwise) {
  return {name, Kind::kList, {}, std::move(otherwise)};
}
AttributeInfo Fraction(std::string_view name, std::int64_t num, std::int64_t den) {
  return {name, Kind::kRational, {}, {num, den}};
}
AttributeInfo Word(std::string_view name, std::vector<std::string_view> words) {
  return {name, Kind::kWord, std::move(words), {0}};
}

std::uint8_t Code(OpCode code) { return static_cast<std::uint8_t>(code); }
std::uint8_t Code(OptimiserCode code) { return static_cast<std::uint8_t>(code); }
std::uint8_t Code(ClipCode code) { return static_cast<std::uint8_t>(code); }

std::vector<Signature> MakeOperators() {
  const AttributeInfo stride = List("stride", {1, 1});
  const AttributeInfo pad = List("pad", {0, 0, 0, 0});
  return {
      {Code(OpCode::kLinear), "linear", 2, 3, {}},
      {Code(OpCode::kMatmul),
       "matmul",
       2,
       2,
       {Word("transpose_a", {"no", "yes"}), Word("transpose_b", {"no", "yes"})}},
      {Code(OpCode::kConv),
       "conv",
       2,
       3,
       {stride, pad, List("dilation", {1, 1}), Integer("groups", 1)}},
      {Code(OpCode::kAdd), "add", 2, 2, {Fraction("alpha", 1, 1), Fraction("beta", 1, 1)}},
      {Code(OpCode::kMul), "mul", 2, 2, {}},
      {Code(OpCode::kAffine), "affine", 1, 1, {Fraction("scale", 1, 1), Fraction("shift", 0, 1)}},
      {Code(OpCode::kRelu), "relu", 1, 1, {}},
      {Code(OpCode::kReduce), "reduce", 1, 1, {List("axes", {}), Word("by", {"sum", "mean"})}},
      {Code(OpCode::kMaxPool),
       "max_pool",
       1,
       1,
       {List("window", {2, 2}), List("stride", {2, 2}), pad}},
      {Code(OpCode::kAvgPool), "avg_pool", 1, 1, {List("window", {2, 2}), List("stride", {2, 2})}},
      {Code(OpCode::kReshape), "reshape", 1, 1, {List("dims", {})}},
      {Code(OpCode::kPermute), "permute", 1, 1, {List("axes", {})}},
      {Code(OpCode::kSlice),
       "slice",
       1,
       1,
       {Integer("axis", 1), Integer("begin", 0), Integer("size", 1)}},
      {Code(OpCode::kConcat), "concat", 2, 64, {Integer("axis", 1)}},
      {Code(OpCode::kFlatten), "flatten", 1, 1, {}},
      {Code(OpCode::kBatchNorm),
       "batch_norm",
       5,
       5,
       {Word("mode", {"train", "eval"}), Fraction("eps", 1, 100'000), Fraction("momentum", 1, 10),
        Word("running_variance", {"unbiased", "biased"})}},
      {Code(OpCode::kDropout), "dropout", 1, 1, {Fraction("p", 1, 2)}},
      {Code(OpCode::kCrossEntropy), "cross_entropy", 2, 2, {}},
      {Code(OpCode::kMse), "mse", 2, 2, {}},
  };
}

std::vector<Signature> MakeOptimisers() {
  return {
      {Code(OptimiserCode::kSgd),
       "sgd",
       0,
       0,
       {Fraction("momentum", 0, 1), Fraction("dampening", 0, 1), Word("nesterov", {"no", "yes"}),
        Fraction("weight_decay", 0, 1), Word("rule", {"torch", "keras"})}},
      {Code(OptimiserCode::kAdam),
       "adam",
       0,
       0,
       {Fraction("beta1", 9, 10), Fraction("beta2", 999, 1000), Fraction("eps", 1, 100'000'000),
        Fraction("weight_decay", 0, 1), Word("rule", {"torch", "keras"})}},
      {Code(OptimiserCode::kAdamW),
       "adamw",
       0,
       0,
       {Fraction("beta1", 9, 10), Fraction("beta2", 999, 1000), Fraction("eps", 1, 100'000'000),
        Fraction("weight_decay", 1, 100), Word("rule", {"torch", "keras"})}},
  };
}

std::vector<Signature> MakeClips() {
  return {
      {Code(ClipCode::kNone), "none", 0, 0, {}},
      {Code(ClipCode::kNorm), "norm", 0, 0, {Fraction("limit", 1, 1)}},
  };
}

constexpr std::array<ProfileInfo, kNumProfileLines> kProfile = {{
    {"limb", {20, 0}, 8, 24, false},
    {"tie_zone", {6, 0}, 1, 12, false},
    {"activation", {24, 18}, 4, 30, true},
    {"gradient", {24, 28}, 4, 30, true},
    {"update_gradient", {35, 32}, 8, 40, true},
    {"momentum", {35, 32}, 8, 40, true},
    {"logit", {20, 14}, 8, 20, true},
    {"probability", {24, 0}, 8, 24, false},
    {"statistics", {30, 22}, 8, 40, true},
    {"norm_gradient", {35, 32}, 8, 40, true},
    {"adam_gradient", {31, 28}, 8, 40, true},
    {"adam_mean", {37, 36}, 8, 44, true},
    {"adam_root", {31, 33}, 8, 36, true},
    {"adam_update", {32, 30}, 8, 40, true},
    {"clip_norm", {31, 20}, 8, 40, true},
}};

}  // namespace

std::span<const Signature> Operators() {
  static const std::vector<Signature> table = MakeOperators();
  return table;
}

std::span<const Signature> Optimisers() {
  static const std::vector<Signature> table = MakeOptimisers();
  return table;
}

std::span<const Signature> Clips() {
  static const std::vector<Signature> table = MakeClips();
  return table;
}

const ProfileInfo& InfoOf(ProfileLine line) { return kProfile[static_cast<std::size_t>(line)]; }

std::size_t ProfileLineByName(std::string_view name) {
  std::size_t i = 0;
  while (i < kNumProfileLines && kProfile[i].name != name) ++i;
  return i;
}

Profile DefaultProfile() {
  Profile profile;
  for (std::size_t i = 0; i < kNumProfileLines; ++i) profile[i] = kProfile[i].otherwise;
  return profile;
}

}  // namespace flair::program
