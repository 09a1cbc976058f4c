// Programs in files: canonical bytes, or the text form.
//
// Place: cli. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/env.h"
#include "base/result.h"
#include "program/program.h"

namespace flair::cli {

// Both are told apart by how they begin. Errors: those of the parsers, naming the file.
Result<program::Program> ReadProgram(Env& env, const std::string& path);

// Is it the text form?
Result<bool> IsProgramText(Env& env, const std::string& path);

}  // namespace flair::cli
