// OpeningBook: the ledgers (zk/pcs/ledger.h) of matrices that are opened here, one file each.
//
// A ledger is written, and durable, before anybody sees the proof that shows the columns that it
// counts (chunk_folder.h): what a proof has shown, the book knows, whatever fails afterwards.
//
// Place: proof/prover, over zk/pcs and an Env. Thread safety: one thread, one process at a time
// (a lock in the folder).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/env.h"
#include "base/result.h"
#include "proof/run_claim.h"

namespace flair::proof {

class OpeningBook {
 public:
  // Errors: kConflict when another process has the book.
  static Result<OpeningBook> Open(Env& env, const std::string& folder);

  // Would Reserve() count them? Errors: its own. Nothing is written.
  Status Check(const MatrixId& matrix, std::span<const std::uint64_t> columns) const;
  // Counts the columns. Errors: kConflict when they would pass the matrix's budget, and nothing is
  // counted; kCorrupt for a ledger that is not the matrix's; those of the disk.
  Status Reserve(const MatrixId& matrix, std::span<const std::uint64_t> columns);
  // Has a proof that was made with the book in `folder` opened the matrix? Whatever a statement
  // names was opened with its proof.
  static bool Knows(Env& env, const std::string& folder, const MatrixId& matrix);
  // Columns that may still be shown, by the book in `folder`; it need not be there.
  static Result<std::uint64_t> NumLeft(Env& env, const std::string& folder, const MatrixId& matrix);

 private:
  OpeningBook(Env& env, std::string folder, std::unique_ptr<FileLock> lock)
      : env_(&env), folder_(std::move(folder)), lock_(std::move(lock)) {}
  Env* env_;
  std::string folder_;
  std::unique_ptr<FileLock> lock_;
};

}  // namespace flair::proof
