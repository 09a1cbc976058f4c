// SPDX-License-Identifier: Apache-2.0
#include "program/real_optimiser.h"

#include <algorithm>
#include <cmath>

#include "program/lower/optimiser.h"
#include "program/shapes.h"

namespace flair::program {
namespace {

void Note(double& largest, double value) { largest = std::max(largest, std::abs(value)); }

}  // namespace

RealOptimiser::RealOptimiser(const Program& program)
    : p_(program),
      rates_(program.schedule),
      is_sgd_(CodeOfOptimiser(program) == OptimiserCode::kSgd),
      keras_(IsKeras(program)),
      nesterov_(is_sgd_ && OptimiserIs(program, "nesterov")),
      decoupled_(keras_ || CodeOfOptimiser(program) == OptimiserCode::kAdamW),
      decay_(OptimiserFraction(program, "weight_decay").AsDouble()) {
  if (is_sgd_) {
    momentum_ = OptimiserFraction(program, "momentum").AsDouble();
    dampening_ = OptimiserFraction(program, "dampening").AsDouble();
  } else {
    beta1_ = OptimiserFraction(program, "beta1").AsDouble();
    beta2_ = OptimiserFraction(program, "beta2").AsDouble();
    eps_ = OptimiserFraction(program, "eps").AsDouble();
  }
  for (const Parameter& p : program.parameters) {
    first_.emplace_back(NumElements(p.dims));
    second_.emplace_back(NumElements(p.dims));
  }
}

void RealOptimiser::Clip(std::vector<Reals>& gradients, Magnitudes& seen) const {
  if (static_cast<ClipCode>(p_.clip.code) == ClipCode::kNone) return;
  double square = 0;
  for (const Reals& of : gradients) {
    for (const double g : of) {
      Note(seen[ProfileLine::kUpdateGradient], g);
      square += g * g;
    }
  }
  const double norm = std::sqrt(square);
  Note(seen[ProfileLine::kClipNorm], norm);
  const double limit = AttributeOf(Clips(), p_.clip, "limit").rational().AsDouble();
  const double coefficient = std::min(1.0, limit / (norm + (keras_ ? 0 : 1e-6)));
  for (Reals& of : gradients) {
    for (double& g : of) g *= coefficient;
  }
}

void RealOptimiser::Step(std::uint64_t step, std::vector<Reals> gradients,
                         std::vector<Reals>& parameters, Magnitudes& seen) {
  number_ = step;
  rate_ =
      static_cast<double>(rates_.NumeratorAt(step)) / static_cast<double>(p_.schedule.denominator);
  Clip(gradients, seen);
  for (std::size_t p = 0; p < parameters.size(); ++p) {
    const double decay = p_.parameters[p].decay ? decay_ : 0;
    for (std::size_t i = 0; i < gradients[p].size(); ++i) {
      double& weight = parameters[p][i];
      const Cell cell{first_[p][i], second_[p][i], gradients[p][i], decay * weight};
      weight += is_sgd_ ? Sgd(cell, seen) : Adam(cell, seen);
    }
  }
}

double RealOptimiser::Sgd(const Cell& cell, Magnitudes& seen) const {
  double& gradients = seen[ProfileLine::kUpdateGradient];
  Note(gradients, cell.gradient);
  double& b = cell.first;
  if (keras_ && momentum_ != 0) {
    const double h = rate_ * cell.gradient;
    b = momentum_ * b - h;
    Note(seen[ProfileLine::kMomentum], b);
    return -rate_ * cell.decayed + (nesterov_ ? momentum_ * b - h : b);
  }
  const double g = cell.gradient + cell.decayed;
  Note(gradients, g);
  if (momentum_ == 0) return -rate_ * g;
  b = momentum_ * b + (number_ == 0 ? 1 : 1 - dampening_) * g;
  Note(seen[ProfileLine::kMomentum], b);
  const double direction = nesterov_ ? g + momentum_ * b : b;
  Note(gradients, direction);
  return -rate_ * direction;
}

double RealOptimiser::Adam(const Cell& cell, Magnitudes& seen) const {
  const double g = cell.gradient + (decoupled_ ? 0 : cell.decayed);
  double &m = cell.first, &v = cell.second;
  m = beta1_ * m + (1 - beta1_) * g;
  v = beta2_ * v + (1 - beta2_) * g * g;
  const double n = static_cast<double>(number_) + 1;
  const double c1 = 1 - std::pow(beta1_, n), c2 = 1 - std::pow(beta2_, n);
  const double update = keras_ ? rate_ * std::sqrt(c2) / c1 * m / (std::sqrt(v) + eps_)
                               : rate_ / c1 * m / (std::sqrt(v / c2) + eps_);
  Note(seen[ProfileLine::kAdamGradient], g);
  Note(seen[ProfileLine::kAdamMean], m);
  Note(seen.squares, v / (1 - beta2_));
  Note(seen[ProfileLine::kAdamUpdate], update);
  return -update - (decoupled_ ? rate_ * cell.decayed : 0);
}

}  // namespace flair::program
