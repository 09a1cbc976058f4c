// Formats from pilots: what was seen, what was chosen, that it holds.
// SPDX-License-Identifier: Apache-2.0
#include "program/calibrate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "program/lower_testing.h"
#include "program/optimiser_testing.h"

namespace flair::program {
namespace {

using testing::HasSubstr;

constexpr std::string_view kNormed = R"(flair program 1
batch 4
data x [2, 6, 6] bits 12 scale 8
label y classes 3
param c [3, 2, 3, 3]
param g [3]
param b [3]
param f [3, 12]
buffer m [3]
buffer v [3]
h = conv(x, c)
n = batch_norm(h, g, b, m, v)
r = relu(n)
p = max_pool(r)
q = flatten(p)
z = linear(q, f)
l = cross_entropy(z, y)
loss l
optimiser sgd(momentum=9/10)
schedule 1/16
profile gradient 26 20
)";

// The pilot of what a test prepared: the same data, weights and batches.
PilotRun RunOf(const Training& t, std::uint64_t steps) {
  PilotRun run{.seed = t.run.seed, .first_step = t.run.first_step, .steps = steps};
  const Format statistics = t.program.profile[static_cast<std::size_t>(ProfileLine::kStatistics)];
  for (std::size_t i = 0; i < t.program.parameters.size(); ++i) {
    run.parameters.push_back(AsReals(t.state.carried[i], 30 - t.program.parameters[i].scale));
  }
  for (std::size_t i = 0; i < t.program.buffers.size(); ++i) {
    run.buffers.push_back(
        AsReals(t.state.carried[t.program.parameters.size() + i], statistics.scale));
  }
  return run;
}

struct Piloted {
  StepGraph graph;
  Magnitudes seen;
};
Piloted PilotOf(const Training& t, const Program& program, std::uint64_t steps) {
  Piloted made{.graph = StepGraphOf(program).value(), .seen = {}};
  auto seen = Pilot(made.graph, t.data, RunOf(t, steps));
  EXPECT_TRUE(seen.ok()) << (seen.ok() ? "" : seen.error().message());
  if (seen.ok()) made.seen = std::move(*seen);
  return made;
}

double LargestOf(const circuit::Ints& cells, int scale) {
  double largest = 0;
  for (const std::int64_t v : cells) {
    largest = std::max(largest, std::abs(std::ldexp(static_cast<double>(v), -scale)));
  }
  return largest;
}

TEST(PilotTest, ItSeesWhatTheIntegersAre) {
  const std::string mlp = std::string(kMlp) + "profile gradient 24 22\n";
  for (const std::string& text : {std::string(kNormed), mlp}) {
    Training t = Prepared(text, {.weights = 0.3});
    t.run.steps = 3;
    const Piloted pilot = PilotOf(t, t.program, t.run.steps);
    std::vector<double> exact(pilot.graph.graph.nodes.size());
    const auto end = (Train(t.lowered, t.data, t.state, t.run, [&](const TrainingStep& step) {
      for (const RoundedNode& rounded : t.lowered.rounded) {
        const GraphNode& node = pilot.graph.graph[rounded.node];
        const Node* const source =
            node.source < 0 ? nullptr
                            : &pilot.graph.program.nodes[static_cast<std::size_t>(node.source)];
        Format format = t.program.profile[static_cast<std::size_t>(
            node.is_gradient ? ProfileLine::kGradient : ProfileLine::kActivation)];
        if (source != nullptr && source->activation) format = *source->activation;
        exact[rounded.node] =
            std::max(exact[rounded.node], LargestOf(step.values.now[rounded.value], format.scale));
      }
      return OkStatus();
    }));
    ASSERT_TRUE(end.ok()) << end.error().message();
    ASSERT_GE(t.lowered.rounded.size(), 2U);
    for (const RoundedNode& rounded : t.lowered.rounded) {
      const GraphNode& node = pilot.graph.graph[rounded.node];
      // A pool's is that of all its cells, a norm's gradient that of its dot too.
      EXPECT_GT(pilot.seen.nodes[rounded.node] * 1.01, exact[rounded.node]) << node.name;
      if (text == mlp) {
        EXPECT_NEAR(pilot.seen.nodes[rounded.node] / exact[rounded.node], 1, 1e-2) << node.name;
      }
    }
  }
}

TEST(PilotTest, OptimisersAreThoseOfTheIntegers) {
  const auto line_of = [](const std::string& name) { return ProfileLineByName(name); };
  for (const char* optimiser :
       {"sgd(momentum=9/10, weight_decay=1/100)", "sgd(momentum=9/10, dampening=1/10)",
        "sgd(momentum=9/10, nesterov=yes)", "sgd(momentum=9/10, rule=keras, weight_decay=1/100)",
        "adam(weight_decay=1/100)", "adamw()", "adam(rule=keras)", "sgd()"}) {
    for (const char* clip : {"", "clip norm(limit=1/4)\n"}) {
      Training t = Prepared(NetWith(optimiser, "1/1024 x 2, 1/2048", clip), {.rows = 9});
      t.run.steps = 4;
      const Piloted pilot = PilotOf(t, t.program, t.run.steps);
      std::map<std::string, double> exact;
      std::vector<double> weights(t.program.parameters.size());
      ASSERT_TRUE(Train(t.lowered, t.data, t.state, t.run, [&](const TrainingStep& step) {
                    for (circuit::ValueId id = 0; id < t.lowered.circuit.values.size(); ++id) {
                      const circuit::Value& value = t.lowered.circuit[id];
                      if (value.kind != circuit::Value::Kind::kNumber) continue;
                      const std::string& line = value.number.line;
                      const bool is_state = value.number.is_state;
                      const bool is_number =
                          line == "adam_gradient" || value.name.ends_with(".update");
                      if (line_of(line) == kNumProfileLines || (!is_state && !is_number)) continue;
                      double& most = exact[line];
                      const int scale = t.program.profile[line_of(line)].scale;
                      most = std::max({most, LargestOf(step.values.now[id], scale),
                                       LargestOf(step.values.next[id], scale)});
                    }
                    for (std::size_t i = 0; i < weights.size(); ++i) {
                      const int scale = 30 - t.program.parameters[i].scale;
                      const circuit::ValueId id = t.lowered.parameters[i];
                      weights[i] = std::max({weights[i], LargestOf(step.values.now[id], scale),
                                             LargestOf(step.values.next[id], scale)});
                    }
                    return OkStatus();
                  }).ok());
      for (const auto& [line, most] : exact) {
        EXPECT_NEAR(pilot.seen.lines[line_of(line)] / most, 1, 2e-2) << optimiser << " " << line;
      }
      for (std::size_t i = 0; i < weights.size(); ++i) {
        EXPECT_NEAR(pilot.seen.parameters[i], weights[i], 1e-4) << optimiser;
      }
      EXPECT_EQ(pilot.seen[ProfileLine::kClipNorm] > 0, clip[0] != '\0');
    }
  }
}

TEST(PilotTest, WhatDivergesIsNamed) {
  Training t = Prepared(kMlp);
  const StepGraph graph = StepGraphOf(t.program).value();
  PilotRun run = RunOf(t, 2);
  run.parameters[0][0] = std::numeric_limits<double>::infinity();
  const auto seen = Pilot(graph, t.data, std::move(run));
  ASSERT_FALSE(seen.ok());
  EXPECT_EQ(seen.error().message(), "'fc1.weight' is no number any more");
  run = RunOf(t, 2);
  run.parameters[2][0] = std::numeric_limits<double>::max();
  run.parameters[2][1] = -std::numeric_limits<double>::max();
  const auto later = Pilot(graph, t.data, std::move(run));
  ASSERT_FALSE(later.ok());
  EXPECT_THAT(later.error().message(), HasSubstr("pilot, step 0: '"));
}

// Trains the calibrated program exactly, from what `t` began with; how much of the ranges it takes.
void ExpectHeadroom(const Training& t, const Calibration& made, const Headroom& headroom,
                    std::uint64_t steps) {
  std::vector<circuit::Ints> parameters, buffers;
  const PilotRun run = RunOf(t, steps);
  for (std::size_t i = 0; i < run.parameters.size(); ++i) {
    parameters.emplace_back();
    for (const double v : run.parameters[i]) {
      parameters.back().push_back(
          std::llround(std::ldexp(v, 30 - made.program.parameters[i].scale)));
    }
  }
  for (const Reals& buffer : run.buffers) {
    buffers.emplace_back();
    const Format f = made.program.profile[static_cast<std::size_t>(ProfileLine::kStatistics)];
    for (const double v : buffer) buffers.back().push_back(std::llround(std::ldexp(v, f.scale)));
  }
  RangeUse use(made.lowered);
  const auto end = Train(made.lowered, t.data, StartOf(made.lowered, parameters, buffers).value(),
                         {.seed = t.run.seed, .steps = steps}, [&](const TrainingStep& step) {
                           use.Note(step);
                           return OkStatus();
                         });
  ASSERT_TRUE(end.ok()) << end.error().message();
  for (const FormatChoice& choice : made.choices) {
    const auto left = use.BitsLeft(choice.name);
    if (!left || choice.seen == 0) continue;
    const bool is_weight = choice.name.starts_with("param ");
    const bool is_value = choice.name.ends_with("activation") || choice.name == "logit" ||
                          choice.name == "statistics";
    const unsigned asked = is_weight ? 1 : is_value ? headroom.values : headroom.gradients;
    EXPECT_GE(*left, static_cast<int>(asked)) << choice.name;
  }
}

TEST(CalibrateTest, FormatsLeaveTheHeadroomThatWasAskedFor) {
  for (const Headroom& headroom : {Headroom{}, Headroom{.values = 0, .gradients = 1}}) {
    const Training t = Prepared(kNormed, {.weights = 0.3});
    Program program = t.program;
    // None of these would hold a step of it.
    for (const auto line :
         {ProfileLine::kActivation, ProfileLine::kGradient, ProfileLine::kUpdateGradient,
          ProfileLine::kMomentum, ProfileLine::kNormGradient, ProfileLine::kStatistics}) {
      program.profile[static_cast<std::size_t>(line)].scale = 38;
    }
    const Piloted pilot = PilotOf(t, program, 3);
    const auto made = Calibrate(program, pilot.graph, pilot.seen, headroom);
    ASSERT_TRUE(made.ok()) << made.error().message();
    ExpectHeadroom(t, *made, headroom, 3);
    EXPECT_EQ(made->program, ParseProgram(PrintProgram(made->program)).value());
  }
}

TEST(CalibrateTest, GradientsGetTheFinestScaleThatHolds) {
  const Training t = Prepared(kMlp);
  const Piloted pilot = PilotOf(t, t.program, 2);
  const auto made = Calibrate(t.program, pilot.graph, pilot.seen);
  ASSERT_TRUE(made.ok());
  int gradients = 0;
  for (const FormatChoice& choice : made->choices) {
    // What fits stays as it is.
    if (choice.name.ends_with(" activation") || choice.name == "logit") {
      EXPECT_EQ(choice.after, choice.before) << choice.name;
    }
    if (!choice.name.ends_with(" gradient")) continue;
    ++gradients;
    const double range = std::ldexp(1, choice.after.bits - 1 - choice.after.scale);
    EXPECT_LT(16 * choice.seen, range) << choice.name;
    EXPECT_GE(32 * choice.seen, range) << choice.name;
  }
  EXPECT_GE(gradients, 1);
  ExpectHeadroom(t, *made, {}, 2);
}

TEST(CalibrateTest, BitsAreWhatIsAskedFor) {
  const Training t = Prepared(kNormed, {.weights = 0.3});
  const Piloted pilot = PilotOf(t, t.program, 2);
  const Headroom headroom{.values = 1, .gradients = 2, .bits = 19};
  const auto made = Calibrate(t.program, pilot.graph, pilot.seen, headroom);
  ASSERT_TRUE(made.ok()) << made.error().message();
  for (const FormatChoice& choice : made->choices) {
    if (choice.name.ends_with(" activation") || choice.name.ends_with(" gradient")) {
      EXPECT_EQ(choice.after.bits, 19) << choice.name;
    }
  }
  ExpectHeadroom(t, *made, headroom, 2);
}

TEST(CalibrateTest, ANormOfManyElementsGetsFewerBits) {
  const std::string text = R"(flair program 1
batch 2
data x [1, 128, 128] bits 12 scale 8
label y classes 3
param c [1, 1, 1, 1]
param g [1]
param b [1]
param f [3, 1]
buffer m [1]
buffer v [1]
h = conv(x, c)
n = batch_norm(h, g, b, m, v)
r = relu(n)
s = reduce(r, axes=[2, 3], by=mean)
z = linear(s, f)
l = cross_entropy(z, y)
loss l
optimiser sgd()
schedule 1/16
)";
  const Program program = ParseProgram(text).value();
  EXPECT_THAT(Lower(program).error().message(),
              HasSubstr("'n.squares': the sum of its terms can pass 2^62"));
  EXPECT_THAT(Lower(program).error().hint(), HasSubstr("change its line 'profile n activation'"));
  const Training t = Prepared(text + "profile activation 20 14\n", {.rows = 4});
  const Piloted pilot = PilotOf(t, program, 1);
  const auto made = Calibrate(program, pilot.graph, pilot.seen);
  ASSERT_TRUE(made.ok()) << made.error().message();
  for (const FormatChoice& choice : made->choices) {
    if (choice.name == "h activation") {
      EXPECT_EQ(choice.after.bits, 21);
    }
    if (choice.name == "z activation") {
      EXPECT_EQ(choice.after.bits, 24);
    }
  }
  ExpectHeadroom(t, *made, {}, 1);
}

