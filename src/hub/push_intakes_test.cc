// Uploads that are stored while they arrive: what may go wrong on the way changes nothing.
// SPDX-License-Identifier: Apache-2.0
#include "hub/push_intakes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>
#include <thread>

#include "hub/hub_testing.h"
#include "hub/push_store.h"

namespace flair::hub {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

constexpr milliseconds kLong{60'000};

// Takes everything early.
constexpr PushIntakes::Limits kEager{
    .early_bytes = 1, .max_early_frame_bytes = 1 << 20, .max_early = 4, .idle = kLong};

class PushIntakesTest : public testing::Test {
 protected:
  PushIntakesTest() : stores_(env_, "/hub"), store_(Get(stores_.Open("repo"))) {
    sender_ = Get(ObjectStore::Open(env_, "/from"));
    const auto batch = Get(sender_->Begin());
    std::mt19937_64 random(1);
    for (const std::size_t size : {100'000, 100'000, 300'000}) {
      Bytes bytes(size);
      for (std::byte& b : bytes) b = static_cast<std::byte>(random());
      contents_.push_back(Get(batch->PutContent(*SourceOfBytes(bytes), {})).hash);
    }
    Get(batch->Commit());
    for (const Digest& content : contents_) frames_.push_back(FrameOf(content));
  }

  Bytes FrameOf(const Digest& content) {
    Bytes records;
    const auto has_nothing = [](const Digest&) { return false; };
    for (const RecordLocation& where : Get(sender_->Locate({}, {content}, has_nothing))) {
      Bytes record;
      Get(sender_->ReadRecord(where, record));
      Append(records, record);
    }
    Bytes frame;
    AppendLe32(frame, static_cast<std::uint32_t>(records.size()));
    Append(frame, records);
    return frame;
  }

  PushStore Pushes() { return {env_, store_->quarantine_folder()}; }
  std::string NewPush() { return Get(Pushes().Create({.wallet = "w", .target = "main"})); }
  // One request's bytes.
  void Send(PushIntakes& intakes, const std::string& id, ByteView bytes) {
    TextBody body{std::string(AsText(bytes))};
    PushStore pushes = Pushes();
    Get(pushes.Append(id, Get(pushes.Offset(id)), body,
                      [&](std::uint64_t size) { intakes.Advance(env_, store_, id, size); }));
  }
  Status Finish(PushIntakes& intakes, const std::string& id) {
    return intakes.Finish(env_, store_, id, Get(Pushes().Offset(id)));
  }

  // Packs that are being written, of all batches.
  std::size_t OpenPacks() {
    std::size_t packs = 0;
    for (const std::string& name : Get(env_.ListDir("/hub/repos/repo/objects/tmp"))) {
      packs += name.find('-') != std::string::npos ? 1 : 0;
    }
    return packs;
  }
  static bool Eventually(const std::function<bool()>& holds) {
    for (int i = 0; i < 10'000 && !holds(); ++i) std::this_thread::sleep_for(milliseconds(1));
    return holds();
  }
  bool HasAll() {
    return std::all_of(contents_.begin(), contents_.end(),
                       [&](const Digest& c) { return store_->objects().HasContent(c); });
  }

  MemEnv env_;
  RepoStores stores_;
  std::shared_ptr<RepoStore> store_;
  std::unique_ptr<ObjectStore> sender_;
  std::vector<Digest> contents_;
  std::vector<Bytes> frames_;
};

TEST_F(PushIntakesTest, StoresWhileBytesArriveAndShowsNothingBeforeTheEnd) {
  PushIntakes intakes(kEager);
  const std::string id = NewPush();
  Send(intakes, id, frames_[0]);
  EXPECT_TRUE(Eventually([&] { return OpenPacks() == 1; }));
  // A request may end inside a frame, and inside its length.
  Send(intakes, id, ByteView(frames_[1]).first(2));
  Send(intakes, id, ByteView(frames_[1]).subspan(2, 500));
  Send(intakes, id, ByteView(frames_[1]).subspan(502));
  EXPECT_FALSE(store_->objects().HasContent(contents_[0]));
  Send(intakes, id, frames_[2]);
  Get(Finish(intakes, id));
  EXPECT_TRUE(HasAll());
  EXPECT_EQ(OpenPacks(), 0U);
}

// Of tests/vectors/wire.json, which reference/wire.py prints.
TEST_F(PushIntakesTest, FramesAreReadAsTheReferenceWritesThem) {
  const Bytes text = Get(
      ReadFile(PosixEnv(), FLAIR_SOURCE_DIR "/tests/vectors/wire.json", std::uint64_t{1} << 20));
  const json::object vectors = Get(wire::ParseObject(AsText(text)));
  const Bytes upload = Get(FromHex(std::string(vectors.at("upload").as_string())));
  for (std::size_t size = 0; size <= upload.size(); ++size) {  // as far as it arrived
    FrameReader frames(SourceOfBytes(upload));
    for (const json::value& piece : vectors.at("pieces").as_array()) {
      const auto frame = Get(frames.Next(size));
      if (!frame) break;
      EXPECT_EQ(ToHex(*frame), piece.as_string());
    }
    EXPECT_EQ(frames.offset() == upload.size(), size == upload.size());
  }
}

TEST_F(PushIntakesTest, AShortUploadWaitsForItsFinish) {
  PushIntakes intakes;
  const std::string id = NewPush();
  for (const Bytes& frame : frames_) Send(intakes, id, frame);
  EXPECT_EQ(OpenPacks(), 0U);
  Get(Finish(intakes, id));
  EXPECT_TRUE(HasAll());
}

TEST_F(PushIntakesTest, NothingToStoreIsFine) {
  PushIntakes intakes(kEager);
  Get(Finish(intakes, NewPush()));
}

TEST_F(PushIntakesTest, AClientThatGoesQuietHoldsNothingAndMayComeBack) {
  PushIntakes::Limits limits = kEager;
  limits.idle = milliseconds(100);
  PushIntakes intakes(limits);
  const std::string id = NewPush();
  Send(intakes, id, frames_[0]);
  EXPECT_TRUE(Eventually([&] { return OpenPacks() == 1; }));
  EXPECT_TRUE(Eventually([&] { return OpenPacks() == 0; }));
  Send(intakes, id, frames_[1]);
  Send(intakes, id, frames_[2]);
  Get(Finish(intakes, id));
  EXPECT_TRUE(HasAll());
}

TEST_F(PushIntakesTest, AHubThatStoppedInBetweenReadsTheUploadAgain) {
  const std::string id = NewPush();
  {
    PushIntakes intakes(kEager);
    Send(intakes, id, frames_[0]);
    EXPECT_TRUE(Eventually([&] { return OpenPacks() == 1; }));
  }
  EXPECT_EQ(OpenPacks(), 0U);
  PushIntakes intakes(kEager);
  Send(intakes, id, frames_[1]);
  Send(intakes, id, frames_[2]);
  Get(Finish(intakes, id));
  EXPECT_TRUE(HasAll());
}

TEST_F(PushIntakesTest, ABadFrameIsNamedAndNothingOfTheUploadIsStored) {
  for (const bool early : {true, false}) {
    PushIntakes::Limits limits = kEager;
    if (!early) limits.early_bytes = 1 << 30;
    PushIntakes intakes(limits);
    const std::string id = NewPush();
    Bytes bad = frames_[1];
    bad[60] ^= std::byte{1};
    Send(intakes, id, frames_[0]);
    Send(intakes, id, bad);
    const Status finished = Finish(intakes, id);
    ASSERT_FALSE(finished.ok());
    EXPECT_EQ(finished.error().code(), ErrorCode::kCorrupt);
    EXPECT_THAT(finished.error().message(),
                HasSubstr("upload, frame at byte " + std::to_string(frames_[0].size())));
    EXPECT_FALSE(store_->objects().HasContent(contents_[0]));
    EXPECT_EQ(OpenPacks(), 0U);
  }
}

TEST_F(PushIntakesTest, LengthsAreCheckedBeforeTheySizeAnything) {
  struct Case {
    Bytes tail;
    std::string why;
  };
  Bytes huge;
  AppendLe32(huge, 0xFFFF'FFFF);
  const Bytes zero(4, std::byte{0});
  const Bytes cut(frames_[1].begin(), frames_[1].begin() + 50);
  const Bytes stub(2, std::byte{1});
  for (const Case& c : {Case{huge, "frame of a bad length"}, Case{zero, "frame of a bad length"},
                        Case{cut, "ends inside a frame"}, Case{stub, "ends inside a frame"}}) {
    PushIntakes intakes(kEager);
    const std::string id = NewPush();
    Send(intakes, id, frames_[0]);
    Send(intakes, id, c.tail);
    const Status finished = Finish(intakes, id);
    ASSERT_FALSE(finished.ok());
    EXPECT_EQ(finished.error().code(), ErrorCode::kCorrupt);
    EXPECT_THAT(finished.error().message(),
                HasSubstr("upload, byte " + std::to_string(frames_[0].size()) + ": " + c.why));
  }
}

TEST_F(PushIntakesTest, OfTwoPushesWithTheSameContentsTheSecondStoresNothing) {
  PushIntakes intakes(kEager);
  const std::string first = NewPush();
  const std::string second = NewPush();
  for (const std::string& id : {first, second}) {
    for (const Bytes& frame : frames_) Send(intakes, id, frame);
  }
  EXPECT_TRUE(Eventually([&] { return OpenPacks() == 2; }));
  Get(Finish(intakes, first));
  const std::uint64_t stored = store_->objects().StoredBytes();
  Get(Finish(intakes, second));
  EXPECT_EQ(store_->objects().StoredBytes(), stored);
  EXPECT_TRUE(HasAll());
}

TEST_F(PushIntakesTest, AFrameTooLargeToBeHeldEarlyWaitsForTheFinish) {
  PushIntakes::Limits limits = kEager;
  limits.max_early_frame_bytes = frames_[0].size();
  PushIntakes intakes(limits);
  const std::string id = NewPush();
  Send(intakes, id, frames_[0]);
  EXPECT_TRUE(Eventually([&] { return OpenPacks() == 1; }));
  Send(intakes, id, ByteView(frames_[2]).first(4));
  EXPECT_TRUE(Eventually([&] { return OpenPacks() == 0; }));
  Send(intakes, id, ByteView(frames_[2]).subspan(4));
  Send(intakes, id, frames_[1]);
  Get(Finish(intakes, id));
  EXPECT_TRUE(HasAll());
}

TEST_F(PushIntakesTest, OnlySoManyAreTakenEarly) {
  PushIntakes::Limits limits = kEager;
  limits.max_early = 1;
  PushIntakes intakes(limits);
  const std::string first = NewPush();
  const std::string second = NewPush();
  Send(intakes, first, frames_[0]);
  EXPECT_TRUE(Eventually([&] { return OpenPacks() == 1; }));
  Send(intakes, second, frames_[1]);
  Send(intakes, second, frames_[2]);
  std::this_thread::sleep_for(milliseconds(50));
  EXPECT_EQ(OpenPacks(), 1U);
  Get(Finish(intakes, second));
  Get(Finish(intakes, first));
  EXPECT_TRUE(HasAll());
}

}  // namespace
}  // namespace flair::hub
