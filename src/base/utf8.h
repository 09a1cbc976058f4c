// UTF-8 well-formedness: no overlong forms, no surrogates, nothing above U+10FFFF.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace flair {

// Takes the first code point off `text`; nothing when it is ill-formed.
// REQUIRES: !text.empty().
std::optional<std::uint32_t> TakeCodePoint(std::string_view& text);

bool IsValidUtf8(std::string_view text);

}  // namespace flair
