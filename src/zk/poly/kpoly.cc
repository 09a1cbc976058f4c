// SPDX-License-Identifier: Apache-2.0
#include "zk/poly/kpoly.h"

#include <algorithm>
#include <bit>

#include "base/check.h"
#include "zk/field/fft.h"

namespace flair::zk {
namespace {

// Up to four polynomials over K in the eight lanes of a tile.
class LanesOfK {
 public:
  explicit LanesOfK(unsigned log_n) : fft_(log_n), tile_(kTileRows << log_n) {}

  void Set(std::size_t which, std::size_t at, Fp2 v) {
    tile_[at * kTileRows + 2 * which] = v.a.value();
    tile_[at * kTileRows + 2 * which + 1] = v.b.value();
  }
  // Column `at` after a transform: frequency ReverseBits(at).
  Fp2 Get(std::size_t which, std::size_t at) const {
    return {Fp(tile_[at * kTileRows + 2 * which]), Fp(tile_[at * kTileRows + 2 * which + 1])};
  }
  void Forward() { fft_.Forward(tile_); }
  std::size_t size() const { return fft_.size(); }
  unsigned log_n() const { return fft_.log_n(); }

 private:
  Fft fft_;
  std::vector<std::uint64_t> tile_;
};

// x_j = 1/n sum_k X_k w^(-jk): the forward transform, read backwards.
std::vector<Fp2> Inverse(std::span<const Fp2> values) {
  const auto log_n = static_cast<unsigned>(std::countr_zero(values.size()));
  LanesOfK lanes(log_n);
  for (std::size_t k = 0; k < values.size(); ++k) lanes.Set(0, k, values[k]);
  lanes.Forward();
  const Fp scale = Fp(values.size()).Inverse();
  std::vector<Fp2> out(values.size());
  for (std::size_t at = 0; at < out.size(); ++at) {
    const std::size_t frequency = ReverseBits(at, log_n);
    out[(out.size() - frequency) % out.size()] = lanes.Get(0, at) * scale;
  }
  return out;
}

}  // namespace

Fp2 EvaluateAt(std::span<const Fp2> polynomial, Fp2 x) {
  Fp2 value;
  for (std::size_t i = polynomial.size(); i-- > 0;) value = value * x + polynomial[i];
  return value;
}

std::vector<Fp2> InterpolateOnRoots(std::span<const Fp2> values) {
  FLAIR_CHECK(std::has_single_bit(values.size())) << values.size() << " values";
  return Inverse(values);
}

std::vector<Fp2> MultiplyPolynomials(std::span<const Fp2> a, std::span<const Fp2> b) {
  if (a.empty() || b.empty()) return {};
  const std::size_t size = a.size() + b.size() - 1;
  const auto log_n = static_cast<unsigned>(std::countr_zero(std::bit_ceil(size)));
  LanesOfK lanes(log_n);
  for (std::size_t i = 0; i < a.size(); ++i) lanes.Set(0, i, a[i]);
  for (std::size_t i = 0; i < b.size(); ++i) lanes.Set(1, i, b[i]);
  lanes.Forward();
  std::vector<Fp2> products(lanes.size());
  for (std::size_t at = 0; at < products.size(); ++at) {
    products[ReverseBits(at, log_n)] = lanes.Get(0, at) * lanes.Get(1, at);
  }
  std::vector<Fp2> out = Inverse(products);
  out.resize(size);
  return out;
}

void AddScaled(std::span<Fp2> into, std::span<const Fp2> polynomial, Fp2 factor) {
  FLAIR_CHECK(into.size() >= polynomial.size()) << "no room for the sum";
  for (std::size_t i = 0; i < polynomial.size(); ++i) into[i] += polynomial[i] * factor;
}

}  // namespace flair::zk
