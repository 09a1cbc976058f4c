// Problems: an Error as HTTP tells it (RFC 9457, application/problem+json):
//   {type, title, status, code, detail, hint}
// `code` is the ErrorCode's stable name; where it is missing (a proxy answered), the
// HTTP status decides.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace flair::wire {

// "not-found", "policy-violation", ...
std::optional<ErrorCode> CodeFromName(std::string_view name);
int HttpStatusOf(ErrorCode code);
ErrorCode CodeOfHttpStatus(int status);

std::string EncodeProblem(const Error& error);
// Never fails: what cannot be read is told by the status.
Error DecodeProblem(int status, std::string_view body);

}  // namespace flair::wire
