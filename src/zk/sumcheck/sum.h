// Sum: a sum of products over a hypercube, brought down to its factors at one point.
//
//   S = sum_x prod_i eq(tau_i, x_i) sum_k c_k prod_{j in factors_k} f_j(x),     x in {0,1}^n
//
// without the factor of a variable that has no tau. Variable 0 first. A round's polynomial is
// eq(tau_i, X) h(X) (or h), h of degree d = the most factors of a term; h(0), ..., h(d) are
// passed, with
//   (1 - tau_i) h(0) + tau_i h(1) = S      (or h(0) + h(1) = S)
// and S = h(r_i) goes on. At the end the hidden factors' values at r, whose products must give S.
// docs/spec/sumcheck.md.
//
// Place: zk/sumcheck, over mask; the same at both ends. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "zk/mask/channel.h"

namespace flair::zk {

struct SumTerm {
  Fp2 coefficient{1};
  std::vector<std::size_t> factors;  // tables; at least one, at most two of them hidden
};

struct SumShape {
  std::vector<std::optional<Fp2>> tau;  // by variable
  std::vector<bool> hidden;             // by table: or both ends know it
  std::vector<SumTerm> terms;

  unsigned num_variables() const { return static_cast<unsigned>(tau.size()); }
  unsigned degree() const;
  // What RunSum takes of the plan's.
  std::uint64_t num_pads() const;
  std::uint64_t num_triples() const;
};

// What only the prover has: the tables.
class SumWitness {
 public:
  virtual ~SumWitness() = default;
  // h(0), ..., h(d) of this round; `claim` is what they must add up to.
  virtual std::vector<Fp2> Round(Fp2 claim) = 0;
  virtual void Fold(Fp2 r) = 0;
  // Of a table, when all variables are bound.
  virtual Fp2 Last(std::size_t table) const = 0;
};

struct SumEnd {
  std::vector<Fp2> point;
  std::vector<Secret> values;  // by table, those of the hidden ones
};

// `public_value`: a public table's multilinear extension at the point. `witness`: null at the
// verifier's end. REQUIRES: the shape's tables are named by its terms, each hidden one by one at
// least.
SumEnd RunSum(const SumShape& shape, const Secret& sum,
              const std::function<Fp2(std::size_t, std::span<const Fp2>)>& public_value,
              Transcript& transcript, Channel& channel, SumWitness* witness);

// The polynomial of degree < |values| through (0, values[0]), (1, values[1]), ..., at r.
Secret Interpolate(const std::vector<Secret>& values, Fp2 r);

}  // namespace flair::zk
