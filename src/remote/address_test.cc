// SPDX-License-Identifier: Apache-2.0
#include "remote/address.h"

#include <gtest/gtest.h>

namespace flair {
namespace {

TEST(AddressTest, ReadsWhatUsersType) {
  const RepoAddress loopback{"http://127.0.0.1:8420", "alice", "digits"};
  EXPECT_EQ(*ParseRepoAddress("http://127.0.0.1:8420/alice/digits"), loopback);
  EXPECT_EQ(*ParseRepoAddress("http://127.0.0.1:8420/alice/digits/"), loopback);
  EXPECT_EQ(*ParseRepoAddress("alice/digits", "127.0.0.1:8420"), loopback);
  EXPECT_EQ(ParseRepoAddress("https://hub.example/a-b/c_d.e")->ToUrl(),
            "https://hub.example/a-b/c_d.e");
  EXPECT_EQ(*ParseHubUrl("hub.example"), "https://hub.example");
  EXPECT_EQ(*ParseHubUrl("localhost:1"), "http://localhost:1");
  EXPECT_EQ(*ParseHubUrl("[::1]:8420"), "http://[::1]:8420");
  EXPECT_EQ(HubDomain("http://127.0.0.1:8420"), "127.0.0.1:8420");
}

TEST(AddressTest, RefusesWhatIsNoAddress) {
  for (const char* text :
       {"", "/", "alice/digits", "http://", "http://h", "http://h/a", "http://h/a/b/c",
        "ftp://h/a/b", "file:///a/b", "http://user:pw@h/a/b", "http://h/../b", "http://h/a/.b",
        "http://h/a/b?x", "http://h/a/-b", "http://h/a/b c", "http://h\r\n/a/b", "http:///a/b"}) {
    const auto parsed = ParseRepoAddress(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().code(), ErrorCode::kInvalidArgument) << text;
  }
  EXPECT_FALSE(ParseHubUrl("http://h/path").ok());
}

}  // namespace
}  // namespace flair
