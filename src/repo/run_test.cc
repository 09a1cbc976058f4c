// SPDX-License-Identifier: Apache-2.0
#include "repo/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <fstream>
#include <limits>
#include <sstream>

#include "base/hex.h"
#include "base/mem_env.h"
#include "crypto/blake3.h"
#include "repo/run_format.h"

namespace flair {
namespace {

namespace json = boost::json;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kRuns = "/runs";

struct State {
  std::vector<float> w;
  std::uint32_t n = 0;
};

std::vector<StepTensor> TensorsOf(const State& s) {
  return {{.name = "w",
           .dtype = DType::kF32,
           .dims = {s.w.size()},
           .bytes = std::as_bytes(std::span(s.w))},
          {.name = "a.n",
           .dtype = DType::kU32,
           .dims = {},
           .bytes = std::as_bytes(std::span(&s.n, 1))}};
}

State StateAt(std::uint32_t t) {
  State s{.w = std::vector<float>(1000), .n = t};
  for (std::size_t i = 0; i < s.w.size(); ++i) {
    s.w[i] = 0.001F * static_cast<float>(i) + 1e-4F * static_cast<float>(t);
  }
  return s;
}

// `steps` updates; step t sees rows 2t and 2t + 1 mod 10. Returns the run's folder.
std::string Record(Env& env, std::uint32_t steps, bool finish = true) {
  auto run = RunWriter::Begin(env, kRuns, {.framework = "test 1", .settings = {{"lr", "0.1"}}});
  EXPECT_TRUE(run.ok());
  for (std::uint32_t t = 0; t <= steps; ++t) {
    const std::vector<std::uint32_t> rows{2 * t % 10, (2 * t + 1) % 10};
    const State s = StateAt(t);
    EXPECT_TRUE(
        (*run)
            ->Step(t, TensorsOf(s), t < steps ? std::span(rows) : std::span<const std::uint32_t>{})
            .ok());
  }
  if (finish) {
    const auto result = (*run)->Finish({{"loss", 0.5}, {"accuracy", 0.25}});
    EXPECT_TRUE(result.ok());
    EXPECT_EQ(result->num_steps, steps);
  }
  return (*run)->folder();
}

// Of tests/vectors/run.json, which reference/run.py prints.
TEST(RunVectorsTest, AReferenceRunIsReadAndWrittenByteForByte) {
  std::ifstream in(FLAIR_SOURCE_DIR "/tests/vectors/run.json");
  std::stringstream text;
  text << in.rdbuf();
  const json::value vectors = json::parse(text.str());
  const auto hex = [](const json::value& v) { return FromHex(std::string(v.as_string())).value(); };
  const auto number = [](const json::value& v) { return v.to_number<std::uint64_t>(); };

  const auto document = DecodeRunDocument(std::string(vectors.at("run_json").as_string()));
  ASSERT_TRUE(document.ok()) << document.error().message();
  EXPECT_EQ(json::parse(EncodeRunDocument(*document)), vectors.at("document"));
  const auto unfinished = DecodeRunDocument(std::string(vectors.at("unfinished").as_string()));
  ASSERT_TRUE(unfinished.ok()) << unfinished.error().message();
  EXPECT_FALSE(unfinished->result.has_value());

  const Bytes file = hex(vectors.at("steps_bin"));
  const auto entries = DecodeStepEntries(file);
  ASSERT_TRUE(entries.ok()) << entries.error().message();
  EXPECT_FALSE(entries->torn);
  const json::array& steps = vectors.at("steps").as_array();
  ASSERT_EQ(entries->steps.size(), steps.size());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const RunReader::StepInfo& step = entries->steps[i];
    EXPECT_EQ(step.step, number(steps[i].at("step")));
    EXPECT_EQ(step.first_row, number(steps[i].at("first_row")));
    EXPECT_EQ(step.num_rows, number(steps[i].at("num_rows")));
    ASSERT_EQ(step.tensors.size(), steps[i].at("tensors").as_array().size());
    for (const json::value& t : steps[i].at("tensors").as_array()) {
      const std::string name(t.at("name").as_string());
      const auto found = std::find_if(step.tensors.begin(), step.tensors.end(),
                                      [&](const auto& entry) { return entry.first == name; });
      ASSERT_NE(found, step.tensors.end()) << name;
      EXPECT_EQ(found->second.content.hash, Blake3(hex(t.at("data")))) << name;
      EXPECT_EQ(DTypeName(found->second.dtype), t.at("dtype").as_string()) << name;
      EXPECT_EQ(found->second.dims.size(), t.at("dims").as_array().size()) << name;
    }
    EXPECT_EQ(EncodeStepEntry(step), hex(vectors.at("entries").at(i))) << "step " << i;
  }
  const Bytes torn(file.begin(), file.end() - 1);
  EXPECT_TRUE(DecodeStepEntries(torn)->torn);
}

TEST(RunTest, WhatWasWrittenReadsBack) {
  MemEnv env;
  const std::string folder = Record(env, 40);
  const auto run = RunReader::Open(env, folder);
  ASSERT_TRUE(run.ok()) << run.error().message();
  EXPECT_EQ((*run)->meta().framework, "test 1");
  EXPECT_THAT((*run)->meta().settings,
              ElementsAre(std::pair<std::string, std::string>("lr", "0.1")));
  ASSERT_TRUE((*run)->result());
  EXPECT_EQ((*run)->result()->num_samples, 10U);
  EXPECT_EQ((*run)->result()->num_rows, 80U);
  ASSERT_EQ((*run)->steps().size(), 41U);
  for (std::uint32_t t = 0; t <= 40; ++t) {
    const RunReader::StepInfo& step = (*run)->steps()[t];
    EXPECT_EQ(step.step, t);
    ASSERT_EQ(step.tensors.size(), 2U);
    EXPECT_EQ(step.tensors[0].first, "a.n");
    std::vector<float> w(1000);
    ASSERT_TRUE(
        (*run)->ReadTensor(step.tensors[1].second, std::as_writable_bytes(std::span(w))).ok());
    EXPECT_EQ(w, StateAt(t).w);
    const auto rows = (*run)->Rows(step);
    ASSERT_TRUE(rows.ok());
    EXPECT_EQ(rows->size(), t < 40 ? 2U : 0U);
    if (t < 40) {
      EXPECT_THAT(*rows, ElementsAre(2 * t % 10, (2 * t + 1) % 10));
    }
  }
  const auto record = TrainingRecordOf(**run);
  ASSERT_TRUE(record.ok());
  EXPECT_EQ(record->num_steps, 40U);
  EXPECT_EQ(record->num_samples, 10U);
  EXPECT_EQ(record->framework, "test 1");
  EXPECT_THAT(record->metrics, ElementsAre(Metric{"accuracy", 0.25}, Metric{"loss", 0.5}));
  EXPECT_THAT(*ListRuns(env, kRuns), ElementsAre((*run)->id()));
}

TEST(RunTest, AnUnfinishedRunHoldsWholeStepsAndIsNoTrainingRecord) {
  MemEnv env;
  const std::string folder = Record(env, 40, /*finish=*/false);
  const auto run = RunReader::Open(env, folder);
  ASSERT_TRUE(run.ok()) << run.error().message();
  EXPECT_FALSE((*run)->result());
  EXPECT_EQ((*run)->steps().size(), 32U);  // two groups of 16
  EXPECT_EQ(TrainingRecordOf(**run).error().code(), ErrorCode::kInvalidArgument);
}

TEST(RunTest, ATornTailIsCutAndAnythingElseIsCorrupt) {
  MemEnv env;
  const std::string folder = Record(env, 20, /*finish=*/false);
  const Bytes whole = *ReadFile(env, folder + "/steps.bin", 1 << 20);
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    const auto steps = DecodeStepEntries(ByteView(whole).first(cut));
    ASSERT_TRUE(steps.ok()) << cut << steps.error().message();
    EXPECT_LE(steps->steps.size(), 16U);
  }
  for (std::size_t at = 0; at < whole.size(); at += 7) {
    Bytes bad = whole;
    bad[at] ^= std::byte{0x40};
    const auto steps = DecodeStepEntries(bad);
    // A flip is found, or it made the tail look torn; never another list of the same length.
    EXPECT_TRUE(!steps.ok() || steps->torn) << at;
  }
}

