// SPDX-License-Identifier: Apache-2.0
// Bytes and text of a program: round trips, and what is refused.
#include <gtest/gtest.h>

#include "program/encoding.h"
#include "program/program_testing.h"
#include "program/schedule.h"
#include "program/shapes.h"

namespace flair::program {
namespace {

std::string Swapped(std::string_view text, std::string_view from, std::string_view to) {
  std::string out(text);
  const std::size_t at = out.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return out.replace(at, from.size(), to);
}

TEST(ProgramFormatTest, BytesAndTextComeBack) {
  for (const std::string_view text : {kMlp, kZoo}) {
    const Program p = Parsed(text);
    const std::string printed = PrintProgram(p);
    EXPECT_EQ(Parsed(printed), p);
    EXPECT_EQ(PrintProgram(Parsed(printed)), printed);
    const Bytes bytes = EncodeProgram(p);
    const auto decoded = DecodeProgram(bytes);
    ASSERT_TRUE(decoded.ok()) << decoded.error().message();
    EXPECT_EQ(*decoded, p);
    EXPECT_EQ(EncodeProgram(*decoded), bytes);
  }
}

TEST(ProgramFormatTest, ASummarySaysWhatIsTrained) {
  const auto summary = [](const std::string& nodes, const std::string& rest) {
    return SummaryOf(
        Parsed("flair program 1\nbatch 4\ndata x [3] bits 8 scale 0\nlabel y classes 2\n"
               "param w [2, 3]\nparam v [2, 2]\nz = linear(x, w)\n" +
               nodes + "loss l\n" + rest));
  };
  const std::string loss = "l = cross_entropy(z, y)\n";
  EXPECT_EQ(summary(loss, "optimiser sgd()\nschedule 1/8\n"),
            "batch 4; linear; cross_entropy; sgd, rate 1/8");
  EXPECT_EQ(summary(loss,
                    "optimiser sgd(momentum=9/10, nesterov=yes)\nschedule 1/8 x 5, 1/80\n"
                    "clip norm(limit=1/2)\n"),
            "batch 4; linear; cross_entropy; sgd, momentum 9/10, nesterov yes, rate 1/8 x 5, 1/80; "
            "clip norm, limit 1/2");
  EXPECT_EQ(
      summary(loss, "optimiser adamw()\nschedule 1/2 x 1, 1/4 x 1, 1/8 x 1, 1/16 x 1, 1/32\n"),
      "batch 4; linear; cross_entropy; adamw, rate 1/2 to begin with, of 5");
  std::string deep, last = "z";
  for (int i = 0; i < 6; ++i) {
    const std::string n = std::to_string(i);
    deep += "r" + n + " = relu(" + last + ")\nm" + n + " = linear(r" + n + ", v)\n";
    last = "m" + n;
  }
  EXPECT_EQ(summary(deep + "l = cross_entropy(" + last + ", y)\n", "optimiser sgd()\nschedule 1\n"),
            "batch 4; 7 linear, 6 relu; cross_entropy; sgd, rate 1");
}

TEST(ProgramFormatTest, EveryCutAndEveryChangedByteIsRefusedOrIsCanonical) {
  const Bytes bytes = EncodeProgram(Parsed(kZoo));
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    EXPECT_FALSE(DecodeProgram(ByteView(bytes).first(n)).ok()) << n;
  }
  std::size_t accepted = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (const unsigned flip : {1U, 2U, 0x80U, 0xffU}) {
      Bytes changed = bytes;
      changed[i] ^= static_cast<std::byte>(flip);
      const auto p = DecodeProgram(changed);
      if (!p.ok()) continue;
      ++accepted;
      EXPECT_EQ(EncodeProgram(*p), changed) << i;
      EXPECT_NE(HashProgram(*p), HashProgram(Parsed(kZoo))) << i;
    }
  }
  EXPECT_GT(accepted, 0U);  // a rate or a name changes freely
}

