// SPDX-License-Identifier: Apache-2.0
#include "trainer/recorded_run.h"

#include <map>
#include <string_view>
#include <utility>

#include "program/shapes.h"

namespace flair::trainer {
namespace {

Error Wrong(const std::string& what) { return {ErrorCode::kInvalidArgument, what}; }

}  // namespace

Result<RecordedRun> RecordedRun::Open(Env& env, const std::string& folder,
                                      const program::Program& program) {
  FLAIR_TRY(std::unique_ptr<RunReader> reader, RunReader::Open(env, folder));
  if (!reader->result()) return Wrong(folder + ": the run is not finished");
  const auto& steps = reader->steps();
  if (steps.size() < 2) return Wrong(folder + ": the run has no steps");
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].step != steps[0].step + i) {
      return Wrong(folder + ": step " + std::to_string(steps[0].step + i) + " is not recorded");
    }
  }
  return RecordedRun(std::move(reader), TensorsOf(program), program.parameters.size());
}

Result<std::vector<std::uint32_t>> RecordedRun::Rows() const {
  std::vector<std::uint32_t> rows;
  for (const RunReader::StepInfo& step : reader_->steps()) {
    FLAIR_TRY(const std::vector<std::uint32_t> own, reader_->Rows(step));
    rows.insert(rows.end(), own.begin(), own.end());
  }
  return rows;
}

Result<ModelIntegers> RecordedRun::Read(const RunReader::StepInfo& step,
                                        std::size_t num_tensors) const {
  std::map<std::string_view, const TensorRef*> refs;
  for (const auto& [name, ref] : step.tensors) refs[name] = &ref;
  ModelIntegers integers;
  for (std::size_t i = 0; i < num_tensors; ++i) {
    const ModelTensor& tensor = tensors_[i];
    const auto in_step = [&](Error error) {
      return std::move(error).In("step " + std::to_string(step.step));
    };
    const auto ref = refs.find(tensor.name);
    if (ref == refs.end()) return in_step(Wrong("'" + tensor.name + "' is not recorded"));
    if (ref->second->dims != tensor.dims) {
      return in_step(Wrong("'" + tensor.name + "' is " + program::ToText(ref->second->dims) +
                           "; the program's is " + program::ToText(tensor.dims)));
    }
    Bytes bytes(program::NumElements(tensor.dims) * DTypeBytes(ref->second->dtype));
    FLAIR_DO(reader_->ReadTensor(*ref->second, bytes));
    auto own = IntegersOf(tensor, ref->second->dtype, bytes);
    if (!own.ok()) return in_step(std::move(own).error());
    integers.push_back(std::move(*own));
  }
  return integers;
}

Status RecordedRun::Check() const {
  for (std::uint64_t i = 0; i < num_steps(); ++i) FLAIR_DO(After(first_step() + i));
  return OkStatus();
}

Result<ModelIntegers> RecordedRun::Start() const {
  return Read(reader_->steps().front(), tensors_.size());
}

Result<std::vector<circuit::Ints>> RecordedRun::After(std::uint64_t step) const {
  return Read(reader_->steps()[step - first_step() + 1], num_parameters_);
}

}  // namespace flair::trainer
