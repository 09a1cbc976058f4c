// SPDX-License-Identifier: Apache-2.0
#include "trainer/refresh_weights.h"

#include <optional>

#include "base/path.h"
#include "data/prover/registered.h"
#include "proof/prover/commit_state.h"
#include "proof/prover/refresh_commitment.h"
#include "trainer/model_tensors.h"

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

// A folder whose name a power cut leaves.
Status MakeDurable(Env& env, const std::string& folder) {
  FLAIR_DO(MakeDirs(env, folder));
  const std::string parent = ParentPath(folder);
  return env.SyncDir(parent.empty() ? "." : parent);
}

// Other weights, or another seed, are a commitment that nobody has.
Status CheckKnown(Env& env, const std::string& openings, const proof::MatrixId& matrix) {
  if (proof::OpeningBook::Knows(env, openings, matrix)) return OkStatus();
  return Error(ErrorCode::kConflict,
               "these weights with this seed are commitment " +
                   zk::MatrixDigest(matrix.shape, matrix.root).ToHex().substr(0, 12) +
                   ", and no proof that is counted in " + openings + " is about it")
      .WithHint(
          "weights, program and seed must be those of a run's end, the ledgers beside the seed");
}

}  // namespace

Result<RefreshedWeights> RefreshWeights(Env& env, const RefreshRequest& request) {
  const auto in_folder = [&](const char* name) { return JoinPath(request.folder, name); };
  const std::string pending_path = in_folder(proof::kPendingRefresh);
  FLAIR_TRY(std::optional<proof::ProvenRefresh> proven,
            proof::ReadPendingRefresh(env, pending_path));
  if (!proven && Exists(env, in_folder(kSeedFile))) {
    return Error(ErrorCode::kAlreadyExists, request.folder + " holds a commitment's seed");
  }
  FLAIR_TRY(const program::Lowered lowered, program::Lower(request.program));
  FLAIR_TRY(const ModelIntegers integers, ReadModel(env, request.weights, request.program));
  FLAIR_TRY(const program::TrainingState state, StartFrom(lowered, integers));
  FLAIR_TRY(const Digest old_seed, ReadSeed(env, request.seed));
  Digest seed;
  env.RandomBytes(seed.bytes);
  if (proven) seed = proven->seed;
  const auto commit = [&](const Digest& own) {
    return proof::CommitState(lowered.circuit, circuit::Carried::Role::kWeight, state,
                              proof::kOpeningsOfAnEnd, own);
  };
  const std::string openings(data::kOpeningsFolder);
  const std::string parent = ParentPath(request.seed);
  const std::string old_openings = JoinPath(parent.empty() ? "." : parent, openings);
  FLAIR_TRY(const zk::CommittedMatrix before, commit(old_seed));
  FLAIR_DO(CheckKnown(env, old_openings, proof::IdOf(before)));
  FLAIR_TRY(const zk::CommittedMatrix after, commit(seed));
  const proof::RefreshClaim claim{.wallet = request.wallet,
                                  .before = proof::IdOf(before),
                                  .after = proof::IdOf(after),
                                  .cards = std::nullopt};
  if (proven && proof::EncodeRefresh(claim) != proof::EncodeRefresh(proven->claim)) {
    return Error(ErrorCode::kAlreadyExists,
                 request.folder + " holds a refresh of something else that was stopped");
  }
  FLAIR_DO(MakeDurable(env, request.folder));
  FLAIR_TRY(proof::OpeningBook old_book, proof::OpeningBook::Open(env, old_openings));
  FLAIR_TRY(proof::OpeningBook book,
            proof::OpeningBook::Open(env, JoinPath(request.folder, openings)));
  if (!proven) {
    // Another process may have begun since.
    if (Exists(env, pending_path) || Exists(env, in_folder(kSeedFile))) {
      return Error(ErrorCode::kAlreadyExists, request.folder + " holds a commitment's seed");
    }
    FLAIR_TRY(proven, proof::ProveRefreshClaim(claim, {before, old_book}, {after, book}, env));
    proven->seed = seed;
    FLAIR_DO(proof::WritePendingRefresh(env, pending_path, *proven));
  }
  FLAIR_DO(WriteFileAtomically(env, in_folder(kSeedFile), seed.view(), WriteMode::kCreatePrivate));
  FLAIR_DO(proof::KeepRefresh(*proven, old_book, book, env, in_folder(kRefreshProof),
                              in_folder(kRefreshStatement)));
  FLAIR_DO(proof::DropPendingRefresh(env, pending_path));
  return RefreshedWeights{.claim = proven->claim, .proof_bytes = proven->proof.size()};
}

}  // namespace flair::trainer
