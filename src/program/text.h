// The text form of a program: what people read, review and, so far, write.
//
// Place: program, beside encoding.h. Grammar: docs/spec/program.md. PrintProgram() is
// canonical: it says every attribute and every profile line, and parses back to the
// same bytes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "program/program.h"

namespace flair::program {

// REQUIRES: CheckProgram(program) is ok.
std::string PrintProgram(const Program& program);

// What it is, in a line: "batch 64; affine, flatten, linear, relu, linear; cross_entropy; sgd, rate
// 1/8". Names nothing that a program can choose, so it is safe on a terminal.
// REQUIRES: CheckProgram(program) is ok.
std::string SummaryOf(const Program& program);

// Hostile text. Memory and time: linear in its length.
// Errors: kInvalidArgument with line and column, or from CheckProgram().
Result<Program> ParseProgram(std::string_view text);

}  // namespace flair::program
