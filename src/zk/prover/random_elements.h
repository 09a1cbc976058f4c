// RandomElements: uniform elements of K from a 32-byte key, by ChaCha20.
//
// Place: zk/prover, over crypto and field. Thread safety: one thread at a time.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "crypto/digest.h"
#include "zk/field/fp2.h"

namespace flair::zk {

class RandomElements {
 public:
  // The key is HKDF-SHA256(seed, use): one seed serves several uses.
  RandomElements(const Digest& seed, std::string_view use);

  Fp2 Next();
  std::vector<Fp2> Next(std::size_t count);

 private:
  Fp NextBase();

  Digest key_;
  std::uint64_t block_ = 0;
  std::vector<std::uint64_t> words_;
  std::size_t at_ = 0;
};

}  // namespace flair::zk
