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
  if (log_n % 2 == 1) {
    const Fp w = RootOfUnity(log_n);
    Fp power(1);
    for (std::size_t j = 0; j < size() / 2; ++j, power *= w) first_.push_back(power.value());
  }
  for (unsigned log = log_n - log_n % 2; log >= 2; log -= 2) by_size_[log] = PowersFor4(log);
}

void Fft::Forward(std::span<std::uint64_t> tile, const TileKernels& kernels) const {
  FLAIR_CHECK(tile.size() == kTileRows * size()) << "a tile of " << tile.size() << " values";
  if (first_.empty()) {
    Passes(tile.data(), log_n_, kernels);
    return;
  }
  const std::size_t half = size() / 2;
  kernels.fft_pass2(tile.data(), first_.data(), half);
  Passes(tile.data(), log_n_ - 1, kernels);
  Passes(tile.data() + half * kTileRows, log_n_ - 1, kernels);
}

void Fft::ForwardAt(std::span<std::uint64_t> tile, std::span<const std::uint64_t> columns,
                    const TileKernels& kernels) const {
  FLAIR_CHECK(tile.size() == kTileRows * size()) << "a tile of " << tile.size() << " values";
  const unsigned is_odd = first_.empty() ? 0 : 1;
  const std::size_t block = size() >> is_odd;
  if (is_odd == 1) kernels.fft_pass2(tile.data(), first_.data(), block);
  for (std::size_t first = 0; first < size(); first += block) {
    PassesAt(tile.data() + first * kTileRows, log_n_ - is_odd, first, columns, kernels);
  }
}

void Fft::PassesAt(std::uint64_t* tile, unsigned log_n, std::uint64_t first,
                   std::span<const std::uint64_t> columns, const TileKernels& kernels) const {
  const auto begin = std::lower_bound(columns.begin(), columns.end(), first);
  const auto end = std::lower_bound(begin, columns.end(), first + (std::uint64_t{1} << log_n));
  if (begin == end || log_n == 0) return;
  const std::size_t q = std::size_t{1} << (log_n - 2);
  kernels.fft_pass4(tile, by_size_[log_n].data(), q, 1);
  for (std::size_t k = 0; k < 4; ++k) {
    PassesAt(tile + k * q * kTileRows, log_n - 2, first + k * q, {begin, end}, kernels);
  }
}

// `log_n` is even.
void Fft::Passes(std::uint64_t* tile, unsigned log_n, const TileKernels& kernels) const {
  if (log_n == 0) return;
  const std::size_t columns = std::size_t{1} << log_n;
  if (columns * kTileRows * sizeof(std::uint64_t) <= kCachedBytes) {
    for (unsigned log = log_n; log >= 2; log -= 2) {
      const std::size_t q = std::size_t{1} << (log - 2);
      kernels.fft_pass4(tile, by_size_[log].data(), q, columns / (4 * q));
    }
    return;
  }
  const std::size_t q = columns / 4;
  kernels.fft_pass4(tile, by_size_[log_n].data(), q, 1);
  for (std::size_t k = 0; k < 4; ++k) Passes(tile + k * q * kTileRows, log_n - 2, kernels);
}

}  // namespace flair::zk
