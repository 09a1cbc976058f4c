// TailProver: commits to the combined rows of all groups, and shows what is claimed of them.
// docs/spec/tail.md.
//
// Place: zk/prover, over tail. Thread safety: one thread at a time; it uses the machine's threads.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "zk/prover/committed_matrix.h"
#include "zk/prover/k_vector.h"
#include "zk/tail/tail_claims.h"
#include "zk/tail/tail_proof.h"
#include "zk/transcript.h"

namespace flair::zk {

class TailProver {
 public:
  // `rows`: C + h coefficients of each group. `seed`: of the salts, which hide nothing.
  TailProver(const TailPlan& plan, std::span<const std::vector<Fp2>> rows, const Digest& seed);

  const Digest& root() const { return matrix_->root(); }

  // All of the proof but root and values. REQUIRES: every claim is true. Once.
  TailProof Prove(unsigned work_bits, std::span<const TailClaims> groups, Transcript& transcript);

 private:
  // Omega, 0 behind the last piece.
  KVector Weights(std::span<const TailClaims> groups, Fp2 eta) const;

  TailPlan plan_;
  KVector elements_;  // 2^variables
  std::unique_ptr<CommittedMatrix> matrix_;
};

}  // namespace flair::zk
