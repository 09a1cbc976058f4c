// Fuzzes what reads a data set's secret.
// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/check.h"
#include "data/prover/secret.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = flair::AsText(std::as_bytes(std::span(data, size)));
  const auto secret = flair::data::DecodeSecret(text);
  if (secret.ok()) {
    FLAIR_CHECK(flair::data::EncodeSecret(*secret) == text) << "a second spelling";
  }
  return 0;
}
