// Bytes that are no proof of a run. SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "proof/run_proof.h"

namespace flair::proof {
namespace {

using testing::HasSubstr;

ChunkProof Chunk() {
  ChunkProof chunk;
  chunk.statement.num_steps = 1;
  chunk.proof.resize(3);
  return chunk;
}

// Of the bytes, and of the file by its lengths alone: the same.
std::string Says(ByteView bytes) {
  const auto chunks = DecodeRunProof(bytes);
  std::string said = chunks.ok() ? "accepted" : chunks.error().message();
  const Status lengths = CheckLengths(*SourceOfBytes(bytes));
  EXPECT_EQ(lengths.ok() ? "accepted" : lengths.error().message(), said);
  return said;
}

TEST(RunBytesTest, WhatWasWrittenIsRead) {
  const Bytes bytes = EncodeRunProof({Chunk(), Chunk()});
  EXPECT_EQ(EncodeRunProof(DecodeRunProof(bytes).value()), bytes);
  EXPECT_EQ(Says(bytes), "accepted");
}

// Its k-th read fails.
class FailingSource final : public ByteSource {
 public:
  FailingSource(ByteView bytes, int fails) : bytes_(SourceOfBytes(bytes)), left_(fails) {}
  std::uint64_t size_bytes() const override { return bytes_->size_bytes(); }
  Status ReadAt(std::uint64_t offset, MutableByteView out) const override {
    if (left_-- == 0) return Error(ErrorCode::kIo, "the disk is gone");
    return bytes_->ReadAt(offset, out);
  }

 private:
  std::shared_ptr<const ByteSource> bytes_;
  mutable int left_;
};

TEST(RunBytesTest, AReadThatFailsIsSaid) {
  const Bytes bytes = EncodeRunProof({Chunk(), Chunk()});
  for (int k = 0; k < 5; ++k) {  // the head, and two lengths of each chunk
    EXPECT_THAT(CheckLengths(FailingSource(bytes, k)).error().message(),
                HasSubstr("the disk is gone"))
        << k;
  }
  EXPECT_TRUE(CheckLengths(FailingSource(bytes, 5)).ok());
}

TEST(RunBytesTest, WhatIsNoProofOfARunIsRefused) {
  const Bytes bytes = EncodeRunProof({Chunk(), Chunk()});
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    EXPECT_THAT(Says(ByteView(bytes).first(n)), HasSubstr(n < 10 ? "no proof of a run" : "cut off"))
        << n;
  }
  const auto changed = [&](std::size_t at, std::byte value) {
    Bytes other = bytes;
    other[at] = value;
    return Says(other);
  };
  EXPECT_THAT(changed(0, std::byte{}), HasSubstr("no proof of a run"));
  EXPECT_THAT(changed(4, std::byte{9}), HasSubstr("a version"));
  EXPECT_THAT(changed(6, std::byte{3}), HasSubstr("cut off"));
  EXPECT_THAT(changed(6, std::byte{1}), HasSubstr("behind the last chunk"));
  EXPECT_THAT(Says(EncodeRunProof({})), HasSubstr("a proof of 0 chunks"));
  EXPECT_THAT(changed(9, std::byte{1}), HasSubstr("a proof of 16777218 chunks"));
  // A length beyond the bytes that are left.
  EXPECT_THAT(changed(13, std::byte{1}), HasSubstr("the statement is cut off"));
  Bytes longer = EncodeChunk(Chunk());
  ASSERT_TRUE(DecodeChunk(longer).ok());
  longer.push_back({});
  EXPECT_FALSE(DecodeChunk(longer).ok());
}

}  // namespace
}  // namespace flair::proof
