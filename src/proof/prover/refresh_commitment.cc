// SPDX-License-Identifier: Apache-2.0
#include "proof/prover/refresh_commitment.h"

#include <string_view>
#include <utility>

#include "base/path.h"
#include "proof/prover/commit_state.h"
#include "zk/prover/refresh_prover.h"

namespace flair::proof {
namespace {

constexpr std::string_view kMagic = "FLRW";
constexpr std::uint16_t kVersion = 1;
constexpr std::size_t kHeadBytes = 4 + 2 + Digest::kBytes;
constexpr std::uint64_t kMaxPendingBytes = std::uint64_t{1} << 32;

Error Bad() { return {ErrorCode::kCorrupt, "this is no refresh that waits to be kept"}; }

// A number of 4 bytes, and so many items behind it; the rest is left in `bytes`.
Result<ByteView> TakeCounted(ByteView& bytes, std::size_t item_bytes) {
  if (bytes.size() < 4) return Bad();
  const std::uint32_t count = LoadLe32(bytes);
  bytes = bytes.subspan(4);
  if (count > bytes.size() / item_bytes) return Bad();
  const ByteView taken = bytes.first(item_bytes * count);
  bytes = bytes.subspan(taken.size());
  return taken;
}

}  // namespace

Bytes EncodeProvenRefresh(const ProvenRefresh& proven) {
  Bytes out = ToBytes(kMagic);
  AppendLe(out, kVersion);
  Append(out, proven.seed.view());
  for (const std::vector<std::uint64_t>& columns : proven.shown) {
    AppendLe32(out, static_cast<std::uint32_t>(columns.size()));
    for (const std::uint64_t column : columns) AppendLe64(out, column);
  }
  const std::string statement = EncodeRefresh(proven.claim);
  AppendLe32(out, static_cast<std::uint32_t>(statement.size()));
  Append(out, AsBytes(statement));
  Append(out, proven.proof);
  return out;
}

Result<ProvenRefresh> DecodeProvenRefresh(ByteView bytes) {
  if (bytes.size() < kHeadBytes || AsText(bytes.first(4)) != kMagic ||
      LoadLe16(bytes.subspan(4)) != kVersion) {
    return Bad();
  }
  ProvenRefresh proven;
  FLAIR_TRY(proven.seed, Digest::FromBytes(bytes.subspan(6, Digest::kBytes)));
  bytes = bytes.subspan(kHeadBytes);
  for (std::vector<std::uint64_t>& columns : proven.shown) {
    FLAIR_TRY(const ByteView taken, TakeCounted(bytes, 8));
    for (std::size_t at = 0; at < taken.size(); at += 8) {
      columns.push_back(LoadLe64(taken.subspan(at)));
    }
  }
  FLAIR_TRY(const ByteView statement, TakeCounted(bytes, 1));
  FLAIR_TRY(proven.claim, DecodeRefresh(AsText(statement)));
  proven.proof.assign(bytes.begin(), bytes.end());
  return proven;
}

Result<ProvenRefresh> ProveRefreshClaim(RefreshClaim claim, const BookedMatrix& before,
                                        const BookedMatrix& after, Env& env) {
  ProvenRefresh proven{.claim = std::move(claim), .proof = {}, .shown = {}, .seed = {}};
  const std::array ids = {proven.claim.before, proven.claim.after};
  const std::array books = {&before.book, &after.book};
  FLAIR_TRY(const zk::RefreshPlan plan, PlanOfRefresh(proven.claim));
  FLAIR_TRY(proven.proof,
            zk::ProveRefresh(plan, before.matrix, after.matrix, env,
                             [&](std::size_t matrix, std::span<const std::uint64_t> columns) {
                               proven.shown[matrix].assign(columns.begin(), columns.end());
                               return books[matrix]->Check(ids[matrix], columns);
                             }));
  FLAIR_TRY([[maybe_unused]] const double bits, VerifyRefresh(proven.claim, proven.proof));
  return proven;
}

Status WritePendingRefresh(Env& env, const std::string& path, const ProvenRefresh& proven) {
  return WriteFileAtomically(env, path, EncodeProvenRefresh(proven), WriteMode::kCreatePrivate);
}

Result<std::optional<ProvenRefresh>> ReadPendingRefresh(Env& env, const std::string& path) {
  if (!Exists(env, path)) return std::optional<ProvenRefresh>();
  FLAIR_TRY(const Bytes bytes, ReadFile(env, path, kMaxPendingBytes));
  auto proven = DecodeProvenRefresh(bytes);
  if (!proven.ok()) return std::move(proven).error().In(path);
  if (!VerifyRefresh(proven->claim, proven->proof).ok()) return Bad().In(path);
  return std::optional<ProvenRefresh>(std::move(*proven));
}

Status DropPendingRefresh(Env& env, const std::string& path) {
  if (!Exists(env, path)) return OkStatus();
  FLAIR_DO(env.RemoveFile(path));
  // All else is done. Should a power cut bring it back, going on from it changes nothing.
  const std::string parent = ParentPath(path);
  (void)env.SyncDir(parent.empty() ? "." : parent);
  return OkStatus();
}

Status KeepRefresh(const ProvenRefresh& proven, OpeningBook& before, OpeningBook& after, Env& env,
                   const std::string& proof_path, const std::string& statement_path) {
  FLAIR_DO(before.Reserve(proven.claim.before, proven.shown[0]));
  FLAIR_DO(after.Reserve(proven.claim.after, proven.shown[1]));
  FLAIR_DO(WriteFileAtomically(env, proof_path, proven.proof));
  return WriteFileAtomically(env, statement_path, AsBytes(EncodeRefresh(proven.claim)));
}

}  // namespace flair::proof
