// Base58 in Bitcoin's alphabet: the text form of wallets and mints.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace flair {

std::string ToBase58(ByteView bytes);

// Errors: kInvalidArgument for a character outside the alphabet or a text longer
// than any value of `max_bytes` bytes (cost is quadratic in the length).
Result<Bytes> FromBase58(std::string_view text, std::size_t max_bytes);

}  // namespace flair
