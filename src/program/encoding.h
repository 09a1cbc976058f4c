// The canonical bytes of a program, and the hash that names it.
//
// Place: program, above shapes.h. Layout: docs/spec/program.md. One program has one
// encoding: the decoder refuses padded numbers, unreduced fractions and trailing bytes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/digest.h"
#include "program/program.h"

namespace flair::program {

// REQUIRES: CheckProgram(program) is ok.
Bytes EncodeProgram(const Program& program);

// Hostile bytes. Memory: linear in their number; time too.
// Errors: kCorrupt with the offset, kUnsupported for another version or an operator this
// build does not know, kInvalidArgument from CheckProgram().
Result<Program> DecodeProgram(ByteView bytes);

// SHA-256("flair.program.v1" || encoding).
Digest HashProgram(const Program& program);

}  // namespace flair::program
