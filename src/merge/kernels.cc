// SPDX-License-Identifier: Apache-2.0
#include "merge/kernels.h"

#include <algorithm>
#include <bit>
#include <cstring>

// A body is always inlined into its two callers, so that each gets its own code.
#define FLAIR_BODY static inline __attribute__((always_inline))

#if defined(__x86_64__)
#define FLAIR_AVX2 __attribute__((target("avx2")))
#define FLAIR_DISPATCH(isa, portable, avx2) ((isa) == Isa::kBest && HasAvx2() ? (avx2) : (portable))
#else
#define FLAIR_AVX2
#define FLAIR_DISPATCH(isa, portable, avx2) (portable)
#endif

namespace flair::kernels {
namespace {

#if defined(__x86_64__)
bool HasAvx2() {
  static const bool has = __builtin_cpu_supports("avx2") != 0;
  return has;
}
#endif

// Four lanes that the compiler maps to whatever registers the target has.
typedef double Vec4 __attribute__((vector_size(32)));  // NOLINT: an attribute needs typedef

// --- finite -------------------------------------------------------------------------

FLAIR_BODY bool NonFiniteFloat(const float* v, std::size_t n) {
  std::uint32_t any = 0;
  for (std::size_t k = 0; k < n; ++k) {
    std::uint32_t bits;
    std::memcpy(&bits, v + k, sizeof bits);
    any |= static_cast<std::uint32_t>((bits & 0x7f80'0000U) == 0x7f80'0000U);
  }
  return any != 0;
}
FLAIR_BODY bool NonFiniteDouble(const double* v, std::size_t n) {
  std::uint64_t any = 0;
  for (std::size_t k = 0; k < n; ++k) {
    std::uint64_t bits;
    std::memcpy(&bits, v + k, sizeof bits);
    // The exponent is all ones exactly when the bits without sign reach infinity's.
    any |= ((bits & 0x7fff'ffff'ffff'ffffULL) + 0x0010'0000'0000'0000ULL) >> 63;
  }
  return any != 0;
}
bool NonFiniteFloatPortable(const float* v, std::size_t n) { return NonFiniteFloat(v, n); }
FLAIR_AVX2 bool NonFiniteFloatAvx2(const float* v, std::size_t n) { return NonFiniteFloat(v, n); }
bool NonFiniteDoublePortable(const double* v, std::size_t n) { return NonFiniteDouble(v, n); }
FLAIR_AVX2 bool NonFiniteDoubleAvx2(const double* v, std::size_t n) {
  return NonFiniteDouble(v, n);
}

// --- linear -------------------------------------------------------------------------

template <typename T>
FLAIR_BODY void LinearBody(std::span<const T* const> inputs, std::span<const T* const> bases,
                           std::span<const double> alpha, std::size_t n, double* sum) {
  for (std::size_t k = 0; k < n; ++k) sum[k] = 0.0;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const T* const w = inputs[i];
    const T* const b = bases[i];
    const double a = alpha[i];
    for (std::size_t k = 0; k < n; ++k) {
      sum[k] += a * (static_cast<double>(w[k]) - static_cast<double>(b[k]));
    }
  }
}
template <typename T>
void LinearPortable(std::span<const T* const> inputs, std::span<const T* const> bases,
                    std::span<const double> alpha, std::size_t n, double* sum) {
  LinearBody<T>(inputs, bases, alpha, n, sum);
}
template <typename T>
FLAIR_AVX2 void LinearAvx2(std::span<const T* const> inputs, std::span<const T* const> bases,
                           std::span<const double> alpha, std::size_t n, double* sum) {
  LinearBody<T>(inputs, bases, alpha, n, sum);
}

// --- ranks --------------------------------------------------------------------------

using Network = std::span<const std::pair<std::uint16_t, std::uint16_t>>;

// Sorts the columns of rows x n: row i, element k is at rows[i * kChunk + k].
template <typename T>
FLAIR_BODY void SortColumns(T* rows, Network network, std::size_t n) {
  for (const auto& [i, j] : network) {
    T* const low = rows + std::size_t{i} * kChunk;
    T* const high = rows + std::size_t{j} * kChunk;
    for (std::size_t k = 0; k < n; ++k) {
      const T a = low[k];
      const T b = high[k];
      low[k] = b < a ? b : a;
      high[k] = b < a ? a : b;
    }
  }
}

FLAIR_BODY void ScaleRanks(const Ranks& ranks, std::size_t n, double* sum) {
  if (ranks.mean == RankMean::kMean) {
    const auto count = static_cast<double>(ranks.count);
    for (std::size_t k = 0; k < n; ++k) sum[k] /= count;
  } else if (ranks.count == 2) {
    for (std::size_t k = 0; k < n; ++k) sum[k] *= 0.5;
  }
}

// One base for all: sorts the inputs themselves.
template <typename T>
FLAIR_BODY void RankBody(std::span<const T* const> inputs, const T* base, Network network,
                         const Ranks& ranks, std::size_t n, T* rows, double* sum) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    std::memcpy(rows + i * kChunk, inputs[i], n * sizeof(T));
  }
  SortColumns(rows, network, n);
  for (std::size_t k = 0; k < n; ++k) sum[k] = 0.0;
  for (std::size_t r = ranks.first; r < ranks.first + ranks.count; ++r) {
    const T* const w = rows + r * kChunk;
    for (std::size_t k = 0; k < n; ++k) {
      sum[k] += static_cast<double>(w[k]) - static_cast<double>(base[k]);
    }
  }
  ScaleRanks(ranks, n, sum);
}
// Several bases: sorts the differences.
template <typename T>
FLAIR_BODY void RankDifferencesBody(std::span<const T* const> inputs,
                                    std::span<const T* const> bases, Network network,
                                    const Ranks& ranks, std::size_t n, double* rows, double* sum) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const T* const w = inputs[i];
    const T* const b = bases[i];
    double* const row = rows + i * kChunk;
    for (std::size_t k = 0; k < n; ++k) {
      row[k] = static_cast<double>(w[k]) - static_cast<double>(b[k]);
    }
  }
  SortColumns(rows, network, n);
  for (std::size_t k = 0; k < n; ++k) sum[k] = 0.0;
  for (std::size_t r = ranks.first; r < ranks.first + ranks.count; ++r) {
    const double* const d = rows + r * kChunk;
    for (std::size_t k = 0; k < n; ++k) sum[k] += d[k];
  }
  ScaleRanks(ranks, n, sum);
}
template <typename T>
void RankPortable(std::span<const T* const> inputs, const T* base, Network network,
                  const Ranks& ranks, std::size_t n, T* rows, double* sum) {
  RankBody<T>(inputs, base, network, ranks, n, rows, sum);
}
template <typename T>
FLAIR_AVX2 void RankAvx2(std::span<const T* const> inputs, const T* base, Network network,
                         const Ranks& ranks, std::size_t n, T* rows, double* sum) {
  RankBody<T>(inputs, base, network, ranks, n, rows, sum);
}
template <typename T>
void RankDifferencesPortable(std::span<const T* const> inputs, std::span<const T* const> bases,
                             Network network, const Ranks& ranks, std::size_t n, double* rows,
                             double* sum) {
  RankDifferencesBody<T>(inputs, bases, network, ranks, n, rows, sum);
}
template <typename T>
FLAIR_AVX2 void RankDifferencesAvx2(std::span<const T* const> inputs,
                                    std::span<const T* const> bases, Network network,
                                    const Ranks& ranks, std::size_t n, double* rows, double* sum) {
  RankDifferencesBody<T>(inputs, bases, network, ranks, n, rows, sum);
}

