// What a program must fulfil beyond its spelling: names, counts, attributes and shapes.
//
// Place: program, above program.h; encoding.h, text.h and builder.h end in it.
// Rule Z, the bound of every accumulator, is the lowering's (lower.h).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "program/program.h"

namespace flair::program {

// The dims of every value, by id; columns and what depends on them begin with the batch.
// Time: linear in the size of the program.
// Errors: kInvalidArgument, naming the value and what is wrong with it.
Result<std::vector<Dims>> CheckProgram(const Program& program);

// The number of elements. REQUIRES: checked dims.
std::uint64_t NumElements(const Dims& dims);

// NumPy's rule, aligned at the last dimension; nothing when the dims do not fit.
std::optional<Dims> Broadcast(const Dims& a, const Dims& b);

// "[64, 784]"
std::string ToText(const Dims& dims);

}  // namespace flair::program
