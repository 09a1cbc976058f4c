// Kernels of the sumchecks and of the lookup argument's tree: eight elements of K at a time.
//
// All give the same bits (k_kernels_test.cc). Counts are multiples of 8; arrays are
// those of k_vector.h.
//
// Place: zk/prover, over field. Chosen once, by what the machine has. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "zk/prover/k_vector.h"

namespace flair::zk {

// The children of nodes: p0/q0 + p1/q1.
struct FractionPairs {
  KSpan p0;
  KSpan q0;
  KSpan p1;
  KSpan q1;
};

inline constexpr std::size_t kSumLanes = 8;

struct KKernels {
  std::string_view name;
  // even[i] = in[2i], odd[i] = in[2i + 1], i < n.
  void (*deinterleave)(KSpan in, KSpan even, KSpan odd, std::size_t n);
  // p = p0 q1 + p1 q0, q = q0 q1.
  void (*combine)(const FractionPairs& in, KSpan p, KSpan q, std::size_t n);
  // The same of 1/q0 + 1/q1.
  void (*combine_ones)(KSpan q0, KSpan q1, KSpan p, KSpan q, std::size_t n);
  // p0 += mu q0.
  void (*add_scaled)(KSpan p0, KSpan q0, Fp2 mu, std::size_t n);
  // out[i] = in[2i] + r (in[2i + 1] - in[2i]), i < n.
  void (*fold)(KSpan in, Fp2 r, KSpan out, std::size_t n);
  // out = x y, out += x y, out = x + y.
  void (*multiply)(KSpan x, KSpan y, KSpan out, std::size_t n);
  void (*add_product)(KSpan x, KSpan y, KSpan out, std::size_t n);
  void (*add)(KSpan x, KSpan y, KSpan out, std::size_t n);
  // out = c x.
  void (*scale)(KSpan x, Fp2 c, KSpan out, std::size_t n);
  // even[i] = in[2i], step[i] = in[2i + 1] - in[2i], i < n.
  void (*split)(KSpan in, KSpan even, KSpan step, std::size_t n);
  // sum_i x[i] y[i], in kSumLanes parts.
  void (*dot)(KSpan x, KSpan y, std::size_t n, KSpan sums);
  // The same of w over K and x over F.
  void (*dot_base)(KSpan w, const std::uint64_t* x, std::size_t n, KSpan sums);
  // sum_i eq[i] x[i] y[i], in kSumLanes parts.
  void (*weighted_dot)(KSpan x, KSpan y, KSpan eq, std::size_t n, KSpan sums);
  // With x[i](X) = x[2i] + X (x[2i + 1] - x[2i]), i < n: sum_i x[i](X) y[i](X), at X = 0 in
  // kSumLanes parts from sums[0] on, at X = 2 from sums[kSumLanes] on.
  void (*round_of_product)(KSpan x, KSpan y, std::size_t n, KSpan sums);
  // The same, times eq[i].
  void (*weighted_round)(KSpan x, KSpan y, KSpan eq, std::size_t n, KSpan sums);
  // The same of w and x over F, at X = 0, 1 and 2.
  void (*round_of_base)(KSpan w, const std::uint64_t* x, std::size_t n, KSpan sums);
  // With x(X) and y(X) as above, over F: sum_i eq[i] x[i](X) y[i](X) at X = 0, 1 and 2.
  void (*round_of_base_product)(const std::uint64_t* x, const std::uint64_t* y, KSpan eq,
                                std::size_t n, KSpan sums);
  // Of elements of F.
  void (*fold_base)(const std::uint64_t* in, Fp2 r, KSpan out, std::size_t n);
  // out += c x, x over F.
  void (*add_scaled_base)(KSpan out, Fp2 c, const std::uint64_t* x, std::size_t n);
  // With x[i](X) = x[2i] + X (x[2i + 1] - x[2i]), i < n:
  //   sum_i eq[i] (p0 q1 + p1 q0)[i](X)
  // at X = 0 in kSumLanes parts from sums[0] on, at X = 2 from sums[kSumLanes] on.
  void (*round)(const FractionPairs& in, KSpan eq, std::size_t n, KSpan sums);
  // The same of p0 = 1 + mu q0 and p1 = 1.
  void (*round_of_ones)(KSpan q0, KSpan q1, KSpan eq, Fp2 mu, std::size_t n, KSpan sums);
  // Of leaves 1/(base - v): the children of node i are p0/q0 = 1/(base - v[4i]) +
  // 1/(base - v[4i + 1]) and p1/q1, the same of v[4i + 2] and v[4i + 3].
  void (*children_of_ints)(Fp2 base, const std::int32_t* v, const FractionPairs& out,
                           std::size_t n);
  // With x[i](X) = v[4i] + X (v[4i + 2] - v[4i]), y[i] the same of v[4i + 1] and v[4i + 3]:
  // sum_i eq[i] (x + y)[i](X) at X = 0 in kSumLanes parts from sums[0] on, at X = 2 from
  // sums[kSumLanes] on, and behind them the same of x y.
  void (*round_of_ints)(const std::int32_t* v, KSpan eq, std::size_t n, KSpan sums);
  // q0[i] = base - x[i](r), q1[i] = base - y[i](r).
  void (*fold_of_ints)(Fp2 base, const std::int32_t* v, Fp2 r, KSpan q0, KSpan q1, std::size_t n);
  // out[i] = base - v[i].
  void (*subtract_ints)(Fp2 base, const std::int32_t* v, KSpan out, std::size_t n);
  // out[i] -= c v[i].
  void (*subtract_scaled_ints)(KSpan out, Fp2 c, const std::int32_t* v, std::size_t n);
};

const KKernels& FastestKKernels();
std::span<const KKernels* const> AllKKernels();

#if defined(__x86_64__)
extern const KKernels kAvx2KKernels;
extern const KKernels kAvx512KKernels;
extern const KKernels kAvx512IfmaKKernels;
#endif
extern const KKernels kPortableKKernels;

}  // namespace flair::zk
