// SPDX-License-Identifier: Apache-2.0
#include "program/train.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "program/given_branches.h"

namespace flair::program {
namespace {

using circuit::Circuit;
using circuit::Ints;

Error Invalid(std::string what) { return Error(ErrorCode::kInvalidArgument, std::move(what)); }

Status CheckCount(const Circuit& c, circuit::ValueId id, const Ints& cells) {
  if (cells.size() == c.SizeOf(c[id].axes)) return OkStatus();
  return Invalid("'" + c[id].name + "' has " + std::to_string(cells.size()) + " cells, not " +
                 std::to_string(c.SizeOf(c[id].axes)));
}

Status CheckData(const Lowered& lowered, const DataSet& data) {
  if (data.columns.size() != lowered.columns.size()) {
    return Invalid("the data set has " + std::to_string(data.columns.size()) +
                   " columns, the program " + std::to_string(lowered.columns.size()));
  }
  if (data.rows < lowered.batch) {
    return Invalid("the data set has " + std::to_string(data.rows) + " rows, a batch " +
                   std::to_string(lowered.batch));
  }
  const Circuit& c = lowered.circuit;
  for (std::size_t i = 0; i < data.columns.size(); ++i) {
    if (!lowered.columns[i]) continue;
    const std::uint64_t row = c.SizeOf(c[*lowered.columns[i]].axes) / lowered.batch;
    if (data.columns[i].size() != row * data.rows) {
      return Invalid("column '" + c[*lowered.columns[i]].name + "' has " +
                     std::to_string(data.columns[i].size()) + " cells, not " +
                     std::to_string(row * data.rows));
    }
  }
  return OkStatus();
}

// What a recorded step leads to, by value.
Result<std::vector<Ints>> RecordedNext(const Lowered& lowered, const TrainingRun& run,
                                       std::uint64_t step) {
  FLAIR_TRY(std::vector<Ints> weights, run.recorded(step));
  std::vector<Ints> next(lowered.circuit.values.size());
  for (std::size_t i = 0; i < lowered.parameters.size(); ++i) {
    FLAIR_DO(CheckCount(lowered.circuit, lowered.parameters[i], weights[i]));
    next[lowered.parameters[i]] = std::move(weights[i]);
  }
  return next;
}

std::string Real(double v) {
  std::array<char, 32> out{};
  std::snprintf(out.data(), out.size(), "%.3g", v);
  return out.data();
}

// "'h' is -39314 in cell ..." of a node: what that is in real numbers.
Error InReals(const Lowered& lowered, Error error) {
  constexpr std::string_view kIs = "' is ";
  const std::string& text = error.message();
  const std::size_t end = text.find(kIs);
  if (!text.starts_with('\'') || end == std::string::npos) return error;
  const std::string_view name = std::string_view(text).substr(1, end - 1);
  const double cell = std::strtod(text.c_str() + end + kIs.size(), nullptr);
  for (const RoundedNode& rounded : lowered.rounded) {
    const circuit::Value& value = lowered.circuit[rounded.value];
    if (value.name != name) continue;
    const auto real = [&](double v) { return Real(std::ldexp(v, -rounded.scale)); };
    Error told(error.code(), text + ": in real numbers " + real(cell) + ", outside of [" +
                                 real(static_cast<double>(value.lo)) + ", " +
                                 real(static_cast<double>(value.hi)) + "]");
    return std::move(told).WithHint(error.hint());
  }
  return error;
}

// A recorded weight that is far from the step's is told of as such: most often the loop was
// another one. The range of its error ends at 2^tau.
Error AsRecorded(const Lowered& lowered, Error error) {
  constexpr std::string_view kSlack = ".slack' is ";
  const std::string& text = error.message();
  const std::size_t end = text.find(kSlack);
  if (!lowered.bounds || !text.starts_with('\'') || end == std::string::npos) {
    return error;
  }
  const std::string name = text.substr(1, end - 1);
  const auto& values = lowered.circuit.values;
  const auto value = std::find_if(values.begin(), values.end(), [&](const circuit::Value& v) {
    return v.kind == circuit::Value::Kind::kNumber && v.name == name + ".slack";
  });
  if (value == values.end()) return error;
  const double tau = std::ldexp(1, lowered.bounds->tau);
  const double unit = tau / static_cast<double>(value->hi + 1);
  const double off = std::abs(std::strtod(text.c_str() + end + kSlack.size(), nullptr)) * unit;
  const std::size_t at = text.find("in cell ");
  const std::string cell = text.substr(at + 8, text.find(", outside") - at - 8);
  return Invalid(name + " is not what the program's step gives: " + cell + " is " + Real(off) +
                 " off, and tau allows " + Real(tau))
      .WithHint("are optimiser and schedule those of the loop? If so, raise the slack's bound tau");
}

Ints RowsOf(const Ints& column, std::span<const std::uint32_t> rows, std::uint32_t all) {
  const std::size_t row = column.size() / all;
  Ints cells(rows.size() * row);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::copy_n(column.begin() + static_cast<std::ptrdiff_t>(rows[i] * row), row,
                cells.begin() + static_cast<std::ptrdiff_t>(i * row));
  }
  return cells;
}

}  // namespace

