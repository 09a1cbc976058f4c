// The geometry of a sliding window over two dimensions: convolution and pooling.
//
//   source(h, k) = stride * h + dilation * k - pad, absent when outside [0, in)
//
// Place: program; shapes, evaluators and the interpreter share it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/result.h"
#include "program/program.h"

namespace flair::program {

struct Window {
  std::array<std::uint64_t, 2> in{}, kernel{}, out{};
  std::array<std::int64_t, 2> stride{1, 1}, dilation{1, 1}, pad{};  // pad before the first row

  bool operator==(const Window&) const = default;

  // The place in the input, or -1: the term is absent.
  std::int64_t Source(std::size_t axis, std::uint64_t h, std::uint64_t k) const {
    const std::int64_t at = stride[axis] * static_cast<std::int64_t>(h) +
                            dilation[axis] * static_cast<std::int64_t>(k) - pad[axis];
    return at >= 0 && at < static_cast<std::int64_t>(in[axis]) ? at : -1;
  }
};

// `x` is [N, C, H, W]; the last two dims of `kernel` are the window's; `pad` is top,
// bottom, left, right.
// Errors: kInvalidArgument.
Result<Window> MakeWindow(const Dims& x, const Dims& kernel,
                          const std::vector<std::int64_t>& stride,
                          const std::vector<std::int64_t>& pad,
                          const std::vector<std::int64_t>& dilation);

}  // namespace flair::program
