// SPDX-License-Identifier: Apache-2.0
#include "remote/upload.h"

#include <gtest/gtest.h>

#include "base/mem_env.h"
#include "object/tree.h"

namespace flair {
namespace {

class UploadStreamTest : public ::testing::Test {
 protected:
  void SetUp() override {
    store_ = ObjectStore::Open(env_, "/store").value();
    auto batch = store_->Begin().value();
    std::vector<Digest> contents;
    for (int i = 0; i < 5; ++i) {
      Bytes data(static_cast<std::size_t>(300'000 + i), std::byte{0});
      std::uint64_t x = 88172645463325252ULL + static_cast<std::uint64_t>(i);
      for (std::byte& b : data) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        b = static_cast<std::byte>(x);
      }
      const auto source = SourceOfBytes(data);
      contents.push_back(batch->PutContent(*source, {})->hash);
    }
    ASSERT_TRUE(batch->Commit().ok());
    records_ = *store_->Locate({}, contents, [](const Digest&) { return false; });
    contents_ = contents;
  }

  std::string ReadAll(const std::vector<UploadFrame>& frames, std::uint64_t offset,
                      std::size_t step) {
    UploadStream stream(*store_, frames, offset);
    std::string out;
    Bytes buffer(step);
    for (;;) {
      const auto n = stream.Read(buffer);
      if (!n.ok() || *n == 0) break;
      out += AsText(ByteView(buffer).first(*n));
    }
    EXPECT_EQ(*stream.Read(buffer), 0u);  // the end is the end
    return out;
  }

  MemEnv env_;
  std::unique_ptr<ObjectStore> store_;
  std::vector<RecordLocation> records_;
  std::vector<Digest> contents_;
};

// Small frames, so that there are several.
std::vector<UploadFrame> OnePerRecord(const std::vector<RecordLocation>& records) {
  std::vector<UploadFrame> frames;
  for (const RecordLocation& record : records) {
    frames.push_back({.records = {record}, .length_bytes = record.length_bytes});
  }
  return frames;
}

TEST_F(UploadStreamTest, GoingOnAtAnyOffsetSendsTheSameBytes) {
  const auto frames = OnePerRecord(records_);
  const std::string whole = ReadAll(frames, 0, 1 << 20);
  PushJournal journal;
  journal.frames = frames;
  ASSERT_EQ(whole.size(), journal.upload_bytes());
  for (std::uint64_t offset = 0; offset < whole.size(); offset += 77'777) {
    ASSERT_EQ(ReadAll(frames, offset, 65'536), whole.substr(offset)) << offset;
  }
  std::uint64_t boundary = 0;
  for (const UploadFrame& frame : frames) {
    for (const std::uint64_t offset : {boundary, boundary + 1, boundary + 4}) {
      ASSERT_EQ(ReadAll(frames, offset, 1000), whole.substr(offset)) << offset;
    }
    boundary += wire::kFrameHeaderBytes + frame.length_bytes;
  }
  EXPECT_EQ(ReadAll(frames, whole.size(), 10), "");
}

TEST_F(UploadStreamTest, AReceiverTakesTheFramesAsTheyAre) {
  const auto frames = FramesOf(records_);
  const std::string whole = ReadAll(frames, 0, 1 << 20);
  MemEnv other;
  const auto store = ObjectStore::Open(other, "/store").value();
  auto batch = store->Begin().value();
  for (std::size_t at = 0; at < whole.size();) {
    const ByteView rest = AsBytes(whole).subspan(at);
    const std::uint32_t length = LoadLe32(rest.first(4));
    ASSERT_TRUE(batch->PutRecords(rest.subspan(4, length)).ok());
    at += 4 + length;
  }
  ASSERT_TRUE(batch->Commit().ok());
  for (const Digest& content : contents_) EXPECT_TRUE(store->HasContent(content));
}

TEST_F(UploadStreamTest, TheJournalBringsTheFramesBack) {
  PushJournal journal{.address = "http://h/o/n",
                      .push = std::string(32, 'a'),
                      .target = "main",
                      .source_branch = "site",
                      .tip = CommitId{contents_[0]},
                      .frames = OnePerRecord(records_)};
  ASSERT_TRUE(SavePushJournal(env_, "/journal.json", journal).ok());
  const auto back = *LoadPushJournal(env_, "/journal.json");
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->tip, journal.tip);
  EXPECT_EQ(back->upload_bytes(), journal.upload_bytes());
  EXPECT_EQ(ReadAll(back->frames, 0, 4096), ReadAll(journal.frames, 0, 4096));
  ASSERT_TRUE(WriteFileAtomically(env_, "/journal.json", AsBytes("{\"push\":1}")).ok());
  EXPECT_FALSE(LoadPushJournal(env_, "/journal.json")->has_value());
}

}  // namespace
}  // namespace flair
