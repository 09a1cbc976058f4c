// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/sign_in.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/hub_testing.h"
#include "wire/auth.h"

namespace flair::hub {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kSecond = 1'000'000'000;

class SignInTest : public testing::Test {
 protected:
  Answer Challenge(const Keypair& key, const std::string& scopes = R"(["read"])") {
    return hub_.Ask(Method::kPost, "/api/v1/auth/challenge", "",
                    R"({"wallet":")" + key.wallet().ToBase58() + R"(","scopes":)" + scopes + "}");
  }
  Answer Session(const std::string& body) {
    return hub_.Ask(Method::kPost, "/api/v1/auth/session", "", body);
  }

  TestHub hub_;
  Keypair alice_ = TestKey(1);
  Keypair mallory_ = TestKey(2);
};

TEST_F(SignInTest, AWalletSignsInAndIsKnown) {
  const std::string token = hub_.SignIn(alice_);
  EXPECT_EQ(token.substr(0, 4), "flr_");
  EXPECT_EQ(token.size(), 47u);
  const Answer who = hub_.Ask(Method::kGet, "/api/v1/auth/whoami", token);
  EXPECT_EQ(who.status, 200);
  EXPECT_EQ(who.body.at("wallet").as_string(), alice_.wallet().ToBase58());
}

TEST_F(SignInTest, TheTextIsForThisHubWalletAndNonceOnly) {
  const Answer c = Challenge(alice_);
  const std::string text(c.body.at("text").as_string());
  EXPECT_TRUE(wire::CheckSignInText(text, "hub.test", alice_.wallet(),
                                    c.body.at("nonce").as_string().c_str())
                  .ok())
      << text;
  EXPECT_THAT(text, HasSubstr("\nURI: http://hub.test\nVersion: 1\n"));
  EXPECT_THAT(text, HasSubstr("\nExpiration Time: "));
  EXPECT_THAT(text, HasSubstr("\n- urn:flair:scope:read"));
}

TEST_F(SignInTest, AReplayedSignInIsRefused) {
  const Answer c = Challenge(alice_);
  const std::string body = TestHub::SessionBody(c, alice_);
  EXPECT_EQ(Session(body).status, 200);
  const Answer again = Session(body);
  EXPECT_EQ(again.status, 401);
  EXPECT_THAT(again.text, HasSubstr("used or expired"));
}

TEST_F(SignInTest, AnotherWalletsSignatureIsRefused) {
  const Answer c = Challenge(alice_);
  EXPECT_EQ(Session(TestHub::SessionBody(c, mallory_)).status, 401);
  // And costs the rightful one nothing.
  EXPECT_EQ(Session(TestHub::SessionBody(c, alice_)).status, 200);
}

TEST_F(SignInTest, AnOldChallengeIsRefused) {
  const Answer c = Challenge(alice_);
  hub_.env().SetNowNs(hub_.env().NowNs() + (kNonceSeconds + 1) * kSecond);
  EXPECT_EQ(Session(TestHub::SessionBody(c, alice_)).status, 401);
}

TEST_F(SignInTest, ASignatureOfOneChallengeOpensNoOther) {
  const Answer first = Challenge(alice_);
  const Answer second = Challenge(alice_);
  std::string body = TestHub::SessionBody(first, alice_);
  const std::string from(first.body.at("nonce").as_string());
  body.replace(body.find(from), from.size(), std::string(second.body.at("nonce").as_string()));
  EXPECT_EQ(Session(body).status, 401);
}

TEST_F(SignInTest, BrokenRequestsAreToldWhatIsWrong) {
  const struct {
    const char* body;
    int status;
  } kCases[] = {
      {"", 400},
      {"{", 400},
      {"[]", 400},
      {R"({"wallet":"x","scopes":["read"]})", 400},
      {R"({"wallet":5})", 400},
      {R"({"wallet":"a","wallet":"b"})", 400},
  };
  for (const auto& c : kCases) {
    EXPECT_EQ(hub_.Ask(Method::kPost, "/api/v1/auth/challenge", "", c.body).status, c.status)
        << c.body;
  }
  EXPECT_EQ(Challenge(alice_, R"(["rule"])").status, 400);
  const Answer c = Challenge(alice_);
  const std::string nonce(c.body.at("nonce").as_string());
  EXPECT_EQ(Session(R"({"nonce":")" + nonce + R"(","signature":"zz"})").status, 400);
  EXPECT_EQ(Session(R"({"nonce":")" + nonce + R"(","signature":"00"})").status, 400);
  EXPECT_EQ(Session(R"({"nonce":"x","signature":")" + std::string(128, '0') + "\"}").status, 401);
}

