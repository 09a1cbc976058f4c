// SPDX-License-Identifier: Apache-2.0
#include "hub/endpoints.h"

#include <array>
#include <string>

namespace flair::hub {
namespace {

using enum Method;

#define FLAIR_REPO "/api/v1/repos/{owner}/{name}"

constexpr Endpoint kEndpoints[] = {
    // name, method, pattern, scope, who
    {"healthz", kGet, "/healthz", Scope::kNone, Who::kAnyone},
    {"metrics", kGet, "/metrics", Scope::kNone, Who::kAnyone},
    {"hubInfo", kGet, "/api/v1/hub", Scope::kNone, Who::kAnyone},

    {"createChallenge", kPost, "/api/v1/auth/challenge", Scope::kNone, Who::kAnyone},
    {"createSession", kPost, "/api/v1/auth/session", Scope::kNone, Who::kAnyone},
    {"endSession", kDelete, "/api/v1/auth/session", Scope::kNone, Who::kSignedIn},
    {"whoami", kGet, "/api/v1/auth/whoami", Scope::kNone, Who::kSignedIn},
    {"setHandle", kPut, "/api/v1/auth/handle", Scope::kAccount, Who::kSignedIn},
    {"listTokens", kGet, "/api/v1/auth/tokens", Scope::kAccount, Who::kSignedIn},
    {"createToken", kPost, "/api/v1/auth/tokens", Scope::kAccount, Who::kSignedIn},
    {"revokeToken", kDelete, "/api/v1/auth/tokens/{id}", Scope::kAccount, Who::kSignedIn},

    {"createRepo", kPost, "/api/v1/repos", Scope::kAccount, Who::kSignedIn},
    {"listRepos", kGet, "/api/v1/repos", Scope::kRead, Who::kAnyone},
    {"getRepo", kGet, FLAIR_REPO, Scope::kRead, Who::kReader},
    {"editRepo", kPatch, FLAIR_REPO, Scope::kAccount, Who::kOwner},
    {"deleteRepo", kDelete, FLAIR_REPO, Scope::kAccount, Who::kOwner},
    {"auditLog", kGet, FLAIR_REPO "/audit-log", Scope::kRead, Who::kMaintainer},
    {"listMembers", kGet, FLAIR_REPO "/members", Scope::kRead, Who::kReader},
    {"setMember", kPut, FLAIR_REPO "/members/{wallet}", Scope::kAccount, Who::kOwner},
    {"removeMember", kDelete, FLAIR_REPO "/members/{wallet}", Scope::kAccount, Who::kOwner},

    {"listRefs", kGet, FLAIR_REPO "/refs", Scope::kRead, Who::kReader},
    {"updateRef", kPut, FLAIR_REPO "/refs", Scope::kPush, Who::kMaintainer},
    {"listCommits", kGet, FLAIR_REPO "/commits", Scope::kRead, Who::kReader},
    {"getCommit", kGet, FLAIR_REPO "/commits/{commit}", Scope::kRead, Who::kReader},
    {"getTree", kGet, FLAIR_REPO "/commits/{commit}/tree", Scope::kRead, Who::kReader},
    {"getTensors", kGet, FLAIR_REPO "/commits/{commit}/tensors", Scope::kRead, Who::kReader},
    {"getDiff", kGet, FLAIR_REPO "/diff/{a}/{b}", Scope::kRead, Who::kReader},
    {"getFile", kGet, FLAIR_REPO "/files/{commit}/{path...}", Scope::kRead, Who::kReader},
    {"headFile", kHead, FLAIR_REPO "/files/{commit}/{path...}", Scope::kRead, Who::kReader},
    {"listAttachments", kGet, FLAIR_REPO "/attachments/{commit}", Scope::kRead, Who::kReader},
    {"getPolicy", kGet, FLAIR_REPO "/policy", Scope::kRead, Who::kReader},
    {"events", kGet, FLAIR_REPO "/events", Scope::kRead, Who::kReader},

    {"fetch", kPost, FLAIR_REPO "/fetch", Scope::kRead, Who::kReader},
    {"getPack", kGet, FLAIR_REPO "/packs/{pack}", Scope::kRead, Who::kReader},
    {"headPack", kHead, FLAIR_REPO "/packs/{pack}", Scope::kRead, Who::kReader},
    {"createPush", kPost, FLAIR_REPO "/pushes", Scope::kPush, Who::kContributor},
    {"headPushData", kHead, FLAIR_REPO "/pushes/{push}/data", Scope::kPush, Who::kContributor},
    {"appendPushData", kPatch, FLAIR_REPO "/pushes/{push}/data", Scope::kPush, Who::kContributor},
    {"finishPush", kPost, FLAIR_REPO "/pushes/{push}/finish", Scope::kPush, Who::kContributor},

    {"registerCard", kPost, FLAIR_REPO "/cards", Scope::kPush, Who::kContributor},
    {"listCards", kGet, FLAIR_REPO "/cards", Scope::kRead, Who::kReader},
    {"getCard", kGet, FLAIR_REPO "/cards/{card}", Scope::kRead, Who::kReader},
    {"requestTicket", kPost, FLAIR_REPO "/tickets", Scope::kPush, Who::kContributor},

    {"listProposals", kGet, FLAIR_REPO "/proposals", Scope::kRead, Who::kReader},
    {"getProposal", kGet, FLAIR_REPO "/proposals/{number}", Scope::kRead, Who::kReader},
    {"commentProposal", kPost, FLAIR_REPO "/proposals/{number}/comments", Scope::kReview,
     Who::kContributor},
    {"reviewProposal", kPost, FLAIR_REPO "/proposals/{number}/reviews", Scope::kReview,
     Who::kMaintainer},
    {"closeProposal", kPost, FLAIR_REPO "/proposals/{number}/close", Scope::kPush,
     Who::kContributor},
    {"reopenProposal", kPost, FLAIR_REPO "/proposals/{number}/reopen", Scope::kPush,
     Who::kContributor},
    {"prepareMerge", kPost, FLAIR_REPO "/merges", Scope::kReview, Who::kMaintainer},
    {"finishMerge", kPost, FLAIR_REPO "/merges/{merge}/finish", Scope::kReview, Who::kMaintainer},
};

#undef FLAIR_REPO

constexpr std::pair<Who, std::string_view> kWhoNames[] = {
    {Who::kAnyone, "anyone"},           {Who::kSignedIn, "signed-in"},    {Who::kReader, "reader"},
    {Who::kContributor, "contributor"}, {Who::kMaintainer, "maintainer"}, {Who::kOwner, "owner"},
};

constexpr std::pair<Scope, std::string_view> kScopeNames[] = {
    {Scope::kNone, "none"},     {Scope::kRead, "read"}, {Scope::kPush, "push"},
    {Scope::kReview, "review"}, {Scope::kMint, "mint"}, {Scope::kAccount, "account"},
};

}  // namespace

std::span<const Endpoint> Endpoints() { return kEndpoints; }

std::string_view WhoName(Who who) {
  for (const auto& [value, name] : kWhoNames) {
    if (value == who) return name;
  }
  return "unknown";
}

std::string_view ScopeName(Scope scope) {
  for (const auto& [value, name] : kScopeNames) {
    if (value == scope) return name;
  }
  return "unknown";
}

Result<Who> ParseRole(std::string_view text) {
  for (const auto& [value, name] : kWhoNames) {
    if (name == text && value >= Who::kReader) return value;
  }
  return Error(ErrorCode::kInvalidArgument, "no role named '" + std::string(text) + "'")
      .WithHint("roles: owner, maintainer, contributor, reader");
}

Result<Scope> ParseScope(std::string_view text) {
  for (const auto& [value, name] : kScopeNames) {
    if (name == text && value != Scope::kNone && value != Scope::kAccount) return value;
  }
  return Error(ErrorCode::kInvalidArgument, "no scope named '" + std::string(text) + "'")
      .WithHint("scopes: read, push, review, mint");
}

}  // namespace flair::hub
