// Will a disk take what is to be written? Asked before the work, which would be in vain.
//
// Place: base, over env.h. Thread safety: as the Env's.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "base/env.h"

namespace flair {

// Has the disk of `path`, which need not be there, so many bytes left? Errors: kNoSpace; those of
// the disk.
Status CheckFreeSpace(Env& env, const std::string& path, std::uint64_t bytes);
// Could a file be written there? Leaves nothing, and what is there as it is. Errors: kNotFound
// without its folder; kAlreadyExists for a folder; those of the disk.
Status CheckWritable(Env& env, const std::string& path);

}  // namespace flair
