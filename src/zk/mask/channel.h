// Channel: a script that prover and verifier both follow, seen from either end.
//
// What is between them are values that one end knows and the other knows up to pads. The same
// code runs at both ends, so that both state the same equations; values come from a witness that
// the verifier has not got, and are 0 at its end.
//
// Place: zk/mask; BatchProver and BatchVerifier are the two ends.
// Thread safety: one thread at a time.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "zk/mask/masked.h"
#include "zk/transcript.h"

namespace flair::zk {

struct Secret {
  Fp2 value;  // 0 at the verifier's end
  Masked masked;

  friend Secret operator+(Secret x, const Secret& y) {
    return {x.value + y.value, std::move(x.masked) + y.masked};
  }
  friend Secret operator-(Secret x, const Secret& y) {
    return {x.value - y.value, std::move(x.masked) - y.masked};
  }
  friend Secret operator*(Secret x, Fp2 factor) {
    return {x.value * factor, std::move(x.masked) * factor};
  }
};

class Channel {
 public:
  virtual ~Channel() = default;

  // As many values as are given, each minus its pad.
  virtual std::vector<Secret> Pass(Transcript& transcript, Label label,
                                   const std::vector<Fp2>& values) = 0;
  struct Product {
    Secret a;
    Secret b;
    Secret product;  // a b
  };
  virtual Product PassProduct(Transcript& transcript, Label label, Fp2 a, Fp2 b) = 0;
  virtual void RequireZero(const Masked& zero) = 0;
  // A challenge that tests an identity of this degree in it: a false one passes with
  // degree/|K|. A script draws here and nowhere else, so that its plan can count.
  virtual Fp2 Draw(Transcript& transcript, Label label, unsigned /*degree*/) {
    return transcript.Draw(label);
  }
};

}  // namespace flair::zk
