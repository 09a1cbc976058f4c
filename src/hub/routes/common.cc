// SPDX-License-Identifier: Apache-2.0
#include "hub/routes/common.h"

#include <charconv>
#include <vector>

#include "base/hex.h"

namespace flair::hub {
namespace {

std::optional<std::int64_t> Number(std::string_view text) {
  std::int64_t v = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), v);
  if (text.empty() || code != std::errc() || end != text.data() + text.size()) return {};
  return v;
}

}  // namespace

Result<std::string> WalletOf(Database& db, std::string_view wallet_or_handle) {
  if (Wallet::FromBase58(wallet_or_handle).ok()) return std::string(wallet_or_handle);
  FLAIR_TRY(Statement row, db.Prepare("SELECT wallet FROM wallets WHERE handle=?"));
  row.Bind(1, wallet_or_handle);
  FLAIR_TRY(const bool found, row.Step());
  if (!found) {
    return Error(ErrorCode::kNotFound,
                 "'" + std::string(wallet_or_handle) + "' is neither a wallet nor a known handle");
  }
  return row.Text(0);
}

Result<json::object> RepoJson(Database& db, const RepoRow& repo, Who role) {
  FLAIR_TRY(const std::string handle, HandleOf(db, repo.owner));
  return json::object{{"id", repo.id},
                      {"owner", repo.owner},
                      {"owner_handle", handle},
                      {"name", repo.name},
                      {"visibility", repo.is_private ? "private" : "public"},
                      {"description", repo.description},
                      {"default_branch", repo.default_branch},
                      {"created_at", TimeText(repo.created_s)},
                      {"role", std::string(WhoName(role))}};
}

Result<std::shared_ptr<RepoStore>> StoreOf(HubContext& hub, const Call& call) {
  return hub.stores.Open(call.repo->id);
}

Result<CommitId> CommitParameter(HubContext& hub, const Call& call, std::string_view name) {
  return Query(hub.db, [&](Database& db) -> Result<CommitId> {
    return ResolveCommit(db, call.repo->id, call.parameter(name));
  });
}

Result<std::int64_t> NumberQuery(const Request& request, std::string_view name,
                                 std::int64_t otherwise, std::int64_t most) {
  const std::string* text = request.Query(name);
  if (text == nullptr) return otherwise;
  const auto v = Number(*text);
  if (!v || *v < 0 || *v > most) {
    return Error(
        ErrorCode::kInvalidArgument,
        "'" + std::string(name) + "' must be a whole number, at most " + std::to_string(most));
  }
  return *v;
}

Result<std::int64_t> NumberParameter(const Call& call, std::string_view name) {
  const auto v = Number(call.parameter(name));
  if (v && *v > 0) return *v;
  return Error(ErrorCode::kNotFound, "no " + std::string(name) + " '" + call.parameter(name) + "'");
}

std::string RandomHex(Env& env, std::size_t num_bytes) {
  Bytes random(num_bytes);
  env.RandomBytes(random);
  return ToHex(random);
}

Response NoContent() {
  Response r;
  r.status = 204;
  return r;
}

}  // namespace flair::hub