TEST(CalibrateTest, AWorstCaseThatHoldsInNoFormatIsRefused) {
  const Training t = Prepared(kMlp);
  std::string text(kMlp);
  // A divisor of 61 bits that is no power of two multiplies all that it is added to.
  text.replace(text.find("a = relu(h)"), 11,
               "k = affine(h, scale=1/2305843009213693951)\ni = add(k, h)\na = relu(i)");
  const Program program = ParseProgram(text).value();
  const Piloted pilot = PilotOf(t, program, 1);
  const auto made = Calibrate(program, pilot.graph, pilot.seen);
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(made.error().message(),
              testing::AllOf(HasSubstr("the worst case passes"), HasSubstr("'i")));
}

TEST(CalibrateTest, WeightsBeyondTheirRangeGetACoarserUnit) {
  const Training t = Prepared(kMlp);
  PilotRun run = RunOf(t, 1);
  run.parameters[0][3] = 9.0;
  const StepGraph graph = StepGraphOf(t.program).value();
  const Magnitudes seen = Pilot(graph, t.data, std::move(run)).value();
  const auto made = Calibrate(t.program, graph, seen);
  ASSERT_TRUE(made.ok()) << made.error().message();
  EXPECT_EQ(made->program.parameters[0].scale, 4);  // 2^5 > 2 * 9
  EXPECT_EQ(made->program.parameters[2].scale, 1);  // 2 < 2 * 1.1
}

