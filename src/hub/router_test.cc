// SPDX-License-Identifier: Apache-2.0
#include "hub/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/auth/sessions.h"
#include "hub/hub_testing.h"

namespace flair::hub {
namespace {

using testing::HasSubstr;

constexpr int kAdmitted = 299;

// Every handler says only that it was reached.
Handlers Doormen() {
  Handlers h;
  for (const Endpoint& e : Endpoints()) {
    h.Add(e.name, [](HubContext&, Call&) -> Result<Response> {
      Response r;
      r.status = kAdmitted;
      return r;
    });
  }
  return h;
}

std::string Filled(std::string_view pattern, const std::string& owner, const std::string& name) {
  std::string out;
  for (std::size_t at = 0; at < pattern.size();) {
    if (pattern[at] != '{') {
      out += pattern[at++];
      continue;
    }
    const std::size_t end = pattern.find('}', at);
    const std::string_view parameter = pattern.substr(at + 1, end - at - 1);
    out += parameter == "owner" ? owner : parameter == "name" ? name : "1";
    at = end + 1;
  }
  return out;
}

struct Person {
  const char* name;
  bool has_token = false;
  std::optional<Who> role;  // in both repositories
  std::uint8_t scopes = 0x0f;
  bool is_deploy = false;
};

// What the table of rights means, told once more in the order a reader would ask.
int Expected(const Endpoint& e, const Person& p, bool in_repo, bool is_private) {
  if (in_repo) {
    const bool may_read = !is_private || (p.has_token && p.role);
    if (!may_read) return 404;
  }
  const Who rank = p.role ? *p.role : Who::kReader;
  if (!p.has_token) return e.who == Who::kAnyone || e.who == Who::kReader ? kAdmitted : 401;
  if (e.scope == Scope::kAccount && p.is_deploy) return 403;
  const bool has_scope = e.scope == Scope::kNone || e.scope == Scope::kAccount ||
                         (p.scopes & static_cast<std::uint8_t>(e.scope)) != 0;
  if (!has_scope) return 403;
  if (in_repo && rank < e.who) return 403;
  return kAdmitted;
}

class MatrixTest : public testing::Test {
 protected:
  MatrixTest() : hub_(Doormen()) {
    for (const bool is_private : {false, true}) {
      RepoRow repo;
      repo.id = std::string(32, is_private ? '1' : '0');
      repo.owner = "owner";
      repo.name = is_private ? "secret" : "open";
      repo.is_private = is_private;
      repo.default_branch = "main";
      Get(hub_.db().Write([&](Database& db) { return InsertRepo(db, repo); }));
    }
  }

  std::string TokenOf(const Person& p, const std::string& wallet, const std::string& repo_id = {}) {
    std::string token;
    Get(hub_.db().Write([&](Database& db) -> Status {
      FLAIR_TRY(const IssuedToken issued,
                IssueToken(hub_.env(), db,
                           {.wallet = wallet,
                            .is_deploy = p.is_deploy,
                            .name = "t",
                            .scopes = p.scopes,
                            .repo_id = repo_id,
                            .expires_s = hub_.env().NowSeconds() + 1000}));
      token = issued.token;
      if (!p.role) return OkStatus();
      for (const char digit : {'0', '1'}) {
        FLAIR_TRY(Statement s, db.Prepare("INSERT OR REPLACE INTO members VALUES(?,?,?)"));
        s.Bind(1, std::string_view(std::string(32, digit))).Bind(2, std::string_view(wallet));
        s.Bind(3, static_cast<std::int64_t>(*p.role));
        FLAIR_DO(s.Run());
      }
      return OkStatus();
    }));
    return token;
  }