TEST_F(SignInTest, OpenChallengesOfAWalletAreBounded) {
  for (int i = 0; i < kMaxOpenNonces; ++i) EXPECT_EQ(Challenge(alice_).status, 200);
  EXPECT_EQ(Challenge(alice_).status, 429);
  EXPECT_EQ(Challenge(mallory_).status, 200);
}

TEST_F(SignInTest, ASessionEndsWhenToldTo) {
  const std::string token = hub_.SignIn(alice_);
  EXPECT_EQ(hub_.Ask(Method::kDelete, "/api/v1/auth/session", token).status, 204);
  EXPECT_EQ(hub_.Ask(Method::kGet, "/api/v1/auth/whoami", token).status, 401);
}

TEST_F(SignInTest, ADeployTokenIsListedLimitedAndRevoked) {
  const std::string token = hub_.SignIn(alice_);
  EXPECT_EQ(hub_.Ask(Method::kPost, "/api/v1/auth/tokens", token, R"({"scopes":["mint"]})").status,
            403);
  EXPECT_EQ(
      hub_.Ask(Method::kPost, "/api/v1/auth/tokens", token, R"({"scopes":["read"],"days":1000})")
          .status,
      400);
  const Answer made =
      hub_.Ask(Method::kPost, "/api/v1/auth/tokens", token, R"({"scopes":["read"],"days":7})");
  ASSERT_EQ(made.status, 201) << made.text;
  const std::string deploy(made.body.at("token").as_string());
  const std::string id(made.body.at("id").as_string());
  EXPECT_EQ(hub_.Ask(Method::kGet, "/api/v1/auth/whoami", deploy).status, 200);
  EXPECT_EQ(hub_.Ask(Method::kGet, "/api/v1/auth/tokens", deploy).status, 403);
  const Answer listed = hub_.Ask(Method::kGet, "/api/v1/auth/tokens", token);
  EXPECT_THAT(listed.text, HasSubstr(id));
  EXPECT_THAT(listed.text, testing::Not(HasSubstr(deploy)));
  EXPECT_EQ(hub_.Ask(Method::kDelete, "/api/v1/auth/tokens/" + id, token).status, 204);
  EXPECT_EQ(hub_.Ask(Method::kGet, "/api/v1/auth/whoami", deploy).status, 401);
  EXPECT_EQ(hub_.Ask(Method::kDelete, "/api/v1/auth/tokens/" + id, token).status, 404);
}

TEST_F(SignInTest, HandlesAreFirstComeAndPlain) {
  const std::string alice = hub_.SignIn(alice_);
  const std::string mallory = hub_.SignIn(mallory_);
  const auto set = [&](const std::string& token, const std::string& handle) {
    return hub_.Ask(Method::kPut, "/api/v1/auth/handle", token, R"({"handle":")" + handle + "\"}")
        .status;
  };
  EXPECT_EQ(set(alice, "alice"), 200);
  EXPECT_EQ(set(alice, "alice"), 200);
  EXPECT_EQ(set(mallory, "alice"), 409);
  for (const char* bad : {"al", "Alice", "a_b", "-ab", "ab-", "api", "healthz", "metrics", "assets",
                          "abcdefghijklmnopqrstuvwxyz123456", "al ice", ""}) {
    EXPECT_EQ(set(mallory, bad), 400) << bad;
  }
  EXPECT_EQ(set(mallory, "mallory-1"), 200);
}

TEST(RateLimitTest, CountsByMinuteAndPeer) {
  RateLimit limit(2);
  EXPECT_TRUE(limit.Allow("a", 0));
  EXPECT_TRUE(limit.Allow("a", 59));
  EXPECT_FALSE(limit.Allow("a", 59));
  EXPECT_TRUE(limit.Allow("b", 59));
  EXPECT_TRUE(limit.Allow("a", 60));
}

}  // namespace
}  // namespace flair::hub
