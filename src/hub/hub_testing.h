// What the hub's tests share: a hub without sockets, wallets, and short ways to ask.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/hex.h"
#include "base/mem_env.h"
#include "hub/context.h"
#include "hub/http/message.h"
#include "hub/json.h"
#include "hub/router.h"
#include "repo/graph_testing.h"

namespace flair::hub {

class TextBody final : public BodyReader {
 public:
  explicit TextBody(std::string text) : text_(std::move(text)) {}
  std::uint64_t size_bytes() const override { return text_.size(); }
  Result<std::size_t> Read(MutableByteView out) override {
    const std::size_t n = std::min(out.size(), text_.size() - at_);
    std::memcpy(out.data(), text_.data() + at_, n);
    at_ += n;
    return n;
  }

 private:
  std::string text_;
  std::size_t at_ = 0;
};

inline Keypair TestKey(int number) {
  std::array<std::byte, 32> seed{};
  seed[0] = static_cast<std::byte>(number);
  return Keypair::FromSeed(seed);
}

struct Answer {
  int status = 0;
  std::string text;
  json::object body;  // empty unless a JSON object
  Headers headers;
};

// Files, clock and randomness in memory; the database in a folder that goes with it.
class TestHub {
 public:
  explicit TestHub(Handlers handlers = AllRoutes())
      : folder_(MakeFolder()),
        db_(Get(HubDb::Open(folder_ + "/hub.db"))),
        stores_(env_, "/hub"),
        context_{.env = env_,
                 .db = *db_,
                 .stores = stores_,
                 .events = events_,
                 .metrics = metrics_,
                 .wallet = wallet_,
                 .data_dir = "/hub",
                 .public_url = "http://hub.test",
                 .name = "test",
                 .low_water_bytes = 1 << 20},
        router_(context_, handlers) {
    Get(MakeDirs(env_, "/hub"));
  }
  ~TestHub() {
    db_.reset();
    (void)RemoveTree(PosixEnv(), folder_);
  }

  static Handlers AllRoutes() {
    Handlers h;
    AddAuthRoutes(h);
    AddRepoRoutes(h);
    AddRefRoutes(h);
    AddHistoryRoutes(h);
    AddFileRoutes(h);
    AddTicketRoutes(h);
    AddProposalRoutes(h);
    AddMergeRoutes(h);
    AddOperationsRoutes(h);
    AddTransferRoutes(h);
    return h;
  }

  MemEnv& env() { return env_; }
  HubDb& db() { return *db_; }
  HubContext& context() { return context_; }
  RepoStores& stores() { return stores_; }

  // `target`: "/path?query", plain characters only.
  Answer Ask(Method method, const std::string& target, const std::string& token = {},
             const std::string& body = {},
             const std::vector<std::pair<std::string, std::string>>& headers = {}) {
    Request request;
    request.method = method;
    const std::size_t mark = std::min(target.find('?'), target.size());
    request.path = target.substr(0, mark);
    for (std::size_t at = 1; at <= mark;) {
      const std::size_t slash = std::min(target.find('/', at), mark);
      request.parts.push_back(target.substr(at, slash - at));
      at = slash + 1;
    }
    for (std::size_t at = mark + 1; at < target.size();) {
      const std::size_t end = std::min(target.find('&', at), target.size());
      const std::string pair = target.substr(at, end - at);
      const std::size_t equals = pair.find('=');
      request.query.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
      at = end + 1;
    }
    if (!token.empty()) request.headers.Set("Authorization", "Bearer " + token);
    for (const auto& [name, value] : headers) request.headers.Set(name, value);
    TextBody text(body);
    request.body = &text;
    request.peer = "test";
    return Read(router_.Handle(request));
  }

  std::string SignIn(const Keypair& key,
                     const std::string& scopes = R"(["read","push","review"])") {
    const Answer c =
        Ask(Method::kPost, "/api/v1/auth/challenge", "",
            R"({"wallet":")" + key.wallet().ToBase58() + R"(","scopes":)" + scopes + "}");
    EXPECT_EQ(c.status, 200) << c.text;
    const Answer s = Ask(Method::kPost, "/api/v1/auth/session", "", SessionBody(c, key));
    EXPECT_EQ(s.status, 200) << s.text;
    return std::string(s.body.at("token").as_string());
  }

  static std::string SessionBody(const Answer& challenge, const Keypair& key) {
    const std::string text(challenge.body.at("text").as_string());
    return R"({"nonce":")" + std::string(challenge.body.at("nonce").as_string()) +
           R"(","signature":")" + ToHex(key.Sign(AsBytes(text))) + "\"}";
  }

 private:
  static std::string MakeFolder() {
    std::string name = testing::TempDir() + "/flair_hub_XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    return name;
  }

  static Answer Read(Response response) {
    Answer a;
    a.status = response.status;
    a.headers = response.headers;
    if (auto* text = std::get_if<std::string>(&response.body)) {
      a.text = *text;
    } else if (auto* stream = std::get_if<StreamBody>(&response.body)) {
      Get(stream->write([&](ByteView piece) -> Status {
        a.text += AsText(piece);
        return OkStatus();
      }));
      EXPECT_EQ(a.text.size(), stream->length_bytes);
    }
    if (auto parsed = wire::ParseObject(a.text); parsed.ok()) a.body = *parsed;
    return a;
  }

  MemEnv env_;
  std::string folder_;
  std::unique_ptr<HubDb> db_;
  RepoStores stores_;
  EventHub events_;
  HubMetrics metrics_;
  Keypair wallet_ = TestKey(200);
  HubContext context_;
  Router router_;
};

}  // namespace flair::hub
