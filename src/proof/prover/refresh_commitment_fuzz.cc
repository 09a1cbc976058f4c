// Refreshes that wait to be kept: decoded or refused; what is decoded has one spelling.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "proof/prover/refresh_commitment.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const flair::ByteView bytes(reinterpret_cast<const std::byte*>(data), size);
  const auto waits = flair::proof::DecodeProvenRefresh(bytes);
  if (!waits.ok()) return 0;
  const flair::Bytes again = flair::proof::EncodeProvenRefresh(*waits);
  FLAIR_CHECK(std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()))
      << "two spellings";
  return 0;
}
