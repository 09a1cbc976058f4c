// Threads, sources, hex and the log: small pieces, one test each.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "base/byte_source.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/threads.h"

namespace flair {
namespace {

TEST(ThreadsTest, RunsEveryIndexOnceForAnyNumberOfThreads) {
  for (const std::size_t threads : {1, 2, 7}) {
    std::vector<std::atomic<int>> runs(1000);
    ASSERT_TRUE(ParallelFor(runs.size(), threads, [&](std::size_t i) {
                  ++runs[i];
                  return OkStatus();
                }).ok());
    for (const auto& n : runs) EXPECT_EQ(n, 1);
  }
  EXPECT_TRUE(
      ParallelFor(0, [](std::size_t) -> Status { return Error(ErrorCode::kIo, "never"); }).ok());
}

TEST(ThreadsTest, ReturnsTheErrorOfTheLowestIndex) {
  for (int round = 0; round < 50; ++round) {
    const Status status = ParallelFor(100, 4, [](std::size_t i) -> Status {
      if (i >= 10) return Error(ErrorCode::kIo, std::to_string(i));
      return OkStatus();
    });
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().message(), "10");
  }
}

TEST(ThreadsTest, TheCountCanBeSetAndRestored) {
  const std::size_t machine = ThreadCount();
  EXPECT_GE(machine, 1u);
  SetThreadCount(5);
  EXPECT_EQ(ThreadCount(), 5u);
  SetThreadCount(0);
  EXPECT_EQ(ThreadCount(), machine);
}

TEST(ByteSourceTest, ARangeSeesItsPartOnly) {
  const Bytes bytes = ToBytes("0123456789");
  const auto whole = SourceOfBytes(bytes);
  const auto range = SourceOfRange(*whole, 2, 5);
  EXPECT_EQ(range->size_bytes(), 5u);
  Bytes out(3);
  ASSERT_TRUE(range->ReadAt(2, out).ok());
  EXPECT_EQ(AsText(out), "456");
  EXPECT_EQ(range->ReadAt(3, out).error().code(), ErrorCode::kCorrupt);
  EXPECT_EQ(range->ReadAt(~std::uint64_t{0}, out).error().code(), ErrorCode::kCorrupt);
  EXPECT_TRUE(range->ReadAt(5, {}).ok());
}

TEST(HexTest, HasOneSpellingPerValue) {
  const Bytes bytes{std::byte{0x00}, std::byte{0xAB}, std::byte{0xFF}};
  EXPECT_EQ(ToHex(bytes), "00abff");
  EXPECT_EQ(*FromHex("00abff"), bytes);
  for (const char* bad : {"0", "0g", "AB", " 00", "00 "}) {
    EXPECT_EQ(FromHex(bad).error().code(), ErrorCode::kInvalidArgument) << bad;
  }
}

TEST(LogTest, IsSilentWithoutASinkAndFiltersByLevel) {
  EXPECT_FALSE(LogEnabled(LogLevel::kError));
  Log(LogLevel::kError, "nobody hears");
  std::vector<std::string> heard;
  SetLogSink([&](LogLevel level, std::string_view text) {
    heard.push_back(std::string(LogLevelName(level)) + ": " + std::string(text));
  });
  Log(LogLevel::kDebug, "small");
  Log(LogLevel::kWarning, "big");
  SetLogSink({});
  Log(LogLevel::kError, "late");
  EXPECT_EQ(heard, std::vector<std::string>{"warning: big"});
}

}  // namespace
}  // namespace flair