// --- element by element ---------------------------------------------------------------

template <typename T>
FLAIR_BODY void AddUpdateBody(const T* target, const double* sum, std::size_t n, T* out) {
  for (std::size_t k = 0; k < n; ++k) {
    out[k] = static_cast<T>(static_cast<double>(target[k]) + sum[k]);
  }
}
template <typename T>
void AddUpdatePortable(const T* target, const double* sum, std::size_t n, T* out) {
  AddUpdateBody<T>(target, sum, n, out);
}
template <typename T>
FLAIR_AVX2 void AddUpdateAvx2(const T* target, const double* sum, std::size_t n, T* out) {
  AddUpdateBody<T>(target, sum, n, out);
}

template <typename T>
FLAIR_BODY void DifferenceBody(const T* input, const T* base, std::size_t n, double* out) {
  for (std::size_t k = 0; k < n; ++k) {
    out[k] = static_cast<double>(input[k]) - static_cast<double>(base[k]);
  }
}
template <typename T>
void DifferencePortable(const T* input, const T* base, std::size_t n, double* out) {
  DifferenceBody<T>(input, base, n, out);
}
template <typename T>
FLAIR_AVX2 void DifferenceAvx2(const T* input, const T* base, std::size_t n, double* out) {
  DifferenceBody<T>(input, base, n, out);
}

// --- sums in lanes ----------------------------------------------------------------------

enum class Term : std::uint8_t { kSquaredDistance, kDot };

template <Term kTerm>
FLAIR_BODY void LanesBody(const double* a, const double* b, std::size_t n, double* lanes) {
  Vec4 low;
  Vec4 high;
  std::memcpy(&low, lanes, sizeof low);
  std::memcpy(&high, lanes + 4, sizeof high);
  for (std::size_t k = 0; k < n; k += kLanes) {
    Vec4 a0;
    Vec4 a1;
    Vec4 b0;
    Vec4 b1;
    std::memcpy(&a0, a + k, sizeof a0);
    std::memcpy(&a1, a + k + 4, sizeof a1);
    std::memcpy(&b0, b + k, sizeof b0);
    std::memcpy(&b1, b + k + 4, sizeof b1);
    if constexpr (kTerm == Term::kSquaredDistance) {
      const Vec4 d0 = a0 - b0;
      const Vec4 d1 = a1 - b1;
      low += d0 * d0;
      high += d1 * d1;
    } else {
      low += a0 * b0;
      high += a1 * b1;
    }
  }
  std::memcpy(lanes, &low, sizeof low);
  std::memcpy(lanes + 4, &high, sizeof high);
}
template <Term kTerm>
void LanesPortable(const double* a, const double* b, std::size_t n, double* lanes) {
  LanesBody<kTerm>(a, b, n, lanes);
}
template <Term kTerm>
FLAIR_AVX2 void LanesAvx2(const double* a, const double* b, std::size_t n, double* lanes) {
  LanesBody<kTerm>(a, b, n, lanes);
}

}  // namespace

