// SPDX-License-Identifier: Apache-2.0
#include "merge/plan.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "base/check.h"

namespace flair {
namespace {

bool Same(const TensorRef* a, const TensorRef* b) {
  if (a == nullptr || b == nullptr) return a == b;
  return *a == *b;
}

bool IsInteger(DType t) {
  switch (t) {
    case DType::kU8:
    case DType::kI8:
    case DType::kI16:
    case DType::kU16:
    case DType::kI32:
    case DType::kU32:
    case DType::kI64:
    case DType::kU64:
      return true;
    default:
      return false;
  }
}

std::string InputName(const TensorSides& sides, std::size_t i) {
  return "input " + (i < sides.input_names.size() ? sides.input_names[i] : std::to_string(i + 1));
}

std::string Has(const TensorRef* t) { return t == nullptr ? "no such tensor" : DescribeTensor(*t); }

TensorPlan Conflict(TensorPlan plan, ConflictReason reason, std::string detail) {
  plan.action = TensorAction::kConflict;
  plan.reason = reason;
  plan.detail = std::move(detail);
  return plan;
}

TensorPlan Take(TensorPlan plan, std::size_t input) {
  plan.action = TensorAction::kTake;
  plan.input = input;
  return plan;
}

TensorPlan Do(TensorPlan plan, TensorAction action) {
  plan.action = action;
  return plan;
}

// Do the weights add up to one, so that equal inputs merge into themselves?
bool WeightsAreWhole(const MergeRule& rule) {
  if (rule.method != MergeMethod::kFedAvg && rule.method != MergeMethod::kLinear) return true;
  return std::accumulate(rule.alpha.begin(), rule.alpha.end(), std::uint64_t{0}) == kAlphaOne;
}

// Every input says the same, and the target is where all of them started.
bool AllAgree(const TensorSides& sides) {
  return std::all_of(sides.inputs.begin(), sides.inputs.end(),
                     [&](const TensorRef* t) { return Same(t, sides.inputs[0]); }) &&
         std::all_of(sides.bases.begin(), sides.bases.end(),
                     [&](const TensorRef* t) { return Same(t, sides.target); });
}

// For what no arithmetic joins: the inputs that changed it agree, and the target
// is what they started from.
std::optional<std::size_t> AgreedChange(const TensorSides& sides) {
  std::optional<std::size_t> first;
  for (std::size_t i = 0; i < sides.inputs.size(); ++i) {
    if (Same(sides.inputs[i], sides.bases[i])) continue;
    if (!Same(sides.bases[i], sides.target)) return std::nullopt;
    if (!first) first = i;
    if (!Same(sides.inputs[i], sides.inputs[*first])) return std::nullopt;
  }
  return first;
}

// The first side whose header does not fit the target's.
std::optional<TensorPlan> HeaderConflict(const TensorSides& sides, const TensorPlan& plan) {
  const auto check = [&](const TensorRef* t, const std::string& who) -> std::optional<TensorPlan> {
    const std::string detail = who + " has " + Has(t) + ", the target " + Has(sides.target);
    if (t == nullptr || sides.target == nullptr) {
      if (t == sides.target) return std::nullopt;
      return Conflict(plan, ConflictReason::kMissing, detail);
    }
    if (t->dtype != sides.target->dtype) {
      return Conflict(plan, ConflictReason::kDTypeDiffers, detail);
    }
    if (t->dims != sides.target->dims) return Conflict(plan, ConflictReason::kShapeDiffers, detail);
    return std::nullopt;
  };
  for (std::size_t i = 0; i < sides.inputs.size(); ++i) {
    if (auto conflict = check(sides.inputs[i], InputName(sides, i))) return conflict;
  }
  for (std::size_t i = 0; i < sides.bases.size(); ++i) {
    if (auto conflict = check(sides.bases[i], "the base of " + InputName(sides, i))) {
      return conflict;
    }
  }
  return std::nullopt;
}

TensorPlan PlanFrozen(const TensorSides& sides, TensorPlan plan) {
  for (std::size_t i = 0; i < sides.inputs.size(); ++i) {
    if (Same(sides.inputs[i], sides.bases[i]) || Same(sides.inputs[i], sides.target)) continue;
    return Conflict(std::move(plan), ConflictReason::kFrozenChanged,
                    InputName(sides, i) + " changes it");
  }
  return plan;
}

TensorPlan PlanBothChanged(const TensorSides& sides, const MergeRule& rule, TensorPlan plan) {
  switch (rule.method) {
    case MergeMethod::kOurs:
      return plan;
    case MergeMethod::kTheirs:
      return Take(std::move(plan), 0);
    case MergeMethod::kBase:
      return Do(std::move(plan), TensorAction::kTakeBase);
    default:
      break;
  }
  if (auto conflict = HeaderConflict(sides, plan)) {
    if (const auto input = AgreedChange(sides)) return Take(std::move(plan), *input);
    return *std::move(conflict);
  }
  const DType dtype = sides.target->dtype;
  if (IsFloat(dtype)) return Do(std::move(plan), TensorAction::kCombine);
  if (plan.role == TensorRole::kCounter && IsInteger(dtype)) {
    return Do(std::move(plan), TensorAction::kMaximum);
  }
  if (const auto input = AgreedChange(sides)) return Take(std::move(plan), *input);
  return Conflict(std::move(plan),
                  IsInteger(dtype) ? ConflictReason::kIntegersDiffer : ConflictReason::kNotFloat,
                  DescribeTensor(*sides.target) + " differs between the sides");
}

}  // namespace

std::string_view ConflictReasonText(ConflictReason reason) {
  switch (reason) {
    case ConflictReason::kNone:
      return "no conflict";
    case ConflictReason::kDTypeDiffers:
      return "dtype differs";
    case ConflictReason::kShapeDiffers:
      return "shape differs";
    case ConflictReason::kMissing:
      return "missing on one side";
    case ConflictReason::kIntegersDiffer:
      return "integers differ";
    case ConflictReason::kNotFloat:
      return "cannot be averaged";
    case ConflictReason::kFrozenChanged:
      return "frozen tensor changed";
    case ConflictReason::kFileDiffers:
      return "file changed on both sides";
    case ConflictReason::kLayoutDiffers:
      return "file layouts differ";
    case ConflictReason::kChangedSince:
      return "changed again since";
  }
  return "unknown";
}

std::string DescribeTensor(const TensorRef& t) {
  std::string out(DTypeName(t.dtype));
  out += " [";
  for (std::size_t i = 0; i < t.dims.size(); ++i) {
    if (i > 0) out += ", ";
    out += std::to_string(t.dims[i]);
  }
  return out + "]";
}

TensorPlan PlanTensor(const TensorSides& sides, const MergeRule& rule) {
  return PlanTensor(sides, rule, RoleOf(rule.roles, sides.name));
}

TensorPlan PlanTensor(const TensorSides& sides, const MergeRule& rule, TensorRole role) {
  FLAIR_CHECK(!sides.inputs.empty() && sides.inputs.size() == sides.bases.size())
      << "sides of tensor " << sides.name;
  TensorPlan plan;
  plan.name = sides.name;
  plan.role = role;

  if (sides.target != nullptr && plan.role == TensorRole::kLocal) return plan;
  if (sides.target != nullptr && plan.role == TensorRole::kFrozen) return PlanFrozen(sides, plan);

  bool anything_new = false;
  for (std::size_t i = 0; i < sides.inputs.size(); ++i) {
    anything_new |= !Same(sides.inputs[i], sides.bases[i]) && !Same(sides.inputs[i], sides.target);
  }
  if (!anything_new) return plan;
  if (AllAgree(sides) && WeightsAreWhole(rule)) return Take(std::move(plan), 0);
  return PlanBothChanged(sides, rule, std::move(plan));
}

}  // namespace flair
