// SPDX-License-Identifier: Apache-2.0
#include "zk/hash/leaf.h"

#include <algorithm>
#include <bit>

#include "base/check.h"
#include "base/threads.h"

namespace flair::zk {
namespace {

static_assert(std::endian::native == std::endian::little, "elements are hashed as they lie");

constexpr std::string_view kLabel = "flair zk leaf v1";
constexpr std::size_t kHeaderBytes = Sha256State::kBlockBytes;
constexpr std::size_t kSlotsPerTask = 4096;
static_assert(kLabel.size() + 8 + 8 + Salt::kBytes == kHeaderBytes);

Bytes Header(std::uint64_t num_rows, std::uint64_t column, const Salt& salt) {
  Bytes header;
  header.reserve(kHeaderBytes);
  Append(header, AsBytes(kLabel));
  AppendLe64(header, num_rows);
  AppendLe64(header, column);
  Append(header, salt.view());
  return header;
}

}  // namespace

Digest ColumnLeaf(std::uint64_t column, const Salt& salt, std::span<const Fp> values) {
  Bytes message = Header(values.size(), column, salt);
  for (const Fp v : values) AppendLe64(message, v.value());
  return Sha256(message);
}

ColumnHasher::ColumnHasher(std::uint64_t num_rows, std::span<const Salt> salts,
                           const std::function<std::uint64_t(std::uint64_t slot)>& column_of)
    : num_rows_(num_rows), states_(salts.size()) {
  const std::size_t num_tasks = (salts.size() + kSlotsPerTask - 1) / kSlotsPerTask;
  const Status hashed = ParallelFor(num_tasks, [&](std::size_t task) {
    const std::size_t end = std::min(salts.size(), (task + 1) * kSlotsPerTask);
    for (std::size_t slot = task * kSlotsPerTask; slot < end; ++slot) {
      const std::uint64_t column = column_of(slot);
      states_[slot].Compress(Header(num_rows, column, salts[column]));
    }
    return OkStatus();
  });
  FLAIR_CHECK(hashed.ok()) << "hashing cannot fail";
}

Digest ColumnHasher::Finish(std::uint64_t slot, std::span<const std::uint64_t> rest) {
  FLAIR_CHECK(rest.size() == num_rows_ % kTileRows) << rest.size() << " rows are left over";
  return states_[slot].Finish(std::as_bytes(rest), kHeaderBytes + Fp::kBytes * num_rows_);
}

}  // namespace flair::zk
