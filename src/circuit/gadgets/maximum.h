// The largest cell of each window, and which one it is.
//
// Place: circuit, over builder.h. docs/spec/lowering.md has the identities.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "circuit/builder.h"

namespace flair::circuit {

// Windows over a tensor; axes of what is in them: rows, kernel.
struct Windows {
  std::vector<AxisId> rows;
  std::vector<AxisId> kernel;
  std::vector<Window> slides;
  bool padded = false;  // some windows leave the tensor: those cells are none of theirs
};

struct Maximum {
  ValueId value;     // over the rows
  ValueId selector;  // over rows and kernel: 1 at the first largest cell of each window
  std::optional<ValueId> positive;
  // With a zone: of the sign (Builder::AddSigned); over rows and kernel, of the choice.
  std::optional<ValueId> deviation;
  std::optional<ValueId> choice_deviation;
};

// y = max of v_k, divisor v_k = x_k in the cells of a window:
//
//   y - g_k - B_k = v_k, g_k >= 0     B_k = sum of h_j over j > k: 1 before the chosen cell
//   sum h = 1, h_k = 1 only where g_k = 0
//   of a padded window: g_k = h_k = 0 outside of the tensor
//
// Before the chosen cell v is less than y, from it on at most y: everything is unique.
//
// With a zone of z > 0 bits another cell may be the chosen one: g_k >= -2^z, and where g_k < 0 a
// deviation is 1. REQUIRES then: g has one limb above the zone.
// `x`: divisor v over the axes of the tensor, or of the windows where `slides` is empty; v >=
// least. Sign::kRead: with the sign of y; `width` is Signable() then.
enum class Sign : std::uint8_t { kUnread, kRead };
Maximum AddMaximum(Builder& builder, const std::string& name, const Read& x, std::int64_t divisor,
                   std::int64_t least, const Windows& windows, const Width& width, Sign sign,
                   unsigned zone = 0);

}  // namespace flair::circuit
