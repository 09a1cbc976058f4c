// Records from one store to another, and what a receiver refuses.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/mem_env.h"
#include "object/tree.h"
#include "store/codec.h"
#include "store/format.h"
#include "store/object_store.h"
#include "store/store_testing.h"
#include "store/upkeep.h"

namespace flair {
namespace {

const auto kHasNothing = [](const Digest&) { return false; };

class TransferTest : public testing::Test {
 protected:
  TransferTest()
      : sender_(Must(ObjectStore::Open(env_, "/from"))),
        receiver_(Must(ObjectStore::Open(env_, "/to"))) {}

  std::vector<Bytes> Records(const std::vector<Digest>& contents,
                             const std::function<bool(const Digest&)>& has = kHasNothing,
                             const std::vector<std::pair<ObjectKind, Digest>>& objects = {}) {
    std::vector<Bytes> records;
    for (const RecordLocation& where : Must(sender_->Locate(objects, contents, has))) {
      Bytes record;
      EXPECT_OK(sender_->ReadRecord(where, record));
      records.push_back(std::move(record));
    }
    return records;
  }
  static Bytes Join(const std::vector<Bytes>& records) {
    Bytes all;
    for (const Bytes& record : records) Append(all, record);
    return all;
  }
  Status Receive(const Bytes& stream) {
    FLAIR_TRY(const auto batch, receiver_->Begin());
    FLAIR_DO(batch->PutRecords(stream));
    return batch->Commit();
  }

