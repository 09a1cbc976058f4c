// The plan of a merge, tensor by tensor, from headers alone: what to keep, what to
// take, what to compute, and what cannot be merged, before any content is read.
//
// Place: merge. Pure. A conflict is a value in the plan, never an abort.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "merge/method.h"
#include "merge/roles.h"
#include "object/content.h"

namespace flair {

// One tensor name with its versions; nullptr where a side does not have it.
// REQUIRES: inputs.size() == bases.size() >= 1; the refs outlive the plan.
struct TensorSides {
  std::string name;
  const TensorRef* target = nullptr;     // B: the target's tip
  std::vector<const TensorRef*> inputs;  // W_i
  std::vector<const TensorRef*> bases;   // B_i: the merge base of input i and the target
  std::vector<std::string> input_names;  // for details; empty: "input 1", "input 2", ...
};

enum class TensorAction : std::uint8_t {
  kKeep,      // the target's version (absent when the target has none)
  kTake,      // input `input`'s version (absent: the input removed it)
  kTakeBase,  // base `input`'s version
  kCombine,   // the method, element by element
  kMaximum,   // a counter: the maximum over target and inputs, element by element
  kConflict,
};

enum class ConflictReason : std::uint8_t {
  kNone,
  kDTypeDiffers,
  kShapeDiffers,
  kMissing,         // on one side only
  kIntegersDiffer,  // integer tensors that are no counter
  kNotFloat,        // booleans and complex numbers
  kFrozenChanged,
  kFileDiffers,    // a file that is no model, changed on both sides
  kLayoutDiffers,  // model files whose non-tensor parts cannot be joined
  kChangedSince,   // a revert by history of what changed again since
};
std::string_view ConflictReasonText(ConflictReason reason);

struct TensorPlan {
  std::string name;
  TensorRole role = TensorRole::kTrainable;
  TensorAction action = TensorAction::kKeep;
  std::size_t input = 0;
  ConflictReason reason = ConflictReason::kNone;
  std::string detail;  // "input 2 has F16 [3, 4], the target F32 [3, 4]"
};

// The rule in words: docs/formats/merge.md, "Which version counts".
TensorPlan PlanTensor(const TensorSides& sides, const MergeRule& rule);
// With a role of the caller's choice instead of RoleOf(rule.roles, name).
TensorPlan PlanTensor(const TensorSides& sides, const MergeRule& rule, TensorRole role);

std::string DescribeTensor(const TensorRef& t);  // "F32 [64, 3, 3, 3]"

}  // namespace flair
