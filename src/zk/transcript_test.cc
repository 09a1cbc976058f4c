// The transcript: the vectors of reference/foundation.py, and that everything absorbed counts.
// SPDX-License-Identifier: Apache-2.0
#include "zk/transcript.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>

#include "zk/vectors_testing.h"

namespace flair::zk {
namespace {

const json::value& Vectors() {
  static const json::value vectors = ReadVectors("zk_foundation.json").at("transcript");
  return vectors;
}

Label LabelOf(const std::string& name) {
  for (int i = 0; i <= static_cast<int>(Label::kTailQuery); ++i) {
    if (LabelName(static_cast<Label>(i)) == name) return static_cast<Label>(i);
  }
  ADD_FAILURE() << "no label " << name;
  return Label::kProtocol;
}

TEST(TranscriptTest, FollowsTheReferenceStepByStep) {
  Transcript transcript(Str(Vectors().at("protocol")));
  for (const json::value& step : Vectors().at("steps").as_array()) {
    const std::string what = Str(step.at("step"));
    const Label label = LabelOf(Str(step.at("label")));
    if (what == "absorb") {
      transcript.Absorb(label, FromHex(Str(step.at("message"))).value());
    } else if (what == "draw") {
      const Fp2 drawn = transcript.Draw(label);
      EXPECT_EQ(std::to_string(drawn.a.value()), Str(step.at("a")));
      EXPECT_EQ(std::to_string(drawn.b.value()), Str(step.at("b")));
    } else if (what == "indices") {
      const auto log_n = static_cast<unsigned>(step.at("log_n").as_int64());
      const json::array& expected = step.at("indices").as_array();
      const auto drawn = transcript.DrawIndices(label, log_n, expected.size());
      for (std::size_t i = 0; i < drawn.size(); ++i) {
        EXPECT_EQ(drawn[i], expected[i].to_number<std::uint64_t>());
      }
    } else {
      const auto bits = static_cast<unsigned>(step.at("bits").as_int64());
      Transcript checked = transcript;
      const auto nonce = step.at("nonce").to_number<std::uint64_t>();
      EXPECT_EQ(transcript.Grind(label, bits), nonce);
      EXPECT_TRUE(checked.CheckWork(label, bits, nonce));
      EXPECT_EQ(checked.state(), transcript.state());
    }
    EXPECT_EQ(transcript.state().ToHex(), Str(step.at("state"))) << what;
  }
}

TEST(TranscriptTest, LabelsAreDistinct) {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(Label::kTailQuery); ++i) {
    names.insert(LabelName(static_cast<Label>(i)));
  }
  EXPECT_EQ(names.size(), static_cast<std::size_t>(Label::kTailQuery) + 1);
  EXPECT_FALSE(names.contains(""));
}

// Attack 22: a message moved between labels, split, joined, or put behind its challenge.
TEST(TranscriptTest, EveryChangeOfWhatWasAbsorbedChangesEveryLaterChallenge) {
  using Script = std::function<void(Transcript&)>;
  const auto absorb = [](Label label, std::string_view text) {
    return [=](Transcript& t) { t.Absorb(label, AsBytes(text)); };
  };
  const std::vector<Script> honest = {absorb(Label::kProgram, "program"),
                                      absorb(Label::kStatement, "ab"),
                                      absorb(Label::kStatement, "c")};
  const std::vector<std::vector<Script>> cheats = {
      {honest[0], honest[1]},
      {honest[0], honest[2], honest[1]},
      {absorb(Label::kProgram, "programa"), absorb(Label::kStatement, "b"), honest[2]},
      {honest[0], absorb(Label::kStatement, "a"), absorb(Label::kStatement, "bc")},
      {honest[0], absorb(Label::kStatement, "abc")},
      {honest[0], absorb(Label::kWallet, "ab"), honest[2]},
      {honest[0], honest[1], honest[2], absorb(Label::kStatement, "")},
      {honest[0], honest[1], [](Transcript& t) { (void)t.Draw(Label::kPoint); }, honest[2]},
  };
  const auto challenges = [](const std::vector<Script>& script) {
    Transcript t("test");
    for (const Script& step : script) step(t);
    std::vector<std::uint64_t> drawn;
    for (int i = 0; i < 4; ++i) drawn.push_back(t.Draw(Label::kPoint).a.value());
    return drawn;
  };
  const auto expected = challenges(honest);
  EXPECT_EQ(challenges(honest), expected);
  for (std::size_t i = 0; i < cheats.size(); ++i) {
    const auto found = challenges(cheats[i]);
    for (std::size_t k = 0; k < expected.size(); ++k) EXPECT_NE(found[k], expected[k]) << i;
  }
  Transcript other("test2");
  EXPECT_NE(other.state(), Transcript("test").state());
}

// Attack 32: a nonce without its work.
TEST(TranscriptTest, ANonceWithoutWorkIsRefused) {
  Transcript prover("test");
  Transcript verifier = prover;
  const std::uint64_t nonce = prover.Grind(Label::kQueryWork, 10);
  for (std::uint64_t other = 0; other < nonce; ++other) {
    Transcript t = verifier;
    EXPECT_FALSE(t.CheckWork(Label::kQueryWork, 10, other));
  }
  Transcript elsewhere = verifier;
  EXPECT_FALSE(elsewhere.CheckWork(Label::kLookupWork, 10, nonce));
  EXPECT_TRUE(verifier.CheckWork(Label::kQueryWork, 10, nonce));
}

TEST(TranscriptTest, IndicesAreDistinctAndCanBeAll) {
  Transcript t("test");
  auto drawn = t.DrawIndices(Label::kQuery, 6, 64);
  std::sort(drawn.begin(), drawn.end());
  for (std::uint64_t i = 0; i < 64; ++i) EXPECT_EQ(drawn[i], i);
}

}  // namespace
}  // namespace flair::zk
