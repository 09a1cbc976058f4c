// One element at a time: what every other kernel must equal.
// SPDX-License-Identifier: Apache-2.0
#include "zk/field/fp.h"
#include "zk/field/kernels.h"

namespace flair::zk {
namespace {

struct Lanes {
  using Word = Fp;
  static constexpr std::size_t kWidth = 1;
  static Word Load(const std::uint64_t* p) { return Fp(*p); }
  static void Store(std::uint64_t* p, Word v) { *p = v.value(); }
  static Word Broadcast(std::uint64_t v) { return Fp(v); }
  static Word Add(Word a, Word b) { return a + b; }
  static Word Sub(Word a, Word b) { return a - b; }
  static Word Mul(Word a, Word b) { return a * b; }
};

}  // namespace
}  // namespace flair::zk

#include "zk/field/kernel_body.h"

namespace flair::zk {

const TileKernels kPortableKernels = MakeKernels("portable");

}  // namespace flair::zk
