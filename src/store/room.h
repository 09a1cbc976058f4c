// Room: scratch memory that is used again and again and only grows.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.h"

namespace flair {

// The first `bytes` of `buffer`. Invalidates earlier views of it when it grows.
inline MutableByteView Room(Bytes& buffer, std::size_t bytes) {
  if (buffer.size() < bytes) buffer.resize(bytes);
  return MutableByteView(buffer).first(bytes);
}

}  // namespace flair
