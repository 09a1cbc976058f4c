// Signatures must be strict: a signature that two verifiers judge differently, or
// that holds for several messages or keys, would let a commit change its author.
// SPDX-License-Identifier: Apache-2.0
#include "crypto/ed25519.h"

#include <gtest/gtest.h>
#include <sodium/crypto_core_ed25519.h>
#include <sodium/crypto_hash_sha512.h>

#include <algorithm>

#include "base/hex.h"

namespace flair {
namespace {

using Seed = std::array<std::byte, 32>;

Seed SeedOf(std::string_view hex) {
  const Bytes raw = FromHex(hex).value();
  Seed seed;
  std::copy(raw.begin(), raw.end(), seed.begin());
  return seed;
}

Wallet WalletOf(std::string_view hex) { return Wallet::FromBytes(FromHex(hex).value()).value(); }

Signature SignatureOf(ByteView r, ByteView s) {
  Signature out;
  std::copy(r.begin(), r.end(), out.begin());
  std::copy(s.begin(), s.end(), out.begin() + 32);
  return out;
}

unsigned char* Raw(std::byte* p) { return reinterpret_cast<unsigned char*>(p); }
const unsigned char* Raw(const std::byte* p) { return reinterpret_cast<const unsigned char*>(p); }

// h = SHA-512(R || A || M) mod L
std::array<std::byte, 32> ChallengeOf(ByteView r, const Wallet& a, ByteView message) {
  Bytes input(r.begin(), r.end());
  Append(input, a.view());
  Append(input, message);
  std::array<std::byte, 64> wide;
  crypto_hash_sha512(Raw(wide.data()), Raw(input.data()), input.size());
  std::array<std::byte, 32> h;
  crypto_core_ed25519_scalar_reduce(Raw(h.data()), Raw(wide.data()));
  return h;
}

ErrorCode Verdict(const Wallet& w, ByteView message, const Signature& s) {
  const Status verdict = VerifySignature(w, message, s);
  return verdict.ok() ? ErrorCode{0} : verdict.error().code();
}

// RFC 8032, section 7.1.
TEST(Ed25519, MatchesTheStandardsVectors) {
  const struct {
    const char* seed;
    const char* wallet;
    const char* message;
    const char* signature;
  } kVectors[] = {
      {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
       "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
       "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf"
       "9"
       "b46bd25bf5f0595bbe24655141438e7a100b"},
      {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
       "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
       "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f"
       "1"
       "1d8c387b2eaeb4302aeeb00d291612bb0c00"},
      {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
       "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
       "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984"
       "d"
       "c6594a7c15e9716ed28dc027beceea1ec40a"},
      {"833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
       "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
       "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3f"
       "e"
       "ebbd454d4423643ce80e2a9ac94fa54ca49f",
       "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c6643"
       "1"
       "e0303dca179c138ac17ad9bef1177331a704"},
  };
  for (const auto& v : kVectors) {
    const Keypair key = Keypair::FromSeed(SeedOf(v.seed));
    const Bytes message = FromHex(v.message).value();
    EXPECT_EQ(ToHex(key.wallet().view()), v.wallet);
    const Signature signature = key.Sign(message);
    EXPECT_EQ(ToHex(signature), v.signature);
    EXPECT_TRUE(VerifySignature(key.wallet(), message, signature).ok());
  }
}

// For a key of small order, R = identity and S = 0 hold for one message in eight
// or fewer tries, whoever "signs".
TEST(Ed25519, RefusesEveryKeyOfSmallOrder) {
  const char* const kKeys[] = {
      // The eight points, canonical.
      "0100000000000000000000000000000000000000000000000000000000000000",
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "0000000000000000000000000000000000000000000000000000000000000000",
      "0000000000000000000000000000000000000000000000000000000000000080",
      "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
      "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
      "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
      "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
      // The same, written with y + p or with the sign of x = 0.
      "0100000000000000000000000000000000000000000000000000000000000080",
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
      "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
      "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
  };
  for (const char* key : kKeys) {
    for (const char* r : kKeys) {
      const Signature forged = SignatureOf(FromHex(r).value(), Bytes(32));
      for (unsigned i = 0; i < 64; ++i) {
        const std::string message = "Flair commit v1\n" + std::to_string(i);
        ASSERT_EQ(Verdict(WalletOf(key), AsBytes(message), forged), ErrorCode::kRejected)
            << key << " with R " << r;
      }
    }
  }
}

// R = identity with an honest key: S = h a solves the equation, so a verifier
// without the check accepts. Only the key's owner can make one, but then one
// nonce serves for every message.
TEST(Ed25519, RefusesAnRofSmallOrder) {
  const Seed seed = SeedOf("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
  const Keypair key = Keypair::FromSeed(seed);
  std::array<std::byte, 64> a;
  crypto_hash_sha512(Raw(a.data()), Raw(seed.data()), seed.size());
  a[0] &= std::byte{248};
  a[31] &= std::byte{127};
  a[31] |= std::byte{64};

  Bytes identity(32);
  identity[0] = std::byte{1};
  const ByteView message = AsBytes("anything");
  const auto h = ChallengeOf(identity, key.wallet(), message);
  std::array<std::byte, 32> s;
  crypto_core_ed25519_scalar_mul(Raw(s.data()), Raw(h.data()), Raw(a.data()));
  EXPECT_EQ(Verdict(key.wallet(), message, SignatureOf(identity, s)), ErrorCode::kRejected);

  // The construction is right: with R = the base point (nonce 1) it passes.
  std::array<std::byte, 32> one{std::byte{1}};
  const Bytes base =
      FromHex("5866666666666666666666666666666666666666666666666666666666666666").value();
  const auto h1 = ChallengeOf(base, key.wallet(), message);
  crypto_core_ed25519_scalar_mul(Raw(s.data()), Raw(h1.data()), Raw(a.data()));
  crypto_core_ed25519_scalar_add(Raw(s.data()), Raw(s.data()), Raw(one.data()));
  EXPECT_TRUE(VerifySignature(key.wallet(), message, SignatureOf(base, s)).ok());
}

TEST(Ed25519, RefusesAnSThatIsNotReduced) {
  // L, the order of the base point; S + L solves the same equation.
  const Bytes order =
      FromHex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010").value();
  const Keypair key = Keypair::FromSeed({});
  const ByteView message = AsBytes("m");
  Signature s = key.Sign(message);
  ASSERT_TRUE(VerifySignature(key.wallet(), message, s).ok());
  for (int times = 1; times <= 14; ++times) {
    unsigned carry = 0;
    for (std::size_t i = 0; i < 32; ++i) {
      carry += std::to_integer<unsigned>(s[32 + i]) + std::to_integer<unsigned>(order[i]);
      s[32 + i] = static_cast<std::byte>(carry);
      carry >>= 8;
    }
    if (carry != 0) break;
    EXPECT_EQ(Verdict(key.wallet(), message, s), ErrorCode::kRejected) << "S + " << times << " L";
  }
}

TEST(Ed25519, RefusesKeysThatAreNoCanonicalPoint) {
  const struct {
    const char* name;
    const char* key;
  } kKeys[] = {
      {"y = p + 3", "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
      {"y = 2^255 - 1", "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
      {"y = 2, on no point", "0200000000000000000000000000000000000000000000000000000000000000"},
  };
  const Signature s = Keypair::FromSeed({}).Sign(AsBytes("m"));
  for (const auto& k : kKeys) {
    EXPECT_EQ(Verdict(WalletOf(k.key), AsBytes("m"), s), ErrorCode::kRejected) << k.name;
  }
}

TEST(Ed25519, EveryBitCounts) {
  const Keypair key = Keypair::FromSeed({});
  const Bytes message = ToBytes("Flair commit v1\n");
  const Signature good = key.Sign(message);
  for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
    Signature s = good;
    s[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    ASSERT_EQ(Verdict(key.wallet(), message, s), ErrorCode::kRejected) << bit;
  }
  for (std::size_t bit = 0; bit < 8 * Wallet::kBytes; ++bit) {
    Wallet w = key.wallet();
    w.bytes[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    ASSERT_EQ(Verdict(w, message, good), ErrorCode::kRejected) << bit;
  }
}

TEST(Keypair, SecretBytesComeBackOnlyWhole) {
  const Keypair key = Keypair::FromSeed({});
  const Bytes secret(key.secret().begin(), key.secret().end());
  EXPECT_EQ(Keypair::FromSecret(secret).value().wallet(), key.wallet());
  EXPECT_EQ(Keypair::FromSecret(ByteView(secret).first(32)).error().code(), ErrorCode::kCorrupt);
  Bytes mixed = secret;
  mixed[40] ^= std::byte{1};  // a public half of another key leaks the secret when it signs
  EXPECT_EQ(Keypair::FromSecret(mixed).error().code(), ErrorCode::kCorrupt);
}

TEST(Keypair, MovingWipesTheSource) {
  Keypair from = Keypair::FromSeed({});
  const Keypair to = std::move(from);
  EXPECT_TRUE(std::all_of(from.secret().begin(),
                          from.secret().end(),  // NOLINT: looked at on purpose
                          [](std::byte b) { return b == std::byte{0}; }));
  EXPECT_NE(to.secret()[63], from.secret()[63]);
}

}  // namespace
}  // namespace flair