TEST(ProgramFormatTest, MalformedBytesAreNamed) {
  const Bytes good = EncodeProgram(Parsed(kMlp));
  const struct {
    const char* what;
    std::size_t at;
    std::uint8_t value;
    ErrorCode code;
    const char* message;
  } kCases[] = {
      {"magic", 0, 'X', ErrorCode::kCorrupt, "byte 1: not a training program"},
      {"version", 4, 2, ErrorCode::kUnsupported, "program format 2; this build reads 1"},
      {"batch of 0", 6, 0, ErrorCode::kInvalidArgument, "batch 0"},
      {"too many columns", 7, 0x7f, ErrorCode::kInvalidArgument, ""},
  };
  for (const auto& c : kCases) {
    Bytes bytes = good;
    bytes[c.at] = std::byte{c.value};
    const auto p = DecodeProgram(bytes);
    ASSERT_FALSE(p.ok()) << c.what;
    if (*c.message == 0) continue;
    EXPECT_EQ(p.error().code(), c.code) << c.what;
    EXPECT_EQ(p.error().message(), c.message) << c.what;
  }
  Bytes longer = good;
  longer.push_back(std::byte{0});
  EXPECT_EQ(DecodeProgram(longer).error().code(), ErrorCode::kCorrupt);
  // A batch of 8 in two bytes.
  Bytes padded = good;
  padded[6] = std::byte{0x88};
  padded.insert(padded.begin() + 7, std::byte{0});
  EXPECT_EQ(DecodeProgram(padded).error().message(), "byte 8: a number is padded");
}

TEST(ProgramFormatTest, MalformedTextIsNamedWithItsPlace) {
  const struct {
    const char* from;
    const char* to;
    const char* message;
  } kCases[] = {
      {"flair program 1", "flair program 2", "program format 2; this build reads 1"},
      {"batch 8", "batch 0", "line 2, column 7: a batch size from 1 to 16777216 is expected"},
      {"batch 8", "batch 8 8", "line 2, column 9: the line should end here"},
      {"label y", "label x", "line 4, column 1: 'x' is defined twice"},
      {"relu(h)", "relu(g)", "line 10, column 10: no value named 'g' so far"},
      {"relu(h)", "rely(h)", "line 10, column 5: no operator named 'rely'; is 'relu' meant?"},
      {"relu(h)", "relu(h, h)", "line 10, column 13: an input is not expected here"},
      {"relu(h)", "relu(h, p=2)", "line 10, column 13: relu has no attribute 'p'"},
      {"relu(h)", "norm_all(h)", "line 10, column 5: no operator named 'norm_all'"},
      {"relu(h)", "relu(x)", "line 11: node 'z': shapes [8, 12] [5, 16] [5] do not fit"},
      {"relu(h)", "relu()", "line 10: node 'a': relu with 0 inputs"},
      {"relu(h)", "add(h, y)", "line 10: node 'a': label 'y' serves cross_entropy only"},
      {"[16, 12]", "[16, 0]", "line 5, column 18: dims must be at least 1"},
      {"[16, 12]", "[16, 12", "line 5, column 25: ',' is expected"},
      {"[16, 12]", "[999999999, 999999999]",
       "line 5: parameter 'fc1.weight': [999999999, 999999999] has too many elements"},
      {"loss l", "loss z", "loss 'z' is not one number"},
      {"loss l", "loss x", "loss is no node"},
      {"loss l\n", "", "line 13, column 1: out of order, or twice"},
      {"sgd()", "sgd(momentum=1)", "line 14: optimiser: momentum must be in [0, 1)"},
      {"sgd()", "lion()", "line 14, column 11: no optimiser named 'lion'"},
      {"1/8", "1/0", "line 15, column 10: a number or a fraction is expected"},
      {"1/8", "-1/8", "line 15: schedule: a learning rate is negative or too large"},
      {"1/8", "1/8\nprofile limb 30",
       "line 16, column 14: a number of bits from 8 to 24 is expected"},
      {"1/8", "1/8\nprofile h", "line 16, column 10: a name is expected"},
      {"1/8", "1/8\nprofile \"h", "line 16, column 9: a quoted name has no end"},
      {"1/8", "1/8\nprofile \"\x1b[2J\" gradient 9 9",
       "line 16, column 9: a name is 1 to 200 printable ASCII characters, no blank or quote"},
      {"1/8", "1/8\n%", "line 16, column 1: a character that begins nothing"},
      {"1/8", "1/8\nbatch 3", "line 16, column 1: out of order, or twice"},
  };
  for (const auto& c : kCases) {
    const auto p = ParseProgram(Swapped(kMlp, c.from, c.to));
    ASSERT_FALSE(p.ok()) << c.to;
    if (std::string_view(c.from) == "loss l\n") {
      EXPECT_EQ(p.error().message(), "line 15, column 1: loss is missing");
      continue;
    }
    EXPECT_EQ(p.error().message(), c.message) << c.to;
  }
}

