// SPDX-License-Identifier: Apache-2.0
#include "trainer/exact_run.h"

#include <map>
#include <utility>
#include <vector>

#include "base/path.h"
#include "program/encoding.h"
#include "program/shapes.h"
#include "repo/run.h"

namespace flair::trainer {
namespace {

Error Wrong(const std::string& what) { return {ErrorCode::kInvalidArgument, what}; }

// Writes tensors as a step; their bytes live until it returns.
Status WriteTensors(RunWriter& writer, std::uint64_t step, const program::Program& program,
                    const ModelIntegers& integers, std::span<const std::uint32_t> rows) {
  const std::vector<ModelTensor> tensors = TensorsOf(program);
  std::vector<Bytes> bytes;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    bytes.push_back(DoublesOf(tensors[i], integers[i]));
  }
  std::vector<StepTensor> step_tensors;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    step_tensors.push_back({.name = tensors[i].name,
                            .dtype = DType::kF64,
                            .dims = tensors[i].dims,
                            .bytes = bytes[i]});
  }
  return writer.Step(step, step_tensors, rows);
}

Result<ModelIntegers> ReadTensors(const RunReader& reader, const RunReader::StepInfo& step,
                                  const program::Program& program) {
  std::map<std::string_view, const TensorRef*> refs;
  for (const auto& [name, ref] : step.tensors) refs[name] = &ref;
  ModelIntegers integers;
  for (const ModelTensor& tensor : TensorsOf(program)) {
    const auto ref = refs.find(tensor.name);
    if (ref == refs.end() || ref->second->dims != tensor.dims ||
        ref->second->dtype != DType::kF64) {
      return Error(ErrorCode::kCorrupt, "step " + std::to_string(step.step) + ": no tensor '" +
                                            tensor.name + "' as the program has it");
    }
    Bytes bytes(8 * program::NumElements(tensor.dims));
    FLAIR_DO(reader.ReadTensor(*ref->second, bytes));
    FLAIR_TRY(circuit::Ints own, IntegersOf(tensor, DType::kF64, bytes));
    if (DoublesOf(tensor, own) != bytes) {
      return Error(ErrorCode::kCorrupt, "step " + std::to_string(step.step) + ": tensor '" +
                                            tensor.name + "' is finer than the program's unit");
    }
    integers.push_back(std::move(own));
  }
  return integers;
}

}  // namespace

Result<TrainedRun> TrainExact(Env& env, const std::string& runs_dir, const ExactRun& run,
                              const program::Lowered& lowered, const program::DataSet& data,
                              const OnStep& on_step) {
  RunMeta meta{.framework = std::string(kExactFramework),
               .program = program::HashProgram(run.program),
               .parent = std::nullopt,
               .data_card = run.data_card,
               .ticket = std::nullopt,
               .first_step = run.first_step,
               .settings = {{kSeedSetting, run.seed.ToHex()}}};
  if (!run.data.empty()) meta.settings.emplace_back(kDataSetting, run.data);
  FLAIR_TRY(const auto writer, RunWriter::Begin(env, runs_dir, meta));
  FLAIR_DO(WriteFileAtomically(env, JoinPath(writer->folder(), kProgramFile),
                               program::EncodeProgram(run.program)));
  FLAIR_TRY(program::TrainingState start, StartFrom(lowered, run.start));
  std::uint64_t done = 0;
  const auto write = [&](const program::TrainingStep& step) -> Status {
    FLAIR_DO(done == 0 ? WriteTensors(*writer, step.number, run.program, run.start, step.rows)
                       : writer->Step(step.number, {}, step.rows));
    ++done;
    return on_step ? on_step(done, run.steps) : OkStatus();
  };
  const auto state = program::Train(lowered, data, std::move(start),
                                    {.seed = run.seed,
                                     .first_step = run.first_step,
                                     .steps = run.steps,
                                     .recorded = {},
                                     .keep = circuit::Keep::kNumbers},
                                    write);
  if (!state.ok()) {
    // The next try is a run of its own: half of this one serves nobody.
    if (state.error().code() == ErrorCode::kCancelled) (void)RemoveTree(env, writer->folder());
    return state.error();
  }
  ModelIntegers end = IntegersOf(lowered, *state);
  FLAIR_DO(WriteTensors(*writer, run.first_step + run.steps, run.program, end, {}));
  FLAIR_TRY(const RunResult result, writer->Finish({}));
  return TrainedRun{.id = writer->id(),
                    .folder = writer->folder(),
                    .end = std::move(end),
                    .samples = result.num_samples};
}

Result<ReadRun> ReadExactRun(Env& env, const std::string& folder) {
  FLAIR_TRY(const auto reader, RunReader::Open(env, folder));
  const RunMeta& meta = reader->meta();
  if (meta.framework != kExactFramework) {
    return Wrong(folder + ": a run of '" + meta.framework + "', not of the exact engine")
        .WithHint("--program FILE --data FOLDER --seed HEX prove a recorded run");
  }
  if (!reader->result()) return Wrong(folder + ": the run is not finished");
  ReadRun read;
  read.id = reader->id();
  FLAIR_TRY(std::optional<RunSubject> subject, SubjectOf(env, folder, meta));
  const auto corrupt = [&](const std::string& what) {
    return Error(ErrorCode::kCorrupt, folder + ": " + what);
  };
  if (!subject) return corrupt("the run names no program");
  read.run.program = std::move(subject->program);
  read.run.seed = subject->seed;
  read.run.data = std::move(subject->data);
  read.run.data_card = subject->data_card;
  read.run.first_step = meta.first_step;

  const auto& steps = reader->steps();
  if (steps.size() < 2) return corrupt("the run has no steps");
  read.run.steps = steps.size() - 1;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].step != meta.first_step + i) {
      return corrupt("step " + std::to_string(meta.first_step + i) + " is missing");
    }
    FLAIR_TRY(const std::vector<std::uint32_t> rows, reader->Rows(steps[i]));
    read.rows.insert(read.rows.end(), rows.begin(), rows.end());
  }
  FLAIR_TRY(read.run.start, ReadTensors(*reader, steps.front(), read.run.program));
  FLAIR_TRY(read.end, ReadTensors(*reader, steps.back(), read.run.program));
  return read;
}

}  // namespace flair::trainer
