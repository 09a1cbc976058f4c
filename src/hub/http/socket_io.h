// Blocking, bounded reads and writes on a non-blocking socket.
//
// Place: hub/http. Every wait has a limit: a peer that makes no progress for
// `stall_ms` is given up, however slow a steady one may be.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace flair::hub {

enum class More : std::uint8_t { kNo, kYes };  // does another send follow at once?

// 0: the peer closed. Errors: kUnavailable (stalled), kCancelled (broken).
Result<std::size_t> ReceiveSome(int socket, MutableByteView out, int stall_ms);
// What is there already; 0 when nothing is. Errors: kCancelled (broken or closed).
Result<std::size_t> ReceiveReady(int socket, MutableByteView out);
Status SendAll(int socket, ByteView data, int stall_ms, More more = More::kNo);
// By the kernel, without a copy through this process. Errors: kIo when the file ends first.
Status SendFileRange(int socket, const std::string& path, std::uint64_t offset,
                     std::uint64_t length_bytes, int stall_ms);

}  // namespace flair::hub
