// The largest cell of each window, and which one it is.
//
// Place: circuit, over builder.h. docs/spec/step.md has the identities.
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
  std::optional<ValueId> deviation;  // of the sign, with a zone (Builder::AddSigned)
};

// y = max of v_k, divisor v_k = x_k in the cells of a window:
//
//   y - g_k - B_k = v_k, g_k >= 0     B_k = sum of h_j over j > k: 1 before the chosen cell
//   sum h = 1, h_k = 1 only where g_k = 0
//   of a padded window: g_k = h_k = 0 outside of the tensor
//
// Before the chosen cell v is less than y, from it on at most y: everything is unique.
// `x`: divisor v over the axes of the tensor, or of the windows where `slides` is empty; v >=
// least. Sign::kRead: with the sign of y; `width` is Signable() then.
enum class Sign : std::uint8_t { kUnread, kRead };
Maximum AddMaximum(Builder& builder, const std::string& name, const Read& x, std::int64_t divisor,
                   std::int64_t least, const Windows& windows, const Width& width, Sign sign,
                   unsigned zone = 0);

}  // namespace flair::circuit
