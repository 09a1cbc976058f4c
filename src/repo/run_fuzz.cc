// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>

#include "repo/run_format.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const flair::ByteView bytes = std::as_bytes(std::span(data, size));
  (void)flair::DecodeStepEntries(bytes);
  (void)flair::DecodeRunDocument(flair::AsText(bytes));
  return 0;
}