Result<TrainingState> StartOf(const Lowered& lowered, const std::vector<Ints>& parameters,
                              const std::vector<Ints>& buffers) {
  if (parameters.size() != lowered.parameters.size() || buffers.size() != lowered.buffers.size()) {
    return Invalid("the program has " + std::to_string(lowered.parameters.size()) +
                   " parameters and " + std::to_string(lowered.buffers.size()) + " buffers");
  }
  const Circuit& c = lowered.circuit;
  std::vector<Ints> by_value(c.values.size());
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    by_value[lowered.parameters[i]] = parameters[i];
  }
  for (std::size_t i = 0; i < buffers.size(); ++i) by_value[lowered.buffers[i]] = buffers[i];
  for (const OptimiserState& state : lowered.states) {
    by_value[state.value].assign(c.SizeOf(c[state.value].axes), 0);
  }
  if (lowered.drift) by_value[*lowered.drift] = {0};
  if (lowered.deviations) by_value[*lowered.deviations] = {0};
  TrainingState state;
  for (const circuit::Carried& carried : c.carried) {
    FLAIR_DO(CheckCount(c, carried.number, by_value[carried.number]));
    state.carried.push_back(std::move(by_value[carried.number]));
  }
  return state;
}

Result<TrainingState> Train(const Lowered& lowered, const DataSet& data, TrainingState state,
                            const TrainingRun& run, const OnTrainingStep& on_step) {
  const Circuit& c = lowered.circuit;
  FLAIR_DO(CheckData(lowered, data));
  if (state.carried.size() != c.carried.size()) {
    return Invalid("the state has " + std::to_string(state.carried.size()) + " tensors, not " +
                   std::to_string(c.carried.size()));
  }
  for (std::size_t i = 0; i < c.carried.size(); ++i) {
    FLAIR_DO(CheckCount(c, c.carried[i].number, state.carried[i]));
  }
  Batches batches(run.seed, data.rows, lowered.batch);
  for (std::uint64_t step = run.first_step; step < run.first_step + run.steps; ++step) {
    const std::span<const std::uint32_t> rows = batches.RowsOf(step);
    circuit::StepInputs inputs;
    inputs.cells.resize(c.values.size());
    for (std::size_t i = 0; i < data.columns.size(); ++i) {
      if (!lowered.columns[i]) continue;
      inputs.cells[*lowered.columns[i]] = RowsOf(data.columns[i], rows, data.rows);
    }
    for (const PublicInput& input : lowered.publics) {
      inputs.cells[input.value] = CellsOf(lowered, input, run.seed, step);
    }
    for (std::size_t i = 0; i < c.carried.size(); ++i) {
      inputs.cells[c.carried[i].number] = std::move(state.carried[i]);
    }
    if (lowered.slack) {
      FLAIR_TRY(inputs.next, RecordedNext(lowered, run, step));
      inputs.given = GivenBranches(lowered, inputs, run.seed, step);
    }
    auto values = circuit::RunStep(c, inputs, run.keep);
    if (!values.ok()) {
      return AsRecorded(lowered, InReals(lowered, std::move(values).error()))
          .In("step " + std::to_string(step));
    }
    FLAIR_DO(on_step({.number = step, .rows = rows, .values = *values}));
    for (std::size_t i = 0; i < c.carried.size(); ++i) {
      state.carried[i] = std::move(values->next[c.carried[i].number]);
    }
  }
  return state;
}

}  // namespace flair::program
