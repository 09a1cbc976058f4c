// HubApi: every operation of the hub's API as a typed call.
//
// Place: remote, over HttpClient and wire. Errors are the hub's problems, told as
// they came; texts of `raw` members are the hub's JSON, for `--json`.
// Thread safety: as HttpClient.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "object/attachment.h"
#include "object/commit.h"
#include "remote/address.h"
#include "remote/http_client.h"
#include "wire/auth.h"
#include "wire/proposals.h"
#include "wire/repos.h"
#include "wire/tickets.h"
#include "wire/transfer.h"

namespace flair {

class HubApi {
 public:
  // `token` empty: anonymous. `http` must outlive this.
  HubApi(HttpClient& http, std::string hub_url, std::string token = {});

  const std::string& hub_url() const { return hub_url_; }
  const std::string& token() const { return token_; }
  HttpClient& http() { return http_; }

  // --- the hub, the account ---------------------------------------------------------
  Result<std::string> HubInfoJson();
  Result<wire::Whoami> GetWhoami();
  Status SetHandle(std::string_view handle);
  Status EndSession();
  Result<std::vector<wire::TokenInfo>> ListTokens();
  Result<wire::TokenInfo> CreateToken(const wire::TokenRequest& request);
  Status RevokeToken(std::string_view id);

  // --- repositories -----------------------------------------------------------------
  Result<wire::RepoInfo> CreateRepo(const wire::RepoRequest& request);
  Result<std::vector<wire::RepoInfo>> ListRepos(std::string_view owner = {});
  Result<wire::RepoInfo> GetRepo(const RepoAddress& repo);
  Result<wire::RepoInfo> EditRepo(const RepoAddress& repo, const wire::RepoEdit& edit);
  Status DeleteRepo(const RepoAddress& repo);
  Result<std::string> AuditLogJson(const RepoAddress& repo);
  Result<std::vector<wire::Member>> ListMembers(const RepoAddress& repo);
  // `who`: a wallet's address or a handle. Returns the member as the hub knows them.
  Result<wire::Member> SetMember(const RepoAddress& repo, std::string_view who,
                                 std::string_view role);
  Status RemoveMember(const RepoAddress& repo, std::string_view who);
  Result<wire::RefList> ListRefs(const RepoAddress& repo);
  // JSON of the endpoints under the repository that only show: "commits?limit=20",
  // "commits/ID/tensors", "diff/A/B", "attachments/ID".
  Result<std::string> GetJson(const RepoAddress& repo, std::string_view below);

  // --- data cards and tickets (tickets.h checks what comes) --------------------------
  Result<wire::CardInfo> RegisterCard(const RepoAddress& repo, std::string_view card_text);
  Result<wire::CardInfo> GetCard(const RepoAddress& repo, const Digest& card);
  Result<wire::TicketInfo> AskTicket(const RepoAddress& repo, const wire::TicketRequest& request);

  // --- proposals --------------------------------------------------------------------
  // `state`: "open", "merged", "closed", "all"; empty: the hub's default.
  Result<std::vector<wire::Proposal>> ListProposals(const RepoAddress& repo,
                                                    std::string_view state = {});
  // Evidence, checks, reviews and comments are in Proposal::raw.
  Result<wire::Proposal> GetProposal(const RepoAddress& repo, std::uint64_t number);
  Status CommentProposal(const RepoAddress& repo, std::uint64_t number, std::string_view text);
  // `review`: kind kReview, signed, its subject the proposal's current commit.
  Status ReviewProposal(const RepoAddress& repo, std::uint64_t number, const Attachment& review);
  Status CloseProposal(const RepoAddress& repo, std::uint64_t number);
  Status ReopenProposal(const RepoAddress& repo, std::uint64_t number);

  // --- merges -----------------------------------------------------------------------
  Result<wire::PreparedMerge> PrepareMerge(const RepoAddress& repo,
                                           const wire::MergeRequest& request);
  Result<wire::MergeResult> FinishMerge(const RepoAddress& repo, std::string_view merge,
                                        const Attachment& signature);

  // --- transfer (used by transfer.h) --------------------------------------------------
  Result<wire::FetchPlan> PlanFetch(const RepoAddress& repo, const wire::FetchRequest& request);
  Status ReadPack(const RepoAddress& repo, std::string_view pack, std::uint64_t offset,
                  std::uint64_t length_bytes, const BodySink& sink);
  Result<wire::PushState> CreatePush(const RepoAddress& repo, const wire::PushRequest& request);
  Result<std::uint64_t> PushOffset(const RepoAddress& repo, std::string_view push);
  // Returns the offset after. Errors: kConflict when the hub is at another offset.
  Result<std::uint64_t> AppendPush(const RepoAddress& repo, std::string_view push,
                                   std::uint64_t offset, std::uint64_t length_bytes,
                                   const BodySource& source);
  Result<wire::FinishResult> FinishPush(const RepoAddress& repo, std::string_view push,
                                        const wire::FinishRequest& request);
  // A file of a commit; `light` "int8" or "bf16" converts safetensors on the way.
  Status ReadFile(const RepoAddress& repo, const CommitId& commit, std::string_view path,
                  std::string_view light, std::uint64_t offset, const BodySink& sink);

 private:
  std::string RepoUrl(const RepoAddress& repo, std::string_view below) const;
  Result<HttpResponse> Call(HttpMethod method, const std::string& url, std::string body,
                            Repeat repeat = Repeat::kSafe);
  HttpRequest Prepare(HttpMethod method, std::string url) const;

  HttpClient& http_;
  std::string hub_url_;
  std::string token_;
};

// One federated round from the maintainer's side: the hub prepares, this checks what
// it prepared against what was asked (parents: target's tip, then the proposals' commits;
// author, time, message, method; the commit id recomputed), signs, and the ref moves.
struct RoundRequest {
  std::vector<std::uint64_t> proposals;
  std::string method;
  std::string weights;
  std::string message;
  std::uint64_t time_s = 0;
  std::vector<std::pair<std::string, std::string>> parameters;
};
struct RoundOutcome {
  std::optional<CommitId> commit;  // absent: conflicts, nothing moved
  std::vector<wire::MergeConflict> conflicts;
  Commit body;
};
// Errors: kRejected when the prepared body is not what was asked for, kConflict when
// the target moved meanwhile, kPolicyViolation.
Result<RoundOutcome> MergeProposals(HubApi& api, const RepoAddress& repo,
                                    const RoundRequest& request, const Keypair& key);

// The check alone. `target_tip` and `commits` are what the client knows itself.
Result<Commit> CheckPreparedMerge(const wire::PreparedMerge& prepared,
                                  const wire::MergeRequest& request, const CommitId& target_tip,
                                  const std::vector<CommitId>& commits);

}  // namespace flair
