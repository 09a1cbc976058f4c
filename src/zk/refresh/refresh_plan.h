// RefreshPlan: the script that shows that two matrices hold the same cells.
//
// A matrix is one vector of R C cells, row after row; v is its value at a point r of as many
// coordinates as the longer of both has, cells behind a vector's end being 0:
//
//   v = sum_x eq(r, x) before(x) = sum_x eq(r, x) after(x)
//
// v goes masked once, and both claims are about it. Vectors that differ agree at a random r with
// n/|K|, n the coordinates.
//
// Place: zk/refresh, over batch; used by both sides. Thread safety: const methods from any thread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "zk/batch/batch_plan.h"
#include "zk/batch/claim.h"
#include "zk/mask/channel.h"
#include "zk/refresh/refresh_statement.h"

namespace flair::zk {

// What only the prover has: the value of the matrix before at a point.
class RefreshWitness {
 public:
  virtual ~RefreshWitness() = default;
  virtual Fp2 ValueAt(std::span<const Fp2> point) = 0;
};

class RefreshPlan {
 public:
  // Errors: kInvalidArgument for matrices that are not kept with their seeds, of two kinds, or one
  // and the same, for data without a reading and others with one; those of BatchPlan.
  static Result<RefreshPlan> Make(const RefreshStatement& statement, QueryPolicy policy = {});

  const RefreshStatement& statement() const { return statement_; }
  const BatchPlan& batch() const { return *batch_; }
  // The script at either end. Returns its claims.
  std::vector<Claim> RunScript(Transcript& transcript, Channel& channel,
                               RefreshWitness* witness) const;

 private:
  RefreshPlan() = default;

  RefreshStatement statement_;
  unsigned num_variables_ = 0;
  std::shared_ptr<const BatchPlan> batch_;
};

}  // namespace flair::zk
