// SPDX-License-Identifier: Apache-2.0
#include "program/draws.h"

#include <algorithm>
#include <numeric>
#include <string_view>
#include <utility>

#include "crypto/chacha20.h"
#include "crypto/sha256.h"

namespace flair::program {
namespace {

Digest KeyOf(std::string_view label, const Seed& seed, std::initializer_list<std::uint64_t> more) {
  Bytes message = ToBytes(label);
  Append(message, seed.view());
  for (const std::uint64_t v : more) AppendLe64(message, v);
  return Sha256(message);
}

// Words of one ChaCha20 stream, in order.
class WordStream {
 public:
  explicit WordStream(const Digest& key) : key_(key) {}

  std::uint32_t Next32() { return static_cast<std::uint32_t>(Take(4)); }
  std::uint64_t Next64() { return Take(8); }

 private:
  static constexpr std::size_t kBlocks = 64;

  std::uint64_t Take(std::size_t bytes) {
    if (at_ == buffer_.size()) {
      buffer_.resize(64 * kBlocks);
      ChaCha20Stream(key_, 0, block_, buffer_);
      block_ += kBlocks;
      at_ = 0;
    }
    const ByteView word = ByteView(buffer_).subspan(at_, bytes);
    at_ += bytes;
    return bytes == 4 ? LoadLe32(word) : LoadLe64(word);
  }

  Digest key_;
  Bytes buffer_;
  std::size_t at_ = 0;
  std::uint64_t block_ = 0;
};

// Uniform below `bound`: words at or above the largest multiple of it are passed over.
std::uint64_t Below(WordStream& words, std::uint64_t bound) {
  const std::uint64_t unfair = (~std::uint64_t{0} % bound + 1) % bound;  // 2^64 mod bound
  while (true) {
    const std::uint64_t word = words.Next64();
    if (word <= ~std::uint64_t{0} - unfair) return word % bound;
  }
}

}  // namespace

std::vector<std::uint32_t> EpochOrder(const Seed& seed, std::uint64_t epoch, std::uint32_t rows) {
  std::vector<std::uint32_t> order(rows);
  std::iota(order.begin(), order.end(), 0U);
  WordStream words(KeyOf("batch", seed, {epoch}));
  for (std::size_t i = order.size(); i > 1; --i) {
    std::swap(order[i - 1], order[static_cast<std::size_t>(Below(words, i))]);
  }
  return order;
}

std::span<const std::uint32_t> Batches::RowsOf(std::uint64_t step) {
  const std::uint64_t per_epoch = rows_ / batch_;
  const std::uint64_t epoch = step / per_epoch;
  if (order_.empty() || epoch != epoch_) {
    order_ = EpochOrder(seed_, epoch, rows_);
    epoch_ = epoch;
  }
  return std::span(order_).subspan((step % per_epoch) * batch_, batch_);
}

std::vector<std::int64_t> DrawMask(const Seed& seed, std::uint64_t step, std::uint64_t number,
                                   Rational drop, std::size_t count) {
  const auto threshold = static_cast<std::uint64_t>((Int128{drop.num} << 32) / drop.den);
  WordStream words(KeyOf("draw", seed, {step, number}));
  std::vector<std::int64_t> mask(count);
  for (std::int64_t& m : mask) m = words.Next32() < threshold ? 0 : 1;
  return mask;
}

}  // namespace flair::program
