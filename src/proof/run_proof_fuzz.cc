// Bytes of a run's proof: decoded or refused; what is decoded has one spelling.
// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "proof/run_proof.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const flair::ByteView bytes(reinterpret_cast<const std::byte*>(data), size);
  const auto chunks = flair::proof::DecodeRunProof(bytes);
  if (!chunks.ok()) return 0;
  const flair::Bytes again = flair::proof::EncodeRunProof(*chunks);
  FLAIR_CHECK(flair::ByteView(again).size() == size) << "two spellings";
  return 0;
}
