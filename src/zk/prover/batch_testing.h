// What tests of whole openings share: seeds that follow from a number.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "base/mem_env.h"
#include "crypto/digest.h"

namespace flair::zk {

inline Digest SeedOf(std::uint64_t number) {
  Digest seed;
  for (std::size_t i = 0; i < 8; ++i) seed.bytes[i] = static_cast<std::byte>(number >> (8 * i));
  return seed;
}

// Its random bytes are those of MemEnv from another place on. REQUIRES: a small number.
inline std::unique_ptr<Env> SeededEnv(std::uint64_t number) {
  auto env = std::make_unique<MemEnv>();
  Bytes skipped(number);
  env->RandomBytes(skipped);
  return env;
}

}  // namespace flair::zk
