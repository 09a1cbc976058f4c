// SPDX-License-Identifier: Apache-2.0
#include "trainer/calibrate_program.h"

#include <cmath>
#include <utility>

#include "program/slack.h"
#include "trainer/model_tensors.h"
#include "zk/relation/layout.h"

namespace flair::trainer {
namespace {

using program::ProfileLine;

constexpr unsigned kLeastLimb = 8, kMostLimb = 24;

std::uint8_t& LimbOf(program::Program& p) {
  return p.profile[static_cast<std::size_t>(ProfileLine::kLimb)].bits;
}

// The model's tensors, whatever ranges the program has: what is measured says which it gets.
Result<program::PilotRun> PilotOf(Env& env, const CalibrateRequest& request) {
  program::Program wide = request.program;
  for (program::Parameter& p : wide.parameters) p.scale = 10;
  wide.profile[static_cast<std::size_t>(ProfileLine::kStatistics)] = {.bits = 40, .scale = 20};
  FLAIR_TRY(const ModelIntegers integers, ReadModel(env, request.weights, wide));
  const std::vector<ModelTensor> tensors = TensorsOf(wide);
  program::PilotRun run{
      .seed = request.seed, .first_step = request.first_step, .steps = request.steps};
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    program::Reals values;
    values.reserve(integers[i].size());
    for (const std::int64_t v : integers[i]) {
      values.push_back(std::ldexp(static_cast<double>(v), -tensors[i].scale));
    }
    (i < wide.parameters.size() ? run.parameters : run.buffers).push_back(std::move(values));
  }
  return run;
}

Result<ProgramCost> CostOf(const program::Lowered& lowered, std::uint64_t steps) {
  FLAIR_TRY(const zk::Layout layout, zk::Layout::Make(lowered.circuit, steps));
  return ProgramCost{.lines = program::CostsByLine(lowered.circuit),
                     .table_rows = program::NumTableRows(lowered.circuit),
                     .cells = layout.num_cells()};
}

std::optional<Error> WhyNotRecorded(const program::Program& p) {
  auto lowered = program::Lower(p, program::DefaultSlack(p));
  if (lowered.ok()) return std::nullopt;
  return std::move(lowered).error();
}

// Of the sizes of a limb the one with the fewest cells in a chunk; of those that let recorded runs
// be proven, if there are any.
Result<program::Calibration> WithBestLimb(const CalibrateRequest& request,
                                          const program::StepGraph& graph,
                                          const program::Magnitudes& seen) {
  std::optional<program::Calibration> best;
  std::pair<bool, std::uint64_t> cost;
  std::optional<Error> error;
  for (unsigned limb = kLeastLimb; limb <= kMostLimb; ++limb) {
    program::Program candidate = request.program;
    LimbOf(candidate) = static_cast<std::uint8_t>(limb);
    auto made = program::Calibrate(candidate, graph, seen, request.headroom);
    if (!made.ok()) {
      error = std::move(made).error();
      continue;
    }
    const auto layout = zk::Layout::Make(made->lowered.circuit, request.steps_per_chunk);
    if (!layout.ok()) {
      error = layout.error();
      continue;
    }
    const std::pair own{WhyNotRecorded(made->program).has_value(), layout->num_cells()};
    if (best && own >= cost) continue;
    cost = own;
    best = std::move(*made);
  }
  if (!best) return *std::move(error);
  return *std::move(best);
}

}  // namespace

Result<CalibratedProgram> CalibrateProgram(Env& env, const CalibrateRequest& request,
                                           const program::DataSet& data,
                                           const CalibrateHooks& hooks) {
  const auto told = [&](std::string_view phase, std::uint64_t done) {
    return hooks.progress ? hooks.progress(phase, done, request.steps) : OkStatus();
  };
  FLAIR_TRY(const program::StepGraph graph, program::StepGraphOf(request.program));
  FLAIR_TRY(program::PilotRun run, PilotOf(env, request));
  FLAIR_TRY(const program::Magnitudes seen,
            program::Pilot(graph, data, std::move(run), [&](std::uint64_t step) {
              return told("pilot", step - request.first_step);
            }));
  CalibratedProgram made;
  FLAIR_TRY(made.chosen, request.steps_per_chunk == 0
                             ? program::Calibrate(request.program, graph, seen, request.headroom)
                             : WithBestLimb(request, graph, seen));
  if (const auto before = program::Lower(request.program); before.ok()) {
    if (auto cost = CostOf(*before, 1); cost.ok()) made.before = std::move(*cost);
  }
  const program::Lowered& lowered = made.chosen.lowered;
  FLAIR_TRY(made.after, CostOf(lowered, 1));
  made.recorded = WhyNotRecorded(made.chosen.program);

  FLAIR_TRY(const ModelIntegers start, ReadModel(env, request.weights, made.chosen.program));
  FLAIR_TRY(program::TrainingState state, StartFrom(lowered, start));
  program::RangeUse use(lowered);
  const auto note = [&](const program::TrainingStep& step) {
    use.Note(step);
    return told("exact pilot", step.number - request.first_step + 1);
  };
  FLAIR_DO(program::Train(lowered, data, std::move(state),
                          {.seed = request.seed,
                           .first_step = request.first_step,
                           .steps = request.steps,
                           .recorded = {},
                           .keep = circuit::Keep::kNumbers},
                          note));
  for (const auto& [line, cost] : made.after.lines) {
    if (const auto bits = use.BitsLeft(line)) made.bits_left[line] = *bits;
  }
  return made;
}

}  // namespace flair::trainer