  TestHub hub_;
};

TEST_F(MatrixTest, EveryRoleMeetsEveryEndpointAsTheTableSays) {
  std::vector<Person> people = {{.name = "anonymous"}, {.name = "stranger", .has_token = true}};
  for (const Who role : {Who::kReader, Who::kContributor, Who::kMaintainer, Who::kOwner}) {
    people.push_back({.name = WhoName(role).data(), .has_token = true, .role = role});
    people.push_back({.name = "deploy token", .has_token = true, .role = role, .is_deploy = true});
    for (const Scope s : {Scope::kRead, Scope::kPush, Scope::kReview, Scope::kMint}) {
      people.push_back({.name = ScopeName(s).data(),
                        .has_token = true,
                        .role = role,
                        .scopes = static_cast<std::uint8_t>(s)});
    }
  }
  int number = 0;
  std::size_t num_checked = 0;
  for (const Person& p : people) {
    const std::string token =
        p.has_token ? TokenOf(p, "wallet" + std::to_string(++number)) : std::string();
    for (const Endpoint& e : Endpoints()) {
      const bool in_repo = e.pattern.find("{owner}") != std::string_view::npos;
      for (const bool is_private : {false, true}) {
        if (!in_repo && is_private) continue;
        const std::string target = Filled(e.pattern, "owner", is_private ? "secret" : "open");
        const int status = hub_.Ask(e.method, target, token).status;
        EXPECT_EQ(status, Expected(e, p, in_repo, is_private))
            << p.name << (p.role ? " as " + std::string(WhoName(*p.role)) : "") << " scopes "
            << int{p.scopes} << ": " << MethodName(e.method) << " " << target;
        ++num_checked;
      }
    }
  }
  EXPECT_GT(num_checked, 2000u);
}

// The rights once more, in numbers: a row of endpoints.cc that changes must change here too.
// Columns: nobody, a stranger who is signed in, reader, contributor, maintainer, owner.
using Row = std::array<int, 6>;
struct Rights {
  Row in_public;
  Row in_private;
};
constexpr Rights kEverybody = {{299, 299, 299, 299, 299, 299}, {299, 299, 299, 299, 299, 299}};
constexpr Rights kSignedIn = {{401, 299, 299, 299, 299, 299}, {401, 299, 299, 299, 299, 299}};
constexpr Rights kReads = {{299, 299, 299, 299, 299, 299}, {404, 404, 299, 299, 299, 299}};
constexpr Rights kContributes = {{401, 403, 403, 299, 299, 299}, {404, 404, 403, 299, 299, 299}};
constexpr Rights kMaintains = {{401, 403, 403, 403, 299, 299}, {404, 404, 403, 403, 299, 299}};
constexpr Rights kOwns = {{401, 403, 403, 403, 403, 299}, {404, 404, 403, 403, 403, 299}};
static_assert(kAdmitted == 299);

struct Operation {
  Rights rights;
  std::uint8_t scope;  // that a token must have; 0: none; 128: no deploy token
};
const std::map<std::string_view, Operation>& Operations() {
  static const std::map<std::string_view, Operation> operations = {
      {"healthz", {kEverybody, 0}},
      {"metrics", {kEverybody, 0}},
      {"hubInfo", {kEverybody, 0}},
      {"createChallenge", {kEverybody, 0}},
      {"createSession", {kEverybody, 0}},
      {"endSession", {kSignedIn, 0}},
      {"whoami", {kSignedIn, 0}},
      {"setHandle", {kSignedIn, 128}},
      {"listTokens", {kSignedIn, 128}},
      {"createToken", {kSignedIn, 128}},
      {"revokeToken", {kSignedIn, 128}},
      {"createRepo", {kSignedIn, 128}},
      {"listRepos", {kEverybody, 1}},
      {"getRepo", {kReads, 1}},
      {"editRepo", {kOwns, 128}},
      {"deleteRepo", {kOwns, 128}},
      {"auditLog", {kMaintains, 1}},
      {"listMembers", {kReads, 1}},
      {"setMember", {kOwns, 128}},
      {"removeMember", {kOwns, 128}},
      {"listRefs", {kReads, 1}},
      {"updateRef", {kMaintains, 2}},
      {"listCommits", {kReads, 1}},
      {"getCommit", {kReads, 1}},
      {"getTree", {kReads, 1}},
      {"getTensors", {kReads, 1}},
      {"getDiff", {kReads, 1}},
      {"getFile", {kReads, 1}},
      {"headFile", {kReads, 1}},
      {"listAttachments", {kReads, 1}},
      {"getPolicy", {kReads, 1}},
      {"events", {kReads, 1}},
      {"fetch", {kReads, 1}},
      {"getPack", {kReads, 1}},
      {"headPack", {kReads, 1}},
      {"createPush", {kContributes, 2}},
      {"headPushData", {kContributes, 2}},
      {"appendPushData", {kContributes, 2}},
      {"finishPush", {kContributes, 2}},
      {"registerCard", {kContributes, 2}},
      {"listCards", {kReads, 1}},
      {"getCard", {kReads, 1}},
      {"requestTicket", {kContributes, 2}},
      {"listProposals", {kReads, 1}},
      {"getProposal", {kReads, 1}},
      {"commentProposal", {kContributes, 4}},
      {"reviewProposal", {kMaintains, 4}},
      {"closeProposal", {kContributes, 2}},
      {"reopenProposal", {kContributes, 2}},
      {"prepareMerge", {kMaintains, 4}},
      {"finishMerge", {kMaintains, 4}},
  };
  return operations;
}

TEST_F(MatrixTest, RightsInNumbers) {
  const std::array<Person, 6> people = {
      {{.name = "nobody"},
       {.name = "stranger", .has_token = true},
       {.name = "reader", .has_token = true, .role = Who::kReader},
       {.name = "contributor", .has_token = true, .role = Who::kContributor},
       {.name = "maintainer", .has_token = true, .role = Who::kMaintainer},
       {.name = "owner", .has_token = true, .role = Who::kOwner}}};
  EXPECT_EQ(Operations().size(), Endpoints().size());
  for (std::size_t i = 0; i < people.size(); ++i) {
    const Person& p = people[i];
    const std::string token = p.has_token ? TokenOf(p, std::string("wallet ") + p.name) : "";
    for (const Endpoint& e : Endpoints()) {
      ASSERT_TRUE(Operations().contains(e.name)) << e.name;
      const Rights& rights = Operations().at(e.name).rights;
      for (const bool is_private : {false, true}) {
        const std::string target = Filled(e.pattern, "owner", is_private ? "secret" : "open");
        const Row& row = is_private ? rights.in_private : rights.in_public;
        EXPECT_EQ(hub_.Ask(e.method, target, token).status, row[i])
            << e.name << " by " << p.name << (is_private ? ", private" : ", public");
      }
    }
  }
}

TEST_F(MatrixTest, ScopesInNumbers) {
  for (const std::uint8_t scope : {1, 2, 4, 8}) {
    const Person owner{.name = "owner",
                       .has_token = true,
                       .role = Who::kOwner,
                       .scopes = scope,
                       .is_deploy = true};
    const std::string token = TokenOf(owner, "wallet " + std::to_string(scope));
    for (const Endpoint& e : Endpoints()) {
      const std::uint8_t wanted = Operations().at(e.name).scope;
      const int expected = wanted == 0 || wanted == scope ? kAdmitted : 403;
      EXPECT_EQ(hub_.Ask(e.method, Filled(e.pattern, "owner", "open"), token).status, expected)
          << e.name << " with scope " << int{scope};
    }
  }
}

TEST_F(MatrixTest, ATokenOfOneRepositoryOpensNoOther) {
  const Person owner{.name = "o", .has_token = true, .role = Who::kOwner, .is_deploy = true};
  const std::string token = TokenOf(owner, "wallet", std::string(32, '1'));
  EXPECT_EQ(hub_.Ask(Method::kPost, "/api/v1/repos/owner/secret/pushes", token).status, kAdmitted);
  EXPECT_EQ(hub_.Ask(Method::kPost, "/api/v1/repos/owner/open/pushes", token).status, 403);
  const std::string other = TokenOf(owner, "wallet2", std::string(32, '0'));
  EXPECT_EQ(hub_.Ask(Method::kGet, "/api/v1/repos/owner/secret", other).status, 404);
}

TEST_F(MatrixTest, WrongTokensAndAddressesAreToldApart) {
  EXPECT_EQ(hub_.Ask(Method::kGet, "/nowhere").status, 404);
  const Answer wrong = hub_.Ask(Method::kPost, "/healthz");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(*wrong.headers.Find("Allow"), "GET");
  EXPECT_EQ(hub_.Ask(Method::kGet, "/healthz", "flr_nonsense").status, 401);
  EXPECT_EQ(hub_.Ask(Method::kGet, "/healthz", "flr_" + std::string(43, 'A')).status, 401);
  EXPECT_EQ(hub_.Ask(Method::kGet, "/healthz", "", "", {{"Authorization", "Basic abc"}}).status,
            401);
}

TEST_F(MatrixTest, AnExpiredTokenIsNone) {
  const std::string token = TokenOf({.name = "p", .has_token = true}, "wallet");
  EXPECT_EQ(hub_.Ask(Method::kGet, "/api/v1/auth/whoami", token).status, kAdmitted);
  hub_.env().SetNowNs(hub_.env().NowNs() + 1001 * std::int64_t{1'000'000'000});
  EXPECT_EQ(hub_.Ask(Method::kGet, "/api/v1/auth/whoami", token).status, 401);
}

}  // namespace
}  // namespace flair::hub
