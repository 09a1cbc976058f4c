// ProveRefreshClaim: two commitments hold the same, proven, with ledgers that count what is shown.
//
// As of chunks (chunk_folder.h), a refresh that is stopped must neither have shown columns that
// nobody counted nor have spent an opening of both matrices on nothing:
//
//   1 the proof is written under a name of its own, `.pending`, with the columns that it shows
//   2 the columns are counted
//   3 proof and statement get their names, and whatever else the refresh changes is changed
//   4 the pending file goes
//
// Before 1 nothing was shown. Whatever fails after it, whoever refreshes next goes on at 2: all
// later steps may be taken twice.
//
// Place: proof/prover, over proof/refresh_file.h and zk/prover. Thread safety: functions; one
// process at a time (the ledgers' lock).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/env.h"
#include "base/result.h"
#include "proof/prover/opening_book.h"
#include "proof/refresh_file.h"
#include "zk/prover/committed_matrix.h"

namespace flair::proof {

inline constexpr const char* kPendingRefresh = "refresh.pending";

// Borrowed; both may have one book.
struct BookedMatrix {
  const zk::CommittedMatrix& matrix;
  OpeningBook& book;
};

struct ProvenRefresh {
  RefreshClaim claim;
  Bytes proof;
  std::array<std::vector<std::uint64_t>, 2> shown;  // columns of each
  // Of the matrix after, where it is kept nowhere else; zeros of data.
  Digest seed;
};
// "FLRW" | version (2) | seed (32) | of each matrix: columns (4), each (8) | statement (4, text) |
// proof
Bytes EncodeProvenRefresh(const ProvenRefresh& proven);
// Errors: kCorrupt.
Result<ProvenRefresh> DecodeProvenRefresh(ByteView bytes);

// REQUIRES: the claim's matrices, of equal cells. The proof is checked. Errors: kConflict when one
// of them has no opening left.
Result<ProvenRefresh> ProveRefreshClaim(RefreshClaim claim, const BookedMatrix& before,
                                        const BookedMatrix& after, Env& env);

// Step 1. The file is readable by its owner only.
Status WritePendingRefresh(Env& env, const std::string& path, const ProvenRefresh& proven);
// What an earlier one left at `path`, if anything. Errors: kCorrupt for a file that is none, or
// whose proof is not one.
Result<std::optional<ProvenRefresh>> ReadPendingRefresh(Env& env, const std::string& path);
// Steps 2 and 3: counts the columns, and only then writes the files. Errors: kConflict when a
// ledger has no room for them any more.
Status KeepRefresh(const ProvenRefresh& proven, OpeningBook& before, OpeningBook& after, Env& env,
                   const std::string& proof_path, const std::string& statement_path);
// Step 4. It need not be there.
Status DropPendingRefresh(Env& env, const std::string& path);

}  // namespace flair::proof
