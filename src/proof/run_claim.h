// RunClaim: what a run's proof is about: T steps of a program on a data set, from weights to
// weights. Proven in chunks; whoever verifies says what the whole must be.
//
// Place: proof, over zk. Thread safety: values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "crypto/digest.h"
#include "program/slack.h"
#include "zk/pcs/stated_matrix.h"
#include "zk/training/long_lived.h"

namespace flair::proof {

// A committed matrix that outlives proofs.
using MatrixId = zk::StatedMatrix;

// A data set as its card has it.
struct DataClaim {
  Digest card;
  std::uint64_t num_records = 0;
  std::vector<zk::DataColumn> columns;
  MatrixId matrix;
};

// What holds at one end of a run. Without state the optimiser and the buffers begin at zero, or
// are not passed on.
struct RunEnd {
  MatrixId weights;
  std::optional<MatrixId> state;

  friend bool operator==(const RunEnd&, const RunEnd&) = default;
};

inline constexpr std::uint64_t kMaxSteps = std::uint64_t{1} << 48;  // of a run, and its first

struct RunClaim {
  Digest program;
  Digest seed;    // of batches and masks
  Digest wallet;  // the committer's public key
  std::uint64_t first_step = 0;
  std::uint64_t num_steps = 1;
  std::optional<DataClaim> data;
  std::optional<program::Slack> slack;  // of recorded steps; none: they are exact
  RunEnd before;
  RunEnd after;
};

}  // namespace flair::proof
