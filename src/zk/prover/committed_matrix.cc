// SPDX-License-Identifier: Apache-2.0
#include "zk/prover/committed_matrix.h"

#include <algorithm>
#include <bit>
#include <mutex>
#include <utility>

#include "base/check.h"
#include "base/threads.h"
#include "crypto/sha256.h"
#include "zk/prover/k_kernels.h"

namespace flair::zk {
namespace {

void Must(const Status& status) { FLAIR_CHECK(status.ok()) << status.error().message(); }

std::uint64_t NumTiles(const MatrixShape& shape) {
  return (shape.num_rows + kTileRows - 1) / kTileRows;
}

// Eight rows side by side: cells and pads. Rows behind the last are zero.
class TileReader {
 public:
  TileReader(const MatrixShape& shape, const RowSource& rows, const Pads& pads)
      : shape_(shape),
        rows_(rows),
        pads_(pads),
        rows_of_tile_(kTileRows, std::vector<std::uint64_t>(shape.num_columns())),
        cells_(shape.num_columns() * kTileRows),
        row_pads_(shape.num_pads),
        tile_pads_(shape.num_pads * kTileRows) {}

  void Read(std::uint64_t tile) {
    const bool is_read =
        (tile + 1) * kTileRows <= shape_.num_rows && rows_.ReadTile(tile * kTileRows, cells_);
    for (std::size_t r = 0; r < kTileRows; ++r) {
      const std::uint64_t row = tile * kTileRows + r;
      if (row < shape_.num_rows) {
        if (!is_read) rows_.Read(row, rows_of_tile_[r]);
        if (!rows_.ReadPads(row, row_pads_)) pads_.Row(row, row_pads_);
      } else {
        std::fill(rows_of_tile_[r].begin(), rows_of_tile_[r].end(), 0);
        std::fill(row_pads_.begin(), row_pads_.end(), 0);
      }
      for (std::size_t j = 0; j < row_pads_.size(); ++j) {
        tile_pads_[j * kTileRows + r] = row_pads_[j];
      }
    }
    if (is_read) return;
    for (std::size_t j = 0; j < shape_.num_columns(); ++j) {
      for (std::size_t r = 0; r < kTileRows; ++r) {
        cells_[j * kTileRows + r] = rows_of_tile_[r][j];
      }
    }
  }
  std::span<const std::uint64_t> cells() const { return cells_; }
  std::span<const std::uint64_t> pads() const { return tile_pads_; }