TEST(RunTest, AFinishedRunWithMissingStepsIsCorrupt) {
  MemEnv env;
  const std::string folder = Record(env, 5);
  Bytes steps = *ReadFile(env, folder + "/steps.bin", 1 << 20);
  steps.resize(steps.size() - 1);
  ASSERT_TRUE(WriteFileAtomically(env, folder + "/steps.bin", steps).ok());
  EXPECT_EQ(RunReader::Open(env, folder).error().code(), ErrorCode::kCorrupt);
}

TEST(RunTest, MisuseIsRefusedAndLeavesTheRunAsItWas) {
  MemEnv env;
  auto run = RunWriter::Begin(env, kRuns, {.framework = "t", .settings = {}});
  ASSERT_TRUE(run.ok());
  const State s = StateAt(0);
  ASSERT_TRUE((*run)->Step(3, TensorsOf(s), {}).ok());
  auto twice = TensorsOf(s);
  twice[1].name = "w";
  auto long_shape = TensorsOf(s);
  long_shape[0].dims = {1001};
  auto overflow = TensorsOf(s);
  overflow[0].dims = {std::uint64_t{1} << 40, std::uint64_t{1} << 40};
  auto nameless = TensorsOf(s);
  nameless[0].name = "";
  const struct {
    std::uint64_t step;
    std::vector<StepTensor> tensors;
    const char* message;
  } kCases[] = {{3, TensorsOf(s), "after step 3"},
                {4, twice, "twice"},
                {4, long_shape, "its shape says"},
                {4, overflow, "overflows"},
                {4, nameless, "needs a name"}};
  for (const auto& c : kCases) {
    const Status status = (*run)->Step(c.step, c.tensors, {});
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(status.error().message(), HasSubstr(c.message));
  }
  EXPECT_FALSE((*run)->Finish({{"loss", std::numeric_limits<double>::quiet_NaN()}}).ok());
  EXPECT_FALSE((*run)->Finish({{"loss", 1}, {"loss", 2}}).ok());
  EXPECT_TRUE((*run)->Finish({}).ok());
  EXPECT_FALSE((*run)->Step(9, TensorsOf(s), {}).ok());
  EXPECT_EQ(RunReader::Open(env, (*run)->folder()).value()->steps().size(), 1U);
}

