// SHA-256 (libsodium), for what the outside world fixes: seeds, token digests.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/digest.h"

namespace flair {
Digest Sha256(ByteView data);
}  // namespace flair
