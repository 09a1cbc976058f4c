// From what a user types to a commit.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "repo/refs.h"

namespace flair {
namespace {

constexpr std::size_t kMinPrefixDigits = 6;
constexpr std::size_t kDigits = 2 * Digest::kBytes;
constexpr std::size_t kMaxNamedCandidates = 5;

struct Candidate {
  std::string name;
  CommitId commit;
};

bool IsLowerHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

Error NotFound(std::string_view text) {
  Error error(ErrorCode::kNotFound,
              "no branch, tag or commit named \"" + std::string(text.substr(0, 250)) + "\"");
  if (IsLowerHex(text) && text.size() < kMinPrefixDigits) {
    return std::move(error).WithHint("a commit id needs at least 6 of its digits");
  }
  if (text.starts_with("proposals/")) {
    return std::move(error).WithHint("`flair fetch --proposal N` brings proposal N");
  }
  return std::move(error).WithHint("`flair log` lists the commits, `flair branch` the branches");
}

// Commits that a ref has reached, by a range over the ids' bytes.
Status AddByPrefix(Repository& repo, std::string_view prefix, std::vector<Candidate>& found) {
  std::string low(prefix);
  std::string high(prefix);
  low.resize(kDigits, '0');
  high.resize(kDigits, 'f');
  FLAIR_TRY(const Digest first, Digest::FromHex(low));
  FLAIR_TRY(const Digest last, Digest::FromHex(high));
  FLAIR_TRY(Statement query,
            repo.db().Prepare("SELECT commit_id FROM commits WHERE commit_id BETWEEN ? AND ?"
                              " ORDER BY commit_id LIMIT ?"));
  query.Bind(1, first).Bind(2, last).Bind(3, std::int64_t{kMaxNamedCandidates + 1});
  while (true) {
    FLAIR_TRY(const bool row, query.Step());
    if (!row) break;
    FLAIR_TRY(const Digest digest, query.DigestAt(0));
    found.push_back({.name = digest.ToHex().substr(0, 12), .commit = CommitId{digest}});
  }
  // A full id names any stored commit, reached by a ref or not.
  if (prefix.size() == kDigits && repo.objects().HasObject(ObjectKind::kCommit, first)) {
    found.push_back({.name = std::string(prefix), .commit = CommitId{first}});
  }
  return OkStatus();
}

Result<CommitId> ResolveName(Repository& repo, std::string_view name) {
  if (name == "HEAD") {
    FLAIR_TRY(const Head head, ReadHead(repo));
    if (head.commit) return *head.commit;
    return Error(ErrorCode::kNotFound,
                 "HEAD: branch " + ShortRefName(head.branch) + " has no commit yet");
  }
  if (name.starts_with('@')) {
    FLAIR_TRY(const auto commit, GetRef(repo, "aliases/" + std::string(name.substr(1))));
    if (commit) return *commit;
    return Error(ErrorCode::kNotFound, "no alias \"" + std::string(name.substr(0, 250)) + "\"")
        .WithHint("`flair alias` lists the aliases");
  }
  FLAIR_TRY(const auto full, GetRef(repo, name));
  if (full) return *full;

  std::vector<Candidate> found;
  for (const char* space : {"heads/", "tags/", "remotes/"}) {
    std::string ref = space + std::string(name);
    FLAIR_TRY(const auto commit, GetRef(repo, ref));
    if (commit) found.push_back({.name = std::move(ref), .commit = *commit});
  }
  if (name.size() >= kMinPrefixDigits && name.size() <= kDigits && IsLowerHex(name)) {
    FLAIR_DO(AddByPrefix(repo, name, found));
  }
  if (found.empty()) return NotFound(name);
  const bool same = std::all_of(found.begin(), found.end(), [&](const Candidate& c) {
    return c.commit == found.front().commit;
  });
  if (same) return found.front().commit;
  std::string names;
  for (std::size_t i = 0; i < found.size() && i < kMaxNamedCandidates; ++i) {
    names += (i == 0 ? "" : ", ") + found[i].name;
  }
  if (found.size() > kMaxNamedCandidates) names += ", ...";
  return Error(ErrorCode::kInvalidArgument, "\"" + std::string(name) + "\" is ambiguous: " + names)
      .WithHint("type the full name or more digits");
}

// The number behind '~' or '^', 1 when there is none. Advances `rest`.
Result<std::size_t> TakeCount(std::string_view& rest, std::string_view text) {
  std::size_t digits = 0;
  std::size_t count = 0;
  while (digits < rest.size() && rest[digits] >= '0' && rest[digits] <= '9') {
    if (digits == 9) {
      return Error(ErrorCode::kInvalidArgument,
                   "\"" + std::string(text.substr(0, 250)) + "\": that number is too large");
    }
    count = 10 * count + static_cast<std::size_t>(rest[digits] - '0');
    ++digits;
  }
  rest.remove_prefix(digits);
  return digits == 0 ? std::size_t{1} : count;
}

Result<CommitId> ParentOf(Repository& repo, const CommitId& id, std::size_t number,
                          std::string_view text) {
  FLAIR_TRY(const Commit commit, ReadCommit(repo.objects(), id));
  if (number <= commit.parents.size()) return commit.parents[number - 1];
  return Error(ErrorCode::kNotFound, "\"" + std::string(text) + "\": commit " + id.Short() +
                                         " has " + std::to_string(commit.parents.size()) +
                                         (commit.parents.size() == 1 ? " parent" : " parents"));
}

}  // namespace

Result<CommitId> Resolve(Repository& repo, std::string_view text) {
  const std::size_t name_end = std::min(text.find_first_of("~^"), text.size());
  if (name_end == 0) return NotFound(text);
  FLAIR_TRY(CommitId id, ResolveName(repo, text.substr(0, name_end)));
  std::string_view rest = text.substr(name_end);
  while (!rest.empty()) {
    const char step = rest.front();
    rest.remove_prefix(1);
    if (step != '~' && step != '^') return NotFound(text);
    FLAIR_TRY(const std::size_t count, TakeCount(rest, text));
    if (step == '^') {
      if (count > 0) {
        FLAIR_TRY(id, ParentOf(repo, id, count, text));
      }
      continue;
    }
    for (std::size_t i = 0; i < count; ++i) {
      FLAIR_TRY(id, ParentOf(repo, id, 1, text));
    }
  }
  return id;
}

}  // namespace flair
