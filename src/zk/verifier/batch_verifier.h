// BatchVerifier: reads what a BatchProver sent, states the same equations, and checks the
// opening of everything at the end. docs/spec/opening.md.
//
// Use: absorb the roots; receive values and state constraints as the proof goes; Check.
//
// Place: zk/verifier, over batch. The proof is hostile: all its lengths are compared with those
// that follow from the plan before anything is read.
// Thread safety: one thread at a time.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "zk/batch/batch_plan.h"
#include "zk/batch/batch_proof.h"
#include "zk/batch/claim.h"
#include "zk/mask/channel.h"
#include "zk/transcript.h"

namespace flair::zk {

class BatchVerifier final : public Channel {
 public:
  // `roots`: witness, then the long-lived matrices as in the plan. `companions`: by group.
  // The proof is borrowed. Errors: kRejected for another number of roots or values.
  static Result<BatchVerifier> Begin(const BatchPlan& plan, std::vector<Digest> roots,
                                     std::vector<Digest> companions, const BatchProof& proof);

  // Are the roots those of the long-lived matrices that a statement names by their digests?
  // For callers whose roots come with the proof. Errors: kRejected.
  Status CheckDigests(std::span<const Digest> long_lived) const;

  // The digests of all matrices: witness, long-lived, companions.
  void AbsorbRoots(Transcript& transcript) const;

  // The next `count` values. REQUIRES: no more than the plan has.
  std::vector<Masked> Receive(Transcript& transcript, Label label, std::size_t count);
  Masked Receive(Transcript& transcript, Label label) { return Receive(transcript, label, 1)[0]; }
  struct Received {
    Masked a;
    Masked b;
    Masked product;
  };
  Received ReceiveProduct(Transcript& transcript, Label label);

  std::vector<Secret> Pass(Transcript& transcript, Label label,
                           const std::vector<Fp2>& values) override;
  Product PassProduct(Transcript& transcript, Label label, Fp2 a, Fp2 b) override;
  void RequireZero(const Masked& zero) override { constraints_.RequireZero(zero); }

  // Errors: kRejected names the check that failed.
  Status Check(Transcript& transcript, const std::vector<Claim>& claims);
  // What was required of pads so far: what a simulator's messages must satisfy.
  const Constraints& constraints() const { return constraints_; }

 private:
  BatchVerifier(const BatchPlan& plan, std::vector<Digest> roots, std::vector<Digest> companions,
                const BatchProof& proof)
      : plan_(plan), roots_(std::move(roots)), companions_(std::move(companions)), proof_(&proof) {}

  Status CheckRows(Transcript& transcript, const std::vector<Fp2>& point,
                   const std::vector<Masked>& values, const std::vector<Masked>& blinders);

  BatchPlan plan_;
  std::vector<Digest> roots_;
  std::vector<Digest> companions_;
  const BatchProof* proof_;
  Constraints constraints_;
  std::size_t at_ = 0;  // in proof_->masked
  std::uint64_t pads_used_ = 0;
  std::uint64_t triples_used_ = 0;
};

}  // namespace flair::zk
