// Elements of K over the lanes of one lanes_*.h: what k_arithmetic*.h and k_loops.h share.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "zk/prover/k_vector.h"

// A pair of lanes that is returned through memory costs more than its arithmetic.
#define FLAIR_LANES [[gnu::always_inline]] inline

namespace flair::zk {
namespace {

using Word = Lanes::Word;
constexpr std::size_t kWidth = Lanes::kWidth;

struct Wide {
  Word a;
  Word b;
};

FLAIR_LANES Wide LoadK(const KSpan& x, std::size_t i) {
  return {Lanes::Load(x.a + i), Lanes::Load(x.b + i)};
}
FLAIR_LANES void StoreK(const KSpan& x, std::size_t i, Wide v) {
  Lanes::Store(x.a + i, v.a);
  Lanes::Store(x.b + i, v.b);
}
FLAIR_LANES Wide BroadcastK(std::uint64_t a, std::uint64_t b) {
  return {Lanes::Broadcast(a), Lanes::Broadcast(b)};
}
FLAIR_LANES Wide AddK(Wide x, Wide y) { return {Lanes::Add(x.a, y.a), Lanes::Add(x.b, y.b)}; }
FLAIR_LANES Wide SubK(Wide x, Wide y) { return {Lanes::Sub(x.a, y.a), Lanes::Sub(x.b, y.b)}; }

}  // namespace
}  // namespace flair::zk
