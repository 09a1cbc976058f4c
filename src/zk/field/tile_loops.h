// The tile kernels over a type of lanes, included once by each kernels_*.cc.
//
// Lanes are those of one lanes_*.h: Word (kWidth elements), Load, Store, Broadcast, Add, Sub, Mul.
// Nothing here may be an inline function of a shared header: this code is compiled for
// machines that others are not, and the linker keeps any one copy of an inline function.
// SPDX-License-Identifier: Apache-2.0

namespace flair::zk {
namespace {

using U64 = std::uint64_t;
constexpr std::size_t kWords = kTileRows / Lanes::kWidth;  // of one column

void Multiply(U64* x, const U64* y, std::size_t n) {
  for (std::size_t i = 0; i < n; i += Lanes::kWidth) {
    Lanes::Store(x + i, Lanes::Mul(Lanes::Load(x + i), Lanes::Load(y + i)));
  }
}

void Add(U64* x, const U64* y, std::size_t n) {
  for (std::size_t i = 0; i < n; i += Lanes::kWidth) {
    Lanes::Store(x + i, Lanes::Add(Lanes::Load(x + i), Lanes::Load(y + i)));
  }
}

void Subtract(U64* x, const U64* y, std::size_t n) {
  for (std::size_t i = 0; i < n; i += Lanes::kWidth) {
    Lanes::Store(x + i, Lanes::Sub(Lanes::Load(x + i), Lanes::Load(y + i)));
  }
}

void ScaleColumns(const U64* tile, const U64* factors, U64* out, std::size_t n) {
  for (std::size_t j = 0; j < n; ++j) {
    const Lanes::Word factor = Lanes::Broadcast(factors[j]);
    for (std::size_t w = 0; w < kWords; ++w) {
      const std::size_t at = j * kTileRows + w * Lanes::kWidth;
      Lanes::Store(out + at, Lanes::Mul(Lanes::Load(tile + at), factor));
    }
  }
}

void AddScaled(U64* x, const U64* y, U64 c, std::size_t n) {
  const Lanes::Word factor = Lanes::Broadcast(c);
  for (std::size_t i = 0; i < n; i += Lanes::kWidth) {
    const Lanes::Word product = Lanes::Mul(Lanes::Load(y + i), factor);
    Lanes::Store(x + i, Lanes::Add(Lanes::Load(x + i), product));
  }
}

// a, b, c, d a quarter apart, w = w_j:
//   out_0 = (a + c) + (b + d)          out_1 = ((a - c) + i (b - d)) w
//   out_2 = ((a + c) - (b + d)) w^2    out_3 = ((a - c) - i (b - d)) w^3
// written to quarters 0, 2, 1, 3: the order of two radix-2 passes.
void FftBlock4(U64* tile, const U64* twiddles, std::size_t q) {
  U64* const p0 = tile;
  U64* const p1 = p0 + q * kTileRows;
  U64* const p2 = p1 + q * kTileRows;
  U64* const p3 = p2 + q * kTileRows;
  for (std::size_t j = 0; j < q; ++j) {
    const Lanes::Word w1 = Lanes::Broadcast(twiddles[3 * j]);
    const Lanes::Word w2 = Lanes::Broadcast(twiddles[3 * j + 1]);
    const Lanes::Word w3 = Lanes::Broadcast(twiddles[3 * j + 2]);
    for (std::size_t w = 0; w < kWords; ++w) {
      const std::size_t at = j * kTileRows + w * Lanes::kWidth;
      const Lanes::Word a = Lanes::Load(p0 + at);
      const Lanes::Word b = Lanes::Load(p1 + at);
      const Lanes::Word c = Lanes::Load(p2 + at);
      const Lanes::Word d = Lanes::Load(p3 + at);
      const Lanes::Word even = Lanes::Add(a, c);
      const Lanes::Word odd = Lanes::Add(b, d);
      const Lanes::Word rest = Lanes::Sub(a, c);
      const Lanes::Word turned = Lanes::MulByI(Lanes::Sub(b, d));
      Lanes::Store(p0 + at, Lanes::Add(even, odd));
      Lanes::Store(p1 + at, Lanes::Mul(Lanes::Sub(even, odd), w2));
      Lanes::Store(p2 + at, Lanes::Mul(Lanes::Add(rest, turned), w1));
      Lanes::Store(p3 + at, Lanes::Mul(Lanes::Sub(rest, turned), w3));
    }
  }
}

void FftPass4(U64* tile, const U64* twiddles, std::size_t q, std::size_t blocks) {
  for (std::size_t k = 0; k < blocks; ++k) {
    FftBlock4(tile + k * 4 * q * kTileRows, twiddles, q);
  }
}

void FftPass2(U64* tile, const U64* twiddles, std::size_t h) {
  U64* const p0 = tile;
  U64* const p1 = p0 + h * kTileRows;
  for (std::size_t j = 0; j < h; ++j) {
    const Lanes::Word twiddle = Lanes::Broadcast(twiddles[j]);
    for (std::size_t w = 0; w < kWords; ++w) {
      const std::size_t at = j * kTileRows + w * Lanes::kWidth;
      const Lanes::Word a = Lanes::Load(p0 + at);
      const Lanes::Word b = Lanes::Load(p1 + at);
      Lanes::Store(p0 + at, Lanes::Add(a, b));
      Lanes::Store(p1 + at, Lanes::Mul(Lanes::Sub(a, b), twiddle));
    }
  }
}

constexpr TileKernels MakeKernels(std::string_view name) {
  return {.name = name,
          .multiply = Multiply,
          .add = Add,
          .subtract = Subtract,
          .scale_columns = ScaleColumns,
          .add_scaled = AddScaled,
          .fft_pass4 = FftPass4,
          .fft_pass2 = FftPass2};
}

}  // namespace
}  // namespace flair::zk
