// SHA-256 against NIST's examples and libsodium.
// SPDX-License-Identifier: Apache-2.0
#include "crypto/sha256.h"

#include <gtest/gtest.h>
#include <sodium/crypto_hash_sha256.h>

namespace flair {
namespace {

TEST(Sha256Test, Fips180Examples) {
  EXPECT_EQ(Sha256({}).ToHex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256(AsBytes("abc")).ToHex(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256(AsBytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")).ToHex(),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(Sha256Test, EveryLengthAroundTheBlocksAgreesWithAnotherLibrary) {
  Bytes data;
  for (std::size_t size = 0; size < 300; ++size) {
    Digest expected;
    crypto_hash_sha256(reinterpret_cast<unsigned char*>(expected.bytes.data()),
                       reinterpret_cast<const unsigned char*>(data.data()), data.size());
    ASSERT_EQ(Sha256(data), expected) << size;
    data.push_back(static_cast<std::byte>(size * 37 + 11));
  }
}

TEST(Sha256Test, BlockByBlockIsTheWhole) {
  const Bytes data(5 * Sha256State::kBlockBytes + 7, std::byte{9});
  Sha256State state;
  for (std::size_t at = 0; at + Sha256State::kBlockBytes <= data.size();
       at += Sha256State::kBlockBytes) {
    state.Compress(ByteView(data).subspan(at, Sha256State::kBlockBytes));
  }
  EXPECT_EQ(state.Finish(ByteView(data).last(7), data.size()), Sha256(data));
}

}  // namespace
}  // namespace flair