// Every line: a value that does not fit says which one to raise, in exact steps and recorded ones.
TEST(ProfileLineTest, AValueOutOfItsFormatNamesStepTensorValueAndLine) {
  struct Case {
    std::string text, line, hint;
  };
  const std::string momentum = NetWith("sgd(momentum=9/10)", "1/8");
  const std::string adam = NetWith("adam()", "1/1024"), normed(kNormed);
  const std::string clipped = NetWith("sgd()", "1/8", "clip norm(limit=1/16)\n");
  const std::vector<Case> cases = {
      {std::string(kMlp), "profile activation 10 18", "activation"},
      {std::string(kMlp), "profile h activation 10 18", "h activation"},
      {std::string(kMlp), "profile gradient 8 28", "gradient"},
      {std::string(kMlp), "profile z gradient 8 28", "z gradient"},
      {momentum, "profile update_gradient 8 32", "update_gradient"},
      {momentum, "profile momentum 8 32", "momentum"},
      {momentum, "profile logit 8 14", "logit"},
      {normed, "profile statistics 10 22", "statistics"},
      {normed, "profile norm_gradient 8 32", "norm_gradient"},
      {adam, "profile adam_gradient 8 28", "adam_gradient"},
      {adam, "profile adam_mean 8 36", "adam_mean"},
      {adam, "profile adam_update 8 30", "adam_update"},
      {clipped, "profile clip_norm 8 20", "clip_norm"},
  };
  for (const Case& c : cases) {
    const Training t = Prepared(c.text, {.weights = 0.3});
    const Program narrow = ParseProgram(c.text + c.line + "\n").value();
    const auto nothing = [](const TrainingStep&) { return OkStatus(); };
    const auto lowered = Lower(narrow);
    ASSERT_TRUE(lowered.ok()) << c.line << lowered.error().message();
    TrainingRun run{.seed = t.run.seed, .first_step = 5, .steps = 2};
    const auto expect_named = [&](const Result<TrainingState>& end) {
      ASSERT_FALSE(end.ok()) << c.line;
      EXPECT_THAT(
          end.error().message(),
          testing::MatchesRegex("step 5: '[^']+' is -?[0-9]+ in cell \\[[0-9, ]*\\], outside of "
                                "\\[-?[0-9]+, [0-9]+\\](: in real numbers .*\\])?"))
          << c.line;
      EXPECT_EQ(end.error().hint(), "raise the profile's line '" + c.hint + "'");
    };
    expect_named(Train(*lowered, t.data, t.state, run, nothing));

    const auto recorded = Lower(narrow, DefaultSlack(narrow));
    ASSERT_TRUE(recorded.ok()) << c.line << recorded.error().message();
    run.recorded = [&](std::uint64_t) -> Result<std::vector<circuit::Ints>> {
      return std::vector<circuit::Ints>(
          t.state.carried.begin(),
          t.state.carried.begin() + static_cast<std::ptrdiff_t>(t.program.parameters.size()));
    };
    TrainingState state = t.state;
    state.carried.resize(recorded->circuit.carried.size(), {0});
    expect_named(Train(*recorded, t.data, std::move(state), run, nothing));
  }
}

