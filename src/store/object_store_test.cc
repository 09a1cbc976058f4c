// The store through its interface: what goes in comes out, and nothing else.
// SPDX-License-Identifier: Apache-2.0
#include "store/object_store.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <string>

#include "base/mem_env.h"
#include "base/threads.h"
#include "crypto/blake3.h"
#include "object/tree.h"
#include "store/store_testing.h"

namespace flair {
namespace {

class ObjectStoreTest : public testing::Test {
 protected:
  ObjectStoreTest() { Reopen(); }
  void Reopen() { store_ = Must(ObjectStore::Open(env_, "/store")); }

  MemEnv env_;
  std::unique_ptr<ObjectStore> store_;
};

TEST_F(ObjectStoreTest, EveryShapeAndSizeComesBackBitExactly) {
  const std::vector<std::size_t> sizes = {
      0, 1, 2, 3, 7, 8, 1000, 65537, kMiB - 1, kMiB, kMiB + 1, kMiB + 7, 2 * kMiB, 3 * kMiB + 5};
  std::vector<std::pair<ContentRef, Bytes>> stored;
  std::uint64_t seed = 1;
  for (const std::size_t size : sizes) {
    for (const std::uint64_t element : {1, 2, 4, 8}) {
      for (const bool is_float : {false, true}) {
        Bytes bytes = size % 2 == 0 ? Weights(size, ++seed) : Noise(size, ++seed);
        if (size > 100) bytes[0] = std::byte{1};
        const ContentRef content =
            PutOne(*store_, bytes, {.element_bytes = element, .is_float = is_float, .base = {}});
        EXPECT_EQ(content.hash, Blake3(bytes));
        EXPECT_EQ(content.size_bytes, size);
        stored.emplace_back(content, std::move(bytes));
      }
    }
  }
  Reopen();
  for (const auto& [content, bytes] : stored) {
    ASSERT_TRUE(store_->HasContent(content.hash));
    EXPECT_TRUE(ReadAll(*store_, content.hash) == bytes);
    Bytes streamed;
    EXPECT_OK(store_->StreamContent(content.hash, [&](ByteView piece) {
      EXPECT_LE(piece.size(), kMiB);
      Append(streamed, piece);
      return OkStatus();
    }));
    EXPECT_TRUE(streamed == bytes);
  }
  EXPECT_TRUE(Must(store_->Verify()).empty());
}

TEST_F(ObjectStoreTest, DeltasOfEveryElementSizeComeBackBitExactly) {
  for (const std::uint64_t element : {1, 2, 4, 8}) {
    const Bytes base_bytes = Weights(2 * kMiB + 12, 10 + element);
    const ContentRef base = PutOne(*store_, base_bytes);
    for (const std::size_t size : {base_bytes.size(), 2 * kMiB - 3, std::size_t{9}, 3 * kMiB}) {
      Bytes bytes = Trained(base_bytes, 20 + element);
      bytes.resize(size, std::byte{7});
      const ContentRef content = PutOne(*store_, bytes, DeltaTo(base.hash, element));
      EXPECT_TRUE(ReadAll(*store_, content.hash) == bytes) << element << ", " << size;
    }
  }
  Reopen();
  EXPECT_TRUE(Must(store_->Verify()).empty());
}

TEST_F(ObjectStoreTest, ADeltaIsMuchSmallerThanItsPlanes) {
  const Bytes first = Weights(4 * kMiB, 1);
  const ContentRef base = PutOne(*store_, first, kFloat32);
  const std::uint64_t alone = store_->StoredBytes();
  EXPECT_LT(alone, first.size() * 9 / 10);
  PutOne(*store_, Trained(first, 2), DeltaTo(base.hash));
  EXPECT_LT(store_->StoredBytes() - alone, alone * 8 / 10);
}

TEST_F(ObjectStoreTest, AChainOfDeltasStaysReadableAndBounded) {
  Bytes bytes = Weights(kMiB + 100, 1);
  ContentRef last = PutOne(*store_, bytes, kFloat32);
  for (std::uint64_t i = 0; i < 12; ++i) {
    bytes = Trained(bytes, 100 + i);
    last = PutOne(*store_, bytes, DeltaTo(last.hash));
    EXPECT_TRUE(ReadAll(*store_, last.hash) == bytes) << i;
  }
  Reopen();
  EXPECT_TRUE(ReadAll(*store_, last.hash) == bytes);
  // 13 versions, a delta through at most 8 bases: the transfer of the last needs at
  // most 9 contents of one head and two blocks each.
  const auto records = Must(store_->Locate({}, {last.hash}, [](const Digest&) { return false; }));
  EXPECT_LE(records.size(), 9u * 3);
  EXPECT_GT(records.size(), 3u);
}

TEST_F(ObjectStoreTest, StoringTwiceStoresOnce) {
  const Bytes bytes = Weights(kMiB + 9, 1);
  const auto batch = Must(store_->Begin());
  const ContentRef first = Must(Put(*batch, bytes));
  const ContentRef second = Must(Put(*batch, bytes));
  EXPECT_EQ(first, second);
  EXPECT_OK(batch->Commit());
  const std::uint64_t stored = store_->StoredBytes();
  PutOne(*store_, bytes);
  EXPECT_EQ(store_->StoredBytes(), stored);
  EXPECT_TRUE(Must(store_->Verify()).empty());
}

TEST_F(ObjectStoreTest, ReadsAnyRange) {
  const Bytes bytes = Weights(3 * kMiB + 77, 5);
  const ContentRef content = PutOne(*store_, bytes, kFloat32);
  const auto source = Must(store_->OpenContent(content.hash));
  EXPECT_EQ(source->size_bytes(), bytes.size());
  for (const auto& [offset, length] :
       std::vector<std::pair<std::size_t, std::size_t>>{{0, 1},
                                                        {kMiB - 1, 2},
                                                        {kMiB, kMiB},
                                                        {70, 3 * kMiB},
                                                        {bytes.size() - 1, 1},
                                                        {bytes.size(), 0},
                                                        {kMiB + 3, 5}}) {
    Bytes out(length);
    EXPECT_OK(store_->ReadContent(content.hash, offset, out));
    EXPECT_TRUE(std::equal(out.begin(), out.end(), bytes.begin() + offset));
    Bytes again(length);
    EXPECT_OK(source->ReadAt(offset, again));
    EXPECT_EQ(out, again);
  }
  Bytes out(2);
  EXPECT_ERROR(kInvalidArgument, store_->ReadContent(content.hash, bytes.size() - 1, out));
  EXPECT_ERROR(kCorrupt, source->ReadAt(bytes.size() - 1, out));
}

TEST_F(ObjectStoreTest, ObjectsComeBackByKindAndId) {
  const Bytes stored = EncodeTree(Tree{});
  const auto batch = Must(store_->Begin());
  const Digest id = Must(batch->PutObject(ObjectKind::kTree, stored));
  EXPECT_EQ(id, Must(ComputeObjectId(ObjectKind::kTree, stored)));
  EXPECT_EQ(id, Must(batch->PutObject(ObjectKind::kTree, stored)));
  EXPECT_FALSE(store_->HasObject(ObjectKind::kTree, id)) << "visible before Commit";
  EXPECT_OK(batch->Commit());
  EXPECT_TRUE(store_->HasObject(ObjectKind::kTree, id));
  EXPECT_FALSE(store_->HasObject(ObjectKind::kFile, id));
  Reopen();
  EXPECT_EQ(Must(store_->ReadObject(ObjectKind::kTree, id)), stored);
  EXPECT_ERROR(kNotFound, store_->ReadObject(ObjectKind::kCommit, id));
}

TEST_F(ObjectStoreTest, WhatIsNotCommittedIsNeverThere) {
  ContentRef content;
  {
    const auto batch = Must(store_->Begin());
    content = Must(Put(*batch, Weights(2 * kMiB, 1)));
    EXPECT_FALSE(store_->HasContent(content.hash));
  }
  Reopen();
  EXPECT_FALSE(store_->HasContent(content.hash));
  EXPECT_ERROR(kNotFound, store_->ContentBytes(content.hash));
  EXPECT_EQ(store_->StoredBytes(), 0u);
  EXPECT_TRUE(Must(env_.ListDir("/store/tmp")).empty());
  EXPECT_TRUE(Must(env_.ListDir("/store/packs")).empty());
}

TEST_F(ObjectStoreTest, ASpentBatchRefusesEverything) {
  const auto batch = Must(store_->Begin());
  EXPECT_OK(batch->Commit());
  EXPECT_ERROR(kInvalidArgument, batch->Commit());
  EXPECT_ERROR(kInvalidArgument, Put(*batch, Noise(10, 1)));
  EXPECT_ERROR(kInvalidArgument, batch->PutObject(ObjectKind::kTree, {}));
  EXPECT_ERROR(kInvalidArgument, batch->PutRecords({}));
}

TEST_F(ObjectStoreTest, OddElementSizesAreRefused) {
  const auto batch = Must(store_->Begin());
  for (const std::uint64_t element : {0, 3, 16}) {
    EXPECT_ERROR(kInvalidArgument, Put(*batch, Noise(10, 1), {.element_bytes = element}));
  }
}

TEST_F(ObjectStoreTest, ABaseThatIsNotStoredIsIgnored) {
  const Bytes bytes = Weights(kMiB, 1);
  const ContentRef content = PutOne(*store_, bytes, DeltaTo(Blake3(AsBytes("nothing"))));
  EXPECT_TRUE(ReadAll(*store_, content.hash) == bytes);
}

TEST_F(ObjectStoreTest, NoiseIsKeptAsItIs) {
  const Bytes bytes = Noise(4 * kMiB, 1);
  PutOne(*store_, bytes, kFloat32);
  EXPECT_GE(store_->StoredBytes(), bytes.size());
  EXPECT_LT(store_->StoredBytes(), bytes.size() + 2000);
}

TEST_F(ObjectStoreTest, ALargeContentSpansPacksOfAtMost64MiB) {
  const Bytes bytes = Noise(150 * kMiB + 3, 1);
  const ContentRef content = PutOne(*store_, bytes);
  const auto names = Must(env_.ListDir("/store/packs"));
  EXPECT_EQ(names.size(), 3u);
  for (const std::string& name : names) {
    EXPECT_LE(Must(env_.Stat("/store/packs/" + name)).size_bytes, 64 * kMiB);
    const Bytes pack = env_.ContentsOf("/store/packs/" + name);
    EXPECT_EQ(name, Blake3(pack).ToHex() + ".pack");
  }
  Reopen();
  EXPECT_TRUE(ReadAll(*store_, content.hash) == bytes);
}

TEST_F(ObjectStoreTest, TheNumberOfThreadsDoesNotShow) {
  const Bytes bytes = Weights(9 * kMiB + 1, 1);
  std::vector<std::uint64_t> sizes;
  for (const std::size_t threads : {1, 2, 5}) {
    SetThreadCount(threads);
    MemEnv env;
    const auto store = Must(ObjectStore::Open(env, "/s"));
    const ContentRef content = PutOne(*store, bytes, kFloat32);
    EXPECT_TRUE(ReadAll(*store, content.hash) == bytes);
    sizes.push_back(store->StoredBytes());
  }
  SetThreadCount(0);
  EXPECT_EQ(sizes[0], sizes[1]);
  EXPECT_EQ(sizes[0], sizes[2]);
}

// Different bytes on a second reading.
class ChangingSource final : public ByteSource {
 public:
  explicit ChangingSource(std::uint64_t size) : size_(size) {}
  std::uint64_t size_bytes() const override { return size_; }
  Status ReadAt(std::uint64_t offset, MutableByteView out) const override {
    std::fill(out.begin(), out.end(), std::byte{1});
    if (offset == 0) out[0] = static_cast<std::byte>(reads_++);
    return OkStatus();
  }

