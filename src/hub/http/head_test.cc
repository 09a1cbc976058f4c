// SPDX-License-Identifier: Apache-2.0
#include "hub/http/head.h"

#include <gtest/gtest.h>

namespace flair::hub {
namespace {

using std::string_literals::operator""s;

std::variant<Head, Refusal> Parsed(const std::string& head) {
  const auto end = FindHeadEnd(head);
  if (!end) return Refusal{0, "incomplete"};
  return ParseHead(std::string_view(head).substr(0, *end));
}

TEST(HeadTest, ReadsMethodPartsQueryAndHeaders) {
  const auto parsed = Parsed(
      "GET /a/b%2Fc/%20?x=1&y=a%20b+c HTTP/1.1\r\nHost: hub\r\nAccept: a\r\naccept: b\r\n\r\n");
  const Head* head = std::get_if<Head>(&parsed);
  ASSERT_NE(head, nullptr) << std::get<Refusal>(parsed).detail;
  const Request& r = head->request;
  EXPECT_EQ(r.method, Method::kGet);
  EXPECT_EQ(r.path, "/a/b%2Fc/%20");
  EXPECT_EQ(r.parts, (std::vector<std::string>{"a", "b/c", " "}));
  ASSERT_NE(r.Query("y"), nullptr);
  EXPECT_EQ(*r.Query("y"), "a b c");
  EXPECT_EQ(*r.headers.Find("ACCEPT"), "a, b");
  EXPECT_TRUE(head->keep_alive);
}

TEST(HeadTest, KeepsAliveAsTheVersionAndTheClientSay) {
  const struct {
    const char* head;
    bool keep_alive;
  } kCases[] = {
      {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", true},
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false},
      {"GET / HTTP/1.0\r\n\r\n", false},
      {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true},
  };
  for (const auto& c : kCases) {
    const auto parsed = Parsed(c.head);
    ASSERT_TRUE(std::holds_alternative<Head>(parsed)) << c.head;
    EXPECT_EQ(std::get<Head>(parsed).keep_alive, c.keep_alive) << c.head;
  }
}

TEST(HeadTest, RefusesWhateverTwoServersCouldReadDifferently) {
  const struct {
    const char* what;
    std::string head;
    int status;
  } kCases[] = {
      {"both lengths",
       "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
       400},
      {"both lengths, other order",
       "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n",
       400},
      {"chunked in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"chunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 411},
      {"unknown coding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n", 501},
      {"two codings", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
       501},
      {"repeated coding",
       "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
       "identity\r\n\r\n",
       400},
      {"two lengths",
       "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n", 400},
      {"the same length twice",
       "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\n", 400},
      {"a list of lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4, 4\r\n\r\n", 400},
      {"signed length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +4\r\n\r\n", 400},
      {"negative length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400},
      {"hex length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x4\r\n\r\n", 400},
      {"huge length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
       400},
      {"empty length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", 400},
      {"bare LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400},
      {"bare LF after a header", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 400},
      {"bare LFs only", "GET / HTTP/1.1\nHost: a\n\n", 400},
      {"bare CR", "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", 400},
      {"folded line", "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n", 400},
      {"folded with tab", "GET / HTTP/1.1\r\nHost: a\r\n\tX: b\r\n\r\n", 400},
      {"space before colon", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length : 4\r\n\r\n", 400},
      {"no colon", "GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", 400},
      {"empty name", "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", 400},
      {"NUL in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"s, 400},
      {"NUL in a name", "GET / HTTP/1.1\r\nHost: a\r\nX\0: b\r\n\r\n"s, 400},
      {"no Host", "GET / HTTP/1.1\r\n\r\n", 400},
      {"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400},
      {"bad Host", "GET / HTTP/1.1\r\nHost: a/b@c\r\n\r\n", 400},
      {"two tokens",
       "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer x\r\nAuthorization: Bearer y\r\n\r\n",
       400},
      {"two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"tab in the request line", "GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"absolute target", "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"no version", "GET /\r\nHost: a\r\n\r\n", 400},
      {"version 0.9", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505},
      {"version 2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
      {"odd version", "GET / HTTP/1.1x\r\nHost: a\r\n\r\n", 400},
      {"lower-case version", "GET / http/1.1\r\nHost: a\r\n\r\n", 400},
      {"refused method", "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 405},
      {"unknown method", "QUERY / HTTP/1.1\r\nHost: a\r\n\r\n", 405},
      {"lower-case method", "get / HTTP/1.1\r\nHost: a\r\n\r\n", 405},
      {"broken method", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"dot dot", "GET /a/../b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"encoded dot dot", "GET /a/%2e%2e/b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"dot dot behind an encoded slash", "GET /a/b%2F..%2Fc HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"encoded NUL", "GET /a%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"cut encoding", "GET /a%2 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"bad encoding", "GET /a%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"encoded CR LF in the query", "GET /?a=%0d%0a HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"backslash", "GET /a\\b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"high byte", "GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"bad Expect", "POST / HTTP/1.1\r\nHost: a\r\nExpect: magic\r\n\r\n", 417},
      {"empty first line", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
  };
  for (const auto& c : kCases) {
    const auto parsed = Parsed(c.head);
    const Refusal* refusal = std::get_if<Refusal>(&parsed);
    ASSERT_NE(refusal, nullptr) << c.what;
    EXPECT_EQ(refusal->status, c.status) << c.what << ": " << refusal->detail;
  }
}

TEST(HeadTest, LimitsTheNumberOfLines) {
  std::string head = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 101; ++i) head += "X" + std::to_string(i) + ": 1\r\n";
  const auto parsed = Parsed(head + "\r\n");
  ASSERT_TRUE(std::holds_alternative<Refusal>(parsed));
  EXPECT_EQ(std::get<Refusal>(parsed).status, 431);
}

TEST(HeadTest, WaitsForAWholeHead) {
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  for (std::size_t n = 0; n < head.size(); ++n) {
    EXPECT_FALSE(FindHeadEnd(std::string_view(head).substr(0, n))) << n;
  }
  EXPECT_EQ(FindHeadEnd(head + "body"), head.size());
}

class NoBody final : public BodyReader {
 public:
  std::uint64_t size_bytes() const override { return 0; }
  Result<std::size_t> Read(MutableByteView) override { return std::size_t{0}; }
};

TEST(RangeTest, AnswersAsRfc9110Says) {
  const struct {
    const char* header;
    int status;
    const char* content_range;
    std::uint64_t length;
  } kCases[] = {
      {"bytes=0-9", 206, "bytes 0-9/100", 10},
      {"bytes=90-", 206, "bytes 90-99/100", 10},
      {"bytes=-10", 206, "bytes 90-99/100", 10},
      {"bytes=-1000", 206, "bytes 0-99/100", 100},
      {"bytes=95-1000", 206, "bytes 95-99/100", 5},
      {"bytes=100-", 416, "bytes */100", 0},
      {"bytes=-0", 416, "bytes */100", 0},
      {"bytes=9-0", 200, nullptr, 100},
      {"bytes=0-1,5-6", 200, nullptr, 100},
      {"lines=0-1", 200, nullptr, 100},
      {"bytes=a-b", 200, nullptr, 100},
      {"bytes=", 200, nullptr, 100},
  };
  for (const auto& c : kCases) {
    NoBody body;
    Request request;
    request.body = &body;
    request.headers.Set("Range", c.header);
    std::uint64_t length = 0;
    const Response r = RangedResponse(request, 100, "tag", "text/plain", [&](ByteRange range) {
      length = range.length_bytes;
      return std::string();
    });
    EXPECT_EQ(r.status, c.status) << c.header;
    EXPECT_EQ(length, c.length) << c.header;
    const std::string* content_range = r.headers.Find("Content-Range");
    ASSERT_EQ(content_range != nullptr, c.content_range != nullptr) << c.header;
    EXPECT_STREQ(content_range != nullptr ? content_range->c_str() : nullptr, c.content_range);
  }
}

TEST(RangeTest, AKnownTagNeedsNoBody) {
  NoBody body;
  Request request;
  request.body = &body;
  request.headers.Set("If-None-Match", "\"tag\"");
  const Response r =
      RangedResponse(request, 100, "tag", "text/plain", [](ByteRange) { return "never"; });
  EXPECT_EQ(r.status, 304);
}

}  // namespace
}  // namespace flair::hub