TEST(ProfileLineTest, WhatNoLineBoundsNamesWhatDoes) {
  const auto nothing = [](const TrainingStep&) { return OkStatus(); };
  // 1/deviation of a channel that hardly varies.
  std::string text(kNormed);
  text.replace(text.find("m, v)"), 5, "m, v, eps=1/100000000)");
  Training t = Prepared(text, {.data = 0, .weights = 0.3});
  const auto end = Train(t.lowered, t.data, t.state, t.run, nothing);
  ASSERT_FALSE(end.ok());
  EXPECT_EQ(end.error().hint(), "raise the eps of its batch_norm");
  // The sum of squares of gradients, which has 60 bits at twice their scale.
  t = Prepared(
      NetWith("adam()", "1/1024", "profile adam_gradient 31 30\nprofile adam_update 30 26\n"),
      {.rows = 3});
  t.run.steps = 200;
  const auto adam = Train(t.lowered, t.data, t.state, t.run, nothing);
  ASSERT_FALSE(adam.ok());
  EXPECT_EQ(adam.error().hint(), "raise the unit of the profile's line 'adam_gradient'");
  // A recorded step too far from the exact one.
  t = Prepared(std::string(kMlp) + "profile gradient 24 22\n");
  ASSERT_EQ(t.run.steps, 1U);
  const auto recorded = Lower(t.program, DefaultSlack(t.program));
  TrainingState state = t.state;
  state.carried.resize(recorded->circuit.carried.size(), {0});
  t.run.recorded = [&](std::uint64_t) -> Result<std::vector<circuit::Ints>> {
    std::vector<circuit::Ints> weights(t.state.carried.begin(), t.state.carried.begin() + 4);
    weights[0][0] += std::int64_t{1} << 28;
    return weights;
  };
  const auto far = Train(*recorded, t.data, std::move(state), t.run, nothing);
  ASSERT_FALSE(far.ok());
  EXPECT_THAT(far.error().message(),
              testing::MatchesRegex("step 0: fc1.weight is not what the program's step gives: "
                                    "\\[0, 0\\] is 0.[0-9]+ off, and tau allows [0-9.e-]+"));
  EXPECT_THAT(far.error().hint(), HasSubstr("are optimiser and schedule those of the loop?"));
}

}  // namespace
}  // namespace flair::program
