// A stored file as bytes again: any range of it, streamed.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hub/http/message.h"
#include "object/file.h"
#include "store/object_store.h"

namespace flair::hub {

// Gives `sink` the bytes [offset, offset + length) of the file, in order, in pieces of
// at most 1 MiB. REQUIRES: the range lies in the file.
Status StreamFile(const ObjectStore& objects, const File& file, std::uint64_t offset,
                  std::uint64_t length_bytes, const ByteSink& sink);

}  // namespace flair::hub
