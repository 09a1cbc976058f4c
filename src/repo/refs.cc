// SPDX-License-Identifier: Apache-2.0
#include "repo/refs.h"

#include <algorithm>

#include "repo/oplog.h"

namespace flair {
namespace {

constexpr std::size_t kMaxPartBytes = 100;
constexpr std::size_t kMaxParts = 8;
constexpr std::size_t kMaxRefBytes = 250;
constexpr std::string_view kSpaces[] = {"heads/", "tags/", "aliases/", "proposals/", "remotes/"};

bool IsPartChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

// The rule a part breaks; empty when it breaks none.
std::string_view BrokenRule(std::string_view part) {
  if (part.empty()) return "has an empty part";
  if (part.size() > kMaxPartBytes) return "has a part over 100 bytes";
  if (part.front() == '.' || part.front() == '-') return "has a part that starts with '.' or '-'";
  if (part.back() == '.') return "has a part that ends in '.'";
  if (part.ends_with(".lock")) return "has a part that ends in \".lock\"";
  if (part.find("..") != std::string_view::npos) return "holds \"..\"";
  if (!std::all_of(part.begin(), part.end(), IsPartChar)) {
    return "may hold letters, digits, '.', '_' and '-' only";
  }
  return {};
}

// For messages: a name from outside must not write control characters to a terminal.
std::string Quoted(std::string_view name) {
  std::string out = "\"";
  for (const char c : name.substr(0, kMaxRefBytes)) {
    out += static_cast<unsigned char>(c) >= 0x20 && c != 0x7f ? c : '?';
  }
  return out + "\"";
}

Error BadName(std::string_view name, std::string_view rule) {
  return Error(ErrorCode::kInvalidArgument, "ref " + Quoted(name) + ": " + std::string(rule));
}

bool IsNumber(std::string_view text) {
  return !text.empty() && text.front() != '0' && text.size() <= 9 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

Status CheckRefName(std::string_view name) {
  if (name.size() > kMaxRefBytes) return BadName(name, "is over 250 bytes");
  const auto* const space =
      std::find_if(std::begin(kSpaces), std::end(kSpaces),
                   [&](std::string_view prefix) { return name.starts_with(prefix); });
  if (space == std::end(kSpaces)) {
    return BadName(name, "starts with none of heads/, tags/, aliases/, proposals/, remotes/");
  }
  std::string_view rest = name.substr(space->size());
  if (*space == "proposals/" && !IsNumber(rest)) return BadName(name, "has no proposal number");
  std::size_t parts = 1;
  while (true) {
    const std::size_t slash = rest.find('/');
    if (const auto rule = BrokenRule(rest.substr(0, slash)); !rule.empty()) {
      return BadName(name, rule);
    }
    ++parts;
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  if (parts > kMaxParts) return BadName(name, "has more than 8 parts");
  if (*space == "aliases/" && parts != 2) return BadName(name, "an alias holds no '/'");
  if (*space == "remotes/" && parts < 3) return BadName(name, "names a remote but no branch");
  // Both are spelled by people where a branch could stand too.
  if (*space != "remotes/" && rest == "HEAD") return BadName(name, "HEAD is reserved");
  return OkStatus();
}

Result<std::string> BranchRef(std::string_view branch) {
  std::string name = "heads/" + std::string(branch);
  FLAIR_DO(CheckRefName(name));
  return name;
}

std::string ShortRefName(std::string_view name) {
  for (const std::string_view prefix : {"heads/", "tags/", "remotes/"}) {
    if (name.starts_with(prefix)) return std::string(name.substr(prefix.size()));
  }
  if (name.starts_with("aliases/")) return "@" + std::string(name.substr(8));
  return std::string(name);
}

Result<std::optional<CommitId>> GetRef(Repository& repo, std::string_view name) {
  FLAIR_TRY(Statement query, repo.db().Prepare("SELECT commit_id FROM refs WHERE name = ?"));
  query.Bind(1, name);
  FLAIR_TRY(const bool found, query.Step());
  if (!found) return std::optional<CommitId>();
  FLAIR_TRY(const Digest digest, query.DigestAt(0));
  return std::optional<CommitId>(CommitId{digest});
}

Result<std::vector<Ref>> ListRefs(Repository& repo, std::string_view prefix) {
  FLAIR_TRY(Statement query,
            repo.db().Prepare("SELECT name, commit_id FROM refs"
                              " WHERE substr(name, 1, length(?1)) = ?1 ORDER BY name"));
  query.Bind(1, prefix);
  std::vector<Ref> refs;
  while (true) {
    FLAIR_TRY(const bool row, query.Step());
    if (!row) return refs;
    FLAIR_TRY(const Digest digest, query.DigestAt(1));
    refs.push_back({.name = query.Text(0), .commit = CommitId{digest}});
  }
}

Status CompareAndSwap(Repository& repo, const std::vector<RefUpdate>& updates,
                      std::string_view kind, std::string_view reason) {
  OperationPlan plan;
  plan.kind = kind;
  plan.reason = reason;
  plan.refs = updates;
  FLAIR_DO(Apply(repo, plan));
  return OkStatus();
}

Result<Head> ReadHead(Repository& repo) {
  FLAIR_TRY(const HeadTarget target, ReadHeadTarget(repo));
  if (target.branch.empty()) return Head{.branch = "", .commit = target.commit};
  FLAIR_TRY(const auto commit, GetRef(repo, target.branch));
  return Head{.branch = target.branch, .commit = commit};
}

Result<std::vector<ReflogEntry>> ReadReflog(Repository& repo, std::string_view ref,
                                            std::size_t limit) {
  FLAIR_TRY(Statement query,
            repo.db().Prepare("SELECT ref, before, after, time_s, operation, reason FROM reflog"
                              " WHERE ?1 = '' OR ref = ?1 ORDER BY sequence DESC LIMIT ?2"));
  query.Bind(1, ref).Bind(2, limit == 0 ? std::int64_t{-1} : static_cast<std::int64_t>(limit));
  std::vector<ReflogEntry> entries;
  while (true) {
    FLAIR_TRY(const bool row, query.Step());
    if (!row) return entries;
    FLAIR_TRY(const auto from, query.OptionalDigestAt(1));
    FLAIR_TRY(const auto to, query.OptionalDigestAt(2));
    ReflogEntry entry;
    entry.ref = query.Text(0);
    if (from) entry.from = CommitId{*from};
    if (to) entry.to = CommitId{*to};
    entry.time_s = query.Int(3);
    entry.operation = query.Int(4);
    entry.reason = query.Text(5);
    entries.push_back(std::move(entry));
  }
}

}  // namespace flair
