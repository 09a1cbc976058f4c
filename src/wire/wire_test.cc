// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include "object/attachment.h"
#include "wire/auth.h"
#include "wire/problem.h"
#include "wire/proposals.h"
#include "wire/repos.h"
#include "wire/transfer.h"

namespace flair::wire {
namespace {

using ::testing::HasSubstr;

std::string Hex(char digit) { return std::string(64, digit); }
CommitId CommitOf(char digit) { return *CommitId::FromHex(Hex(digit)); }
Digest DigestOf(char digit) { return *Digest::FromHex(Hex(digit)); }

TEST(WireJsonTest, RefusesRepeatedKeysAtEveryDepth) {
  for (const char* text : {R"({"a":1,"a":2})", R"({"x":{"a":1,"b":2,"a":3}})",
                           R"([{"k":1},{"k":1,"k":1}])", R"({"a":1,"\u0061":2})"}) {
    const auto parsed = ParseJson(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(parsed.error().message(), HasSubstr("repeats")) << text;
  }
  EXPECT_TRUE(ParseJson(R"({"a":{"a":1},"b":{"a":1}})").ok());
}

TEST(WireJsonTest, RefusesWhatIsNotExactlyOneValue) {
  std::string deep(40, '[');
  deep += std::string(40, ']');
  for (const std::string& text : {std::string(), std::string("{"), std::string("{} {}"),
                                  std::string("{\"a\":}"), std::string("nul"), std::string("[1,]"),
                                  std::string("\"\xff\""), std::string("{\"a\":1}x"), deep}) {
    const auto parsed = ParseJson(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().code(), ErrorCode::kInvalidArgument) << text;
  }
  EXPECT_EQ(ParseJson("[1,2,3]", 3).error().code(), ErrorCode::kUnsupported);
  EXPECT_TRUE(ParseJson(" {\"a\": [1, 2.5, \"x\", null, true]} \n").ok());
}

TEST(WireJsonTest, NamesTheMemberThatIsWrong) {
  const auto o = *ParseObject(R"({"n":-1,"s":5,"l":["a",1],"b":"x"})");
  EXPECT_THAT(GetUint(o, "n").error().message(), HasSubstr("'n'"));
  EXPECT_THAT(GetString(o, "s").error().message(), HasSubstr("'s'"));
  EXPECT_THAT(GetStrings(o, "l", 10).error().message(), HasSubstr("'l'"));
  EXPECT_EQ(GetStrings(o, "l", 1).error().code(), ErrorCode::kUnsupported);
  EXPECT_FALSE(GetBoolOr(o, "b", true).ok());
  EXPECT_FALSE(GetString(o, "absent").ok());
}

// Of tests/vectors/wire.json, which reference/wire.py prints.
TEST(WireVectorsTest, EveryMessageIsReadAndWrittenAsTheReferenceDoes) {
  std::ifstream in(FLAIR_SOURCE_DIR "/tests/vectors/wire.json");
  std::stringstream text;
  text << in.rdbuf();
  const auto vectors = ParseObject(text.str());
  ASSERT_TRUE(vectors.ok()) << vectors.error().message();
  const auto again = [](auto decoded) -> std::string {
    EXPECT_TRUE(decoded.ok()) << decoded.error().message();
    return decoded.ok() ? Encode(*decoded) : "";
  };
  const std::map<std::string, std::function<std::string(std::string_view)>> kinds = {
      {"fetch_request", [&](std::string_view t) { return again(DecodeFetchRequest(t)); }},
      {"fetch_plan", [&](std::string_view t) { return again(DecodeFetchPlan(t)); }},
      {"push_request", [&](std::string_view t) { return again(DecodePushRequest(t)); }},
      {"push_state", [&](std::string_view t) { return again(DecodePushState(t)); }},
      {"finish_request", [&](std::string_view t) { return again(DecodeFinishRequest(t)); }},
      {"finish_result", [&](std::string_view t) { return again(DecodeFinishResult(t)); }}};
  std::set<std::string> seen;
  for (const json::value& vector : vectors->at("messages").as_array()) {
    const std::string name(vector.at("message").as_string());
    const std::string sent = json::serialize(vector.at("json"));
    const auto written = ParseJson(kinds.at(name)(sent));
    ASSERT_TRUE(written.ok()) << name;
    EXPECT_EQ(*written, vector.at("json")) << name << ": " << json::serialize(*written);
    seen.insert(name);
  }
  EXPECT_EQ(seen.size(), kinds.size());
}

TEST(WireTransferTest, FetchRequestsSurviveARoundTrip) {
  FetchRequest m;
  m.wants = {CommitOf('a'), CommitOf('b')};
  m.haves = {CommitOf('c')};
  m.have_contents = {DigestOf('d')};
  m.tensors_glob = "layer[01].*";
  m.depth = 3;
  m.partial = true;
  const auto back = DecodeFetchRequest(Encode(m));
  ASSERT_TRUE(back.ok()) << back.error().message();
  EXPECT_EQ(back->wants, m.wants);
  EXPECT_EQ(back->haves, m.haves);
  EXPECT_EQ(back->have_contents, m.have_contents);
  EXPECT_EQ(back->tensors_glob, m.tensors_glob);
  EXPECT_EQ(back->depth, 3u);
  EXPECT_TRUE(back->partial);
}

TEST(WireTransferTest, FetchPlansSurviveARoundTrip) {
  FetchPlan m;
  m.objects = {{ObjectKind::kCommit, DigestOf('1')}, {ObjectKind::kAttachment, DigestOf('2')}};
  m.pieces = {{Hex('e') + ".pack", 64, 100, false}, {Hex('f') + ".pack", 0, 7, true}};
  m.shallow = {CommitOf('1')};
  m.total_bytes = 107;
  const auto back = DecodeFetchPlan(Encode(m));
  ASSERT_TRUE(back.ok()) << back.error().message();
  EXPECT_EQ(*back, m);
}

TEST(WireTransferTest, PushMessagesSurviveARoundTrip) {
  PushRequest request{.target = "main",
                      .source_branch = "site-b",
                      .tip = CommitOf('a'),
                      .objects = {{ObjectKind::kTree, DigestOf('b')}},
                      .contents = {DigestOf('c')}};
  const auto request_back = DecodePushRequest(Encode(request));
  ASSERT_TRUE(request_back.ok());
  EXPECT_EQ(request_back->source_branch, "site-b");
  EXPECT_EQ(request_back->objects, request.objects);
  EXPECT_EQ(request_back->contents, request.contents);

  PushState state{.push = std::string(32, '7'),
                  .missing_objects = {{ObjectKind::kFile, DigestOf('9')}},
                  .missing_contents = {DigestOf('8')},
                  .offset = 12};
  const auto state_back = DecodePushState(Encode(state));
  ASSERT_TRUE(state_back.ok());
  EXPECT_EQ(state_back->missing_objects, state.missing_objects);
  EXPECT_EQ(state_back->offset, 12u);

  FinishRequest finish{.upload_bytes = 99,
                       .attachments = {AttachmentId{DigestOf('5')}},
                       .expected_old = CommitOf('6'),
                       .title = "round 3"};
  const auto finish_back = DecodeFinishRequest(Encode(finish));
  ASSERT_TRUE(finish_back.ok());
  EXPECT_EQ(finish_back->expected_old, finish.expected_old);
  EXPECT_EQ(finish_back->title, "round 3");
  EXPECT_EQ(finish_back->attachments, finish.attachments);

  FinishResult result{.working = false,
                      .moved = false,
                      .commit = CommitOf('a'),
                      .proposal_number = 7,
                      .proposal_url = "http://h/o/n/proposals/7",
                      .evidence_json = R"({"update_norm":1.5})",
                      .checks = {{"policy", true, "fine"}}};
  const auto result_back = DecodeFinishResult(Encode(result));
  ASSERT_TRUE(result_back.ok());
  EXPECT_EQ(result_back->proposal_number, 7u);
  EXPECT_EQ(result_back->checks, result.checks);
  EXPECT_EQ(ParseObject(result_back->evidence_json)->at("update_norm").as_double(), 1.5);
  EXPECT_TRUE(DecodeFinishResult(Encode(FinishResult{.working = true}))->working);
}

TEST(WireTransferTest, RefusesMalformedMessages) {
  const std::string id = "\"" + Hex('a') + "\"";
  const std::string pack = Hex('b') + ".pack";
  const auto plan = [&](const std::string& name, const char* offset, const char* length,
                        const char* total) {
    return std::string(R"({"objects":[],"records":[{"pack":")") + name + R"(","offset":)" + offset +
           R"(,"length":)" + length + R"(}],"total_bytes":)" + total + "}";
  };
  const auto fetch = [](const std::string& t) { return DecodeFetchRequest(t).ok(); };
  const auto fetched = [](const std::string& t) { return DecodeFetchPlan(t).ok(); };
  const auto push = [](const std::string& t) { return DecodePushRequest(t).ok(); };
  const auto state = [](const std::string& t) { return DecodePushState(t).ok(); };
  const struct {
    const char* what;
    std::function<bool(const std::string&)> decode;
    std::string text;
  } kCases[] = {
      {"no wants", fetch, R"({"wants":[],"haves":[]})"},
      {"a short id", fetch, R"({"wants":["ab"]})"},
      {"an id in capitals", fetch, "{\"wants\":[\"" + std::string(64, 'A') + "\"]}"},
      {"a depth beyond 32 bits", fetch, "{\"wants\":[" + id + "],\"depth\":4294967296}"},
      {"a negative depth", fetch, "{\"wants\":[" + id + "],\"depth\":-1}"},
      {"wants that is an object", fetch, "{\"wants\":{}}"},
      {"a pack that is a path", fetched, plan("../../etc/passwd", "0", "1", "1")},
      {"a pack with another ending", fetched, plan(Hex('b') + ".pac!", "0", "1", "1")},
      {"an empty record", fetched, plan(pack, "0", "0", "0")},
      {"a record too long", fetched, plan(pack, "0", "268435457", "268435457")},
      {"a record of 2^64 - 1", fetched,
       plan(pack, "0", "18446744073709551615", "18446744073709551615")},
      {"an offset beyond every pack", fetched, plan(pack, "9223372036854775807", "1", "1")},
      {"a total that lies", fetched, plan(pack, "0", "5", "6")},
      {"an object without kind", fetched, "{\"objects\":[" + id + "],\"total_bytes\":0}"},
      {"an object of no kind", fetched,
       "{\"objects\":[\"blob:" + Hex('a') + "\"],\"total_bytes\":0}"},
      {"a push without tip", push, R"({"target":"main","source_branch":"x"})"},
      {"a push without target", push,
       "{\"target\":\"\",\"source_branch\":\"x\",\"tip\":" + id + "}"},
      {"a push id that is a path", state,
       R"({"push":"../../../../../../../../../../../","offset":0})"},
      {"a push id too short", state, R"({"push":"ab","offset":0})"},
  };
  for (const auto& c : kCases) EXPECT_FALSE(c.decode(c.text)) << c.what;
  // The frame of the cases is right: with sane values it is read.
  EXPECT_TRUE(fetched(plan(pack, "0", "5", "5")));
  EXPECT_TRUE(fetch("{\"wants\":[" + id + "],\"depth\":4294967295}"));
}

TEST(WireProblemTest, EveryCodeSurvivesTheWire) {
  for (int code = 1; code <= 13; ++code) {
    const Error error = Error(static_cast<ErrorCode>(code), "what happened").WithHint("what to do");
    const Error back = DecodeProblem(HttpStatusOf(error.code()), EncodeProblem(error));
    EXPECT_EQ(back.code(), error.code()) << code;
    EXPECT_EQ(back.message(), "what happened");
    EXPECT_EQ(back.hint(), "what to do");
  }
}

TEST(WireProblemTest, WhatAProxySaysIsToldByItsStatus) {
  const struct {
    int status;
    const char* body;
    ErrorCode code;
  } kCases[] = {
      {401, "", ErrorCode::kUnauthorised},
      {404, "<html>", ErrorCode::kNotFound},
      {409, "{", ErrorCode::kConflict},
      {413, "{}", ErrorCode::kUnsupported},
      {502, "bad", ErrorCode::kUnavailable},
      {503, "", ErrorCode::kUnavailable},
      {507, "", ErrorCode::kNoSpace},
      {500, "", ErrorCode::kIo},
      {400, "", ErrorCode::kInvalidArgument},
      {418, "", ErrorCode::kInvalidArgument},
      {404, R"({"code":"nonsense","detail":"x"})", ErrorCode::kNotFound},
  };
  for (const auto& c : kCases) {
    EXPECT_EQ(DecodeProblem(c.status, c.body).code(), c.code) << c.status;
  }
}

TEST(WireProblemTest, AHubCannotDrawOnTheTerminal) {
  const Error told = DecodeProblem(400, "{\"detail\":\"a\\u001b[2Jb\\nc\"}");
  EXPECT_EQ(told.message(), "a [2Jb c");
}

class SignInTextTest : public ::testing::Test {
 protected:
  const Keypair key_ = Keypair::FromSeed({});
  const std::string wallet_ = key_.wallet().ToBase58();
  const std::string good_ = "hub.example:8420 wants you to sign in with your Solana account:\n" +
                            wallet_ +
                            "\n\nSign in to Flair\n\nURI: http://hub.example:8420\nVersion: 1\n"
                            "Nonce: abc123\nIssued At: 2026-01-01T00:00:00Z";
  ErrorCode CodeOf(const std::string& text) {
    const Status s = CheckSignInText(text, "hub.example:8420", key_.wallet(), "abc123");
    return s.ok() ? ErrorCode{} : s.error().code();
  }
};

TEST_F(SignInTextTest, AcceptsTheSignInOfThisHubAndWallet) {
  EXPECT_EQ(CodeOf(good_), ErrorCode{});
}

TEST_F(SignInTextTest, SignsNothingElse) {
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good_;
    return text.replace(text.find(from), from.size(), to);
  };
  for (const std::string& text : {
           CommitSigningText(CommitOf('a')),
           AttachmentSigningText(AttachmentId{DigestOf('a')}),
           with("hub.example:8420 wants", "evil.example wants"),
           with("hub.example:8420 wants", "hub.example:8420\n wants"),
           with(wallet_, Keypair::FromSeed({std::byte{1}}).wallet().ToBase58()),
           with("Nonce: abc123", "Nonce: abc1234"),
           with("Nonce: abc123", "nonce: abc123"),
           std::string(),
           good_ + std::string(5000, 'x'),
       }) {
    EXPECT_EQ(CodeOf(text), ErrorCode::kRejected) << text.substr(0, 200);
  }
}

TEST(WireAuthTest, ATokenCannotEndItsHeader) {
  EXPECT_TRUE(DecodeSessionInfo(R"({"token":"flr_ab","wallet":"w"})").ok());
  EXPECT_FALSE(DecodeSessionInfo(R"({"token":"flr_a\r\nX: y","wallet":"w"})").ok());
}

TEST(WireReposTest, RefListsSurviveARoundTripAndAreSearched) {
  RefList m{.repo_id = std::string(32, '1'),
            .default_branch = "main",
            .refs = {{"heads/main", CommitOf('a')}, {"tags/v1", CommitOf('b')}}};
  const auto back = DecodeRefList(Encode(m));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->refs, m.refs);
  EXPECT_EQ(back->Find("tags/v1"), CommitOf('b'));
  EXPECT_FALSE(back->Find("heads/x").has_value());
}

TEST(WireProposalsTest, MergeRequestsSurviveARoundTripAndBadOnesAreRefused) {
  MergeRequest m{.proposals = {1, 3},
                 .method = "krum",
                 .weights = "",
                 .message = "round",
                 .time_s = 5,
                 .author = "w",
                 .parameters = {{"f", "1"}}};
  const auto back = DecodeMergeRequest(Encode(m));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->proposals, m.proposals);
  EXPECT_EQ(back->parameters, m.parameters);
  for (const char* text :
       {R"({"proposals":[]})", R"({"proposals":[0]})", R"({"proposals":[-1]})",
        R"({"proposals":["1"]})", R"({})", R"({"proposals":[1],"parameters":{"f":1}})"}) {
    EXPECT_FALSE(DecodeMergeRequest(text).ok()) << text;
  }
}

}  // namespace
}  // namespace flair::wire
