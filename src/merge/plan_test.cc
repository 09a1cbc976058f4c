// SPDX-License-Identifier: Apache-2.0
#include "merge/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "merge/merge_testing.h"

namespace flair {
namespace {

using testing::HasSubstr;

// A header whose content is told apart by `version`; nothing is ever read.
TensorRef T(int version, DType dtype = DType::kF32, std::vector<std::uint64_t> dims = {4}) {
  TensorRef t{.dtype = dtype, .dims = std::move(dims), .content = {}};
  t.content.hash.bytes[0] = static_cast<std::byte>(version);
  t.content.size_bytes = DTypeBytes(dtype);
  for (const std::uint64_t d : t.dims) t.content.size_bytes *= d;
  return t;
}

struct Sides {
  std::optional<TensorRef> target;
  std::vector<std::optional<TensorRef>> inputs;
  std::vector<std::optional<TensorRef>> bases;
};

MergeRule EqualRule(MergeMethod method, std::size_t n) {
  MergeRule rule;
  rule.method = method;
  rule.alpha.assign(n, kAlphaOne / static_cast<std::uint32_t>(n));
  return rule;
}

TensorPlan Plan(const Sides& s, MergeRule rule, const std::string& name = "w") {
  TensorSides sides;
  sides.name = name;
  const auto pointer = [](const std::optional<TensorRef>& t) { return t ? &*t : nullptr; };
  sides.target = pointer(s.target);
  for (const auto& t : s.inputs) sides.inputs.push_back(pointer(t));
  for (const auto& t : s.bases) sides.bases.push_back(pointer(t));
  return PlanTensor(sides, rule);
}
TensorPlan Plan(const Sides& s, const std::string& name = "w") {
  return Plan(s, EqualRule(MergeMethod::kFedAvg, s.inputs.size()), name);
}

TEST(PlanTest, WhichVersionCounts) {
  using enum TensorAction;
  const std::nullopt_t none = std::nullopt;
  const struct {
    const char* situation;
    Sides sides;
    TensorAction action;
  } kCases[] = {
      {"nobody changed it", {T(1), {T(1)}, {T(1)}}, kKeep},
      {"the target alone did", {T(2), {T(1)}, {T(1)}}, kKeep},
      {"the input alone did", {T(1), {T(2)}, {T(1)}}, kTake},
      {"both did the same", {T(2), {T(2)}, {T(1)}}, kKeep},
      {"both did", {T(2), {T(3)}, {T(1)}}, kCombine},
      {"two inputs did", {T(1), {T(2), T(3)}, {T(1), T(1)}}, kCombine},
      {"two inputs agree", {T(1), {T(2), T(2)}, {T(1), T(1)}}, kTake},
      {"one of two did: the other votes", {T(1), {T(2), T(1)}, {T(1), T(1)}}, kCombine},
      {"two bases", {T(2), {T(3), T(4)}, {T(1), T(2)}}, kCombine},
      {"added by the input", {none, {T(1)}, {none}}, kTake},
      {"removed by the input", {T(1), {none}, {T(1)}}, kTake},
      {"removed by the target", {none, {T(1)}, {T(1)}}, kKeep},
      {"removed and changed", {none, {T(2)}, {T(1)}}, kConflict},
      {"changed and removed", {T(2), {none}, {T(1)}}, kConflict},
      {"added twice, differently", {T(1), {T(2)}, {none}}, kConflict},
      {"added twice, equally", {T(1), {T(1)}, {none}}, kKeep},
      {"added by one of two", {none, {T(1), none}, {none, none}}, kTake},
      {"reshaped by the input alone", {T(1), {T(2, DType::kF32, {8})}, {T(1)}}, kTake},
      {"integers, one of two",
       {T(1, DType::kI64),
        {T(2, DType::kI64), T(1, DType::kI64)},
        {T(1, DType::kI64), T(1, DType::kI64)}},
       kTake},
  };
  for (const auto& c : kCases) {
    const TensorPlan plan = Plan(c.sides);
    EXPECT_EQ(plan.action, c.action) << c.situation << ": " << plan.detail;
  }
}

TEST(PlanTest, EveryConflictHasItsReason) {
  const auto i64 = [](int v) { return T(v, DType::kI64); };
  const struct {
    Sides sides;
    ConflictReason reason;
    const char* detail;
  } kCases[] = {
      {{T(1), {T(2), T(3, DType::kF16)}, {T(1), T(1)}},
       ConflictReason::kDTypeDiffers,
       "input 2 has F16 [4], the target F32 [4]"},
      {{T(1), {T(2, DType::kF32, {2, 2}), T(3)}, {T(1), T(1)}},
       ConflictReason::kShapeDiffers,
       "input 1 has F32 [2, 2], the target F32 [4]"},
      {{T(2), {T(3)}, {T(1, DType::kF32, {5})}},
       ConflictReason::kShapeDiffers,
       "the base of input 1 has F32 [5]"},
      {{T(2), {std::nullopt}, {T(1)}}, ConflictReason::kMissing, "input 1 has no such tensor"},
      {{i64(1), {i64(2), i64(3)}, {i64(1), i64(1)}}, ConflictReason::kIntegersDiffer, "I64 [4]"},
      {{T(1, DType::kBool),
        {T(2, DType::kBool), T(3, DType::kBool)},
        {T(1, DType::kBool), T(1, DType::kBool)}},
       ConflictReason::kNotFloat,
       "BOOL [4]"},
      {{T(2, DType::kC64), {T(3, DType::kC64)}, {T(1, DType::kC64)}},
       ConflictReason::kNotFloat,
       "C64 [4]"},
  };
  for (const auto& c : kCases) {
    const TensorPlan plan = Plan(c.sides);
    EXPECT_EQ(plan.action, TensorAction::kConflict) << c.detail;
    EXPECT_EQ(plan.reason, c.reason) << plan.detail;
    EXPECT_THAT(plan.detail, HasSubstr(c.detail));
  }
}

TEST(PlanTest, RolesComeBeforeTheMethod) {
  MergeRule rule = EqualRule(MergeMethod::kFedAvg, 1);
  rule.roles.local = {"local"};
  rule.roles.frozen = {"frozen"};
  EXPECT_EQ(Plan({T(1), {T(2)}, {T(1)}}, rule, "local").action, TensorAction::kKeep);
  EXPECT_EQ(Plan({T(1), {T(2)}, {T(1)}}, rule, "frozen").reason, ConflictReason::kFrozenChanged);
  EXPECT_EQ(Plan({T(2), {T(1)}, {T(1)}}, rule, "frozen").action, TensorAction::kKeep);
  const Sides counters = {T(1, DType::kI64),
                          {T(2, DType::kI64), T(3, DType::kI64)},
                          {T(1, DType::kI64), T(1, DType::kI64)}};
  EXPECT_EQ(Plan(counters, "bn.num_batches_tracked").action, TensorAction::kMaximum);
  const Sides float_counter = {T(1), {T(2), T(3)}, {T(1), T(1)}};
  EXPECT_EQ(Plan(float_counter, "bn.num_batches_tracked").action, TensorAction::kCombine);
}

TEST(PlanTest, ADiscountedInputIsNotTakenWhole) {
  MergeRule rule = EqualRule(MergeMethod::kFedAvg, 1);
  rule.alpha = {kAlphaOne - 1};
  EXPECT_EQ(Plan({T(1), {T(2)}, {T(1)}}, rule).action, TensorAction::kCombine);
  rule.method = MergeMethod::kMedian;
  EXPECT_EQ(Plan({T(1), {T(2)}, {T(1)}}, rule).action, TensorAction::kTake);
}

TEST(PlanTest, ChoosingMethodsNeverConflict) {
  const Sides sides = {T(2), {T(3, DType::kF16)}, {T(1)}};
  EXPECT_EQ(Plan(sides, EqualRule(MergeMethod::kOurs, 1)).action, TensorAction::kKeep);
  EXPECT_EQ(Plan(sides, EqualRule(MergeMethod::kTheirs, 1)).action, TensorAction::kTake);
  EXPECT_EQ(Plan(sides, EqualRule(MergeMethod::kBase, 1)).action, TensorAction::kTakeBase);
}

}  // namespace
}  // namespace flair