 private:
  std::uint64_t size_;
  mutable std::atomic<int> reads_{0};
};

TEST_F(ObjectStoreTest, ASourceThatChangesUnderneathIsNoticed) {
  const auto batch = Must(store_->Begin());
  EXPECT_ERROR(kConflict, batch->PutContent(ChangingSource(20 * kMiB), {}));
  // The batch goes on, and what the attempt left does no harm.
  const Bytes bytes = Weights(kMiB, 1);
  const ContentRef content = Must(Put(*batch, bytes));
  EXPECT_OK(batch->Commit());
  Reopen();
  EXPECT_TRUE(ReadAll(*store_, content.hash) == bytes);
  EXPECT_TRUE(Must(store_->Verify()).empty());
}

TEST_F(ObjectStoreTest, ASinkThatFailsStopsTheStream) {
  const ContentRef content = PutOne(*store_, Noise(5 * kMiB, 1));
  int pieces = 0;
  EXPECT_ERROR(kCancelled, store_->StreamContent(content.hash, [&](ByteView) -> Status {
    if (++pieces == 2) return Error(ErrorCode::kCancelled, "enough");
    return OkStatus();
  }));
  EXPECT_EQ(pieces, 2);
}

TEST_F(ObjectStoreTest, AnotherProcessSeesABatchAfterRefresh) {
  const auto other = Must(ObjectStore::Open(env_, "/store"));
  const ContentRef content = PutOne(*store_, Noise(1000, 1));
  EXPECT_FALSE(other->HasContent(content.hash));
  EXPECT_OK(other->Refresh());
  EXPECT_TRUE(other->HasContent(content.hash));
  EXPECT_EQ(other->StoredBytes(), store_->StoredBytes());
}

TEST_F(ObjectStoreTest, HashesAgreeWithB3sum) {
  if (std::system("command -v b3sum > /dev/null 2>&1") != 0) GTEST_SKIP() << "no b3sum here";
  const std::string path = testing::TempDir() + "/flair-b3sum-" + std::to_string(getpid());
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, kMiB, kMiB + 1, 3 * kMiB + 1025, 17 * kMiB + 5}) {
    const Bytes bytes = Noise(size, size);
    FILE* file = std::fopen(path.c_str(), "wb");
    ASSERT_EQ(std::fwrite(bytes.data(), 1, size, file), size);
    std::fclose(file);
    FILE* pipe = popen(("b3sum --no-names " + path).c_str(), "r");
    std::array<char, 65> text{};
    ASSERT_EQ(std::fread(text.data(), 1, 64, pipe), 64u);
    pclose(pipe);
    EXPECT_EQ(PutOne(*store_, bytes).hash.ToHex(), text.data()) << size;
  }
  std::remove(path.c_str());
}

}  // namespace
}  // namespace flair
