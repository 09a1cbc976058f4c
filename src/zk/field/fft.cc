// SPDX-License-Identifier: Apache-2.0
#include "zk/field/fft.h"

#include <algorithm>

#include "base/check.h"

namespace flair::zk {
namespace {

// Blocks up to this are finished pass by pass: they fit the first-level cache.
constexpr std::size_t kCachedBytes = 32 << 10;

std::vector<std::uint64_t> PowersFor4(unsigned log_n) {
  const std::size_t q = std::size_t{1} << (log_n - 2);
  const Fp w = RootOfUnity(log_n);
  std::vector<std::uint64_t> powers;
  powers.reserve(3 * q);
  Fp power(1);
  for (std::size_t j = 0; j < q; ++j, power *= w) {
    powers.push_back(power.value());
    powers.push_back((power * power).value());
    powers.push_back((power * power * power).value());
  }
  return powers;
}

}  // namespace

Fft::Fft(unsigned log_n) : log_n_(log_n), by_size_(log_n + 1) {
  FLAIR_CHECK(log_n <= Fp::kTwoAdicity) << "no root of 1 of order 2^" << log_n;
  static_assert(RootOfUnity(2).value() == std::uint64_t{1} << 48);  // Lanes::MulByI
  for (unsigned log = log_n; log >= 2; log -= 2) by_size_[log] = PowersFor4(log);
}

void Fft::Forward(std::span<std::uint64_t> tile, const TileKernels& kernels) const {
  FLAIR_CHECK(tile.size() == kTileRows * size()) << "a tile of " << tile.size() << " values";
  Passes(tile.data(), log_n_, kernels);
}

void Fft::ForwardAt(std::span<std::uint64_t> tile, std::span<const std::uint64_t> columns,
                    const TileKernels& kernels) const {
  FLAIR_CHECK(tile.size() == kTileRows * size()) << "a tile of " << tile.size() << " values";
  PassesAt(tile.data(), log_n_, 0, columns, kernels);
}

void Fft::ForwardScaled(const ScaledColumns& in, std::span<std::uint64_t> tile,
                        const TileKernels& kernels) const {
  if (!FirstPass(in, tile, kernels)) return Forward(tile, kernels);
  const std::size_t quarter = tile.size() / 4;
  for (std::size_t k = 0; k < 4; ++k) Passes(tile.data() + k * quarter, log_n_ - 2, kernels);
}

void Fft::ForwardScaledAt(const ScaledColumns& in, std::span<std::uint64_t> tile,
                          std::span<const std::uint64_t> columns,
                          const TileKernels& kernels) const {
  if (columns.empty()) return;
  if (!FirstPass(in, tile, kernels)) return ForwardAt(tile, columns, kernels);
  for (std::size_t k = 0; k < 4; ++k) {
    PassesAt(tile.data() + k * tile.size() / 4, log_n_ - 2, k * size() / 4, columns, kernels);
  }
}

bool Fft::FirstPass(const ScaledColumns& in, std::span<std::uint64_t> tile,
                    const TileKernels& kernels) const {
  FLAIR_CHECK(tile.size() == kTileRows * size() && in.columns.size() == tile.size() &&
              in.factors.size() == size() && in.first.size() <= tile.size())
      << "tiles of another size";
  const std::size_t own = in.first.size() / kTileRows;
  const std::size_t q = size() / 4;
  if (own > q || log_n_ < 2) {  // small
    std::copy(in.first.begin(), in.first.end(), tile.begin());
    std::copy(in.columns.begin() + static_cast<std::ptrdiff_t>(in.first.size()), in.columns.end(),
              tile.begin() + static_cast<std::ptrdiff_t>(in.first.size()));
    kernels.scale_columns(tile.data(), in.factors.data(), tile.data(), size());
    return false;
  }
  const auto pass = [&](const std::uint64_t* quarter0, std::size_t begin, std::size_t end) {
    Quarters from = {};
    Quarters factors = {};
    std::uint64_t* to[4] = {};
    for (std::size_t k = 0; k < 4; ++k) {
      const std::size_t column = k * q + begin;
      from[k] = in.columns.data() + column * kTileRows;
      factors[k] = in.factors.data() + column;
      to[k] = tile.data() + column * kTileRows;
    }
    from[0] = quarter0 + begin * kTileRows;
    kernels.fft_scaled_pass4(from, factors, by_size_[log_n_].data() + 3 * begin, to, end - begin);
  };
  pass(in.first.data(), 0, own);
  pass(in.columns.data(), own, q);
  return true;
}

void Fft::PassesAt(std::uint64_t* tile, unsigned log_n, std::uint64_t first,
                   std::span<const std::uint64_t> columns, const TileKernels& kernels) const {
  const auto begin = std::lower_bound(columns.begin(), columns.end(), first);
  const auto end = std::lower_bound(begin, columns.end(), first + (std::uint64_t{1} << log_n));
  if (begin == end || log_n == 0) return;
  if (log_n == 1) return kernels.fft_pass2(tile, 1);
  const std::size_t q = std::size_t{1} << (log_n - 2);
  kernels.fft_pass4(tile, by_size_[log_n].data(), q, 1);
  for (std::size_t k = 0; k < 4; ++k) {
    PassesAt(tile + k * q * kTileRows, log_n - 2, first + k * q, {begin, end}, kernels);
  }
}

void Fft::Passes(std::uint64_t* tile, unsigned log_n, const TileKernels& kernels) const {
  const std::size_t columns = std::size_t{1} << log_n;
  if (columns * kTileRows * sizeof(std::uint64_t) <= kCachedBytes) {
    unsigned log = log_n;
    for (; log >= 2; log -= 2) {
      const std::size_t q = std::size_t{1} << (log - 2);
      kernels.fft_pass4(tile, by_size_[log].data(), q, columns / (4 * q));
    }
    if (log == 1) kernels.fft_pass2(tile, columns / 2);
    return;
  }
  const std::size_t q = columns / 4;
  kernels.fft_pass4(tile, by_size_[log_n].data(), q, 1);
  for (std::size_t k = 0; k < 4; ++k) Passes(tile + k * q * kTileRows, log_n - 2, kernels);
}

}  // namespace flair::zk
