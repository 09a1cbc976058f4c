// From a configuration and a model file to a run, and the run read back.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/fault_env.h"
#include "base/mem_env.h"
#include "program/lower_testing.h"
#include "program/program_testing.h"
#include "tensor/safetensors.h"
#include "trainer/exact_run.h"
#include "trainer/train_config.h"

namespace flair::trainer {
namespace {

using testing::HasSubstr;

constexpr std::string_view kNormed = R"(flair program 1
batch 4
data x [2, 4, 4] bits 12 scale 8
label y classes 3
param c.weight [3, 2, 3, 3]
param n.weight [3]
param n.bias [3] scale -2
param f.weight [3, 12] scale 1
buffer n.mean [3]
buffer n.var [3]
c = conv(x, c.weight, stride=[1, 1], pad=[1, 1, 1, 1])
n = batch_norm(c, n.weight, n.bias, n.mean, n.var, eps=0.001)
r = relu(n)
p = max_pool(r, window=[2, 2], stride=[2, 2])
v = flatten(p)
z = linear(v, f.weight)
l = cross_entropy(z, y)
loss l
optimiser sgd()
schedule 1/16
profile gradient 28 23
)";

ExactRun RunOf(const program::Training& t, std::uint64_t steps) {
  return {.program = t.program,
          .data = "",
          .data_card = std::nullopt,
          .seed = t.run.seed,
          .first_step = 0,
          .steps = steps,
          .start = IntegersOf(t.lowered, t.state)};
}

TEST(TrainConfigTest, EveryKeyIsReadAndWhatIsWrongIsNamed) {
  const auto config = ParseTrainConfig(
      "program = 'p.flair'\ndata = 'd'\nweights = 'w.safetensors'\nresult = 'r.safetensors'\n"
      "steps = 7\nfirst_step = 3\nseed = '" +
      std::string(64, 'a') + "'\n");
  ASSERT_TRUE(config.ok()) << config.error().message();
  EXPECT_EQ(config->program, "p.flair");
  EXPECT_EQ(config->steps, 7U);
  EXPECT_EQ(config->first_step, 3U);
  EXPECT_EQ(config->seed->ToHex(), std::string(64, 'a'));
  const auto refused = [](const std::string& text) {
    const auto read = ParseTrainConfig(text);
    return read.ok() ? "" : read.error().message();
  };
  const std::string whole = "program = 'p'\nweights = 'w'\n";
  EXPECT_THAT(refused(whole), HasSubstr("'steps' is missing"));
  EXPECT_THAT(refused("weights = 'w'\nsteps = 1"), HasSubstr("'program' is missing"));
  EXPECT_THAT(refused(whole + "steps = 0"), HasSubstr("line 3: steps must be"));
  EXPECT_THAT(refused(whole + "steps = 1.5"), HasSubstr("line 3: steps must be"));
  EXPECT_THAT(refused(whole + "steps = 1\nseed = 'ab'"), HasSubstr("64 hex digits"));
  EXPECT_THAT(refused(whole + "steps = 1\nlr = 1"), HasSubstr("line 4: there is no key 'lr'"));
  EXPECT_THAT(refused("program = 3"), HasSubstr("must be a text"));
  EXPECT_THAT(refused("program = "), HasSubstr("line 1"));
}

TEST(TrainConfigTest, PathsAreThoseOfTheFilesFolder) {
  MemEnv env;
  ASSERT_TRUE(MakeDirs(env, "/a").ok());
  ASSERT_TRUE(
      WriteFileAtomically(env, "/a/run.toml", AsBytes("program = 'p'\nweights = '/w'\nsteps = 1\n"))
          .ok());
  const auto config = ReadTrainConfig(env, "/a/run.toml");
  ASSERT_TRUE(config.ok());
  EXPECT_EQ(config->program, "/a/p");
  EXPECT_EQ(config->weights, "/w");
  EXPECT_EQ(config->data, "");
}

TEST(ModelTensorsTest, AModelIsTheSameAfterItWasWrittenAndRead) {
  const program::Training t = program::Prepared(kNormed);
  const ModelIntegers integers = IntegersOf(t.lowered, t.state);
  MemEnv env;
  ASSERT_TRUE(WriteModel(env, "/m.safetensors", t.program, integers).ok());
  const auto read = ReadModel(env, "/m.safetensors", t.program);
  ASSERT_TRUE(read.ok()) << read.error().message();
  EXPECT_EQ(*read, integers);
  const auto state = StartFrom(t.lowered, *read);
  ASSERT_TRUE(state.ok());
  EXPECT_EQ(state->carried, t.state.carried);
}

TEST(ModelTensorsTest, FloatsAreRoundedOnceAndHalvesUp) {
  const ModelTensor tensor{
      .name = "w", .dims = {4}, .scale = 1, .lo = -4, .hi = 3, .line = "param w scale"};
  const auto integers = [&](std::vector<float> values) {
    Bytes bytes;
    for (const float v : values) AppendLe32(bytes, std::bit_cast<std::uint32_t>(v));
    return IntegersOf(tensor, DType::kF32, bytes);
  };
  EXPECT_EQ(integers({0.25F, -0.25F, 0.24F, -0.26F}).value(), (circuit::Ints{1, 0, 0, -1}));
  const auto refused = [&](float value) {
    const auto read = integers({0, value, 0, 0});
    return read.ok() ? "" : read.error().message();
  };
  EXPECT_THAT(refused(1.75F), HasSubstr("tensor 'w': [1] is 1.75, outside of [-2, 1.5]"));
  EXPECT_THAT(refused(std::numeric_limits<float>::quiet_NaN()),
              testing::EndsWith("'w': [1] is NaN"));
  EXPECT_THAT(refused(-std::numeric_limits<float>::infinity()), HasSubstr("[1] is -inf"));
  EXPECT_THAT(IntegersOf(tensor, DType::kF32, Bytes(15)).error().message(), HasSubstr("15 bytes"));
  EXPECT_THAT(IntegersOf(tensor, DType::kI32, Bytes(16)).error().message(),
              HasSubstr("is no float"));
}

TEST(ModelTensorsTest, AnotherModelIsRefusedByName) {
  const program::Training t = program::Prepared(program::kMlp);
  const auto refused = [&](std::vector<SafetensorsEntry> entries) {
    MemEnv env;
    Bytes bytes = WriteSafetensorsHeader(entries, {});
    for (const SafetensorsEntry& e : entries) {
      bytes.resize(bytes.size() + program::NumElements(e.dims) * DTypeBytes(e.dtype));
    }
    EXPECT_TRUE(WriteFileAtomically(env, "/m.safetensors", bytes).ok());
    const auto read = ReadModel(env, "/m.safetensors", t.program);
    return read.ok() ? "" : read.error().message();
  };
  std::vector<SafetensorsEntry> entries;
  for (const ModelTensor& tensor : TensorsOf(t.program)) {
    entries.push_back({.name = tensor.name, .dtype = DType::kF32, .dims = tensor.dims});
  }
  EXPECT_EQ(refused(entries), "");
  auto counted = entries;
  counted.push_back({.name = "steps", .dtype = DType::kI64, .dims = {}});
  EXPECT_EQ(refused(counted), "");
  counted.back().dtype = DType::kF32;
  EXPECT_THAT(refused(counted), HasSubstr("the program has no tensor 'steps'"));
  auto shorter = entries;
  shorter.pop_back();
  EXPECT_THAT(refused(shorter), HasSubstr("no tensor 'fc2.bias'"));
  entries[0].dims = {12, 16};
  EXPECT_THAT(refused(entries), HasSubstr("'fc1.weight' is [12, 16]; the program's is [16, 12]"));
}

TEST(ExactRunTest, ARunIsReadAsItWasTrained) {
  const program::Training t = program::Prepared(kNormed);
  MemEnv env;
  const ExactRun run = RunOf(t, 5);
  std::uint64_t told = 0;
  const auto trained =
      TrainExact(env, "/runs", run, t.lowered, t.data, [&](std::uint64_t done, std::uint64_t of) {
        EXPECT_EQ(of, 5U);
        told = done;
        return OkStatus();
      });
  ASSERT_TRUE(trained.ok()) << trained.error().message();
  EXPECT_EQ(told, 5U);
  const auto read = ReadExactRun(env, trained->folder);
  ASSERT_TRUE(read.ok()) << read.error().message();
  EXPECT_EQ(read->run.program, run.program);
  EXPECT_EQ(read->run.seed, run.seed);
  EXPECT_EQ(read->run.steps, 5U);
  EXPECT_EQ(read->run.start, run.start);
  EXPECT_EQ(read->end, trained->end);
  EXPECT_NE(read->end, run.start);
  program::Batches batches(run.seed, t.data.rows, 4);
  std::vector<std::uint32_t> rows;
  for (std::uint64_t step = 0; step < 5; ++step) {
    const auto own = batches.RowsOf(step);
    rows.insert(rows.end(), own.begin(), own.end());
  }
  EXPECT_EQ(read->rows, rows);
}

TEST(ExactRunTest, ARunThatWasStoppedLeavesNothing) {
  const program::Training t = program::Prepared(kNormed);
  MemEnv env;
  const auto stopped = TrainExact(
      env, "/runs", RunOf(t, 5), t.lowered, t.data, [](std::uint64_t done, std::uint64_t) {
        return done == 2 ? Status(Error(ErrorCode::kCancelled, "stopped")) : OkStatus();
      });
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error().code(), ErrorCode::kCancelled);
  EXPECT_EQ(env.ListDir("/runs")->size(), 0U);
}

TEST(ExactRunTest, AtEveryFailureOfTheDiskARunIsWholeOrNone) {
  const program::Training t = program::Prepared(kNormed);
  for (std::uint64_t k = 1;; ++k) {
    MemEnv disk;
    FaultEnv env(disk);
    env.FailAt(k);
    const auto trained = TrainExact(env, "/runs", RunOf(t, 2), t.lowered, t.data, {});
    env.Heal();
    if (trained.ok()) {
      EXPECT_GT(k, 8U);
      EXPECT_TRUE(ReadExactRun(env, trained->folder).ok());
      break;
    }
    ASSERT_EQ(trained.error().code(), ErrorCode::kIo) << trained.error().message();
    for (const std::string& id :
         disk.ListDir("/runs").ok() ? *disk.ListDir("/runs") : std::vector<std::string>{}) {
      const auto read = ReadExactRun(env, "/runs/" + id);
      if (read.ok()) {
        EXPECT_EQ(read->run.steps, 2U);
      }
    }
  }
}

}  // namespace
}  // namespace flair::trainer
