// RecordedRun: a run as a framework's recorder wrote it, taken to the engine's integers.
//
// Of every step the weights before it, float32, by the parameters' names; buffers with the first
// one. Floats are rounded once to the program's units. docs/formats/run.md.
//
// Place: trainer, over repo's run folder. Thread safety: const methods from any thread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/env.h"
#include "base/result.h"
#include "program/program.h"
#include "repo/run.h"
#include "trainer/model_tensors.h"

namespace flair::trainer {

class RecordedRun {
 public:
  // Errors: kInvalidArgument for a run that is not finished, has no step, or misses one.
  static Result<RecordedRun> Open(Env& env, const std::string& folder,
                                  const program::Program& program);

  const RunMeta& meta() const { return reader_->meta(); }
  const std::string& id() const { return reader_->id(); }
  std::uint64_t first_step() const { return reader_->steps().front().step; }
  std::uint64_t num_steps() const { return reader_->steps().size() - 1; }

  // Reads every step's parameters once: a run with a value that no step can have is refused before
  // any work on it. Errors: those of After().
  Status Check() const;

  // Rows of every step's batch, step after step.
  Result<std::vector<std::uint32_t>> Rows() const;
  // Parameters and buffers before the first step.
  Result<ModelIntegers> Start() const;
  // The parameters after a step. Errors: kInvalidArgument names step and tensor: missing, of other
  // dims, NaN, out of range.
  Result<std::vector<circuit::Ints>> After(std::uint64_t step) const;

 private:
  RecordedRun(std::unique_ptr<RunReader> reader, std::vector<ModelTensor> tensors,
              std::size_t num_parameters)
      : reader_(std::move(reader)), tensors_(std::move(tensors)), num_parameters_(num_parameters) {}
  Result<ModelIntegers> Read(const RunReader::StepInfo& step, std::size_t num_tensors) const;

  std::unique_ptr<RunReader> reader_;
  std::vector<ModelTensor> tensors_;  // parameters first
  std::size_t num_parameters_;
};

}  // namespace flair::trainer
