// Problems: an Error as HTTP tells it (RFC 9457, application/problem+json).
//
// Place: hub. The one place that maps ErrorCode to a status:
//   {type, title, status, code, detail, hint}
// `code` is stable: "not-found", "policy-violation", ... (CodeName).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "base/result.h"
#include "hub/http/message.h"

namespace flair::hub {

std::string_view CodeName(ErrorCode code);
int StatusOf(ErrorCode code);
Response ProblemResponse(const Error& error);
// For refusals that are not an ErrorCode: 404 of the router, 405, 413, 429, ...
Response ProblemResponse(int status, std::string_view code, std::string_view detail,
                         std::string_view hint = {});

}  // namespace flair::hub
