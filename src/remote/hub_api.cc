// SPDX-License-Identifier: Apache-2.0
#include "remote/hub_api.h"

#include <charconv>

#include "base/hex.h"

namespace flair {
namespace {

namespace json = wire::json;

// Work that the hub does before it answers: merging several models, sealing a push.
constexpr int kLongAnswerS = 900;

Result<std::uint64_t> UploadOffset(const HttpResponse& response) {
  const std::string* text = response.Header("upload-offset");
  std::uint64_t offset = 0;
  if (text != nullptr) {
    const auto [end, code] = std::from_chars(text->data(), text->data() + text->size(), offset);
    if (code == std::errc() && end == text->data() + text->size() && !text->empty()) return offset;
  }
  return Error(ErrorCode::kCorrupt, "the hub's answer has no Upload-Offset");
}

std::string Number(std::uint64_t n) { return std::to_string(n); }

}  // namespace

HubApi::HubApi(HttpClient& http, std::string hub_url, std::string token)
    : http_(http), hub_url_(std::move(hub_url)), token_(std::move(token)) {}

HttpRequest HubApi::Prepare(HttpMethod method, std::string url) const {
  HttpRequest request;
  request.method = method;
  request.url = std::move(url);
  request.headers.emplace_back("Accept", "application/json, application/problem+json");
  if (!token_.empty()) request.headers.emplace_back("Authorization", "Bearer " + token_);
  return request;
}

std::string HubApi::RepoUrl(const RepoAddress& repo, std::string_view below) const {
  std::string url =
      hub_url_ + "/api/v1/repos/" + PercentEncode(repo.owner) + "/" + PercentEncode(repo.name);
  if (!below.empty()) url += "/" + std::string(below);
  return url;
}

Result<HttpResponse> HubApi::Call(HttpMethod method, const std::string& url, std::string body,
                                  Repeat repeat) {
  HttpRequest request = Prepare(method, url);
  request.body = std::move(body);
  request.repeat = repeat;
  return http_.Send(request);
}

// --- the hub, the account -------------------------------------------------------------

Result<std::string> HubApi::HubInfoJson() {
  FLAIR_TRY(HttpResponse answer, Call(HttpMethod::kGet, hub_url_ + "/api/v1/hub", ""));
  return std::move(answer.body);
}

Result<wire::Whoami> HubApi::GetWhoami() {
  FLAIR_TRY(const HttpResponse answer,
            Call(HttpMethod::kGet, hub_url_ + "/api/v1/auth/whoami", ""));
  return wire::DecodeWhoami(answer.body);
}

Status HubApi::SetHandle(std::string_view handle) {
  json::object body;
  body["handle"] = std::string(handle);
  FLAIR_DO(Call(HttpMethod::kPut, hub_url_ + "/api/v1/auth/handle", wire::ToText(body)));
  return OkStatus();
}

Status HubApi::EndSession() {
  FLAIR_DO(Call(HttpMethod::kDelete, hub_url_ + "/api/v1/auth/session", ""));
  return OkStatus();
}

Result<std::vector<wire::TokenInfo>> HubApi::ListTokens() {
  FLAIR_TRY(const HttpResponse answer,
            Call(HttpMethod::kGet, hub_url_ + "/api/v1/auth/tokens", ""));
  return wire::DecodeTokens(answer.body);
}

Result<wire::TokenInfo> HubApi::CreateToken(const wire::TokenRequest& request) {
  FLAIR_TRY(const HttpResponse answer, Call(HttpMethod::kPost, hub_url_ + "/api/v1/auth/tokens",
                                            Encode(request), Repeat::kNever));
  return wire::DecodeTokenInfo(answer.body);
}

Status HubApi::RevokeToken(std::string_view id) {
  FLAIR_DO(Call(HttpMethod::kDelete, hub_url_ + "/api/v1/auth/tokens/" + PercentEncode(id), ""));
  return OkStatus();
}

// --- repositories ---------------------------------------------------------------------

Result<wire::RepoInfo> HubApi::CreateRepo(const wire::RepoRequest& request) {
  FLAIR_TRY(const HttpResponse answer,
            Call(HttpMethod::kPost, hub_url_ + "/api/v1/repos", Encode(request), Repeat::kNever));
  return wire::DecodeRepoInfo(answer.body);
}

Result<std::vector<wire::RepoInfo>> HubApi::ListRepos(std::string_view owner) {
  std::string url = hub_url_ + "/api/v1/repos";
  if (!owner.empty()) url += "?owner=" + PercentEncode(owner);
  FLAIR_TRY(const HttpResponse answer, Call(HttpMethod::kGet, url, ""));
  return wire::DecodeRepoList(answer.body);
}

Result<wire::RepoInfo> HubApi::GetRepo(const RepoAddress& repo) {
  FLAIR_TRY(const HttpResponse answer, Call(HttpMethod::kGet, RepoUrl(repo, ""), ""));
  return wire::DecodeRepoInfo(answer.body);
}

Result<wire::RepoInfo> HubApi::EditRepo(const RepoAddress& repo, const wire::RepoEdit& edit) {
  FLAIR_TRY(const HttpResponse answer, Call(HttpMethod::kPatch, RepoUrl(repo, ""), Encode(edit)));
  return wire::DecodeRepoInfo(answer.body);
}

Status HubApi::DeleteRepo(const RepoAddress& repo) {
  FLAIR_DO(Call(HttpMethod::kDelete, RepoUrl(repo, ""), "", Repeat::kNever));
  return OkStatus();
}

Result<std::string> HubApi::GetJson(const RepoAddress& repo, std::string_view below) {
  FLAIR_TRY(HttpResponse answer, Call(HttpMethod::kGet, RepoUrl(repo, below), ""));
  return std::move(answer.body);
}

Result<std::string> HubApi::AuditLogJson(const RepoAddress& repo) {
  return GetJson(repo, "audit-log");
}

Result<std::vector<wire::Member>> HubApi::ListMembers(const RepoAddress& repo) {
  FLAIR_TRY(const std::string answer, GetJson(repo, "members"));
  return wire::DecodeMembers(answer);
}

Result<wire::Member> HubApi::SetMember(const RepoAddress& repo, std::string_view who,
                                       std::string_view role) {
  json::object body;
  body["role"] = std::string(role);
  FLAIR_TRY(
      const HttpResponse answer,
      Call(HttpMethod::kPut, RepoUrl(repo, "members/" + PercentEncode(who)), wire::ToText(body)));
  return wire::DecodeMember(answer.body);
}

Status HubApi::RemoveMember(const RepoAddress& repo, std::string_view who) {
  FLAIR_DO(Call(HttpMethod::kDelete, RepoUrl(repo, "members/" + PercentEncode(who)), ""));
  return OkStatus();
}

Result<wire::RefList> HubApi::ListRefs(const RepoAddress& repo) {
  FLAIR_TRY(const std::string answer, GetJson(repo, "refs"));
  return wire::DecodeRefList(answer);
}

// --- proposals ------------------------------------------------------------------------

Result<std::vector<wire::Proposal>> HubApi::ListProposals(const RepoAddress& repo,
                                                          std::string_view state) {
  std::string below = "proposals";
  if (!state.empty()) below += "?state=" + PercentEncode(state);
  FLAIR_TRY(const std::string answer, GetJson(repo, below));
  return wire::DecodeProposalList(answer);
}

Result<wire::Proposal> HubApi::GetProposal(const RepoAddress& repo, std::uint64_t number) {
  FLAIR_TRY(const std::string answer, GetJson(repo, "proposals/" + Number(number)));
  return wire::DecodeProposal(answer);
}

Status HubApi::CommentProposal(const RepoAddress& repo, std::uint64_t number,
                               std::string_view text) {
  json::object body;
  body["text"] = std::string(text);
  FLAIR_DO(Call(HttpMethod::kPost, RepoUrl(repo, "proposals/" + Number(number) + "/comments"),
                wire::ToText(body), Repeat::kNever));
  return OkStatus();
}

Result<wire::CardInfo> HubApi::RegisterCard(const RepoAddress& repo, std::string_view card_text) {
  FLAIR_TRY(const HttpResponse answer,
            Call(HttpMethod::kPost, RepoUrl(repo, "cards"), wire::EncodeCardRequest(card_text)));
  return wire::DecodeCardInfo(answer.body);
}

Result<wire::CardInfo> HubApi::GetCard(const RepoAddress& repo, const Digest& card) {
  FLAIR_TRY(const HttpResponse answer,
            Call(HttpMethod::kGet, RepoUrl(repo, "cards/" + card.ToHex()), ""));
  return wire::DecodeCardInfo(answer.body);
}

Result<wire::TicketInfo> HubApi::AskTicket(const RepoAddress& repo,
                                           const wire::TicketRequest& request) {
  FLAIR_TRY(const HttpResponse answer,
            Call(HttpMethod::kPost, RepoUrl(repo, "tickets"), wire::Encode(request)));
  return wire::DecodeTicketInfo(answer.body);
}

Status HubApi::ReviewProposal(const RepoAddress& repo, std::uint64_t number,
                              const Attachment& review) {
  json::object body;
  body["attachment"] = ToHex(EncodeAttachment(review));
  FLAIR_DO(Call(HttpMethod::kPost, RepoUrl(repo, "proposals/" + Number(number) + "/reviews"),
                wire::ToText(body)));
  return OkStatus();
}

Status HubApi::CloseProposal(const RepoAddress& repo, std::uint64_t number) {
  FLAIR_DO(Call(HttpMethod::kPost, RepoUrl(repo, "proposals/" + Number(number) + "/close"), "{}",
                Repeat::kNever));
  return OkStatus();
}

Status HubApi::ReopenProposal(const RepoAddress& repo, std::uint64_t number) {
  FLAIR_DO(Call(HttpMethod::kPost, RepoUrl(repo, "proposals/" + Number(number) + "/reopen"), "{}",
                Repeat::kNever));
  return OkStatus();
}

// --- merges ---------------------------------------------------------------------------

Result<wire::PreparedMerge> HubApi::PrepareMerge(const RepoAddress& repo,
                                                 const wire::MergeRequest& request) {
  HttpRequest http = Prepare(HttpMethod::kPost, RepoUrl(repo, "merges"));
  http.body = Encode(request);
  http.stall_timeout_s = kLongAnswerS;
  FLAIR_TRY(const HttpResponse answer, http_.Send(http));
  return wire::DecodePreparedMerge(answer.body);
}

Result<wire::MergeResult> HubApi::FinishMerge(const RepoAddress& repo, std::string_view merge,
                                              const Attachment& signature) {
  json::object body;
  body["signature"] = ToHex(EncodeAttachment(signature));
  HttpRequest http =
      Prepare(HttpMethod::kPost, RepoUrl(repo, "merges/" + PercentEncode(merge) + "/finish"));
  http.body = wire::ToText(body);
  http.stall_timeout_s = kLongAnswerS;
  FLAIR_TRY(const HttpResponse answer, http_.Send(http));
  return wire::DecodeMergeResult(answer.body);
}

// --- transfer -------------------------------------------------------------------------

Result<wire::FetchPlan> HubApi::PlanFetch(const RepoAddress& repo,
                                          const wire::FetchRequest& request) {
  HttpRequest http = Prepare(HttpMethod::kPost, RepoUrl(repo, "fetch"));
  http.body = Encode(request);
  http.stall_timeout_s = kLongAnswerS;
  FLAIR_TRY(const HttpResponse answer, http_.Send(http));
  return wire::DecodeFetchPlan(answer.body);
}

Status HubApi::ReadPack(const RepoAddress& repo, std::string_view pack, std::uint64_t offset,
                        std::uint64_t length_bytes, const BodySink& sink) {
  HttpRequest http = Prepare(HttpMethod::kGet, RepoUrl(repo, "packs/" + std::string(pack)));
  http.headers.emplace_back("Range",
                            "bytes=" + Number(offset) + "-" + Number(offset + length_bytes - 1));
  std::uint64_t received = 0;
  FLAIR_TRY(const HttpResponse answer, http_.Stream(http, [&](ByteView data) -> Status {
    received += data.size();
    if (received > length_bytes) {
      return Error(ErrorCode::kCorrupt, "the hub sent more than the range asked for");
    }
    return sink(data);
  }));
  if (answer.status != 206) {
    return Error(ErrorCode::kCorrupt,
                 "the hub answered a range with HTTP status " + std::to_string(answer.status));
  }
  if (received != length_bytes) {
    return Error(ErrorCode::kUnavailable,
                 "the hub sent " + Number(received) + " bytes of " + Number(length_bytes));
  }
  return OkStatus();
}

Result<wire::PushState> HubApi::CreatePush(const RepoAddress& repo,
                                           const wire::PushRequest& request) {
  HttpRequest http = Prepare(HttpMethod::kPost, RepoUrl(repo, "pushes"));
  http.body = Encode(request);
  FLAIR_TRY(const HttpResponse answer, http_.Send(http));
  return wire::DecodePushState(answer.body);
}

Result<std::uint64_t> HubApi::PushOffset(const RepoAddress& repo, std::string_view push) {
  FLAIR_TRY(const HttpResponse answer,
            Call(HttpMethod::kHead, RepoUrl(repo, "pushes/" + std::string(push) + "/data"), ""));
  return UploadOffset(answer);
}

Result<std::uint64_t> HubApi::AppendPush(const RepoAddress& repo, std::string_view push,
                                         std::uint64_t offset, std::uint64_t length_bytes,
                                         const BodySource& source) {
  HttpRequest http =
      Prepare(HttpMethod::kPatch, RepoUrl(repo, "pushes/" + std::string(push) + "/data"));
  http.headers.emplace_back("Upload-Offset", Number(offset));
  http.content_type = "application/offset+octet-stream";
  http.body_source = source;
  http.body_bytes = length_bytes;
  http.repeat = Repeat::kNever;
  FLAIR_TRY(const HttpResponse answer, http_.Send(http));
  return UploadOffset(answer);
}

Result<wire::FinishResult> HubApi::FinishPush(const RepoAddress& repo, std::string_view push,
                                              const wire::FinishRequest& request) {
  HttpRequest http =
      Prepare(HttpMethod::kPost, RepoUrl(repo, "pushes/" + std::string(push) + "/finish"));
  http.body = Encode(request);
  FLAIR_TRY(const HttpResponse answer, http_.Send(http));
  return wire::DecodeFinishResult(answer.body);
}

Status HubApi::ReadFile(const RepoAddress& repo, const CommitId& commit, std::string_view path,
                        std::string_view light, std::uint64_t offset, const BodySink& sink) {
  std::string below = "files/" + commit.ToHex();
  for (std::string_view rest = path; !rest.empty();) {
    const std::size_t slash = rest.find('/');
    below += "/" + PercentEncode(rest.substr(0, slash));
    rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
  }
  if (!light.empty()) below += "?light=" + PercentEncode(light);
  HttpRequest http = Prepare(HttpMethod::kGet, RepoUrl(repo, below));
  if (offset != 0) http.headers.emplace_back("Range", "bytes=" + Number(offset) + "-");
  http.stall_timeout_s = kLongAnswerS;  // the hub converts before the first byte
  FLAIR_TRY(const HttpResponse answer, http_.Stream(http, sink));
  if (offset != 0 && answer.status != 206) {
    return Error(ErrorCode::kCorrupt, "the hub ignored the range of '" + std::string(path) + "'");
  }
  return OkStatus();
}

}  // namespace flair
