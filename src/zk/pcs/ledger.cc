// SPDX-License-Identifier: Apache-2.0
#include "zk/pcs/ledger.h"

#include <algorithm>
#include <string>

#include "crypto/sha256.h"

namespace flair::zk {
namespace {

constexpr std::string_view kMagic = "FLRLEDG1";
constexpr std::size_t kHeaderBytes = 8 + Digest::kBytes + 3 * 8;
constexpr std::size_t kChecksumBytes = 8;

Error Corrupt(std::string what) { return {ErrorCode::kCorrupt, "ledger: " + std::move(what)}; }

}  // namespace

Status OpeningLedger::Check(std::span<const std::uint64_t> columns) const {
  std::set<std::uint64_t> together = opened_;
  for (const std::uint64_t column : columns) {
    if (column >> log_n_ != 0) {
      return Error(ErrorCode::kInvalidArgument,
                   "column " + std::to_string(column) + " of 2^" + std::to_string(log_n_));
    }
    together.insert(column);
  }
  if (together.size() <= budget_) return OkStatus();
  return Error(ErrorCode::kConflict, "commitment " + matrix_.ToHex().substr(0, 12) + " has shown " +
                                         std::to_string(spent()) + " of its " +
                                         std::to_string(budget_) +
                                         " columns; this proof would show " +
                                         std::to_string(together.size() - spent()) + " more")
      .WithHint("refresh it: the same values under a new seed");
}

Status OpeningLedger::Spend(std::span<const std::uint64_t> columns) {
  FLAIR_DO(Check(columns));
  opened_.insert(columns.begin(), columns.end());
  return OkStatus();
}

Bytes OpeningLedger::Encode() const {
  Bytes numbers;
  for (const std::uint64_t v : {std::uint64_t{log_n_}, budget_, std::uint64_t{opened_.size()}}) {
    AppendLe64(numbers, v);
  }
  for (const std::uint64_t column : opened_) AppendLe64(numbers, column);
  Bytes out(kMagic.size() + Digest::kBytes + numbers.size());
  const auto after_magic = std::copy_n(AsBytes(kMagic).begin(), kMagic.size(), out.begin());
  const auto after_digest = std::copy_n(matrix_.bytes.begin(), Digest::kBytes, after_magic);
  std::copy(numbers.begin(), numbers.end(), after_digest);
  const Digest checksum = Sha256(out);
  Append(out, checksum.view().first(kChecksumBytes));
  return out;
}

Result<OpeningLedger> OpeningLedger::Decode(ByteView bytes) {
  if (bytes.size() < kHeaderBytes + kChecksumBytes || AsText(bytes.first(8)) != kMagic) {
    return Corrupt("not one, or cut off");
  }
  const ByteView body = bytes.first(bytes.size() - kChecksumBytes);
  const Digest checksum = Sha256(body);
  if (AsText(bytes.last(kChecksumBytes)) != AsText(checksum.view().first(kChecksumBytes))) {
    return Corrupt("its checksum differs");
  }
  FLAIR_TRY(const Digest matrix, Digest::FromBytes(body.subspan(8, Digest::kBytes)));
  const std::uint64_t log_n = LoadLe64(body.subspan(40, 8));
  const std::uint64_t budget = LoadLe64(body.subspan(48, 8));
  const std::uint64_t count = LoadLe64(body.subspan(56, 8));
  if (log_n > kMaxLogN || budget > std::uint64_t{1} << kMaxLogN) return Corrupt("too wide");
  if (count > budget) return Corrupt("more columns than its budget");
  if (body.size() != kHeaderBytes + 8 * count) return Corrupt("of another length");
  OpeningLedger ledger(matrix, static_cast<unsigned>(log_n), budget);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t column = LoadLe64(body.subspan(kHeaderBytes + 8 * i, 8));
    const bool ascends = i == 0 || column > *ledger.opened_.rbegin();
    if (!ascends || column >> log_n != 0) return Corrupt("its columns are out of order or range");
    ledger.opened_.insert(ledger.opened_.end(), column);
  }
  return ledger;
}

}  // namespace flair::zk
