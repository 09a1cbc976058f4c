// Globs: one pattern language for paths, tensor names and ignore rules.
//
// '?' one character, '*' any run, '[abc]' '[a-z]' '[!x]' a class, '\' quotes the
// next character. Under kPath, '?', '*' and classes do not match '/', and "**" does:
// "a/**" everything below a, "**/x" x in any folder, "a/**/b" any depth between.
// Linear time in pattern x text; no pattern is refused.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace flair {

enum class GlobKind : std::uint8_t {
  kName,  // tensor names: '*' matches everything
  kPath,
};

bool GlobMatch(std::string_view pattern, std::string_view text, GlobKind kind);
// Does it hold a wildcard at all?
bool IsGlob(std::string_view text);

}  // namespace flair
