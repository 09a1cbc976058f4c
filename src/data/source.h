// Sources: the columns of a file or folder, and which of them a data set takes.
//
//   x.npy                          column x            (also .npy.gz)
//   train-images-idx3-ubyte.gz     column train-images (also .idx)
//   digits.safetensors             a column for each tensor, by its name
//   FOLDER                         those of its files, no deeper
//
// Place: data, over tensor's readers. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/env.h"
#include "base/result.h"
#include "data/source_column.h"

namespace flair::data {

struct Source {
  std::vector<SourceColumn> columns;  // by file, then as they lie in it
  std::vector<std::string> left_out;  // files of a folder that are no arrays
};

// Opens files and reads their heads; .gz are unpacked. Errors: kNotFound, kCorrupt and
// kUnsupported name the file; kInvalidArgument when two files have a column of one name, and
// when there is none.
Result<Source> OpenSource(Env& env, const std::string& path);

// "train-images" of "train-images-idx3-ubyte.gz"; nothing for a file of no known kind, and for
// .safetensors, whose columns have names of their own.
std::optional<std::string> ColumnOfFile(std::string_view file_name);

// A column of the data set, and what it is called in the source.
struct Choice {
  std::string name;
  std::string source;
};
// "x=train-images,y=train-labels"; "x" alone is "x=x". Errors: kInvalidArgument.
Result<std::vector<Choice>> ParseChoices(std::string_view text);
// In the order of the choices, under their names. Errors: kNotFound lists what there is.
Result<std::vector<SourceColumn>> Choose(const Source& source, const std::vector<Choice>& choices);

// Is each usable, and do all have the same number of records? Errors: kInvalidArgument names two
// that differ. REQUIRES: not empty.
Status CheckRecords(const std::vector<SourceColumn>& columns);

}  // namespace flair::data
