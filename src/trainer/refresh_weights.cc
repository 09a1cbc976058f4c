// SPDX-License-Identifier: Apache-2.0
#include "trainer/refresh_weights.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/path.h"
#include "data/prover/registered.h"
#include "proof/prover/commit_state.h"
#include "proof/prover/opening_book.h"
#include "trainer/model_tensors.h"
#include "zk/prover/refresh_prover.h"

namespace flair::trainer {
namespace {

constexpr const char* kSeedFile = "weights.seed";

Result<Digest> ReadSeed(Env& env, const std::string& path) {
  FLAIR_TRY(const Bytes bytes, ReadFile(env, path, Digest::kBytes));
  if (bytes.size() != Digest::kBytes) {
    return Error(ErrorCode::kCorrupt, path + " is no seed of 32 bytes");
  }
  return Digest::FromBytes(bytes);
}

}  // namespace

Result<RefreshedWeights> RefreshWeights(Env& env, const RefreshRequest& request) {
  const auto in_folder = [&](const char* name) { return JoinPath(request.folder, name); };
  if (Exists(env, in_folder(kSeedFile))) {
    return Error(ErrorCode::kAlreadyExists, request.folder + " holds a commitment's seed");
  }
  FLAIR_TRY(const program::Lowered lowered, program::Lower(request.program));
  FLAIR_TRY(const ModelIntegers integers, ReadModel(env, request.weights, request.program));
  FLAIR_TRY(const program::TrainingState state, StartFrom(lowered, integers));
  FLAIR_TRY(const Digest old_seed, ReadSeed(env, request.seed));
  Digest seed;
  env.RandomBytes(seed.bytes);
  const auto commit = [&](const Digest& own) {
    return proof::CommitState(lowered.circuit, circuit::Carried::Role::kWeight, state,
                              proof::kOpeningsOfAnEnd, own);
  };
  FLAIR_TRY(const zk::CommittedMatrix before, commit(old_seed));
  FLAIR_TRY(const zk::CommittedMatrix after, commit(seed));
  RefreshedWeights made{.claim = {.wallet = request.wallet,
                                  .before = proof::IdOf(before),
                                  .after = proof::IdOf(after)}};

  FLAIR_DO(MakeDirs(env, request.folder));
  const std::string parent = ParentPath(request.seed);
  const std::string openings(data::kOpeningsFolder);
  std::vector<proof::OpeningBook> books;
  for (const std::string& folder : {parent.empty() ? "." : parent, request.folder}) {
    FLAIR_TRY(proof::OpeningBook book, proof::OpeningBook::Open(env, JoinPath(folder, openings)));
    books.push_back(std::move(book));
  }
  const std::array ids = {made.claim.before, made.claim.after};
  std::array<std::vector<std::uint64_t>, 2> shown;
  FLAIR_TRY(const zk::RefreshPlan plan,
            zk::RefreshPlan::Make({.wallet = request.wallet, .matrices = ids}));
  FLAIR_TRY(const Bytes proof,
            zk::ProveRefresh(plan, before, after, env,
                             [&](std::size_t matrix, std::span<const std::uint64_t> columns) {
                               shown[matrix].assign(columns.begin(), columns.end());
                               return books[matrix].Check(ids[matrix], columns);
                             }));
  FLAIR_TRY([[maybe_unused]] const double bits, proof::VerifyRefresh(made.claim, proof));
  made.proof_bytes = proof.size();
  // Counted before anybody sees the proof.
  FLAIR_DO(WriteFileAtomically(env, in_folder(kSeedFile), seed.view(), WriteMode::kCreatePrivate));
  for (std::size_t i = 0; i < ids.size(); ++i) FLAIR_DO(books[i].Reserve(ids[i], shown[i]));
  FLAIR_DO(WriteFileAtomically(env, in_folder(kRefreshProof), proof));
  FLAIR_DO(WriteFileAtomically(env, in_folder(kRefreshStatement),
                               AsBytes(proof::EncodeRefresh(made.claim))));
  return made;
}

}  // namespace flair::trainer
