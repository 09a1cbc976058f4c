// A committed matrix as the documents name it. docs/formats/statement.md.
//
// Place: proof, over data's strict JSON. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "base/result.h"
#include "proof/run_claim.h"

namespace flair::proof {

boost::json::object MatrixJson(const MatrixId& matrix);
// `where` names it in messages. Errors: kCorrupt.
Result<MatrixId> MatrixOf(const boost::json::value& value, const std::string& where,
                          zk::MatrixKind kind);

}  // namespace flair::proof
