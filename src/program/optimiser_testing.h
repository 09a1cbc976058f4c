// A network for any optimiser, and what the optimisers' formulas say of a step, in doubles.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "program/lower_testing.h"

namespace flair::program {

// The network; everything in it that a number may say is said otherwise for some parameter.
inline std::string NetWith(const std::string& optimiser, const std::string& schedule,
                           const std::string& rest = "") {
  return R"(flair program 1
batch 3
data x [4] bits 12 scale 8
label y classes 3
param w1 [5, 4]
param b1 [5] scale -1
param w2 [3, 5] scale 1
param b2 [3] decay no
param spare [2]
h = linear(x, w1, b1)
a = relu(h)
z = linear(a, w2, b2)
l = cross_entropy(z, y)
loss l
optimiser )" +
         optimiser + "\nschedule " + schedule + "\n" + rest + "profile gradient 26 25\n";
}

// What a step knows of an optimiser: its attributes, and a parameter's states before the step.
class OptimiserFormula {
 public:
  OptimiserFormula(const Training& t, const TrainingStep& step) : t_(t), step_(step) {}

  // W(t+1) - W(t) of every parameter that has a gradient, from these gradients.
  std::vector<Reals> Updates(std::vector<Reals> gradients) const {
    const RealInputs inputs = RealInputsOf(t_, step_);
    const double clip = ClipCoefficient(gradients);
    for (Reals& of : gradients) {
      for (double& g : of) g *= clip;
    }
    for (std::uint32_t p = 0; p < gradients.size(); ++p) {
      for (std::size_t i = 0; i < gradients[p].size(); ++i) {
        const double decay = t_.program.parameters[p].decay ? Fraction("weight_decay") : 0;
        const double decayed = decay * inputs.parameters[p][i];
        gradients[p][i] =
            static_cast<OptimiserCode>(t_.program.optimiser.code) == OptimiserCode::kSgd
                ? Sgd(p, i, gradients[p][i], decayed)
                : Adam(p, i, gradients[p][i], decayed);
      }
    }
    return gradients;
  }

  double ClipCoefficient(const std::vector<Reals>& gradients) const {
    if (static_cast<ClipCode>(t_.program.clip.code) == ClipCode::kNone) return 1;
    const double limit = AttributeOf(Clips(), t_.program.clip, "limit").rational().AsDouble();
    double square = 0;
    for (const Reals& of : gradients) square += Norm(of) * Norm(of);
    return std::min(1.0, limit / (std::sqrt(square) + (Is("rule") ? 0 : 1e-6)));
  }

 private:
  double Fraction(std::string_view name) const {
    return AttributeOf(Optimisers(), t_.program.optimiser, name).rational().AsDouble();
  }
  bool Is(std::string_view name) const {
    return AttributeOf(Optimisers(), t_.program.optimiser, name).integer() != 0;
  }
  double rate() const {
    return static_cast<double>(t_.program.schedule.NumeratorAt(step_.number)) /
           static_cast<double>(t_.program.schedule.denominator);
  }
  // Number `which` of what is remembered of a parameter's cell; 0 where nothing is.
  double State(std::uint32_t parameter, std::size_t which, std::size_t cell, int scale) const {
    for (const OptimiserState& state : t_.lowered.states) {
      if (state.parameter != parameter || which-- != 0) continue;
      return std::ldexp(static_cast<double>(step_.values.now[state.value][cell]), -scale);
    }
    return 0;
  }

  double Sgd(std::uint32_t parameter, std::size_t cell, double g, double decayed) const {
    const double mu = Fraction("momentum"), b = State(parameter, 0, cell, 32);
    if (Is("rule")) {
      const double m = mu * b - rate() * g;
      return -rate() * decayed + (Is("nesterov") ? mu * m - rate() * g : m);
    }
    g += decayed;
    const double share = step_.number == 0 || mu == 0 ? 1 : 1 - Fraction("dampening");
    const double next = mu * b + share * g;
    return -rate() * (Is("nesterov") ? g + mu * next : next);
  }

  double Adam(std::uint32_t parameter, std::size_t cell, double g, double decayed) const {
    const double beta1 = Fraction("beta1"), beta2 = Fraction("beta2"), eps = Fraction("eps");
    const double n = static_cast<double>(step_.number + 1);
    const bool decoupled = Is("rule") || static_cast<OptimiserCode>(t_.program.optimiser.code) ==
                                             OptimiserCode::kAdamW;
    if (!decoupled) g += decayed;
    const double m = beta1 * State(parameter, 0, cell, 36) + (1 - beta1) * g;
    const double v = (1 - beta2) * (beta2 * State(parameter, 1, cell, 56) + g * g);
    const double c1 = 1 - std::pow(beta1, n), c2 = 1 - std::pow(beta2, n);
    const double update = Is("rule") ? rate() * std::sqrt(c2) / c1 * m / (std::sqrt(v) + eps)
                                     : rate() / c1 * m / (std::sqrt(v) / std::sqrt(c2) + eps);
    return -update - (decoupled ? rate() * decayed : 0);
  }

  const Training& t_;
  const TrainingStep& step_;
};

inline std::vector<Reals> OptimiserUpdates(const Training& t, const TrainingStep& step) {
  return OptimiserFormula(t, step).Updates(RealGradients(t, step));
}

}  // namespace flair::program
