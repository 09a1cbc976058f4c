// One element of F at a time: what all other lanes must equal.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "zk/field/fp.h"

namespace flair::zk {
namespace {

struct Lanes {
  using Word = Fp;
  static constexpr std::size_t kWidth = 1;
  static Word Load(const std::uint64_t* p) { return Fp(*p); }
  static void Store(std::uint64_t* p, Word v) { *p = v.value(); }
  static Word LoadInts(const std::int32_t* p) { return Fp::FromInt(*p); }
  static Word Even(Word a, Word /*b*/) { return a; }
  static Word Odd(Word /*a*/, Word b) { return b; }
  static Word Broadcast(std::uint64_t v) { return Fp(v); }
  static Word Add(Word a, Word b) { return a + b; }
  static Word Sub(Word a, Word b) { return a - b; }
  static Word Mul(Word a, Word b) { return a * b; }
  static Word MulByI(Word x) { return x * Fp(std::uint64_t{1} << 48); }
};

}  // namespace
}  // namespace flair::zk
