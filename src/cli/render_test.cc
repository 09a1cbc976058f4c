// SPDX-License-Identifier: Apache-2.0
#include "cli/render.h"

#include <gtest/gtest.h>

namespace flair::cli {
namespace {

TEST(Render, TimesAreUtcAsRfc3339) {
  EXPECT_EQ(FormatTime(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(FormatTime(951'782'399), "2000-02-28T23:59:59Z");
  EXPECT_EQ(FormatTime(951'782'400), "2000-02-29T00:00:00Z");
  EXPECT_EQ(FormatTime(1'764'038'364), "2025-11-25T02:39:24Z");
  EXPECT_EQ(FormatTime(253'402'300'799), "9999-12-31T23:59:59Z");
}

TEST(Render, SizesKeepOneDigit) {
  EXPECT_EQ(FormatBytes(0), "0 B");
  EXPECT_EQ(FormatBytes(999), "999 B");
  EXPECT_EQ(FormatBytes(1000), "1.0 KB");
  EXPECT_EQ(FormatBytes(999'949), "999.9 KB");
  EXPECT_EQ(FormatBytes(999'950), "1.0 MB");
  EXPECT_EQ(FormatBytes(5'368'709'120), "5.4 GB");
  EXPECT_EQ(FormatBytes(~std::uint64_t{0}), "18.4 EB");
}

// Text from elsewhere must not move the cursor, change colours or reverse a line.
TEST(Render, NothingUnprintableReachesTheTerminal) {
  EXPECT_EQ(Printable("plain, Größe, 模型"), "plain, Größe, 模型");
  EXPECT_EQ(Printable("\x1b[31mred"), "\\x1b[31mred");
  EXPECT_EQ(Printable("a\rb\tc"), "a\\x0db\\x09c");
  EXPECT_EQ(Printable("a\nb"), "a\\x0ab");
  EXPECT_EQ(Printable("a\nb", LineFeeds::kKeep), "a\nb");
  EXPECT_EQ(Printable("\xc2\x9b"
                      "31m"),
            "\\xc2\\x9b31m");  // C1: another escape
  EXPECT_EQ(Printable("\xe2\x80\xae"
                      "gpj"),
            "\\xe2\\x80\\xaegpj");                 // right-to-left override
  EXPECT_EQ(Printable("\xff\xc3"), "\\xff\\xc3");  // not UTF-8
  EXPECT_EQ(Printable(std::string_view("\0", 1)), "\\x00");
}

TEST(Render, TablesAlignByCharacters) {
  EXPECT_EQ(Table({{"a", "b"}, {"größe", "c"}, {"x"}}), "a      b\ngröße  c\nx\n");
  EXPECT_EQ(Table({}), "");
}

TEST(Render, CountsAgreeInNumber) {
  EXPECT_EQ(Count(1, "file"), "1 file");
  EXPECT_EQ(Count(0, "file"), "0 files");
}

TEST(Render, ShapesReadLikeSafetensors) {
  EXPECT_EQ(FormatShape(DType::kF32, {64, 3, 3, 3}), "F32 [64, 3, 3, 3]");
  EXPECT_EQ(FormatShape(DType::kBF16, {}), "BF16 []");
}

}  // namespace
}  // namespace flair::cli