TEST(ProgramFormatTest, NoMessageRepeatsWhatIsNoName) {
  // The name of the first column, of one byte, behind the number of columns.
  Bytes bytes = EncodeProgram(Parsed(kMlp));
  bytes[9] = std::byte{0x1b};
  EXPECT_EQ(DecodeProgram(bytes).error().message(),
            "column: a name is 1 to 200 printable ASCII characters, no blank or quote");
  const std::string longest(kMaxNameBytes, 'n'), longer = longest + "n";
  for (const char* const quote : {"", "\""}) {
    const auto named = [&](const std::string& name) {
      return ParseProgram(Swapped(Swapped(kMlp, "a =", quote + name + quote + " ="), "linear(a",
                                  "linear(" + longest));
    };
    EXPECT_TRUE(named(longest).ok());
    EXPECT_EQ(
        named(longer).error().message(),
        "line 10, column 1: a name is 1 to 200 printable ASCII characters, no blank or quote");
  }
}

TEST(ProgramFormatTest, SpellingDoesNotMatter) {
  const Program p = Parsed(kMlp);
  EXPECT_EQ(Parsed(Swapped(kMlp, "1/8", "0.125  # an eighth\n\n")), p);
  EXPECT_EQ(Parsed(Swapped(kMlp, "1/8", "2/16 x 3, 1/8")), p);
  EXPECT_NE(Parsed(Swapped(kMlp, "1/8", "1/9")), p);
}

TEST(ScheduleTest, RatesAreExactAndStay) {
  const auto steps = StepSchedule({1, 10}, {1, 2}, 5, 2);
  ASSERT_TRUE(steps.ok());
  EXPECT_EQ(steps->denominator, 40);
  EXPECT_EQ(steps->NumeratorAt(4), 4);
  EXPECT_EQ(steps->NumeratorAt(5), 2);
  EXPECT_EQ(steps->NumeratorAt(1000), 1);
  const auto cosine = CosineSchedule({1, 2}, 4, 20);
  ASSERT_TRUE(cosine.ok());
  EXPECT_EQ(MakeRational(cosine->NumeratorAt(0), cosine->denominator), (Rational{1, 2}));
  EXPECT_EQ(MakeRational(cosine->NumeratorAt(2), cosine->denominator), (Rational{1, 4}));
  EXPECT_EQ(cosine->NumeratorAt(4), 0);
}

TEST(RationalTest, FloatsMeanWhatTheyMean) {
  EXPECT_EQ(FromFloat(0.1F), (Rational{13421773, 134217728}));
  EXPECT_EQ(FromFloat(-2.5F), (Rational{-5, 2}));
  EXPECT_EQ(RationalFromText("0.05"), (Rational{1, 20}));
  EXPECT_EQ(RationalFromText("1/"), std::nullopt);
  EXPECT_EQ(RationalFromText("-4611686018427387903/4611686018427387902"),
            (Rational{-kMaxRationalTerm, kMaxRationalTerm - 1}));
  EXPECT_EQ(RationalFromText("1/4611686018427387904"), std::nullopt);
  EXPECT_EQ(RationalFromText("9999999999999999999/9999999999999999999"), (Rational{1, 1}));
  EXPECT_EQ(RationalFromText("99999999999999999999/1"), std::nullopt);
  EXPECT_EQ(RationalFromText("0.000000000000000000"), (Rational{0, 1}));
  EXPECT_EQ(RationalFromText("-"), std::nullopt);
}

// 2^17 pieces, asked for every step: by walks this is 2^33 steps of a walk.
TEST(RatesTest, ASearchFindsWhatAWalkDoes) {
  Schedule schedule;
  std::vector<std::int64_t> expected;
  for (std::int64_t i = 0; i < 1 << 17; ++i) {
    const bool last = i + 1 == 1 << 17;
    const std::uint64_t steps = last ? 0 : 1 + static_cast<std::uint64_t>(i % 3);
    schedule.pieces.push_back({.steps = steps, .numerator = i});
    expected.insert(expected.end(), last ? 5 : steps, i);
  }
  const Rates rates(schedule);
  for (std::uint64_t step = 0; step < expected.size(); ++step) {
    ASSERT_EQ(rates.NumeratorAt(step), expected[step]) << step;
  }
  for (const std::uint64_t step : {std::uint64_t{0}, std::uint64_t{77}, std::uint64_t{1} << 50}) {
    EXPECT_EQ(rates.NumeratorAt(step), schedule.NumeratorAt(step));
  }
  EXPECT_EQ(Rates(ConstantSchedule({1, 8}).value()).NumeratorAt(9), 1);
}

}  // namespace
}  // namespace flair::program
