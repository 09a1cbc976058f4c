// SPDX-License-Identifier: Apache-2.0
#include "repo/config.h"

#include "repo/oplog.h"

namespace flair {

Result<std::optional<std::string>> GetConfig(Repository& repo, std::string_view key) {
  FLAIR_TRY(Statement query, repo.db().Prepare("SELECT value FROM config WHERE key = ?"));
  query.Bind(1, key);
  FLAIR_TRY(const bool found, query.Step());
  if (!found) return std::optional<std::string>();
  return std::optional<std::string>(query.Text(0));
}

Status SetConfig(Repository& repo, std::string_view key, std::string_view value) {
  FLAIR_TRY(Statement write, repo.db().Prepare("INSERT OR REPLACE INTO config VALUES(?, ?)"));
  return write.Bind(1, key).Bind(2, value).Run();
}

Status UnsetConfig(Repository& repo, std::string_view key) {
  FLAIR_TRY(Statement write, repo.db().Prepare("DELETE FROM config WHERE key = ?"));
  return write.Bind(1, key).Run();
}

Result<std::vector<std::pair<std::string, std::string>>> ListConfig(Repository& repo,
                                                                    std::string_view prefix) {
  FLAIR_TRY(Statement query,
            repo.db().Prepare("SELECT key, value FROM config WHERE substr(key, 1, length(?1)) = ?1"
                              " ORDER BY key"));
  query.Bind(1, prefix);
  std::vector<std::pair<std::string, std::string>> rows;
  while (true) {
    FLAIR_TRY(const bool row, query.Step());
    if (!row) return rows;
    rows.emplace_back(query.Text(0), query.Text(1));
  }
}

// --- remotes -------------------------------------------------------------------

namespace {

std::string RemoteKey(std::string_view name, std::string_view what) {
  return "remote." + std::string(name) + "." + std::string(what);
}

// A remote's name is one part of a ref name.
Status CheckRemoteName(std::string_view name) {
  if (name.find('/') != std::string_view::npos) {
    return Error(ErrorCode::kInvalidArgument,
                 "remote \"" + std::string(name) + "\": a remote's name holds no '/'");
  }
  return CheckRefName("remotes/" + std::string(name) + "/x");
}

}  // namespace

Status AddRemote(Repository& repo, const Remote& remote) {
  FLAIR_TRY(const auto there, GetConfig(repo, RemoteKey(remote.name, "url")));
  if (there) {
    return Error(ErrorCode::kAlreadyExists,
                 "remote \"" + remote.name + "\" is there already: " + *there);
  }
  return SetRemote(repo, remote);
}

Status SetRemote(Repository& repo, const Remote& remote) {
  FLAIR_DO(CheckRemoteName(remote.name));
  if (remote.url.empty()) {
    return Error(ErrorCode::kInvalidArgument, "remote \"" + remote.name + "\" has no address");
  }
  FLAIR_TRY(Transaction transaction, Transaction::Begin(repo.db()));
  FLAIR_DO(SetConfig(repo, RemoteKey(remote.name, "url"), remote.url));
  const std::string id_key = RemoteKey(remote.name, "repo_id");
  FLAIR_DO(remote.repo_id.empty() ? UnsetConfig(repo, id_key)
                                  : SetConfig(repo, id_key, remote.repo_id));
  return transaction.Commit();
}

Status RemoveRemote(Repository& repo, std::string_view name) {
  FLAIR_DO(GetRemote(repo, name));
  FLAIR_TRY(const auto refs, ListRefs(repo, "remotes/" + std::string(name) + "/"));
  std::vector<RefUpdate> updates;
  for (const Ref& ref : refs) updates.push_back({.name = ref.name, .old = ref.commit, .to = {}});
  FLAIR_DO(CompareAndSwap(repo, updates, "remote", "remove remote " + std::string(name)));
  FLAIR_TRY(const auto branches, ListConfig(repo, "branch."));
  FLAIR_TRY(Transaction transaction, Transaction::Begin(repo.db()));
  for (const auto& [key, value] : branches) {
    if (!key.ends_with(".remote") || value != name) continue;
    FLAIR_DO(UnsetConfig(repo, key));
    FLAIR_DO(UnsetConfig(repo, key.substr(0, key.size() - 6) + "merge"));
  }
  FLAIR_DO(UnsetConfig(repo, RemoteKey(name, "url")));
  FLAIR_DO(UnsetConfig(repo, RemoteKey(name, "repo_id")));
  return transaction.Commit();
}

Result<Remote> GetRemote(Repository& repo, std::string_view name) {
  FLAIR_TRY(const auto url, GetConfig(repo, RemoteKey(name, "url")));
  if (!url) {
    return Error(ErrorCode::kNotFound, "no remote named \"" + std::string(name) + "\"")
        .WithHint("`flair remote` lists the remotes");
  }
  FLAIR_TRY(const auto repo_id, GetConfig(repo, RemoteKey(name, "repo_id")));
  return Remote{.name = std::string(name), .url = *url, .repo_id = repo_id.value_or("")};
}

Result<std::vector<Remote>> ListRemotes(Repository& repo) {
  FLAIR_TRY(const auto rows, ListConfig(repo, "remote."));
  std::vector<Remote> remotes;
  for (const auto& [key, value] : rows) {
    if (!key.ends_with(".url")) continue;
    FLAIR_TRY(Remote remote, GetRemote(repo, key.substr(7, key.size() - 7 - 4)));
    remotes.push_back(std::move(remote));
  }
  return remotes;
}

// --- upstreams -----------------------------------------------------------------

Result<std::optional<Upstream>> GetUpstream(Repository& repo, std::string_view branch) {
  const std::string prefix = "branch." + std::string(branch);
  FLAIR_TRY(const auto remote, GetConfig(repo, prefix + ".remote"));
  FLAIR_TRY(const auto merge, GetConfig(repo, prefix + ".merge"));
  if (!remote || !merge) return std::optional<Upstream>();
  return std::optional<Upstream>(Upstream{.remote = *remote, .branch = *merge});
}

Status SetUpstream(Repository& repo, std::string_view branch, const std::optional<Upstream>& to) {
  const std::string prefix = "branch." + std::string(branch);
  FLAIR_TRY(Transaction transaction, Transaction::Begin(repo.db()));
  if (to) {
    FLAIR_DO(SetConfig(repo, prefix + ".remote", to->remote));
    FLAIR_DO(SetConfig(repo, prefix + ".merge", to->branch));
  } else {
    FLAIR_DO(UnsetConfig(repo, prefix + ".remote"));
    FLAIR_DO(UnsetConfig(repo, prefix + ".merge"));
  }
  return transaction.Commit();
}

// --- shallow -------------------------------------------------------------------

Status MarkShallow(Repository& repo, const std::vector<CommitId>& commits) {
  FLAIR_TRY(Transaction transaction, Transaction::Begin(repo.db()));
  {
    FLAIR_TRY(Statement write, repo.db().Prepare("INSERT OR IGNORE INTO shallow VALUES(?)"));
    for (const CommitId& id : commits) FLAIR_DO(write.Bind(1, id.digest).Run());
  }
  return transaction.Commit();
}

Result<std::vector<CommitId>> ShallowCommits(Repository& repo) {
  FLAIR_TRY(Statement query, repo.db().Prepare("SELECT commit_id FROM shallow ORDER BY 1"));
  std::vector<CommitId> commits;
  while (true) {
    FLAIR_TRY(const bool row, query.Step());
    if (!row) return commits;
    FLAIR_TRY(const Digest digest, query.DigestAt(0));
    commits.push_back(CommitId{digest});
  }
}

}  // namespace flair