TEST(RunTest, MalformedDocumentsHaveAnErrorCode) {
  const std::string good = EncodeRunDocument(
      {.id = "ab", .meta = {.framework = "t", .settings = {}}, .result = RunResult{}});
  ASSERT_TRUE(DecodeRunDocument(good).ok());
  const struct {
    const char* from;
    const char* to;
    ErrorCode code;
  } kCases[] = {{"{\"format\":1", "[", ErrorCode::kCorrupt},
                {"\"format\":1", "\"format\":2", ErrorCode::kUnsupported},
                {"\"id\":\"ab\"", "\"id\":3", ErrorCode::kCorrupt},
                {"\"program\":null", "\"program\":\"zz\"", ErrorCode::kCorrupt},
                {"\"first_step\":0", "\"first_step\":-1", ErrorCode::kCorrupt},
                {"\"settings\":{}", "\"settings\":{\"a\":1}", ErrorCode::kCorrupt},
                {"\"steps\":0", "\"steps\":\"0\"", ErrorCode::kCorrupt},
                {"\"metrics\":{}", "\"metrics\":{\"a\":\"b\"}", ErrorCode::kCorrupt}};
  for (const auto& c : kCases) {
    std::string text = good;
    const auto at = text.find(c.from);
    ASSERT_NE(at, std::string::npos) << c.from;
    text.replace(at, std::string_view(c.from).size(), c.to);
    const auto document = DecodeRunDocument(text);
    ASSERT_FALSE(document.ok()) << text;
    EXPECT_EQ(document.error().code(), c.code) << text;
  }
}

}  // namespace
}  // namespace flair
