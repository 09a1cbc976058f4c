// SPDX-License-Identifier: Apache-2.0
#include "zk/pcs/stated_matrix.h"

namespace flair::zk {

void AppendStated(std::uint8_t which, const StatedMatrix& matrix, Bytes& out) {
  const MatrixShape& shape = matrix.shape;
  out.push_back(static_cast<std::byte>(which));
  for (const std::uint64_t v : {std::uint64_t{shape.log_columns}, std::uint64_t{shape.log_n},
                                shape.num_rows, shape.num_pads}) {
    AppendLe64(out, v);
  }
  Append(out, matrix.root.view());
}

void AbsorbStated(std::uint8_t which, const StatedMatrix& matrix, Transcript& transcript) {
  Bytes message = {static_cast<std::byte>(which)};
  Append(message, MatrixDigest(matrix.shape, matrix.root).view());
  transcript.Absorb(Label::kCommitment, message);
}

std::vector<MatrixShape> ShapesOf(std::span<const StatedMatrix> matrices) {
  std::vector<MatrixShape> shapes;
  for (const StatedMatrix& matrix : matrices) shapes.push_back(matrix.shape);
  return shapes;
}

std::vector<Digest> RootsOf(std::span<const StatedMatrix> matrices) {
  std::vector<Digest> roots;
  for (const StatedMatrix& matrix : matrices) roots.push_back(matrix.root);
  return roots;
}

}  // namespace flair::zk
