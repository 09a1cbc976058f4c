// A perceptron of two layers without a loss: its second layer is driven to zero. It serves tests
// of the circuit and of its proofs.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <random>

#include "base/check.h"
#include "circuit/builder.h"
#include "circuit/run.h"

namespace flair::circuit {

struct PerceptronSizes {
  std::size_t batch = 5;
  std::size_t in = 6;
  std::size_t hidden = 3;
  std::size_t out = 2;
  unsigned activation_bits = 20;
  unsigned limb_bits = 8;
};

struct Perceptron {
  PerceptronSizes sizes;
  Circuit circuit;
  ValueId x, w1, w2, h, h_positive, z, dh;
};

inline constexpr unsigned kLowBits = 6;        // of a weight: what products do not read
inline constexpr unsigned kForwardShift = 8;   // from x times weight to an activation
inline constexpr unsigned kBackwardShift = 6;  // from z times weight to a gradient
inline constexpr unsigned kUpdateShift = 12;   // from gradient times activation to a weight

// h = round(x w1), a = max(h, 0), z = round(a w2), loss z^2/2, plain gradient descent.
inline Perceptron MakePerceptron(const PerceptronSizes& s) {
  Perceptron p{.sizes = s};
  Builder b;
  const AxisId n = b.AddAxis("batch", s.batch);
  const AxisId i = b.AddAxis("in", s.in);
  const AxisId k = b.AddAxis("hidden", s.hidden);
  const AxisId o = b.AddAxis("out", s.out);
  const Width activation = Signable(s.activation_bits, s.limb_bits, "activation");
  p.x = b.AddData("x", {n, i}, Signed(8, s.limb_bits, "data"), 0);
  // Weights have 16 bits, cut so that the lowest limb is what products do not read.
  Width weight = Signed(16, kLowBits, "weight");
  p.w1 = b.AddState("w1", {k, i}, weight, Carried::Role::kWeight);
  p.w2 = b.AddState("w2", {o, k}, weight, Carried::Role::kWeight);
  // 2 (limbs above the lowest) + 1 - bias
  const auto middle = [&](ValueId w) {
    Form form{.terms = {}, .constant = 1 - (2 * b[w].number.bias >> kLowBits)};
    std::int64_t unit = 2;
    for (std::size_t limb = 1; limb < b[w].number.limb_bits.size(); ++limb) {
      Read read = b.At(w);
      read.limb = static_cast<int>(limb);
      form.terms.push_back({.coefficient = unit, .factors = {read}, .windows = {}});
      unit <<= b[w].number.limb_bits[limb];
    }
    return b.AddForm(b[w].name + ".middle", b[w].axes, std::move(form));
  };
  const ValueId v1 = middle(p.w1);
  const ValueId v2 = middle(p.w2);
  const auto product = [&](const char* name, std::vector<AxisId> axes, ValueId left,
                           ValueId right) {
    return b.AddForm(name, std::move(axes),
                     {.terms = {{.coefficient = 1, .factors = {b.At(left), b.At(right)}}}});
  };
  const auto h = b.RoundSigned("h", product("x w1", {n, k}, p.x, v1), kForwardShift, activation);
  p.h = h.value;
  p.h_positive = h.positive;
  const ValueId a = product("a", {n, k}, p.h, p.h_positive);
  p.z = b.Round("z", product("a w2", {n, o}, a, v2), kForwardShift,
                Signed(s.activation_bits, s.limb_bits, "activation"));
  const ValueId da = product("da", {n, k}, p.z, v2);
  p.dh = b.Round("dh", product("dh.exact", {n, k}, da, p.h_positive), kBackwardShift,
                 Signed(24, s.limb_bits, "gradient"));
  const auto descend = [&](ValueId w, ValueId gradient, ValueId input) {
    Term step{.coefficient = -1, .factors = {b.At(gradient), b.At(input)}};
    const ValueId x = b.AddForm(
        b[w].name + ".step", b[w].axes,
        {.terms = {{.coefficient = 1 << kUpdateShift, .factors = {b.At(w)}}, std::move(step)}});
    b.RoundInto(w, x, kUpdateShift);
  };
  descend(p.w1, p.dh, p.x);
  descend(p.w2, p.z, a);
  auto made = std::move(b).Finish();
  FLAIR_CHECK(made.ok()) << (made.ok() ? "" : made.error().message());
  p.circuit = std::move(*made);
  return p;
}

inline StepInputs RandomInputs(const Perceptron& p, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  StepInputs inputs;
  inputs.cells.resize(p.circuit.values.size());
  const auto fill = [&](ValueId id, std::int64_t below) {
    inputs.cells[id].resize(p.circuit.SizeOf(p.circuit[id].axes));
    for (std::int64_t& v : inputs.cells[id]) {
      v = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(2 * below)) - below;
    }
  };
  fill(p.x, 128);
  fill(p.w1, 8'000);
  fill(p.w2, 8'000);
  return inputs;
}

}  // namespace flair::circuit
