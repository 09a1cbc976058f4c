// SPDX-License-Identifier: Apache-2.0
#include "hub/http/head.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto end = flair::hub::FindHeadEnd(bytes)) {
    (void)flair::hub::ParseHead(bytes.substr(0, *end));
  }
  return 0;
}
