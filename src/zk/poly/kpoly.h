// Polynomials over K as coefficients, lowest first: what the mask tests compute with.
//
// Place: zk/poly, over field; used by both sides.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "zk/field/fp2.h"

namespace flair::zk {

// Horner.
Fp2 EvaluateAt(std::span<const Fp2> polynomial, Fp2 x);

// The polynomial of degree < n with value[i] at w^i, w of order n = |values|, a power of two.
std::vector<Fp2> InterpolateOnRoots(std::span<const Fp2> values);

// |a| + |b| - 1 coefficients; by transforms.
std::vector<Fp2> MultiplyPolynomials(std::span<const Fp2> a, std::span<const Fp2> b);

// into += factor * polynomial. REQUIRES: |into| >= |polynomial|.
void AddScaled(std::span<Fp2> into, std::span<const Fp2> polynomial, Fp2 factor);

}  // namespace flair::zk