std::vector<std::pair<std::uint16_t, std::uint16_t>> SortingNetwork(std::size_t n) {
  std::vector<std::pair<std::uint16_t, std::uint16_t>> network;
  // Knuth, The Art of Computer Programming 5.2.2, algorithm M.
  std::size_t top = 1;
  while (top * 2 < n) top *= 2;
  for (std::size_t p = top; n > 1 && p > 0; p /= 2) {
    std::size_t q = top;
    std::size_t r = 0;
    std::size_t d = p;
    while (true) {
      for (std::size_t i = 0; i + d < n; ++i) {
        if ((i & p) == r) {
          network.emplace_back(static_cast<std::uint16_t>(i), static_cast<std::uint16_t>(i + d));
        }
      }
      if (q == p) break;
      d = q - p;
      q /= 2;
      r = p;
    }
  }
  return network;
}

bool AnyNonFinite(const float* values, std::size_t n, Isa isa) {
  return FLAIR_DISPATCH(isa, NonFiniteFloatPortable, NonFiniteFloatAvx2)(values, n);
}
bool AnyNonFinite(const double* values, std::size_t n, Isa isa) {
  return FLAIR_DISPATCH(isa, NonFiniteDoublePortable, NonFiniteDoubleAvx2)(values, n);
}

template <typename T>
void LinearUpdate(std::span<const T* const> inputs, std::span<const T* const> bases,
                  std::span<const double> alpha, std::size_t n, double* sum, Isa isa) {
  FLAIR_DISPATCH(isa, LinearPortable<T>, LinearAvx2<T>)(inputs, bases, alpha, n, sum);
}

template <typename T>
void RankUpdate(std::span<const T* const> inputs, std::span<const T* const> bases,
                std::span<const std::pair<std::uint16_t, std::uint16_t>> network,
                const Ranks& ranks, std::size_t n, double* sum, Isa isa) {
  const bool one_base =
      std::all_of(bases.begin(), bases.end(), [&](const T* b) { return b == bases[0]; });
  if (one_base) {
    thread_local std::vector<T> rows;
    if (rows.size() < inputs.size() * kChunk) rows.resize(inputs.size() * kChunk);
    FLAIR_DISPATCH(isa, RankPortable<T>, RankAvx2<T>)
    (inputs, bases[0], network, ranks, n, rows.data(), sum);
    return;
  }
  thread_local std::vector<double> rows;
  if (rows.size() < inputs.size() * kChunk) rows.resize(inputs.size() * kChunk);
  FLAIR_DISPATCH(isa, RankDifferencesPortable<T>, RankDifferencesAvx2<T>)
  (inputs, bases, network, ranks, n, rows.data(), sum);
}

template <typename T>
void AddUpdate(const T* target, const double* sum, std::size_t n, T* out, Isa isa) {
  FLAIR_DISPATCH(isa, AddUpdatePortable<T>, AddUpdateAvx2<T>)(target, sum, n, out);
}

template <typename T>
void Difference(const T* input, const T* base, std::size_t n, double* out, Isa isa) {
  FLAIR_DISPATCH(isa, DifferencePortable<T>, DifferenceAvx2<T>)(input, base, n, out);
}

void AddSquaredDistance(const double* a, const double* b, std::size_t n, double* lanes, Isa isa) {
  constexpr Term kTerm = Term::kSquaredDistance;
  FLAIR_DISPATCH(isa, LanesPortable<kTerm>, LanesAvx2<kTerm>)(a, b, n, lanes);
}

void AddDot(const double* a, const double* b, std::size_t n, double* lanes, Isa isa) {
  FLAIR_DISPATCH(isa, LanesPortable<Term::kDot>, LanesAvx2<Term::kDot>)(a, b, n, lanes);
}

double FoldLanes(const double* l) {
  return ((l[0] + l[4]) + (l[2] + l[6])) + ((l[1] + l[5]) + (l[3] + l[7]));
}

#define FLAIR_INSTANTIATE(T)                                                            \
  template void LinearUpdate<T>(std::span<const T* const>, std::span<const T* const>,   \
                                std::span<const double>, std::size_t, double*, Isa);    \
  template void RankUpdate<T>(std::span<const T* const>, std::span<const T* const>,     \
                              std::span<const std::pair<std::uint16_t, std::uint16_t>>, \
                              const Ranks&, std::size_t, double*, Isa);                 \
  template void AddUpdate<T>(const T*, const double*, std::size_t, T*, Isa);            \
  template void Difference<T>(const T*, const T*, std::size_t, double*, Isa)
FLAIR_INSTANTIATE(float);
FLAIR_INSTANTIATE(double);
#undef FLAIR_INSTANTIATE

}  // namespace flair::kernels
