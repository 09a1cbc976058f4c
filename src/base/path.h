// The one canonicaliser of repository paths: what a tree may name.
//
// A repository path is relative, '/'-separated UTF-8 in Unicode's own bytes:
// no empty, "." or ".." part, no NUL or control character, no backslash or
// colon, no ".flair" or ".git" part in any case, at most 255 bytes a part and
// 1024 bytes in all. It is checked wherever a name enters: add, tree decoding, push, checkout.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace flair {

// Errors: kInvalidArgument, naming the path and the rule it breaks.
Status CheckRepoPath(std::string_view path);

// "a//b/./c" -> "a/b/c", "x/../y" -> "y" for what a user types, then CheckRepoPath.
// Errors: kInvalidArgument when it leaves the repository.
Result<std::string> NormaliseRepoPath(std::string_view typed);

// Names that differ only by case meet on case-insensitive file systems.
// ASCII folding; returns the first pair that collides, as an Error (kInvalidArgument).
Status CheckNoCaseCollisions(const std::vector<std::string>& paths);

std::string JoinPath(std::string_view folder, std::string_view name);
std::string ParentPath(std::string_view path);  // "" for a bare name, "/" for "/x"

}  // namespace flair
