// BatchProver: one proof's witness and everything it shows of it: values minus their pads, and
// at the end one opening for all claims on all matrices. docs/spec/opening.md.
//
// Use: Commit; absorb the roots; send values and state constraints as the proof goes; Prove.
//
// Place: zk/prover, over batch. Invariant: no two provers share a seed, so no pad serves twice.
// Thread safety: one thread at a time.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/env.h"
#include "base/result.h"
#include "zk/batch/batch_plan.h"
#include "zk/batch/batch_proof.h"
#include "zk/batch/claim.h"
#include "zk/mask/channel.h"
#include "zk/prover/committed_matrix.h"
#include "zk/prover/mask_rows.h"
#include "zk/prover/tail_prover.h"
#include "zk/transcript.h"

namespace flair::zk {

class BatchProver final : public Channel {
 public:
  // `data`: the witness's data rows. `long_lived`: as in the plan, borrowed. `env`: its random
  // bytes are the seed of everything that hides the witness.
  static Result<BatchProver> Commit(const BatchPlan& plan, std::shared_ptr<const RowSource> data,
                                    std::vector<const CommittedMatrix*> long_lived, Env& env);

  const Digest& witness_root() const { return witness_->root(); }
  std::vector<Digest> companion_roots() const;
  // The digests of all matrices: witness, long-lived, companions.
  void AbsorbRoots(Transcript& transcript) const;

  // The next pads. REQUIRES: no more than the plan has.
  std::vector<Secret> Send(Transcript& transcript, Label label, const std::vector<Fp2>& values);
  Secret Send(Transcript& transcript, Label label, Fp2 value) {
    return Send(transcript, label, std::vector<Fp2>{value})[0];
  }
  // Two values under a triple's pads: and their product, for nothing.
  Product SendProduct(Transcript& transcript, Label label, Fp2 a, Fp2 b);

  std::vector<Secret> Pass(Transcript& transcript, Label label,
                           const std::vector<Fp2>& values) override {
    return Send(transcript, label, values);
  }
  Product PassProduct(Transcript& transcript, Label label, Fp2 a, Fp2 b) override {
    return SendProduct(transcript, label, a, b);
  }
  void RequireZero(const Masked& zero) override { constraints_.RequireZero(zero); }

  // Told which columns of a matrix of the plan the proof is about to show, before it shows any.
  // Its error ends the proof: a ledger (pcs/ledger.h) says no here, and remembers here.
  using Reserve = std::function<Status(std::size_t matrix, std::span<const std::uint64_t> columns)>;

  // REQUIRES: every claim is true, and every constraint. The prover is spent afterwards.
  // Errors: those of `reserve`, which is asked for the long-lived matrices.
  Result<BatchProof> Prove(Transcript& transcript, const std::vector<Claim>& claims,
                           const Reserve& reserve = {});

 private:
  BatchProver(const BatchPlan& plan, std::vector<const CommittedMatrix*> matrices, MaskRows masks)
      : plan_(plan), matrices_(std::move(matrices)), masks_(std::move(masks)) {}

  struct Summed {
    std::vector<Fp2> point;
    std::vector<Fp2> values;  // of each matrix at the point
    Masked last;              // what the rounds say is left
  };
  Summed SumOverAll(Transcript& transcript, const std::vector<Claim>& claims, Fp2 lambda);
  Fp2 ValueAt(const CommittedMatrix& matrix, const std::vector<Fp2>& row_weights,
              std::span<const Fp2> point) const;

  TailProof ProveTail(TailProver& tail, std::span<const Fp2> point, const std::vector<Fp2>& values,
                      const std::vector<std::vector<std::uint64_t>>& columns,
                      std::vector<GroupOpening>& groups, Transcript& transcript) const;

  BatchPlan plan_;
  Digest tail_seed_;
  std::shared_ptr<const RowSource> data_;
  std::unique_ptr<CommittedMatrix> witness_;
  std::vector<CommittedMatrix> companions_;       // by group, without the witness's
  std::vector<const CommittedMatrix*> matrices_;  // witness first
  MaskRows masks_;
  Constraints constraints_;
  std::uint64_t pads_used_ = 0;
  std::uint64_t triples_used_ = 0;
  std::vector<Fp2> sent_;
};

}  // namespace flair::zk
