// Training steps in JSON: what other implementations are asked, and the vectors of whole networks,
// tests/vectors/steps.json.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <boost/json.hpp>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "program/shapes.h"
#include "program/text.h"
#include "program/train.h"

namespace flair::program {

namespace json = boost::json;

// {"program": TEXT, "columns", "parameters", "buffers": lists of flat lists of integers, "seed":
// HEX, "steps"}; a list of {"parameters", "buffers", "states": of each parameter, a list}.
inline Result<json::array> StepsOf(const json::value& question) {
  using Tensors = std::vector<circuit::Ints>;
  const auto tensors = [&](std::string_view key) {
    return json::value_to<Tensors>(question.at(key));
  };
  FLAIR_TRY(const Program program, ParseProgram(question.at("program").as_string()));
  FLAIR_TRY(const std::vector<Dims> shapes, CheckProgram(program));
  FLAIR_TRY(const Lowered lowered, Lower(program));
  DataSet data{.columns = tensors("columns")};
  if (data.columns.empty()) return Error(ErrorCode::kInvalidArgument, "no column");
  const std::uint64_t row = NumElements(shapes[0]) / program.batch;
  data.rows = static_cast<std::uint32_t>(data.columns[0].size() / row);
  FLAIR_TRY(const TrainingState start, StartOf(lowered, tensors("parameters"), tensors("buffers")));
  TrainingRun run{.steps = question.at("steps").to_number<std::uint64_t>()};
  FLAIR_TRY(run.seed, Digest::FromHex(question.at("seed").as_string()));
  json::array steps;
  const auto end = Train(lowered, data, start, run, [&](const TrainingStep& step) {
    const auto next = [&](const std::vector<circuit::ValueId>& of) {
      json::array lists;
      for (const circuit::ValueId id : of) lists.push_back(json::value_from(step.values.next[id]));
      return lists;
    };
    std::vector<std::vector<circuit::ValueId>> states(lowered.parameters.size());
    for (const OptimiserState& state : lowered.states) {
      states[state.parameter].push_back(state.value);
    }
    json::array remembered;
    for (const auto& of : states) remembered.push_back(next(of));
    steps.push_back({{"parameters", next(lowered.parameters)},
                     {"buffers", next(lowered.buffers)},
                     {"states", std::move(remembered)}});
    return OkStatus();
  });
  if (!end.ok()) return end.error();
  return steps;
}

// Data and weights of a program, of a few values each.
inline json::object QuestionOf(std::string_view text, std::uint32_t rows, std::uint64_t steps) {
  const Program program = ParseProgram(text).value();
  std::mt19937_64 random(19);
  const auto draw = [&](std::uint64_t count, std::int64_t lo, std::int64_t hi) {
    json::array cells;
    for (std::uint64_t i = 0; i < count; ++i) {
      cells.push_back(
          lo + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(hi - lo + 1)));
    }
    return cells;
  };
  json::array columns, parameters, buffers;
  for (const Column& c : program.columns) {
    const std::int64_t one = std::int64_t{1} << std::max<int>(c.format.scale, 0);
    columns.push_back(c.is_label() ? draw(rows, 0, c.classes - 1)
                                   : draw(NumElements(c.row) * rows, -2 * one, 2 * one));
  }
  for (const Parameter& p : program.parameters) {
    const std::int64_t half = std::int64_t{1} << (29 - p.scale);
    parameters.push_back(draw(NumElements(p.dims), -half, half));
  }
  for (const Buffer& b : program.buffers) {
    buffers.push_back(draw(NumElements(b.dims), 1 << 21, 1 << 22));
  }
  return {{"program", text},
          {"columns", std::move(columns)},
          {"parameters", std::move(parameters)},
          {"buffers", std::move(buffers)},
          {"seed", std::string(64, '5')},
          {"steps", steps}};
}

// A convolutional network with normalisation, pools and dropout, under every optimiser.
inline json::array MakeStepVectors() {
  constexpr std::string_view kNetwork = R"(flair program 1
batch 3
data x [1, 6, 6] bits 12 scale 8
label y classes 3
param c [2, 1, 3, 3]
param g [2] decay no
param b [2] decay no
param f [3, 8]
param fb [3] decay no
buffer m [2]
buffer v [2]
h = conv(x, c)
n = batch_norm(h, g, b, m, v)
r = relu(n)
p = max_pool(r)
d = dropout(p, p=1/4)
q = flatten(d)
z = linear(q, f, fb)
l = cross_entropy(z, y)
loss l
)";
  json::array vectors;
  for (const auto& [optimiser, rates] :
       {std::pair{"sgd(momentum=9/10, weight_decay=1/2000)", "1/16 x 2, 1/64"},
        {"sgd(momentum=9/10, nesterov=yes, weight_decay=1/2000)", "13421773/134217728"},
        {"adam()", "8589935/8589934592"},
        {"adamw(rule=keras)", "1/1024 x 1, 1/2048"}}) {
    for (const char* clip : {"none()", "norm(limit=1/2)"}) {
      const std::string text = std::string(kNetwork) + "optimiser " + optimiser + "\nschedule " +
                               rates + "\nclip " + clip + "\nprofile gradient 24 22\n";
      json::object vector = QuestionOf(text, 8, 3);
      vector["ends"] = StepsOf(vector).value();
      vectors.push_back(std::move(vector));
    }
  }
  return vectors;
}

}  // namespace flair::program
