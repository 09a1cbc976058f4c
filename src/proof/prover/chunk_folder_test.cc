// Chunks that wait to be kept: their bytes, and what becomes of them.
// SPDX-License-Identifier: Apache-2.0
#include "proof/prover/chunk_folder.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/mem_env.h"

namespace flair::proof {
namespace {

PendingChunk Example() {
  PendingChunk pending;
  pending.chunk.statement.first_step = 6;
  pending.chunk.statement.num_steps = 2;
  pending.chunk.proof = ToBytes("a proof");
  const MatrixId matrix{.shape = {.log_columns = 6,
                                  .log_n = 8,
                                  .num_rows = 3,
                                  .num_pads = 20,
                                  .kind = zk::MatrixKind::kData},
                        .root = {}};
  pending.shown = {{matrix, {1, 7, 200}}, {matrix, {}}};
  return pending;
}

TEST(ChunkFolderTest, BytesComeBackAndOthersAreRefused) {
  const Bytes bytes = EncodePending(Example());
  const auto back = DecodePending(bytes);
  ASSERT_TRUE(back.ok()) << back.error().message();
  EXPECT_EQ(back->shown, Example().shown);
  EXPECT_EQ(back->chunk.proof, Example().chunk.proof);
  EXPECT_EQ(back->chunk.statement.Hash(), Example().chunk.statement.Hash());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(DecodePending(ByteView(bytes).first(size)).ok()) << size;
  }
  Bytes longer = bytes;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(DecodePending(longer).ok());
}

TEST(ChunkFolderTest, WhatWaitsIsCountedAndNamed) {
  MemEnv env;
  std::uint64_t counted = 0;
  Status answer = Error(ErrorCode::kIo, "full");
  ChunkFolder folder =
      ChunkFolder::Open(env, "/chunks", [&](const MatrixId&, std::span<const std::uint64_t> c) {
        counted += c.size();
        return answer;
      }).value();
  EXPECT_FALSE(folder.Keep(Example()).ok());
  EXPECT_FALSE(folder.Read(6).has_value()) << "it is not counted";
  ASSERT_EQ(ChunkFolder::Statements(env, "/chunks").size(), 1U);
  EXPECT_EQ(ChunkFolder::Statements(env, "/chunks")[0].num_steps, 2U);
  EXPECT_FALSE(folder.Settle(6).ok());
  answer = OkStatus();
  counted = 0;
  ASSERT_TRUE(folder.Settle(6).ok());
  EXPECT_EQ(counted, 3U);
  ASSERT_TRUE(folder.Read(6).has_value());
  EXPECT_EQ(ChunkFolder::Statements(env, "/chunks").size(), 1U);
  ASSERT_TRUE(folder.Settle(6).ok());
  EXPECT_EQ(counted, 3U) << "nothing waits any more";
}

TEST(ChunkFolderTest, WhatMayNotBeShownAnyMoreIsDropped) {
  MemEnv env;
  Status answer = Error(ErrorCode::kIo, "full");
  ChunkFolder folder =
      ChunkFolder::Open(env, "/chunks", [&](const MatrixId&, std::span<const std::uint64_t>) {
        return answer;
      }).value();
  EXPECT_FALSE(folder.Keep(Example()).ok());
  answer = Error(ErrorCode::kConflict, "others were faster");
  ASSERT_TRUE(folder.Settle(6).ok());
  EXPECT_FALSE(folder.Read(6).has_value());
  answer = OkStatus();
  ASSERT_TRUE(folder.Settle(6).ok());
  EXPECT_FALSE(folder.Read(6).has_value());
}

}  // namespace
}  // namespace flair::proof
