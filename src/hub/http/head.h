// Head: the first part of a request, from bytes that a stranger sent.
//
// Place: hub/http. Two readers must agree before a request exists: this file's strict
// line reader, which refuses everything that two servers could read differently
// (bare LF, folded lines, repeated Host or Content-Length, any Transfer-Encoding), and
// Beast's parser (beast_check.cc). Bodies come with Content-Length only.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "hub/http/message.h"

namespace flair::hub {

inline constexpr std::size_t kMaxHeadBytes = std::size_t{32} << 10;
inline constexpr std::size_t kMaxHeaderLines = 100;

struct Head {
  Request request;  // without body and peer
  std::uint64_t content_length = 0;
  bool keep_alive = true;
  bool expects_continue = false;
};

struct Refusal {
  int status = 400;
  std::string detail;
};

// Bytes up to and including the blank line; absent while it has not arrived. Stops at the
// first bare LF too, so that a head that will be refused is not waited for.
std::optional<std::size_t> FindHeadEnd(std::string_view bytes);

// REQUIRES: `head` ends where FindHeadEnd says.
std::variant<Head, Refusal> ParseHead(std::string_view head);

// Does Beast read the same? Empty: yes; else what differs.
std::string DiffersForBeast(std::string_view head, const Head& ours);

}  // namespace flair::hub
