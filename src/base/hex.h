// Lower-case hexadecimal, the text form of every id.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace flair {

std::string ToHex(ByteView bytes);

// Accepts lower-case digits only, so that one id has one spelling.
// Errors: kInvalidArgument for an odd length or another character.
Result<Bytes> FromHex(std::string_view text);

}  // namespace flair
