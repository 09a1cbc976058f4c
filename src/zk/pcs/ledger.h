// Ledger: which columns of a long-lived matrix were ever shown.
//
// Its h pads hide the cells as long as at most h different columns are known. All proofs that
// open the matrix count together, whoever made them; the one that would pass h is refused, and
// the matrix is refreshed: same values, another seed.
//
// Bytes, little-endian: "FLRLEDG1" | digest (32) | m (8) | h (8) | count (8) | columns (8 each),
// ascending | first 8 bytes of SHA-256 of all before. docs/spec/commitment.md.
//
// Place: zk/pcs, over shape.h; no I/O. Thread safety: const methods from any thread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <set>
#include <span>

#include "base/bytes.h"
#include "zk/pcs/shape.h"

namespace flair::zk {

class OpeningLedger {
 public:
  OpeningLedger(const Digest& matrix, const MatrixShape& shape)
      : matrix_(matrix), log_n_(shape.log_n), budget_(shape.num_pads) {}

  const Digest& matrix() const { return matrix_; }
  std::uint64_t budget() const { return budget_; }
  std::uint64_t spent() const { return opened_.size(); }

  // May these columns be shown as well? Errors: kConflict when they would pass the budget;
  // kInvalidArgument for a column that there is not.
  Status Check(std::span<const std::uint64_t> columns) const;
  // The same, and remembers them. A proof counts once it leaves the machine.
  Status Spend(std::span<const std::uint64_t> columns);

  Bytes Encode() const;
  // Errors: kCorrupt says what is wrong.
  static Result<OpeningLedger> Decode(ByteView bytes);

 private:
  OpeningLedger(const Digest& matrix, unsigned log_n, std::uint64_t budget)
      : matrix_(matrix), log_n_(log_n), budget_(budget) {}

  Digest matrix_;
  unsigned log_n_;
  std::uint64_t budget_;
  std::set<std::uint64_t> opened_;
};

}  // namespace flair::zk
