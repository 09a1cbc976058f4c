#include "tensor/convert.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/check.h"

namespace flair {
namespace {

// The shape of a binary float narrower than float64: 1 sign bit, then kExp, then kMan bits.
// kMaxFinite and kOverflow are magnitudes as encoded.
struct Half {
  using Word = std::uint16_t;
  static constexpr int kExp = 5, kMan = 10;
  static constexpr std::uint64_t kMaxFinite = 0x7bff, kOverflow = 0x7c00, kNan = 0x7e00;
};
struct Brain {
  using Word = std::uint16_t;
  static constexpr int kExp = 8, kMan = 7;
  static constexpr std::uint64_t kMaxFinite = 0x7f7f, kOverflow = 0x7f80, kNan = 0x7fc0;
};
struct Float8E5M2 {
  using Word = std::uint8_t;
  static constexpr int kExp = 5, kMan = 2;
  static constexpr std::uint64_t kMaxFinite = 0x7b, kOverflow = 0x7c, kNan = 0x7e;
};
struct Float8E4M3 {  // "fn": no infinity, one NaN; beyond lies the largest number, as in PyTorch
  using Word = std::uint8_t;
  static constexpr int kExp = 4, kMan = 3;
  static constexpr std::uint64_t kMaxFinite = 0x7e, kOverflow = 0x7e, kNan = 0x7f;
};

constexpr std::uint64_t kSignBit = 1ull << 63;
constexpr std::uint64_t kInfinityBits = 0x7ffull << 52;
constexpr std::uint64_t kNanBits = 0x7ff8ull << 48;

template <typename F>
constexpr int Bias() {
  return (1 << (F::kExp - 1)) - 1;
}

template <typename F>
double Decode(typename F::Word word) {
  constexpr int kBits = 8 * static_cast<int>(sizeof(typename F::Word));
  constexpr std::uint64_t kMagnitude = (1ull << (kBits - 1)) - 1;
  const std::uint64_t magnitude = word & kMagnitude;
  const std::uint64_t sign = static_cast<std::uint64_t>(word >> (kBits - 1)) << 63;
  std::uint64_t bits = 0;
  if (magnitude > F::kMaxFinite) {
    bits = magnitude == F::kOverflow ? kInfinityBits : kNanBits;
  } else if ((magnitude >> F::kMan) == 0) {
    // Subnormal: magnitude * 2^(1 - bias - kMan), exact.
    constexpr auto kUlp = static_cast<std::uint64_t>(1023 + 1 - Bias<F>() - F::kMan)
                          << 52;  // that power of two
    bits =
        std::bit_cast<std::uint64_t>(static_cast<double>(magnitude) * std::bit_cast<double>(kUlp));
  } else {
    bits = (magnitude << (52 - F::kMan)) + (static_cast<std::uint64_t>(1023 - Bias<F>()) << 52);
  }
  return std::bit_cast<double>(bits | sign);
}

template <typename F>
typename F::Word Encode(double value) {
  constexpr int kBits = 8 * static_cast<int>(sizeof(typename F::Word));
  constexpr int kDrop = 52 - F::kMan;  // mantissa bits that go
  const std::uint64_t bits = std::bit_cast<std::uint64_t>(value);
  const std::uint64_t magnitude = bits & ~kSignBit;
  const std::uint64_t sign = (bits >> 63) << (kBits - 1);
  if (magnitude > kInfinityBits) return static_cast<typename F::Word>(F::kNan);

  constexpr auto kMinNormal = static_cast<std::uint64_t>(1023 + 1 - Bias<F>()) << 52;
  std::uint64_t out = 0;
  if (magnitude < kMinNormal) {
    // Adding 2^52 smallest steps puts the step at the double's last place: the addition rounds,
    // and a carry into the smallest normal number encodes itself.
    constexpr auto kMagic = static_cast<std::uint64_t>(1023 + 1 - Bias<F>() - F::kMan + 52) << 52;
    const double sum = std::bit_cast<double>(magnitude) + std::bit_cast<double>(kMagic);
    out = std::bit_cast<std::uint64_t>(sum) - kMagic;
  } else {
    const std::uint64_t rebased = magnitude - (static_cast<std::uint64_t>(1023 - Bias<F>()) << 52);
    const std::uint64_t odd = (rebased >> kDrop) & 1;
    out = (rebased + ((1ull << (kDrop - 1)) - 1) + odd) >> kDrop;  // a carry moves the exponent
    if (out > F::kMaxFinite) out = F::kOverflow;
  }
  return static_cast<typename F::Word>(out | sign);
}

template <typename T>
T LoadWord(const std::byte* at) {
  T v;
  std::memcpy(&v, at, sizeof(T));  // x86-64 and AArch64 are little-endian, as the files are
  return v;
}
static_assert(std::endian::native == std::endian::little);

template <typename F>
void LoadSmall(ByteView in, std::span<double> out) {
  using Word = typename F::Word;
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = Decode<F>(LoadWord<Word>(in.data() + i * sizeof(Word)));
  }
}

template <typename F>
void StoreSmall(std::span<const double> in, MutableByteView out) {
  using Word = typename F::Word;
  for (std::size_t i = 0; i < in.size(); ++i) {
    const Word w = Encode<F>(in[i]);
    std::memcpy(out.data() + i * sizeof(Word), &w, sizeof(Word));
  }
}

template <typename T>
void LoadNative(ByteView in, std::span<double> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<double>(LoadWord<T>(in.data() + i * sizeof(T)));
  }
}