 private:
  const MatrixShape& shape_;
  const RowSource& rows_;
  const Pads& pads_;
  std::vector<std::vector<std::uint64_t>> rows_of_tile_;
  std::vector<std::uint64_t> cells_;
  std::vector<std::uint64_t> row_pads_;
  std::vector<std::uint64_t> tile_pads_;
};

// Encodes every tile once, at `places` by coset if there are any, and shows each coset of it to
// `visit(tile, coset, codewords)`. Calls for one coset come in the order of tiles; those of
// different cosets may run at once.
void EncodeAll(const MatrixShape& shape, const RowSource& rows, const Pads& pads,
               const std::vector<std::vector<std::uint64_t>>& places,
               const std::function<void(std::uint64_t, std::uint64_t,
                                        std::span<const std::uint64_t>)>& visit) {
  const Code code(shape);
  const std::uint64_t num_tiles = NumTiles(shape);
  const std::size_t at_once =
      std::clamp<std::size_t>(ThreadCount(), 1, static_cast<std::size_t>(num_tiles));
  std::vector<TileReader> readers(at_once, TileReader(shape, rows, pads));
  const std::size_t coset_size = shape.num_columns() * kTileRows;
  std::vector<std::vector<std::uint64_t>> codewords(at_once * code.num_cosets(),
                                                    std::vector<std::uint64_t>(coset_size));
  for (std::uint64_t first = 0; first < num_tiles; first += at_once) {
    const std::size_t count = std::min<std::uint64_t>(at_once, num_tiles - first);
    Must(ParallelFor(count, [&](std::size_t i) -> Status {
      readers[i].Read(first + i);
      return OkStatus();
    }));
    Must(ParallelFor(count * code.num_cosets(), [&](std::size_t task) -> Status {
      const std::size_t i = task / code.num_cosets();
      const std::size_t coset = task % code.num_cosets();
      if (places.empty()) {
        code.EncodeCoset(coset, readers[i].cells(), readers[i].pads(), codewords[task]);
      } else {
        code.EncodeCosetAt(coset, readers[i].cells(), readers[i].pads(), places[coset],
                           codewords[task]);
      }
      return OkStatus();
    }));
    Must(ParallelFor(code.num_cosets(), [&](std::size_t coset) -> Status {
      for (std::size_t i = 0; i < count; ++i) {
        visit(first + i, coset, codewords[i * code.num_cosets() + coset]);
      }
      return OkStatus();
    }));
  }
}

// `values` of the pads' key: 8 bytes each, row after row.
Digest HashCells(const MatrixShape& shape, const RowSource& rows) {
  static_assert(std::endian::native == std::endian::little);
  Sha256State state;
  std::vector<std::uint64_t> row(shape.num_columns());
  Bytes rest;
  for (std::uint64_t i = 0; i < shape.num_rows; ++i) {
    rows.Read(i, row);
    ByteView cells = std::as_bytes(std::span(row));
    if (!rest.empty() || cells.size() % Sha256State::kBlockBytes != 0) {
      Append(rest, cells);
      cells = rest;
    }
    const std::size_t whole = cells.size() / Sha256State::kBlockBytes * Sha256State::kBlockBytes;
    state.Compress(cells.first(whole));
    rest = Bytes(cells.begin() + static_cast<std::ptrdiff_t>(whole), cells.end());
  }
  return state.Finish(rest, shape.num_rows * row.size() * sizeof(std::uint64_t));
}

// All that a leaf follows from: pads of another seed, or of as many as another shape has, would be
// opened under a root that is not theirs. Keyed, since a hash of the cells alone would tell whether
// a guess of them is right. Test: RegisteredDataTest.LeavesOfAnotherKeyAreNotBelieved.
Digest OriginOf(const MatrixShape& shape, const Digest& seed, const Digest& cells_hash) {
  Bytes message = ToBytes("flair zk leaves v1");
  for (const std::uint64_t number : {std::uint64_t{shape.log_columns}, std::uint64_t{shape.log_n},
                                     shape.num_rows, shape.num_pads}) {
    AppendLe64(message, number);
  }
  Append(message, seed.view());
  Append(message, cells_hash.view());
  return Sha256(message);
}

}  // namespace

void StoredRows::ReadPart(std::uint64_t row, std::uint64_t first,
                          std::span<std::uint64_t> cells) const {
  const auto begin = cells_.begin() + static_cast<std::ptrdiff_t>(row * num_columns_ + first);
  std::copy_n(begin, cells.size(), cells.begin());
}

bool StoredRows::ReadTile(std::uint64_t first_row, std::span<std::uint64_t> tile) const {
  const std::uint64_t begin = first_row * num_columns_;
  for (std::uint64_t j = 0; j < num_columns_; ++j) {
    for (std::size_t r = 0; r < kTileRows; ++r) {
      tile[j * kTileRows + r] = cells_[begin + r * num_columns_ + j];
    }
  }
  return true;
}

CommittedMatrix::CommittedMatrix(const MatrixShape& shape, std::shared_ptr<const RowSource> rows,
                                 const Pads& pads, const Digest& origin, MerkleTree tree)
    : shape_(shape),
      rows_(std::move(rows)),
      pads_(pads),
      origin_(origin),
      tree_(std::move(tree)),
      digest_(MatrixDigest(shape_, tree_.root())) {}

Result<CommittedMatrix> CommittedMatrix::Commit(const MatrixShape& shape,
                                                std::shared_ptr<const RowSource> rows,
                                                const Digest& seed) {
  FLAIR_DO(CheckShape(shape));
  const bool is_kept = KeptWithItsSeed(shape.kind);
  const Digest cells_hash = is_kept ? HashCells(shape, *rows) : Digest{};
  const Digest origin = is_kept ? OriginOf(shape, seed, cells_hash) : Digest{};
  const Pads pads(seed, shape, cells_hash);
  std::vector<Digest> leaves(shape.n());
  const Code code(shape);
  const std::uint64_t width = shape.num_columns();
  ColumnHasher hasher(shape.num_rows, pads.Salts(), [&](std::uint64_t slot) {
    return code.ColumnAt(slot / width, slot % width);
  });
  const std::uint64_t rest = shape.num_rows % kTileRows;
  EncodeAll(shape, *rows, pads, {},
            [&](std::uint64_t tile, std::uint64_t coset, std::span<const std::uint64_t> columns) {
              const bool is_last = tile + 1 == NumTiles(shape);
              for (std::uint64_t place = 0; place < width; ++place) {
                const std::uint64_t slot = coset * width + place;
                const auto eight = columns.subspan(place * kTileRows, kTileRows);
                if (!is_last || rest == 0) hasher.Absorb(slot, eight.data());
                if (!is_last) continue;
                leaves[code.ColumnAt(coset, place)] = hasher.Finish(slot, eight.first(rest));
              }
            });
  return CommittedMatrix(shape, std::move(rows), pads, origin, MerkleTree(std::move(leaves)));
}

Result<std::optional<CommittedMatrix>> CommittedMatrix::Restore(
    const MatrixShape& shape, std::shared_ptr<const RowSource> rows, const Digest& seed,
    const Digest& origin, std::vector<Digest> leaves) {
  FLAIR_DO(CheckShape(shape));
  FLAIR_CHECK(KeptWithItsSeed(shape.kind)) << "a seed of one proof only";
  if (leaves.size() != shape.n()) return std::optional<CommittedMatrix>();
  const Digest cells_hash = HashCells(shape, *rows);
  if (OriginOf(shape, seed, cells_hash) != origin) return std::optional<CommittedMatrix>();
  const Pads pads(seed, shape, cells_hash);
  return std::optional(
      CommittedMatrix(shape, std::move(rows), pads, origin, MerkleTree(std::move(leaves))));
}

OpenedMatrix CommittedMatrix::Open(std::span<const std::uint64_t> columns) const {
  OpenedMatrix opened;
  opened.columns.assign(columns.size(), std::vector<Fp>(shape_.num_rows));
  const Code code(shape_);
  EncodeAll(shape_, *rows_, pads_, code.PlacesOf(columns),
            [&](std::uint64_t tile, std::uint64_t coset, std::span<const std::uint64_t> codewords) {
              const std::uint64_t first_row = tile * kTileRows;
              const std::uint64_t num =
                  std::min<std::uint64_t>(kTileRows, shape_.num_rows - first_row);
              for (std::size_t i = 0; i < columns.size(); ++i) {
                const auto [at_coset, place] = code.PlaceOf(columns[i]);
                if (at_coset != coset) continue;
                for (std::uint64_t r = 0; r < num; ++r) {
                  opened.columns[i][first_row + r] = Fp(codewords[place * kTileRows + r]);
                }
              }
            });
  const std::vector<Salt> salts = pads_.Salts();
  for (const std::uint64_t column : columns) opened.salts.push_back(salts[column]);
  opened.path = tree_.Path(columns);
  return opened;
}

void CommittedMatrix::AddCombination(std::span<const Fp2> weights, std::span<Fp2> into) const {
  FLAIR_CHECK(weights.size() == shape_.num_rows && into.size() == shape_.row_length())
      << "weights or a row of another size";
  // Some columns of all rows, so that their sums stay in the cache.
  constexpr std::uint64_t kColumnsAtOnce = 2048;
  const std::uint64_t columns = shape_.num_columns();
  const std::uint64_t parts = (columns + kColumnsAtOnce - 1) / kColumnsAtOnce;
  const KKernels& kernels = FastestKKernels();
  Must(ParallelFor(parts, [&](std::size_t part) -> Status {
    const std::uint64_t first = part * kColumnsAtOnce;
    const KVector sum(std::min(kColumnsAtOnce, columns - first));
    std::fill_n(sum.span().a, sum.capacity(), 0);
    std::fill_n(sum.span().b, sum.capacity(), 0);
    std::vector<std::uint64_t> row(sum.capacity());
    for (std::uint64_t i = 0; i < shape_.num_rows; ++i) {
      if (weights[i].is_zero()) continue;
      rows_->ReadPart(i, first, std::span(row).first(sum.size()));
      kernels.add_scaled_base(sum.span(), weights[i], row.data(), sum.capacity());
    }
    for (std::uint64_t k = 0; k < sum.size(); ++k) into[first + k] += sum.at(k);
    return OkStatus();
  }));
  const std::size_t num_tasks = std::clamp<std::size_t>(ThreadCount(), 1, shape_.num_rows);
  std::mutex mutex;
  Must(ParallelFor(num_tasks, [&](std::size_t task) -> Status {
    std::vector<Fp2> sum(shape_.num_pads);
    std::vector<std::uint64_t> pads(shape_.num_pads);
    const std::uint64_t end = shape_.num_rows * (task + 1) / num_tasks;
    for (std::uint64_t i = shape_.num_rows * task / num_tasks; i < end; ++i) {
      if (weights[i].is_zero()) continue;
      if (!rows_->ReadPads(i, pads)) pads_.Row(i, pads);
      for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += weights[i] * Fp(pads[k]);
    }
    // Addition in a field: the order of the tasks does not matter.
    const std::lock_guard lock(mutex);
    for (std::size_t k = 0; k < sum.size(); ++k) into[columns + k] += sum[k];
    return OkStatus();
  }));
}

}  // namespace flair::zk