  MemEnv env_;
  std::unique_ptr<ObjectStore> sender_;
  std::unique_ptr<ObjectStore> receiver_;
};

// Three versions: the second and the third are deltas.
struct Series {
  explicit Series(ObjectStore& store) {
    bytes.push_back(Weights(2 * kMiB + 5, 1));
    contents.push_back(PutOne(store, bytes[0], kFloat32));
    for (std::uint64_t i = 1; i < 3; ++i) {
      bytes.push_back(Trained(bytes[i - 1], 10 + i));
      contents.push_back(PutOne(store, bytes[i], DeltaTo(contents[i - 1].hash)));
    }
  }
  std::vector<Bytes> bytes;
  std::vector<ContentRef> contents;
};

TEST_F(TransferTest, AContentArrivesWithItsBases) {
  const Series series(*sender_);
  EXPECT_OK(Receive(Join(Records({series.contents[2].hash}))));
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(ReadAll(*receiver_, series.contents[i].hash) == series.bytes[i]);
  }
  EXPECT_TRUE(Must(receiver_->Verify()).empty());
  const auto reopened = Must(ObjectStore::Open(env_, "/to"));
  EXPECT_TRUE(ReadAll(*reopened, series.contents[2].hash) == series.bytes[2]);
}

TEST_F(TransferTest, BasesTheReceiverHasStayHome) {
  const Series series(*sender_);
  EXPECT_OK(Receive(Join(Records({series.contents[1].hash}))));
  const auto all = Join(Records({series.contents[2].hash}));
  const auto thin = Join(Records({series.contents[2].hash},
                                 [&](const Digest& hash) { return receiver_->HasContent(hash); }));
  EXPECT_LT(thin.size() * 2, all.size());
  EXPECT_OK(Receive(thin));
  EXPECT_TRUE(ReadAll(*receiver_, series.contents[2].hash) == series.bytes[2]);
}

TEST_F(TransferTest, ObjectsAndManySmallContentsArriveInPieces) {
  const Bytes tree = EncodeTree(Tree{});
  Digest id;
  std::vector<Digest> hashes;
  {
    const auto batch = Must(sender_->Begin());
    id = Must(batch->PutObject(ObjectKind::kTree, tree));
    for (std::uint64_t i = 0; i < 200; ++i) {
      hashes.push_back(Must(Put(*batch, Weights(40 * i, i), kFloat32)).hash);
    }
    EXPECT_OK(batch->Commit());
  }
  const auto records = Records(hashes, kHasNothing, {{ObjectKind::kTree, id}});
  const Bytes stream = Join(records);
  // As a network delivers it: cut anywhere; only whole records are handed on.
  const auto batch = Must(receiver_->Begin());
  Bytes pending;
  for (std::size_t at = 0; at < stream.size(); at += 777) {
    const ByteView piece =
        ByteView(stream).subspan(at, std::min<std::size_t>(777, stream.size() - at));
    Append(pending, piece);
    const std::uint64_t whole = Must(WholeRecordBytes(pending));
    EXPECT_OK(batch->PutRecords(ByteView(pending).first(whole)));
    pending.erase(pending.begin(), pending.begin() + static_cast<std::ptrdiff_t>(whole));
  }
  EXPECT_TRUE(pending.empty());
  EXPECT_OK(batch->Commit());
  EXPECT_EQ(Must(receiver_->ReadObject(ObjectKind::kTree, id)), tree);
  for (std::uint64_t i = 0; i < 200; ++i) {
    EXPECT_TRUE(ReadAll(*receiver_, hashes[i]) == Weights(40 * i, i));
  }
  EXPECT_TRUE(Must(receiver_->Verify()).empty());
}

TEST_F(TransferTest, WhatIsThereAlreadyIsNotStoredAgain) {
  const Series series(*sender_);
  const Bytes stream = Join(Records({series.contents[2].hash}));
  EXPECT_OK(Receive(stream));
  const std::uint64_t stored = receiver_->StoredBytes();
  EXPECT_OK(Receive(stream));
  EXPECT_EQ(receiver_->StoredBytes(), stored);
  // Twice in one stream.
  const auto third = Must(OpenStore(env_, "/third", kMaxPackBytes));
  const auto batch = Must(third->Begin());
  Bytes twice = stream;
  Append(twice, stream);
  EXPECT_OK(batch->PutRecords(twice));
  EXPECT_OK(batch->Commit());
  EXPECT_EQ(third->StoredBytes(), stored);
  for (const auto& damage : Must(third->Verify())) ADD_FAILURE() << damage.what;
}

TEST_F(TransferTest, AReceiverWithDeeperBasesKeepsTheDepthBounded) {
  // The receiver holds the base behind eight deltas of its own; the sender as planes.
  Bytes bytes = Weights(kMiB, 1);
  ContentRef last = PutOne(*receiver_, bytes, kFloat32);
  for (std::uint64_t i = 0; i < 8; ++i) {
    bytes = Trained(bytes, i + 2);
    last = PutOne(*receiver_, bytes, DeltaTo(last.hash));
  }
  PutOne(*sender_, bytes, kFloat32);
  const Bytes next = Trained(bytes, 77);
  const ContentRef tip = PutOne(*sender_, next, DeltaTo(last.hash));
  const auto has = [&](const Digest& hash) { return receiver_->HasContent(hash); };
  EXPECT_OK(Receive(Join(Records({tip.hash}, has))));
  EXPECT_TRUE(ReadAll(*receiver_, tip.hash) == next);
  const auto reopened = Must(ObjectStore::Open(env_, "/to"));
  EXPECT_TRUE(ReadAll(*reopened, tip.hash) == next);
  EXPECT_TRUE(Must(reopened->Verify()).empty());
}

TEST_F(TransferTest, EveryFlippedBitOfAStreamIsRefusedOrHarmless) {
  const Bytes base_bytes = Weights(5000, 1);
  const ContentRef base = PutOne(*sender_, base_bytes, kFloat32);
  const Bytes next = Trained(base_bytes, 2);
  const ContentRef tip = PutOne(*sender_, next, DeltaTo(base.hash));
  const Bytes stream = Join(Records({tip.hash}));
  for (std::size_t bit = 0; bit < stream.size() * 8; bit += bit < 8 * 400 ? 1 : 61) {
    Bytes bad = stream;
    bad[bit / 8] ^= static_cast<std::byte>(1 << (bit % 8));
    MemEnv env;
    const auto store = Must(ObjectStore::Open(env, "/s"));
    const auto batch = Must(store->Begin());
    Status status = batch->PutRecords(bad);
    if (status.ok()) status = batch->Commit();
    if (status.ok()) {
      // The sender's depth is the one field that a receiver works out for itself.
      EXPECT_TRUE(ReadAll(*store, tip.hash) == next) << "bit " << bit;
    } else {
      EXPECT_EQ(status.error().code(), ErrorCode::kCorrupt) << status.error().message();
      EXPECT_FALSE(store->HasContent(tip.hash));
    }
  }
}

struct Refused {
  std::string what;
  std::string words;
  Bytes stream;
};

TEST_F(TransferTest, HostileStreamsAreRefusedForTheRightReason) {
  const Bytes one_bytes = Noise(3 * kMiB, 1);
  const Bytes small = Weights(9000, 2);
  const ContentRef one = PutOne(*sender_, one_bytes);
  const ContentRef base = PutOne(*sender_, small, kFloat32);
  const ContentRef delta = PutOne(*sender_, Trained(small, 3), DeltaTo(base.hash));
  const std::vector<Bytes> good = Records({one.hash});
  ASSERT_EQ(good.size(), 4u);
  const std::vector<Bytes> chain = Records({delta.hash});
  ASSERT_EQ(chain.size(), 4u);

  const auto header = [](RecordHeader h, Bytes payload) {
    h.payload_bytes = static_cast<std::uint32_t>(payload.size());
    Bytes out;
    AppendRecordHeader(out, h);
    Append(out, payload);
    return out;
  };
  const auto patched = [](Bytes record, std::size_t at, std::uint32_t value) {
    std::memcpy(record.data() + at, &value, 4);
    return record;
  };
  Bytes bomb;
  AppendObjectRecord(bomb, ObjectKind::kTree,
                     Must(ComputeObjectId(ObjectKind::kTree, Bytes(100'000))), Bytes(100'000));
  RecordHeader empty_head;
  empty_head.type = RecordType::kHead;
  empty_head.key = one.hash;
  Bytes cut_table = chain[1];  // the base's block: PLANE
  const std::vector<Refused> cases = {
      {"a block before its head", "before its head", good[1]},
      {"a cut record", "cut short", Bytes(good[1].begin(), good[1].end() - 1)},
      {"a cut header", "cut short", Bytes(good[0].begin(), good[0].begin() + 47)},
      {"an unknown type", "unknown type", Bytes(48, std::byte{9})},
      {"a missing block", "misses 1 of 3", Join({good[0], good[1], good[2]})},
      {"a block under another number", "hash differs", Join({good[0], patched(good[1], 40, 1)})},
      {"a block number behind the end", "does not fit", Join({good[0], patched(good[1], 40, 3)})},
      {"a block number over the limit", "block number", patched(good[1], 40, 1U << 31)},
      {"a block over 1 MiB", "block length", patched(good[1], 44, kMiB + 1)},
      {"a content over the limit", "too long", patched(good[0], 44, 1U << 31)},
      {"chaining values that do not fit", "head length", patched(good[0], 4, 64)},
      {"a delta without its base", "not stored here", Join({chain[2], chain[3]})},
      {"a base that comes later", "not stored here",
       Join({chain[2], chain[3], chain[0], chain[1]})},
      {"a declared length over the limit", "too long", patched(bomb, 44, 1U << 31)},
      {"a frame of another length", "another length", patched(bomb, 44, 1U << 20)},
      {"an empty head under another hash", "another hash", header(empty_head, {})},
      {"plane lengths that overrun", "plane is too long",
       Join({chain[0], patched(cut_table, 48, 0xFFFFFFFF)})},
      {"an object under another id", "id differs",
       [&] {
         Bytes record;
         AppendObjectRecord(record, ObjectKind::kTree, one.hash, ToBytes("x"));
         return record;
       }()},
  };
  for (const Refused& refused : cases) {
    MemEnv env;
    const auto store = Must(ObjectStore::Open(env, "/s"));
    const auto batch = Must(store->Begin());
    Status status = batch->PutRecords(refused.stream);
    if (status.ok()) status = batch->Commit();
    ASSERT_FALSE(status.ok()) << refused.what;
    EXPECT_EQ(status.error().code(), ErrorCode::kCorrupt) << refused.what;
    EXPECT_NE(status.error().message().find(refused.words), std::string::npos)
        << refused.what << ": " << status.error().message();
    EXPECT_EQ(store->StoredBytes(), 0u);
  }
}

TEST_F(TransferTest, ErrorsNameTheRecordsOffset) {
  const Series series(*sender_);
  std::vector<Bytes> records = Records({series.contents[0].hash});
  records[1].back() ^= std::byte{1};
  const Status status = Receive(Join(records));
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message().find("offset " + std::to_string(records[0].size())),
            std::string::npos)
      << status.error().message();
}

TEST_F(TransferTest, LocationsAreByteRangesOfPackFiles) {
  const Series series(*sender_);
  for (const RecordLocation& where :
       Must(sender_->Locate({}, {series.contents[2].hash}, kHasNothing))) {
    Bytes record;
    EXPECT_OK(sender_->ReadRecord(where, record));
    const Bytes file = env_.ContentsOf(sender_->PackPath(where.pack));
    EXPECT_TRUE(std::equal(record.begin(), record.end(), file.begin() + where.offset));
  }
  Bytes out;
  EXPECT_ERROR(kNotFound, sender_->ReadRecord({"no.pack", 0, 1}, out));
  const auto first = Must(sender_->Locate({}, {series.contents[0].hash}, kHasNothing)).front();
  EXPECT_ERROR(kInvalidArgument, sender_->ReadRecord({first.pack, 1U << 30, 1}, out));
  EXPECT_ERROR(kInvalidArgument, sender_->ReadRecord({first.pack, 0, ~std::uint64_t{0}}, out));
  EXPECT_ERROR(kNotFound, sender_->Locate({}, {Digest{}}, kHasNothing));
  EXPECT_ERROR(kNotFound, sender_->Locate({{ObjectKind::kTree, Digest{}}}, {}, kHasNothing));
}

}  // namespace
}  // namespace flair