// float and double. A NaN loses its payload: which one survives an operation on two of them
// differs between processors.
template <typename T>
void StoreFloat(std::span<const double> in, MutableByteView out) {
  for (std::size_t i = 0; i < in.size(); ++i) {
    const T v = in[i] == in[i] ? static_cast<T>(in[i]) : std::numeric_limits<T>::quiet_NaN();
    std::memcpy(out.data() + i * sizeof(T), &v, sizeof(T));
  }
}

template <typename T>
T RoundToInteger(double value) {
  // The limits as doubles: 2^63 and 2^64 are exact, and values from there on clamp.
  constexpr double kLow = static_cast<double>(std::numeric_limits<T>::min());
  constexpr double kHigh = static_cast<double>(std::numeric_limits<T>::max());
  if (value != value) return 0;
  const double rounded = std::nearbyint(value);
  if (rounded <= kLow) return std::numeric_limits<T>::min();
  if (rounded >= kHigh) return std::numeric_limits<T>::max();
  return static_cast<T>(rounded);
}

template <typename T>
void StoreInteger(std::span<const double> in, MutableByteView out) {
  for (std::size_t i = 0; i < in.size(); ++i) {
    const T v = RoundToInteger<T>(in[i]);
    std::memcpy(out.data() + i * sizeof(T), &v, sizeof(T));
  }
}

void StoreBool(std::span<const double> in, MutableByteView out) {
  for (std::size_t i = 0; i < in.size(); ++i) out[i] = std::byte{in[i] != 0.0};
}

void CheckSizes(DType dtype, std::size_t num_bytes, std::size_t num_doubles) {
  const std::uint64_t n = num_bytes / DTypeBytes(dtype);
  FLAIR_CHECK(num_bytes == n * DTypeBytes(dtype) && num_doubles == n * DoublesPerElement(dtype))
      << num_bytes << " bytes of " << DTypeName(dtype) << " for " << num_doubles << " doubles";
}

}  // namespace

void LoadAsDouble(DType dtype, ByteView in, std::span<double> out) {
  CheckSizes(dtype, in.size(), out.size());
  switch (dtype) {
    case DType::kBool:
    case DType::kU8:
      return LoadNative<std::uint8_t>(in, out);
    case DType::kI8:
      return LoadNative<std::int8_t>(in, out);
    case DType::kI16:
      return LoadNative<std::int16_t>(in, out);
    case DType::kU16:
      return LoadNative<std::uint16_t>(in, out);
    case DType::kI32:
      return LoadNative<std::int32_t>(in, out);
    case DType::kU32:
      return LoadNative<std::uint32_t>(in, out);
    case DType::kI64:
      return LoadNative<std::int64_t>(in, out);
    case DType::kU64:
      return LoadNative<std::uint64_t>(in, out);
    case DType::kF32:
    case DType::kC64:
      return LoadNative<float>(in, out);
    case DType::kF64:
    case DType::kC128:
      return LoadNative<double>(in, out);
    case DType::kF16:
      return LoadSmall<Half>(in, out);
    case DType::kBF16:
      return LoadSmall<Brain>(in, out);
    case DType::kF8E4M3:
      return LoadSmall<Float8E4M3>(in, out);
    case DType::kF8E5M2:
      return LoadSmall<Float8E5M2>(in, out);
  }
}

void StoreFromDouble(DType dtype, std::span<const double> in, MutableByteView out) {
  CheckSizes(dtype, out.size(), in.size());
  switch (dtype) {
    case DType::kBool:
      return StoreBool(in, out);
    case DType::kU8:
      return StoreInteger<std::uint8_t>(in, out);
    case DType::kI8:
      return StoreInteger<std::int8_t>(in, out);
    case DType::kI16:
      return StoreInteger<std::int16_t>(in, out);
    case DType::kU16:
      return StoreInteger<std::uint16_t>(in, out);
    case DType::kI32:
      return StoreInteger<std::int32_t>(in, out);
    case DType::kU32:
      return StoreInteger<std::uint32_t>(in, out);
    case DType::kI64:
      return StoreInteger<std::int64_t>(in, out);
    case DType::kU64:
      return StoreInteger<std::uint64_t>(in, out);
    case DType::kF32:
    case DType::kC64:
      return StoreFloat<float>(in, out);
    case DType::kF64:
    case DType::kC128:
      return StoreFloat<double>(in, out);
    case DType::kF16:
      return StoreSmall<Half>(in, out);
    case DType::kBF16:
      return StoreSmall<Brain>(in, out);
    case DType::kF8E4M3:
      return StoreSmall<Float8E4M3>(in, out);
    case DType::kF8E5M2:
      return StoreSmall<Float8E5M2>(in, out);
  }
}

}  // namespace flair
