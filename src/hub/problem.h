// Problems: an Error as HTTP tells it (RFC 9457, application/problem+json).
//
// Place: hub, over wire/problem.h, the one place that maps ErrorCode to a status
// and a stable code:
//   {type, title, status, code, detail, hint}
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "base/result.h"
#include "hub/http/message.h"

namespace flair::hub {

Response ProblemResponse(const Error& error);
// For refusals that are not an ErrorCode: 404 of the router, 405, 413, 429, ...
Response ProblemResponse(int status, std::string_view code, std::string_view detail,
                         std::string_view hint = {});

}  // namespace flair::hub
