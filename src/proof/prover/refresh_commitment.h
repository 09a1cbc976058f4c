// ProveRefreshClaim: two commitments hold the same, proven, with ledgers that count what is shown.
//
// Place: proof/prover, over proof/refresh_file.h and zk/prover. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/env.h"
#include "base/result.h"
#include "proof/prover/opening_book.h"
#include "proof/refresh_file.h"
#include "zk/prover/committed_matrix.h"

namespace flair::proof {

// Borrowed; both may have one book.
struct BookedMatrix {
  const zk::CommittedMatrix& matrix;
  OpeningBook& book;
};

struct ProvenRefresh {
  RefreshClaim claim;
  Bytes proof;
  std::array<std::vector<std::uint64_t>, 2> shown;  // columns of each, not counted yet
};

// REQUIRES: the claim's matrices, of equal cells. The proof is checked. Errors: kConflict when one
// of them has no opening left.
Result<ProvenRefresh> ProveRefreshClaim(RefreshClaim claim, const BookedMatrix& before,
                                        const BookedMatrix& after, Env& env);

// Counts the columns, and only then writes the files.
Status KeepRefresh(const ProvenRefresh& proven, OpeningBook& before, OpeningBook& after, Env& env,
                   const std::string& proof_path, const std::string& statement_path);

}  // namespace flair::proof
