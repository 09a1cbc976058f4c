// CellText: a cell of a tensor as messages name it.
//
// Place: circuit. Thread safety: a function.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace flair::circuit {

// "[3, 7]": the indices of the row-major cell. REQUIRES: no dim is 0.
inline std::string CellText(std::span<const std::uint64_t> dims, std::uint64_t cell) {
  std::string text;
  for (std::size_t i = dims.size(); i-- > 0; cell /= dims[i]) {
    text.insert(0, std::to_string(cell % dims[i]) + (text.empty() ? "" : ", "));
  }
  return "[" + text + "]";
}

}  // namespace flair::circuit
