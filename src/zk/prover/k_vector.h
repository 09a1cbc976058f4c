// KVector: many elements of K as two arrays over F, so that lanes of eight can work on them.
//
// Invariant: room for a multiple of 16 elements; canonical.
// Place: zk/prover, over field. Thread safety: distinct elements from distinct threads.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "zk/field/fp2.h"

namespace flair::zk {

// Borrowed arrays; element i is a[i] + b[i] phi.
struct KSpan {
  std::uint64_t* a = nullptr;
  std::uint64_t* b = nullptr;

  KSpan From(std::uint64_t first) const { return {a + first, b + first}; }
  Fp2 at(std::uint64_t i) const { return {Fp(a[i]), Fp(b[i])}; }
  void Set(std::uint64_t i, Fp2 v) const {
    a[i] = v.a.value();
    b[i] = v.b.value();
  }
};

// Of any content, aligned to a cache line.
struct FreeWords {
  void operator()(std::uint64_t* words) const;
};
using Words = std::unique_ptr<std::uint64_t[], FreeWords>;
Words AllocateWords(std::uint64_t count);

class KVector {
 public:
  static constexpr std::uint64_t kRounding = 16;
  static std::uint64_t RoundUp(std::uint64_t n) {
    return (n + kRounding - 1) / kRounding * kRounding;
  }

  KVector() = default;
  // Of any content.
  explicit KVector(std::uint64_t size)
      : size_(size),
        capacity_(RoundUp(size)),
        a_(AllocateWords(capacity_)),
        b_(AllocateWords(capacity_)) {}

  std::uint64_t size() const { return size_; }
  std::uint64_t capacity() const { return capacity_; }
  Fp2 at(std::uint64_t i) const { return span().at(i); }
  // As a std::span would: a constant vector's elements may be written.
  KSpan span() const { return {a_.get(), b_.get()}; }

 private:
  std::uint64_t size_ = 0;
  std::uint64_t capacity_ = 0;
  Words a_;
  Words b_;
};

}  // namespace flair::zk
