// SPDX-License-Identifier: Apache-2.0
#include "proof/prover/opening_book.h"

#include <utility>

#include "base/path.h"
#include "zk/pcs/ledger.h"

namespace flair::proof {
namespace {

constexpr std::uint64_t kMaxLedgerBytes = std::uint64_t{1} << 28;

Digest DigestOf(const MatrixId& matrix) { return zk::MatrixDigest(matrix.shape, matrix.root); }

std::string PathOf(const std::string& folder, const MatrixId& matrix) {
  return JoinPath(folder, DigestOf(matrix).ToHex() + ".ledger");
}

Result<zk::OpeningLedger> ReadLedger(Env& env, const std::string& path, const MatrixId& matrix) {
  if (!Exists(env, path)) return zk::OpeningLedger(DigestOf(matrix), matrix.shape);
  FLAIR_TRY(const Bytes bytes, ReadFile(env, path, kMaxLedgerBytes));
  auto ledger = zk::OpeningLedger::Decode(bytes);
  if (!ledger.ok()) return std::move(ledger).error().In(path);
  if (ledger->matrix() != DigestOf(matrix) || ledger->budget() != matrix.shape.num_pads) {
    return Error(ErrorCode::kCorrupt, path + ": the ledger of another matrix");
  }
  return ledger;
}

}  // namespace

Result<OpeningBook> OpeningBook::Open(Env& env, const std::string& folder) {
  FLAIR_DO(MakeDirs(env, folder));
  auto lock = env.Lock(JoinPath(folder, "lock"));
  if (!lock.ok() && lock.error().code() == ErrorCode::kConflict) {
    return Error(ErrorCode::kConflict, "another flair prove is using " + ParentPath(folder))
        .WithHint("wait until it is done: both would spend the same openings");
  }
  FLAIR_TRY(auto held, std::move(lock));
  return OpeningBook(env, folder, std::move(held));
}

Status OpeningBook::Check(const MatrixId& matrix, std::span<const std::uint64_t> columns) const {
  FLAIR_TRY(const zk::OpeningLedger ledger, ReadLedger(*env_, PathOf(folder_, matrix), matrix));
  return ledger.Check(columns);
}

Status OpeningBook::Reserve(const MatrixId& matrix, std::span<const std::uint64_t> columns) {
  const std::string path = PathOf(folder_, matrix);
  FLAIR_TRY(zk::OpeningLedger ledger, ReadLedger(*env_, path, matrix));
  FLAIR_DO(ledger.Spend(columns));
  return WriteFileAtomically(*env_, path, ledger.Encode());
}

bool OpeningBook::Knows(Env& env, const std::string& folder, const MatrixId& matrix) {
  return Exists(env, PathOf(folder, matrix));
}

Result<std::uint64_t> OpeningBook::NumLeft(Env& env, const std::string& folder,
                                           const MatrixId& matrix) {
  FLAIR_TRY(const zk::OpeningLedger ledger, ReadLedger(env, PathOf(folder, matrix), matrix));
  return ledger.budget() - ledger.spent();
}

}  // namespace flair::proof
