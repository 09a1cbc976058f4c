// RefreshDataProven: a new commitment to registered data, and the proof that it holds the same as
// the old one: what was proven of data under the old card and what is proven under the new one is
// about one data set.
//
// The data's folder gets refresh-G.proof and refresh-G.statement.json, G the new card's generation,
// and then the new card. One that is stopped leaves the old card or the new one, and at most
// refresh.pending, from which the next one goes on: no opening is spent twice.
//
// Place: trainer, over data/prover and proof/prover. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "base/env.h"
#include "base/result.h"
#include "data/card.h"
#include "proof/refresh_file.h"

namespace flair::trainer {

struct RefreshedData {
  data::DataCard card;
  proof::RefreshClaim claim;
  std::string proof_path;
  std::string statement_path;
  std::uint64_t proof_bytes = 0;
};

// Errors: kConflict when the old commitment has no opening left, the data are no longer the card's,
// or another process opens or refreshes them; those of data::OpenData() and of the disk, after
// which the card is the old one or the new one, and whatever was shown is counted.
Result<RefreshedData> RefreshDataProven(Env& env, const std::string& folder, const Digest& wallet);
// Without the proof: nothing ties the cards.
Result<data::DataCard> RefreshDataUnproven(Env& env, const std::string& folder);

}  // namespace flair::trainer
