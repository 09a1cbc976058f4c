// Masked: a value of K that is known up to pads, and what must hold between such values.
//
// Every value that a prover would send is sent minus a fresh pad d, uniform in K and committed
// before: the verifier sees v^ = v - d, which is uniform, and goes on with v = v^ + d, an affine
// expression in the pads. Its equations become linear constraints on the pads, products of two
// hidden values use a triple of pads (x, y, xy). All constraints are proven together at the end
// (mask_shape.h). docs/spec/masking.md.
//
// Place: zk/mask, over field; used by both sides. Thread safety: values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "zk/field/fp2.h"

namespace flair::zk {

class Masked {
 public:
  struct Term {
    std::uint64_t pad;
    Fp2 coefficient;
  };

  Masked() = default;
  Masked(Fp2 known) : known_(known) {}  // NOLINT: a public value is one without pads
  static Masked Pad(std::uint64_t pad) {
    Masked m;
    m.terms_.push_back({pad, Fp2(1)});
    return m;
  }

  Fp2 known() const { return known_; }
  const std::vector<Term>& terms() const { return terms_; }

  Masked& operator+=(const Masked& other) {
    known_ += other.known_;
    terms_.insert(terms_.end(), other.terms_.begin(), other.terms_.end());
    return *this;
  }
  Masked& operator*=(Fp2 factor) {
    known_ *= factor;
    for (Term& t : terms_) t.coefficient *= factor;
    return *this;
  }
  friend Masked operator+(Masked a, const Masked& b) { return a += b; }
  friend Masked operator*(Masked a, Fp2 factor) { return a *= factor; }
  friend Masked operator-(Masked a, Masked b) { return a += (b *= -Fp2(1)); }

 private:
  Fp2 known_;
  std::vector<Term> terms_;
};

// The equations between pads, in the order they were stated.
class Constraints {
 public:
  // `zero` must be 0: sum coefficient pad = -known.
  void RequireZero(const Masked& zero) { zeros_.push_back(zero); }
  std::size_t size() const { return zeros_.size(); }

  struct Combination {
    std::vector<Fp2> coefficients;  // by pad
    Fp2 target;
  };
  // sum_{k>=1} mu^k constraint_k. Powers begin at 1: power 0 belongs to the blinder, which
  // could cancel a constraint of coefficient 1.
  // REQUIRES: every pad is below num_pads.
  Combination Combine(Fp2 mu, std::uint64_t num_pads) const;

 private:
  std::vector<Masked> zeros_;
};

}  // namespace flair::zk
