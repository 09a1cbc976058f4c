// SPDX-License-Identifier: Apache-2.0
#include "zk/pcs/pads.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "crypto/chacha20.h"
#include "zk/field/fp.h"

namespace flair::zk {
namespace {

constexpr std::string_view kLabel = "flair zk pads v1";
constexpr std::uint8_t kUseRows = 1;
constexpr std::uint8_t kUseSalts = 2;
constexpr std::size_t kBlockBytes = 64;
constexpr std::size_t kWordsAtOnce = 512;  // whole blocks of the stream

Digest KeyFor(const Digest& seed, const MatrixShape& shape, const Digest& values,
              std::uint8_t use) {
  Bytes info = ToBytes(kLabel);
  info.push_back(std::byte{use});
  info.push_back(static_cast<std::byte>(shape.kind));
  AppendLe64(info, shape.log_columns);
  AppendLe64(info, shape.log_n);
  AppendLe64(info, shape.num_pads);
  Append(info, values.view());
  return HkdfSha256(seed.view(), info);
}

}  // namespace

Pads::Pads(const Digest& seed, const MatrixShape& shape, const Digest& values)
    : row_key_(KeyFor(seed, shape, values, kUseRows)),
      salt_key_(KeyFor(seed, shape, values, kUseSalts)),
      n_(shape.n()) {}

void Pads::Row(std::uint64_t row, std::span<std::uint64_t> out) const {
  static_assert(std::endian::native == std::endian::little);
  std::array<std::uint64_t, kWordsAtOnce> words;
  std::size_t filled = 0;
  for (std::uint64_t block = 0; filled < out.size();) {
    // Whole blocks, no more than are missing unless words are refused (one in 2^32).
    const std::size_t missing = std::min(out.size() - filled, kWordsAtOnce);
    const std::size_t blocks = (missing * sizeof(std::uint64_t) + kBlockBytes - 1) / kBlockBytes;
    const std::span used(words.data(), blocks * kBlockBytes / sizeof(std::uint64_t));
    ChaCha20Stream(row_key_, row, block, std::as_writable_bytes(used));
    block += blocks;
    for (const std::uint64_t word : used) {
      if (word < Fp::kModulus && filled < out.size()) out[filled++] = word;
    }
  }
}

std::vector<Salt> Pads::Salts() const {
  std::vector<Salt> salts(n_);
  static_assert(sizeof(Salt) == Salt::kBytes);
  ChaCha20Stream(salt_key_, 0, 0, std::as_writable_bytes(std::span(salts)));
  return salts;
}

}  // namespace flair::zk
