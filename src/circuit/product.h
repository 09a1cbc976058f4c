// Product: a term that is a product of matrices, by blocks that fit the caches.
//
// The loops of a nest with two factors a and b are of four classes, by who walks along them:
//
//   batch   out, a and b        row     out and a, or out alone
//   depth   not out             column  out and b
//
// A block of rows x columns of the result is a product of packed blocks of a and b, where cells
// outside of a window are 0. Linear layers, convolutions and their gradients are of this kind.
//
// Numbers are doubles where these are exact: every sum of absolute products within a block is at
// most 2^53. Elsewhere they are 64-bit integers. Either way the result is the nest's.
//
// Place: circuit, below contract.h, over nest.h. Thread safety: const methods from any thread;
// they use the machine's threads.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "circuit/nest.h"
#include "circuit/product_kernels.h"

namespace flair::circuit {

class Product {
 public:
  // Worth the packing?
  static bool Pays(const Nest& nest);

  // Borrows the nest. REQUIRES: two factors.
  explicit Product(const Nest& nest, const ProductKernels& kernels = FastestProductKernels());

  void AddTo(std::span<const std::int64_t> a, std::span<const std::int64_t> b,
             std::span<std::int64_t> out) const;

 private:
  struct Side;
  struct Unit;
  template <typename Cell>
  class Worker;

  enum class Class : std::uint8_t { kBatch, kRow, kColumn, kDepth };
  // Loops of a class, and how many counters they have together.
  struct Group {
    std::vector<std::size_t> loops;  // the last one fastest
    Index size = 1;
    Index inner = 1;  // so many may meet in one cell of the result
  };

  static std::vector<Class> ClassesOf(const Nest& nest);
  static Group GroupOf(const Nest& nest, const std::vector<Class>& classes, Class wanted,
                       const Walk& order);
  // What `steps` say of each of the group's counters.
  std::vector<Index> Along(const Group& group, const std::vector<Index>& steps) const;
  Side SideOf(const Walk& walk, const Group& group, std::size_t panel) const;
  // Of the bounds between loops of two groups, or of one and the batch.
  std::vector<std::size_t> BoundsWithin(const Group& x, const Group& y) const;
  std::vector<Index> BoundSteps(std::size_t bound) const;

  const Nest& nest_;
  const ProductKernels& kernels_;
  const Walk* a_;  // of the rows' factor
  const Walk* b_;  // of the columns' factor
  bool swapped_ = false;
  Group batch_, rows_, columns_, depth_;
};

}  // namespace flair::circuit
