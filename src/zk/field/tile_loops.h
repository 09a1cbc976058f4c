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
[[gnu::always_inline]] inline void Butterfly4(const Lanes::Word (&in)[4], const U64* twiddles,
                                              U64* const (&out)[4], std::size_t at) {
  const Lanes::Word even = Lanes::Add(in[0], in[2]);
  const Lanes::Word odd = Lanes::Add(in[1], in[3]);
  const Lanes::Word rest = Lanes::Sub(in[0], in[2]);
  const Lanes::Word turned = Lanes::MulByI(Lanes::Sub(in[1], in[3]));
  const auto store = [&](U64* to, Lanes::Word v, std::size_t power) {
    Lanes::Store(to + at, Lanes::Mul(v, Lanes::Broadcast(twiddles[power - 1])));
  };
  Lanes::Store(out[0] + at, Lanes::Add(even, odd));
  store(out[1], Lanes::Sub(even, odd), 2);
  store(out[2], Lanes::Add(rest, turned), 1);
  store(out[3], Lanes::Sub(rest, turned), 3);
}

void FftBlock4(U64* tile, const U64* twiddles, std::size_t q) {
  U64* const p[4] = {tile, tile + q * kTileRows, tile + 2 * q * kTileRows,
                     tile + 3 * q * kTileRows};
  for (std::size_t j = 0; j < q; ++j) {
    for (std::size_t w = 0; w < kWords; ++w) {
      const std::size_t at = j * kTileRows + w * Lanes::kWidth;
      const Lanes::Word in[4] = {Lanes::Load(p[0] + at), Lanes::Load(p[1] + at),
                                 Lanes::Load(p[2] + at), Lanes::Load(p[3] + at)};
      Butterfly4(in, twiddles + 3 * j, p, at);
    }
  }
}

void FftPass4(U64* tile, const U64* twiddles, std::size_t q, std::size_t blocks) {
  for (std::size_t k = 0; k < blocks; ++k) {
    FftBlock4(tile + k * 4 * q * kTileRows, twiddles, q);
  }
}

void FftScaledPass4(const Quarters& in, const Quarters& factors, const U64* twiddles,
                    U64* const (&out)[4], std::size_t n) {
  for (std::size_t j = 0; j < n; ++j) {
    for (std::size_t w = 0; w < kWords; ++w) {
      const std::size_t at = j * kTileRows + w * Lanes::kWidth;
      const auto scaled = [&](std::size_t k) {
        return Lanes::Mul(Lanes::Load(in[k] + at), Lanes::Broadcast(factors[k][j]));
      };
      const Lanes::Word words[4] = {scaled(0), scaled(1), scaled(2), scaled(3)};
      Butterfly4(words, twiddles + 3 * j, out, at);
    }
  }
}

void FftPass2(U64* tile, std::size_t blocks) {
  for (std::size_t k = 0; k < blocks; ++k) {
    for (std::size_t w = 0; w < kWords; ++w) {
      U64* const at = tile + 2 * k * kTileRows + w * Lanes::kWidth;
      const Lanes::Word a = Lanes::Load(at);
      const Lanes::Word b = Lanes::Load(at + kTileRows);
      Lanes::Store(at, Lanes::Add(a, b));
      Lanes::Store(at + kTileRows, Lanes::Sub(a, b));
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
          .fft_scaled_pass4 = FftScaledPass4,
          .fft_pass2 = FftPass2};
}

}  // namespace
}  // namespace flair::zk
