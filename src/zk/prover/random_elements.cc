// SPDX-License-Identifier: Apache-2.0
#include "zk/prover/random_elements.h"

#include <span>

#include "crypto/chacha20.h"

namespace flair::zk {
namespace {

constexpr std::size_t kWordsAtOnce = 512;
constexpr std::size_t kBlocksAtOnce = kWordsAtOnce * sizeof(std::uint64_t) / 64;

}  // namespace

RandomElements::RandomElements(const Digest& seed, std::string_view use)
    : key_(HkdfSha256(seed.view(), AsBytes(use))) {}

Fp RandomElements::NextBase() {
  for (;;) {
    if (at_ == words_.size()) {
      words_.resize(kWordsAtOnce);
      ChaCha20Stream(key_, 0, block_, std::as_writable_bytes(std::span(words_)));
      block_ += kBlocksAtOnce;
      at_ = 0;
    }
    if (const auto drawn = Fp::FromCanonical(words_[at_++])) return *drawn;
  }
}

Fp2 RandomElements::Next() {
  const Fp a = NextBase();
  const Fp b = NextBase();
  return {a, b};
}

std::vector<Fp2> RandomElements::Next(std::size_t count) {
  std::vector<Fp2> out;
  out.reserve(count);
  for (std::size_t i = 0; i < count; ++i) out.push_back(Next());
  return out;
}

}  // namespace flair::zk
