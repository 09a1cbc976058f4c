// Links: the script that ties a proof's witness to matrices that outlive it: the batches to the
// data set, the first and the last values of state to their commitments. docs/spec/training.md.
//
// Both ends run it, as the relations. Place: zk/training. Thread safety: one thread at a time.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "zk/batch/claim.h"
#include "zk/mask/channel.h"
#include "zk/relation/relations.h"
#include "zk/training/long_lived.h"
#include "zk/training/statement.h"

namespace flair::zk {

// What only the prover has.
class LinkWitness {
 public:
  virtual ~LinkWitness() = default;
  // The records' cells of a column, folded by the functionals on its axes but the records': a
  // table over the records, and the weights beside it.
  virtual std::unique_ptr<RelationWitness::Product> Records(const LongLivedTensor& column,
                                                            const std::vector<AxisFunctional>& axes,
                                                            std::span<const Fp2> weights) = 0;
  // <functional, cells> of a tensor of a carried matrix.
  virtual Fp2 Carried(Role role, const LongLivedTensor& tensor,
                      const std::vector<AxisFunctional>& axes) = 0;
};

// A matrix of the statement as the script needs it.
struct LinkedMatrix {
  Role role = Role::kData;
  std::size_t matrix = 0;  // in the batch plan
  const LongLived* layout = nullptr;
};

class Links {
 public:
  // All are borrowed. `rows`: the records of every step's batch, step after step.
  Links(const circuit::Circuit& circuit, const Layout& layout,
        std::span<const LinkedMatrix> matrices, std::uint64_t num_records,
        std::span<const std::uint32_t> rows, Transcript& transcript, Channel& channel,
        LinkWitness* witness)
      : circuit_(circuit),
        layout_(layout),
        matrices_(matrices),
        num_records_(num_records),
        rows_(rows),
        transcript_(transcript),
        channel_(channel),
        witness_(witness) {}

  void Show();
  std::vector<Claim> TakeClaims() { return std::move(claims_); }

 private:
  std::vector<Fp2> Draw(std::uint64_t size);
  void ShowData(const LinkedMatrix& data, circuit::ValueId number);
  void ShowBorder(const LinkedMatrix& matrix, const LongLivedTensor& tensor);
  void ShowZeroStart(circuit::ValueId number);
  std::vector<AxisFunctional> DrawAxesOf(circuit::ValueId number);

  const circuit::Circuit& circuit_;
  const Layout& layout_;
  std::span<const LinkedMatrix> matrices_;
  std::uint64_t num_records_;
  std::span<const std::uint32_t> rows_;
  Transcript& transcript_;
  Channel& channel_;
  LinkWitness* witness_;
  std::vector<Claim> claims_;
};

}  // namespace flair::zk
