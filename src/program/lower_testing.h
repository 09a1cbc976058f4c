// Programs with data and weights, trained in integers beside the same step in doubles.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "circuit/changes_testing.h"
#include "program/evaluate.h"
#include "program/lower.h"
#include "program/program_testing.h"
#include "program/shapes.h"
#include "program/train.h"

namespace flair::program {

struct Training {
  Program program;
  Graph graph;
  Lowered lowered;
  DataSet data;
  TrainingState state;
  TrainingRun run;
};

struct TrainingSizes {
  std::uint32_t rows = 12;
  double data = 1.0;  // standard deviations
  double weights = 0.4;
  std::uint64_t before = 0;  // steps before the one that is judged
};

inline Training Prepared(std::string_view text, const TrainingSizes& sizes = {}) {
  Training t;
  t.program = Parsed(text);
  const auto shapes = CheckProgram(t.program);
  EXPECT_TRUE(shapes.ok());
  auto graph = BuildGraph(t.program, *shapes);
  EXPECT_TRUE(graph.ok()) << (graph.ok() ? "" : graph.error().message());
  t.graph = std::move(*graph);
  auto lowered = Lower(t.program);
  EXPECT_TRUE(lowered.ok()) << (lowered.ok() ? "" : lowered.error().message());
  if (!lowered.ok()) return t;
  t.lowered = std::move(*lowered);
  std::mt19937_64 random(7);
  std::normal_distribution<double> normal;
  const auto fill = [&](std::size_t count, double deviation, int scale, std::int64_t most) {
    circuit::Ints cells(count);
    for (std::int64_t& v : cells) {
      v = std::clamp<std::int64_t>(std::llround(std::ldexp(deviation * normal(random), scale)),
                                   -most, most);
    }
    return cells;
  };
  t.data.rows = sizes.rows;
  for (const Column& column : t.program.columns) {
    if (column.is_label()) {
      circuit::Ints cells(sizes.rows);
      for (std::int64_t& v : cells) v = static_cast<std::int64_t>(random() % column.classes);
      t.data.columns.push_back(std::move(cells));
    } else {
      t.data.columns.push_back(fill(NumElements(column.row) * sizes.rows, sizes.data,
                                    column.format.scale, column.format.hi()));
    }
  }
  std::vector<circuit::Ints> parameters, buffers;
  for (const Parameter& p : t.program.parameters) {
    parameters.push_back(fill(NumElements(p.dims), sizes.weights, 30 - p.scale, (1LL << 31) - 1));
  }
  const Format statistics = t.program.profile[static_cast<std::size_t>(ProfileLine::kStatistics)];
  for (const Buffer& b : t.program.buffers) {
    buffers.push_back(fill(NumElements(b.dims), 0.5, statistics.scale, statistics.hi()));
    for (std::int64_t& v : buffers.back()) v = std::abs(v) + (1 << statistics.scale) / 8;
  }
  auto state = StartOf(t.lowered, parameters, buffers);
  EXPECT_TRUE(state.ok());
  t.state = std::move(*state);
  t.run.seed.bytes.fill(std::byte{3});
  return t;
}

inline Reals AsReals(const circuit::Ints& cells, int scale) {
  Reals reals;
  for (const std::int64_t v : cells) reals.push_back(std::ldexp(static_cast<double>(v), -scale));
  return reals;
}

// What a step's values say of its inputs, in doubles.
inline RealInputs RealInputsOf(const Training& t, const TrainingStep& step) {
  RealInputs inputs{
      .columns = {}, .parameters = {}, .buffers = {}, .seed = t.run.seed, .step = step.number};
  for (std::size_t i = 0; i < t.program.columns.size(); ++i) {
    const Column& column = t.program.columns[i];
    circuit::Ints cells;
    const std::size_t row = t.data.columns[i].size() / t.data.rows;
    for (const std::uint32_t r : step.rows) {
      for (std::size_t j = 0; j < row; ++j) cells.push_back(t.data.columns[i][r * row + j]);
    }
    inputs.columns.push_back(AsReals(cells, column.is_label() ? 0 : column.format.scale));
  }
  for (std::size_t i = 0; i < t.program.parameters.size(); ++i) {
    inputs.parameters.push_back(
        AsReals(step.values.now[t.lowered.parameters[i]], 30 - t.program.parameters[i].scale));
  }
  const Format statistics = t.program.profile[static_cast<std::size_t>(ProfileLine::kStatistics)];
  for (const circuit::ValueId buffer : t.lowered.buffers) {
    inputs.buffers.push_back(AsReals(step.values.now[buffer], statistics.scale));
  }
  return inputs;
}

inline double Norm(const Reals& v) {
  double sum = 0;
  for (const double x : v) sum += x * x;
  return std::sqrt(sum);
}

// The gradients of a step in doubles, by parameter; empty where there is none.
inline std::vector<Reals> RealGradients(const Training& t, const TrainingStep& step) {
  const std::vector<Reals> values = Evaluate(t.graph, RealInputsOf(t, step));
  std::vector<Reals> gradients;
  for (const auto& gradient : t.graph.gradients) {
    gradients.push_back(gradient ? values[*gradient] : Reals{});
  }
  return gradients;
}

// W(t+1) - W(t) in doubles by plain gradient descent.
inline std::vector<Reals> SgdUpdates(const Training& t, const TrainingStep& step) {
  const auto attribute = [&](std::string_view name) {
    return AttributeOf(Optimisers(), t.program.optimiser, name).rational().AsDouble();
  };
  const double rate = static_cast<double>(t.program.schedule.NumeratorAt(step.number)) /
                      static_cast<double>(t.program.schedule.denominator);
  std::vector<Reals> updates = RealGradients(t, step);
  const RealInputs inputs = RealInputsOf(t, step);
  for (std::size_t p = 0; p < updates.size(); ++p) {
    const double decay = t.program.parameters[p].decay ? attribute("weight_decay") : 0;
    for (std::size_t i = 0; i < updates[p].size(); ++i) {
      updates[p][i] = -rate * (updates[p][i] + decay * inputs.parameters[p][i]);
    }
  }
  return updates;
}

// Steps that keep numbers alone have the same numbers: what nobody reads again is dropped, and
// nothing else; a prover takes what is left.
inline void ExpectTheSameNumbersAlone(const Training& t) {
  std::vector<circuit::StepValues> all;
  const auto whole = Train(t.lowered, t.data, t.state, t.run, [&](const TrainingStep& step) {
    all.push_back(step.values);
    return OkStatus();
  });
  TrainingRun run = t.run;
  run.keep = circuit::Keep::kNumbers;
  std::size_t at = 0;
  const auto thin = Train(t.lowered, t.data, t.state, run, [&](const TrainingStep& step) {
    const circuit::StepValues& expected = all.at(at++);
    for (circuit::ValueId id = 0; id < t.lowered.circuit.values.size(); ++id) {
      const circuit::Value& value = t.lowered.circuit[id];
      if (value.kind == circuit::Value::Kind::kForm && expected.now[id].size() > 1) {
        EXPECT_TRUE(step.values.now[id].empty()) << value.name;
      } else {
        EXPECT_EQ(step.values.now[id], expected.now[id]) << value.name;
      }
      EXPECT_EQ(step.values.next[id], expected.next[id]) << value.name;
    }
    for (circuit::Ints& cells : step.values.now) cells.clear();
    return OkStatus();
  });
  ASSERT_TRUE(thin.ok()) << thin.error().message();
  EXPECT_EQ(thin->carried, whole->carried);
}

using UpdatesOf = std::function<std::vector<Reals>(const Training&, const TrainingStep&)>;

// Trains, and expects of each step's update, tensor by tensor, the relative error `slack` against
// doubles from the same weights.
inline void ExpectTrainsLikeDoubles(std::string_view text, std::uint64_t steps, double slack,
                                    const UpdatesOf& updates_of = SgdUpdates,
                                    const TrainingSizes& sizes = {}) {
  Training t = Prepared(text, sizes);
  if (t.lowered.circuit.values.empty()) return;
  t.run.steps = steps;
  std::uint64_t seen = 0;
  Batches batches(t.run.seed, t.data.rows, t.program.batch);
  const auto end = Train(t.lowered, t.data, t.state, t.run, [&](const TrainingStep& step) {
    ++seen;
    const auto rows = batches.RowsOf(step.number);
    EXPECT_TRUE(std::equal(rows.begin(), rows.end(), step.rows.begin(), step.rows.end()));
    const std::vector<Reals> updates = updates_of(t, step);
    for (std::size_t p = 0; p < updates.size(); ++p) {
      const circuit::ValueId w = t.lowered.parameters[p];
      const int scale = 30 - t.program.parameters[p].scale;
      const Reals now = AsReals(step.values.now[w], scale),
                  next = AsReals(step.values.next[w], scale);
      Reals error(now.size());
      for (std::size_t i = 0; i < now.size(); ++i) {
        error[i] = next[i] - now[i] - (updates[p].empty() ? 0 : updates[p][i]);
      }
      EXPECT_LE(Norm(error), slack * Norm(updates[p]) + 1e-12)
          << t.program.parameters[p].name << " in step " << step.number << ": relative "
          << Norm(error) / Norm(updates[p]);
    }
    return OkStatus();
  });
  ASSERT_TRUE(end.ok()) << end.error().message() << "; " << end.error().hint();
  EXPECT_EQ(seen, steps);
  ExpectTheSameNumbersAlone(t);
}

// One step, judged, and every change of it refused.
inline std::size_t ExpectOneStepOnly(
    std::string_view text, const TrainingSizes& sizes = {},
    const std::function<bool(const circuit::Value& number)>& inert = nullptr) {
  Training t = Prepared(text, sizes);
  t.run.steps = 1 + sizes.before;
  std::size_t changes = 0;
  const auto end = Train(t.lowered, t.data, t.state, t.run, [&](const TrainingStep& step) {
    if (step.number < sizes.before) return OkStatus();
    changes = circuit::ExpectEveryChangeIsRefused(
        t.lowered.circuit, step.values,
        [&](circuit::ValueId id, std::size_t) { return inert && inert(t.lowered.circuit[id]); });
    return OkStatus();
  });
  EXPECT_TRUE(end.ok()) << end.error().message() << "; " << end.error().hint();
  return changes;
}

}  // namespace flair::program
