// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <span>

#include "tensor/hdf5_walk.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const flair::ByteView bytes = std::as_bytes(std::span(data, size));
  (void)flair::FindHdf5Tensors(*flair::SourceOfBytes(bytes));
  return 0;
}
