// The inner loops of a merge: one chunk of elements, all inputs.
//
// Place: inside merge. Written once for float and double rows; on x86-64 each is
// compiled a second time for AVX2 and chosen at run time. Both give the same bits:
// the loops fix the order of every operation and nothing is contracted.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace flair::kernels {

// Eight rows of 512 doubles fill a 32 KiB first-level cache.
inline constexpr std::size_t kChunk = 512;
// Sums over elements run in this many lanes: element k of a block adds to lane k mod 8.
inline constexpr std::size_t kLanes = 8;

enum class Isa : std::uint8_t { kPortable, kBest };

// Compare-exchange pairs (i < j) that sort n rows: Batcher's odd-even merge sort.
std::vector<std::pair<std::uint16_t, std::uint16_t>> SortingNetwork(std::size_t n);

// Is any of n values NaN or infinite?
bool AnyNonFinite(const float* values, std::size_t n, Isa isa = Isa::kBest);
bool AnyNonFinite(const double* values, std::size_t n, Isa isa = Isa::kBest);

// sum[k] = 0 + alpha_0 (W_0[k] - B_0[k]) + alpha_1 (W_1[k] - B_1[k]) + ...
// REQUIRES for all below: n <= kChunk; T is float or double.
template <typename T>
void LinearUpdate(std::span<const T* const> inputs, std::span<const T* const> bases,
                  std::span<const double> alpha, std::size_t n, double* sum, Isa isa = Isa::kBest);

// Which of the sorted differences count: [first, first + count), added in
// ascending order from 0, times 1/2 for the two of a median, over count for a mean.
enum class RankMean : std::uint8_t { kMedian, kMean };
struct Ranks {
  std::size_t first = 0;
  std::size_t count = 1;
  RankMean mean = RankMean::kMedian;
};
// sum[k] = the mean of those ranks of W_i[k] - B_i[k]. When all bases are the same
// pointer the W_i are sorted instead of the differences: subtraction of one number
// keeps the order, so the result is the same.
template <typename T>
void RankUpdate(std::span<const T* const> inputs, std::span<const T* const> bases,
                std::span<const std::pair<std::uint16_t, std::uint16_t>> network,
                const Ranks& ranks, std::size_t n, double* sum, Isa isa = Isa::kBest);

// out[k] = target[k] + sum[k], rounded once to T.
template <typename T>
void AddUpdate(const T* target, const double* sum, std::size_t n, T* out, Isa isa = Isa::kBest);

// out[k] = W[k] - B[k].
template <typename T>
void Difference(const T* input, const T* base, std::size_t n, double* out, Isa isa = Isa::kBest);

// lanes[k mod 8] += (a[k] - b[k])^2 for k < n. REQUIRES: n is a multiple of kLanes.
void AddSquaredDistance(const double* a, const double* b, std::size_t n, double* lanes,
                        Isa isa = Isa::kBest);
// lanes[k mod 8] += a[k] b[k].
void AddDot(const double* a, const double* b, std::size_t n, double* lanes, Isa isa = Isa::kBest);

// ((l0 + l4) + (l2 + l6)) + ((l1 + l5) + (l3 + l7)).
double FoldLanes(const double* lanes);

}  // namespace flair::kernels
