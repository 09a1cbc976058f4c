// Columns as integers: which format a column has, and its values in it.
//
// An integer v is stored as v 2^scale, exactly or not at all; a float is rounded once,
// floor(v 2^scale + 1/2); a class is itself. docs/formats/data-card.md.
//
// Place: data, above card.h and source_column.h. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "data/card.h"
#include "data/source_column.h"
#include "program/program.h"

namespace flair::data {

// What a column is without a program: integers get the least bits and scale 0, floats 15 bits
// and the finest scale that holds all; a list of integers from 0 to 2^15 - 1 that is called
// label, labels, y or target holds classes. Reads the column once.
// Errors: kInvalidArgument names column, record and value.
Result<CardColumn> InferColumn(const SourceColumn& source);

// What the program says of it. Dims of size 1 do not count: [28, 28] serves [1, 28, 28].
// Errors: kInvalidArgument for other dims, and for floats as classes.
Result<CardColumn> ColumnFor(const SourceColumn& source, const program::Column& wanted);

// Every value, record after record, within the column's range.
// Errors: kInvalidArgument names column, record and value: NaN, infinities, no class, too large.
Result<std::vector<std::int64_t>> ReadColumn(const SourceColumn& source, const CardColumn& column);

}  // namespace flair::data
