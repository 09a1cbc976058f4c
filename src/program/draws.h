// The public randomness of a training run: which rows a step reads, which units dropout
// keeps. Everything follows from the run's seed.
//
//   rows   epoch e is a Fisher-Yates shuffle by ChaCha20 keyed SHA-256("batch" || seed ||
//          LE64 e); a last batch that is not full is dropped
//   masks  word i of ChaCha20 keyed SHA-256("draw" || seed || LE64 step || LE64 number)
//          is element i: 1 unless word < floor(p 2^32)
//
// Place: program; the trainer draws, a verifier draws the same. Normative:
// docs/spec/step.md.
// Thread safety: functions of their arguments.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "crypto/digest.h"
#include "program/rational.h"

namespace flair::program {

using Seed = Digest;

// The order of `rows` rows in one epoch.
std::vector<std::uint32_t> EpochOrder(const Seed& seed, std::uint64_t epoch, std::uint32_t rows);

// The rows of steps, drawn epoch by epoch.
class Batches {
 public:
  // REQUIRES: 1 <= batch <= rows < 2^32.
  Batches(const Seed& seed, std::uint32_t rows, std::uint64_t batch)
      : seed_(seed), rows_(rows), batch_(batch) {}

  // Borrowed until the next call.
  std::span<const std::uint32_t> RowsOf(std::uint64_t step);

 private:
  Seed seed_;
  std::uint32_t rows_;
  std::uint64_t batch_;
  std::uint64_t epoch_ = 0;
  std::vector<std::uint32_t> order_;
};

// `count` elements of mask `number` in `step`: 0 with probability `drop`.
std::vector<std::int64_t> DrawMask(const Seed& seed, std::uint64_t step, std::uint64_t number,
                                   Rational drop, std::size_t count);

}  // namespace flair::program
