// SPDX-License-Identifier: Apache-2.0
#include "zk/verifier/refresh_verifier.h"

#include <vector>

#include "zk/verifier/proof_check.h"

namespace flair::zk {

Status VerifyRefresh(const RefreshPlan& plan, ByteView bytes) {
  const RefreshStatement& statement = plan.statement();
  Transcript transcript(kRefreshProtocol);
  statement.Absorb(transcript);
  return CheckProof(plan.batch(), {statement.Hash(), RootsOf(statement.matrices)}, bytes,
                    transcript,
                    [&](std::uint64_t lookup_nonce, Transcript& after,
                        BatchVerifier& values) -> Result<std::vector<Claim>> {
                      // One statement has one reading: nothing is looked up.
                      if (lookup_nonce != 0) {
                        return Error(ErrorCode::kRejected, "work that nobody asked for");
                      }
                      return plan.RunScript(after, values, nullptr);
                    });
}

}  // namespace flair::zk
