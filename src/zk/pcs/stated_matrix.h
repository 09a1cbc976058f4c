// StatedMatrix: a committed matrix as a statement names it.
//
// Place: zk/pcs; used by both sides. Thread safety: values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "crypto/digest.h"
#include "zk/pcs/shape.h"
#include "zk/transcript.h"

namespace flair::zk {

struct StatedMatrix {
  MatrixShape shape;
  Digest root;

  friend bool operator==(const StatedMatrix&, const StatedMatrix&) = default;
};

// `which` (1) | kappa, m, R, h (8 each) | root (32)
void AppendStated(std::uint8_t which, const StatedMatrix& matrix, Bytes& out);
// `which` (1) | digest
void AbsorbStated(std::uint8_t which, const StatedMatrix& matrix, Transcript& transcript);

std::vector<MatrixShape> ShapesOf(std::span<const StatedMatrix> matrices);
std::vector<Digest> RootsOf(std::span<const StatedMatrix> matrices);

}  // namespace flair::zk
