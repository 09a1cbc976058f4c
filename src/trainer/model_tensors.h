// ModelTensors: a program's parameters and buffers as the integers that the engine trains.
//
// A parameter is a multiple of 2^(scale-30), a buffer one of its profile line's unit; both fit a
// float64 exactly, so a model that is written and read again is the same.
//
// Place: trainer, over tensor and program. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/env.h"
#include "base/result.h"
#include "circuit/run.h"
#include "program/lower.h"
#include "program/program.h"
#include "program/train.h"
#include "tensor/dtype.h"

namespace flair::trainer {

// A tensor of the program, and the unit of its integers, 2^-scale.
struct ModelTensor {
  std::string name;
  program::Dims dims;
  int scale = 0;
  std::int64_t lo = 0;  // lo <= every integer <= hi
  std::int64_t hi = 0;
  std::string line;  // what to raise when a value does not fit
};

// Parameters, then buffers, in the program's order.
std::vector<ModelTensor> TensorsOf(const program::Program& program);

// Integers of each tensor, row-major, in the order of TensorsOf().
using ModelIntegers = std::vector<circuit::Ints>;

// Every float rounded once, half up. Errors: kInvalidArgument names tensor, element and value:
// NaN, infinities, out of range; a size that is not the tensor's; a dtype that is no float.
Result<circuit::Ints> IntegersOf(const ModelTensor& tensor, DType dtype, ByteView bytes);
// Float64, little-endian: exact.
Bytes DoublesOf(const ModelTensor& tensor, const circuit::Ints& integers);

// The tensors of a model file by the program's names. Tensors of integers that the program has
// not are counters, and left alone. Errors: those of the file's reader; kInvalidArgument names a
// tensor that is missing, of other dims, or unknown to the program.
Result<ModelIntegers> ReadModel(Env& env, const std::string& path, const program::Program& program);
// As .safetensors of float64.
Status WriteModel(Env& env, const std::string& path, const program::Program& program,
                  const ModelIntegers& integers);

// What training begins with: these, and nothing that an optimiser remembers.
Result<program::TrainingState> StartFrom(const program::Lowered& lowered,
                                         const ModelIntegers& integers);
ModelIntegers IntegersOf(const program::Lowered& lowered, const program::TrainingState& state);

}  // namespace flair::trainer
