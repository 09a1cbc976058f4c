// CommittedMatrix: rows of cells, encoded, hashed and dropped; opened by encoding them again.
//
// Rows stream in tiles of eight: the memory is 32 n bytes for the columns' states, 64 n for the
// tree, and one tile of codewords for each thread; never the codewords of all rows.
//
// Place: zk/prover, over pcs and hash. Invariants: the same shape, cells and seed give
// the same digest on any number of threads.
// Thread safety: const methods from any thread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "zk/hash/merkle_tree.h"
#include "zk/pcs/code.h"
#include "zk/pcs/opening.h"
#include "zk/pcs/pads.h"
#include "zk/pcs/shape.h"

namespace flair::zk {

// Where the cells come from. Read from several threads, and several times.
class RowSource {
 public:
  virtual ~RowSource() = default;
  // Cells of a row from column `first` on, canonical.
  virtual void ReadPart(std::uint64_t row, std::uint64_t first,
                        std::span<std::uint64_t> cells) const = 0;
  // All C of them.
  void Read(std::uint64_t row, std::span<std::uint64_t> cells) const { ReadPart(row, 0, cells); }
  // Eight rows from one on, side by side as in a tile, where that is cheaper than row after row;
  // false: nothing was written.
  virtual bool ReadTile(std::uint64_t /*first_row*/, std::span<std::uint64_t> /*tile*/) const {
    return false;
  }
  // A row that is more than cells brings its own h pads; false: they come from the seed.
  virtual bool ReadPads(std::uint64_t /*row*/, std::span<std::uint64_t> /*pads*/) const {
    return false;
  }
};

// Cells in memory, row after row.
class StoredRows final : public RowSource {
 public:
  // REQUIRES: a whole number of rows of `num_columns`.
  StoredRows(std::vector<std::uint64_t> cells, std::uint64_t num_columns)
      : cells_(std::move(cells)), num_columns_(num_columns) {}
  void ReadPart(std::uint64_t row, std::uint64_t first,
                std::span<std::uint64_t> cells) const override;
  bool ReadTile(std::uint64_t first_row, std::span<std::uint64_t> tile) const override;

 private:
  std::vector<std::uint64_t> cells_;
  std::uint64_t num_columns_;
};

class CommittedMatrix {
 public:
  // `seed`: kept with weights, state and data, whose cells are hashed into the pads' key; that of
  // a witness or companion is BatchProver's affair, which draws it afresh.
  // Errors: kInvalidArgument for a shape that CheckShape refuses.
  static Result<CommittedMatrix> Commit(const MatrixShape& shape,
                                        std::shared_ptr<const RowSource> rows, const Digest& seed);

  // The same without encoding a row, from an earlier one's origin() and leaves(). None when cells,
  // seed or shape are others, or the leaves not as many. REQUIRES: kept with its seed.
  static Result<std::optional<CommittedMatrix>> Restore(const MatrixShape& shape,
                                                        std::shared_ptr<const RowSource> rows,
                                                        const Digest& seed, const Digest& origin,
                                                        std::vector<Digest> leaves);

  const MatrixShape& shape() const { return shape_; }
  const RowSource& rows() const { return *rows_; }
  const Digest& root() const { return tree_.root(); }
  const Digest& digest() const { return digest_; }
  // What the leaves follow from, hashed: shape, seed, cells. Zero where the seed is not kept.
  const Digest& origin() const { return origin_; }
  std::span<const Digest> leaves() const { return tree_.leaves(); }

  // REQUIRES: columns ascending, distinct, below n.
  OpenedMatrix Open(std::span<const std::uint64_t> columns) const;

  // into += sum_i weights_i row_i, cells and pads. REQUIRES: R weights, C + h coefficients.
  void AddCombination(std::span<const Fp2> weights, std::span<Fp2> into) const;

 private:
  CommittedMatrix(const MatrixShape& shape, std::shared_ptr<const RowSource> rows, const Pads& pads,
                  const Digest& origin, MerkleTree tree);

  MatrixShape shape_;
  std::shared_ptr<const RowSource> rows_;
  Pads pads_;
  Digest origin_;
  MerkleTree tree_;
  Digest digest_;
};

}  // namespace flair::zk
