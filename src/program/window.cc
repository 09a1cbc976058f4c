// SPDX-License-Identifier: Apache-2.0
#include "program/window.h"

#include <algorithm>

namespace flair::program {
namespace {

// Keeps every product below 2^62.
constexpr std::int64_t kMaxGeometry = 1 << 20;

bool Within(const std::vector<std::int64_t>& values, std::size_t count, std::int64_t least) {
  return values.size() == count && std::all_of(values.begin(), values.end(), [&](std::int64_t v) {
           return v >= least && v <= kMaxGeometry;
         });
}

}  // namespace

Result<Window> MakeWindow(const Dims& x, const Dims& kernel,
                          const std::vector<std::int64_t>& stride,
                          const std::vector<std::int64_t>& pad,
                          const std::vector<std::int64_t>& dilation) {
  const auto invalid = [](std::string what) {
    return Error(ErrorCode::kInvalidArgument, std::move(what));
  };
  if (x.size() != 4 || kernel.size() != 4) return invalid("a window slides over [N, C, H, W]");
  if (!Within(stride, 2, 1)) return invalid("stride is two numbers from 1 to 2^20");
  if (!Within(dilation, 2, 1)) return invalid("dilation is two numbers from 1 to 2^20");
  if (!Within(pad, 4, 0)) return invalid("pad is four numbers up to 2^20");
  Window w;
  for (std::size_t i = 0; i < 2; ++i) {
    if (x[2 + i] > kMaxGeometry || kernel[2 + i] > kMaxGeometry) return invalid("it is too large");
    w.in[i] = x[2 + i];
    w.kernel[i] = kernel[2 + i];
    w.stride[i] = stride[i];
    w.dilation[i] = dilation[i];
    w.pad[i] = pad[2 * i];
    const std::int64_t room = static_cast<std::int64_t>(w.in[i]) + pad[2 * i] + pad[2 * i + 1] -
                              dilation[i] * (static_cast<std::int64_t>(w.kernel[i]) - 1) - 1;
    if (room < 0) return invalid("the window is larger than what it slides over");
    w.out[i] = static_cast<std::uint64_t>(room / stride[i]) + 1;
  }
  return w;
}

}  // namespace flair::program
