// The int8 half of tensor/convert.h.

#include <cmath>
#include <limits>
#include <string>

#include "tensor/convert.h"

namespace flair {
namespace {

// A tensor seen as [outer, channels, inner], the channel axis in the middle.
struct ChannelView {
  std::uint64_t outer = 1;
  std::uint64_t channels = 1;
  std::uint64_t inner = 1;
};

Result<ChannelView> ViewByChannel(std::span<const std::uint64_t> dims, std::size_t channel_axis,
                                  std::uint64_t num_elements) {
  if (channel_axis >= dims.size() && !(dims.empty() && channel_axis == 0)) {
    return Error(ErrorCode::kInvalidArgument, "int8: no axis " + std::to_string(channel_axis) +
                                                  " in a tensor of " + std::to_string(dims.size()) +
                                                  " axes");
  }
  ChannelView view;
  std::uint64_t product = 1;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (__builtin_mul_overflow(product, dims[i], &product)) {
      return Error(ErrorCode::kInvalidArgument, "int8: the dims overflow 64 bits");
    }
    (i < channel_axis ? view.outer : i == channel_axis ? view.channels : view.inner) *= dims[i];
  }
  if (product != num_elements) {
    return Error(ErrorCode::kInvalidArgument, "int8: " + std::to_string(num_elements) +
                                                  " elements, but dims of " +
                                                  std::to_string(product));
  }
  return view;
}

}  // namespace

Result<float> QuantiseRowInt8(std::span<const double> row, std::span<std::int8_t> out) {
  double max = 0;
  for (const double v : row) {
    if (!std::isfinite(v)) {
      return Error(ErrorCode::kInvalidArgument, "int8: the tensor holds NaN or infinity");
    }
    max = std::fmax(max, std::fabs(v));
  }
  const double exact = max / 127.0;
  if (exact > static_cast<double>(std::numeric_limits<float>::max())) {
    return Error(ErrorCode::kInvalidArgument, "int8: a value is too large for an F32 scale");
  }
  // A row so small that the scale would vanish in F32 takes the smallest one there is.
  float scale = static_cast<float>(exact);
  if (max == 0) scale = 1;
  if (scale == 0) scale = std::numeric_limits<float>::denorm_min();
  for (std::size_t i = 0; i < row.size(); ++i) {
    const double q = std::nearbyint(row[i] / static_cast<double>(scale));
    // The scale may have been rounded down: 127 * scale < max by less than one step.
    out[i] = static_cast<std::int8_t>(std::fmin(127.0, std::fmax(-127.0, q)));
  }
  return scale;
}

Result<Int8Tensor> QuantiseInt8(DType dtype, std::span<const std::uint64_t> dims,
                                std::size_t channel_axis, ByteView data) {
  if (!IsFloat(dtype)) {
    return Error(ErrorCode::kInvalidArgument,
                 "int8: " + std::string(DTypeName(dtype)) + " is not a float type");
  }
  const std::uint64_t width = DTypeBytes(dtype);
  if (data.size() % width != 0) {
    return Error(ErrorCode::kInvalidArgument, "int8: the bytes end inside an element");
  }
  FLAIR_TRY(const ChannelView view, ViewByChannel(dims, channel_axis, data.size() / width));

  Int8Tensor result;
  if (data.empty()) return result;  // before the products: some other dim may be huge
  result.values.resize(data.size() / width);
  result.scales.resize(view.channels);
  std::vector<double> row(view.outer * view.inner);
  std::vector<std::int8_t> quantised(row.size());
  for (std::uint64_t c = 0; c < view.channels; ++c) {
    for (std::uint64_t o = 0; o < view.outer; ++o) {
      const std::uint64_t first = (o * view.channels + c) * view.inner;
      LoadAsDouble(dtype, data.subspan(first * width, view.inner * width),
                   std::span(row).subspan(o * view.inner, view.inner));
    }
    FLAIR_TRY(result.scales[c], QuantiseRowInt8(row, quantised));
    for (std::uint64_t o = 0; o < view.outer; ++o) {
      const std::uint64_t first = (o * view.channels + c) * view.inner;
      for (std::uint64_t i = 0; i < view.inner; ++i) {
        result.values[first + i] = quantised[o * view.inner + i];
      }
    }
  }
  return result;
}

Result<std::vector<float>> DequantiseInt8(const Int8Tensor& tensor,
                                          std::span<const std::uint64_t> dims,
                                          std::size_t channel_axis) {
  FLAIR_TRY(const ChannelView view, ViewByChannel(dims, channel_axis, tensor.values.size()));
  std::vector<float> out(tensor.values.size());
  if (out.empty()) return out;
  if (tensor.scales.size() != view.channels) {
    return Error(ErrorCode::kInvalidArgument, "int8: " + std::to_string(tensor.scales.size()) +
                                                  " scales for " + std::to_string(view.channels) +
                                                  " channels");
  }
  for (std::uint64_t i = 0; i < out.size(); ++i) {
    const float scale = tensor.scales[i / view.inner % view.channels];
    out[i] = static_cast<float>(static_cast<double>(scale) * static_cast<double>(tensor.values[i]));
  }
  return out;
}

}  // namespace flair
