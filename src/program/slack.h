// Slack: how far a recorded step may be from the exact one.
//
// A framework computes in float32 what the program says exactly: W' = U(W) + e. Of a recorded run
// the weights are given, e follows, and the circuit bounds it. docs/spec/step.md, "Slack".
//
//   every cell     |e| < tau
//   every tensor   |e|^2 <= (10 rho)^2 |W' - W|^2 + (kappa 2^-24)^2 |W|^2 + grid
//   all together   |e|^2 <= rho^2 |W' - W|^2 + (kappa 2^-24)^2 |W|^2 + grid
//   over the run   the sum of |e| over the steps <= sigma; deviations <= beta
//
// Biases that a norm takes away again have other ones (gauge.h).
//
// Who verifies sets the bounds; what a run needs of them stays private.
//
// Place: program. Thread safety: values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/digest.h"
#include "program/program.h"

namespace flair::program {

// Steps of a run, from its beginning, to which `rho_first` applies.
inline constexpr std::uint64_t kFirstSteps = 10;

struct Slack {
  int tau = -11;  // tau = 2^tau; what is above the unit is a limb of 20 bits then
  double rho = 5e-4;
  double rho_first = 2e-2;
  std::uint32_t kappa = 1;
  double sigma = 1.0;  // L2, in units of the weights
  // Signs of a relu's input, and cells of pools, that may be given within the profile's tie zone
  // against what the values say: in the whole run. A framework's sums come out on the other side of
  // 0 sometimes.
  std::uint64_t beta = 0;

  bool operator==(const Slack&) const = default;
};

// By optimiser: Adam's tau is twice its largest rate.
Slack DefaultSlack(const Program& program);

// As the circuit has it: integers alone, rounded down.
struct SlackUnits {
  unsigned cell_bits = 20;  // |e| < 2^cell_bits units of the finest tensor
  std::int64_t share = 0;   // floor(rho^2 2^28)
  std::int64_t share_first = 0;
  std::int64_t kappa2 = 1;
  std::int64_t drift = 0;  // sigma in units
};
// `scale`: the least of the program's parameters.
// Errors: kInvalidArgument for bounds out of range: rho to 1/64, rho_first to 0.022, kappa to 64,
// sigma to 2^13, and to 2^44 units.
Result<SlackUnits> UnitsOf(const Slack& slack, int scale);

// What a run needs of its slack: for whoever proves, never in a statement.
struct SlackUse {
  double first = 0;  // the most |e| / |W' - W| of the first steps, and of the others
  double later = 0;
  double drift = 0;  // of all steps together, in units of the weights
  std::uint64_t deviations = 0;
};

// What a statement names: zeros for exact runs, else SHA-256 of
//   "flair slack v1" || tau (1) || rho, rho_first, sigma as IEEE binary64 (8 each) || kappa (4) ||
//   beta (8)
Digest SlackDigest(const Slack& slack);

}  // namespace flair::program
