// SPDX-License-Identifier: Apache-2.0
#include "repo/repository.h"

#include "base/path.h"
#include "repo/extent.h"

namespace flair {
namespace {

constexpr std::string_view kFormatText = "flair repository 1\n";
constexpr std::uint64_t kMaxFormatBytes = 256;

// "a/b/" -> "a/b", "/" -> "/", "" -> "."
std::string WithoutTrailingSlash(std::string dir) {
  while (dir.size() > 1 && dir.back() == '/') dir.pop_back();
  return dir.empty() ? "." : dir;
}

std::string AbsenceHint(const CloneExtent& extent) {
  if (!extent.light.empty()) return "a light clone has no full weights: clone without --light";
  if (!extent.partial()) return "";
  return "this clone holds tensors '" + extent.tensors_glob +
         "' alone: flair fetch --tensors '*' brings the others";
}

}  // namespace

std::string Repository::flair_dir() const { return JoinPath(root_, kFlairFolder); }
std::string Repository::runs_dir() const { return JoinPath(flair_dir(), "runs"); }
std::string Repository::tmp_dir() const { return JoinPath(flair_dir(), "tmp"); }
std::string Repository::PathOf(std::string_view repo_path) const {
  return repo_path.empty() ? root_ : JoinPath(root_, repo_path);
}

Result<std::unique_ptr<Repository>> Repository::Init(Env& env, const std::string& dir) {
  const std::string root = WithoutTrailingSlash(dir);
  const std::string folder = JoinPath(root, kFlairFolder);
  const std::string format = JoinPath(folder, "format");
  if (Exists(env, format)) {
    return Error(ErrorCode::kAlreadyExists, folder + ": there is a repository already");
  }
  FLAIR_DO(MakeDirs(env, folder));
  for (const char* name : {"objects", "runs", "tmp"}) {
    FLAIR_DO(env.MakeDir(JoinPath(folder, name)));
  }
  FLAIR_DO(ObjectStore::Open(env, JoinPath(folder, "objects")));
  FLAIR_DO(MetaDb::Open(JoinPath(folder, "meta.db")));
  // Last: a folder without it is no repository yet, and Init completes it.
  FLAIR_DO(WriteFileAtomically(env, format, AsBytes(kFormatText)));
  return Open(env, root);
}

Result<std::unique_ptr<Repository>> Repository::Open(Env& env, const std::string& dir) {
  std::unique_ptr<Repository> repo(new Repository(env, WithoutTrailingSlash(dir)));
  const std::string folder = repo->flair_dir();
  auto format = ReadFile(env, JoinPath(folder, "format"), kMaxFormatBytes);
  if (!format.ok()) {
    if (format.error().code() != ErrorCode::kNotFound) return std::move(format).error();
    return Error(ErrorCode::kNotFound, repo->root() + ": no Flair repository here")
        .WithHint("`flair init` makes one");
  }
  if (AsText(*format) != kFormatText) {
    return Error(ErrorCode::kUnsupported, folder + "/format: not a format this build knows")
        .WithHint("use a newer flair");
  }
  FLAIR_TRY(repo->objects_, ObjectStore::Open(env, JoinPath(folder, "objects")));
  FLAIR_TRY(repo->meta_, MetaDb::Open(JoinPath(folder, "meta.db")));
  FLAIR_TRY(const CloneExtent extent, ReadExtent(*repo));
  repo->objects_->ExplainAbsence(AbsenceHint(extent));
  return repo;
}

Result<std::unique_ptr<Repository>> Repository::Discover(Env& env, const std::string& start) {
  std::string dir = WithoutTrailingSlash(start);
  while (true) {
    if (Exists(env, JoinPath(JoinPath(dir, kFlairFolder), "format"))) return Open(env, dir);
    std::string parent = ParentPath(dir);
    if (parent.empty() || parent == dir) break;
    dir = std::move(parent);
  }
  return Error(ErrorCode::kNotFound, start + ": no Flair repository here or in any folder above")
      .WithHint("`flair init` makes one, `flair clone URL` fetches one");
}

Result<std::shared_ptr<FileLock>> Repository::LockForWriting() {
  if (auto held = lock_.lock()) return held;
  auto lock = env_.Lock(JoinPath(flair_dir(), "lock"));
  if (!lock.ok()) {
    if (lock.error().code() != ErrorCode::kConflict) return std::move(lock).error();
    return Error(ErrorCode::kConflict, "another flair process is working in " + root_)
        .WithHint("try again when it is done");
  }
  std::shared_ptr<FileLock> shared(std::move(lock).value());
  lock_ = shared;
  return shared;
}

Result<std::string> RepoPathFor(const Repository& repo, std::string_view cwd,
                                std::string_view typed) {
  const std::string& root = repo.root();
  const std::string full = typed.starts_with('/') ? std::string(typed) : JoinPath(cwd, typed);
  // Resolve "." and ".." in text: what is typed may not exist yet.
  std::vector<std::string_view> parts;
  std::string_view rest = full;
  while (!rest.empty()) {
    const std::size_t slash = rest.find('/');
    const std::string_view part = rest.substr(0, slash);
    rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
    } else if (!parts.empty()) {
      parts.pop_back();
    }
  }
  std::string plain;
  for (const auto part : parts) plain.append("/").append(part);
  if (plain == root || plain.empty()) {
    if (plain.empty() && root != "/") {
      return Error(ErrorCode::kInvalidArgument,
                   std::string(typed) + ": outside the repository at " + root);
    }
    return std::string();
  }
  const std::string prefix = root == "/" ? root : root + "/";
  if (!plain.starts_with(prefix)) {
    return Error(ErrorCode::kInvalidArgument,
                 std::string(typed) + ": outside the repository at " + root);
  }
  return NormaliseRepoPath(plain.substr(prefix.size()));
}

}  // namespace flair
