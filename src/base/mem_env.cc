// SPDX-License-Identifier: Apache-2.0
#include "base/mem_env.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "base/check.h"
#include "base/path.h"

namespace flair {
namespace {

struct Node {
  bool is_dir = false;
  bool executable = false;
  Bytes now;
  Bytes synced;
  std::uint64_t inode = 0;
  std::int64_t mtime_ns = 0;
  std::int64_t ctime_ns = 0;
};
using NodeRef = std::shared_ptr<Node>;
using Names = std::map<std::string, NodeRef>;

constexpr std::int64_t kStartNs = 1'767'225'600'000'000'000;  // 2026-01-01T00:00:00Z

// One spelling per file: no "./" in front, no '/' at the end; "" is the current folder.
std::string Key(std::string path) {
  while (path.rfind("./", 0) == 0) path.erase(0, 2);
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  if (path == ".") path.clear();
  return path;
}

Error Missing(const std::string& path) {
  return {ErrorCode::kNotFound, path + ": no such file or folder"};
}

bool IsChild(const std::string& path, const std::string& folder) {
  return !path.empty() && path != "/" && ParentPath(path) == folder;
}

bool IsInside(const std::string& path, const std::string& folder) {
  return path.size() > folder.size() && path.rfind(folder, 0) == 0 && path[folder.size()] == '/';
}

}  // namespace

struct MemEnv::State {
  std::mutex mutex;
  Names names;    // what programs see
  Names durable;  // what a crash leaves
  std::set<std::string> locked;
  std::uint64_t crashes = 0;
  std::uint64_t next_inode = 1;
  std::int64_t now_ns = kStartNs;
  std::uint64_t free_space = std::uint64_t{1} << 40;
  std::uint64_t random_state = 0x9E3779B97F4A7C15;

  std::int64_t Tick() { return now_ns += 1000; }
  NodeRef Find(const std::string& key) const {
    const auto at = names.find(key);
    return at == names.end() ? nullptr : at->second;
  }
  bool IsDir(const std::string& key) const {
    const NodeRef node = Find(key);
    return node && node->is_dir;
  }
  NodeRef NewNode(bool is_dir) {
    auto node = std::make_shared<Node>();
    node->is_dir = is_dir;
    node->inode = next_inode++;
    node->mtime_ns = node->ctime_ns = Tick();
    return node;
  }
};

namespace {

class MemSource final : public ByteSource {
 public:
  MemSource(std::shared_ptr<MemEnv::State> state, NodeRef node, std::string path)
      : state_(std::move(state)), node_(std::move(node)), path_(std::move(path)) {
    size_ = node_->now.size();
  }
  std::uint64_t size_bytes() const override { return size_; }
  Status ReadAt(std::uint64_t offset, MutableByteView out) const override {
    const std::lock_guard lock(state_->mutex);
    const Bytes& bytes = node_->now;
    if (offset > bytes.size() || out.size() > bytes.size() - offset) {
      return Error(ErrorCode::kCorrupt,
                   path_ + " ends before offset " + std::to_string(offset + out.size()));
    }
    if (!out.empty()) std::memcpy(out.data(), bytes.data() + offset, out.size());
    return OkStatus();
  }

 private:
  std::shared_ptr<MemEnv::State> state_;
  NodeRef node_;
  std::string path_;
  std::uint64_t size_;
};

class MemFile final : public WritableFile {
 public:
  MemFile(std::shared_ptr<MemEnv::State> state, NodeRef node, std::uint64_t crashes)
      : state_(std::move(state)), node_(std::move(node)), crashes_(crashes) {}
  Status Append(ByteView data) override {
    const std::lock_guard lock(state_->mutex);
    FLAIR_DO(CheckUsable());
    flair::Append(node_->now, data);
    node_->mtime_ns = node_->ctime_ns = state_->Tick();
    return OkStatus();
  }
  Status Sync() override {
    const std::lock_guard lock(state_->mutex);
    FLAIR_DO(CheckUsable());
    node_->synced = node_->now;
    return OkStatus();
  }
  Status Close() override {
    const std::lock_guard lock(state_->mutex);
    FLAIR_DO(CheckUsable());
    closed_ = true;
    return OkStatus();
  }

 private:
  Status CheckUsable() const {
    if (!closed_ && crashes_ == state_->crashes) return OkStatus();
    return Error(ErrorCode::kIo, "file is closed, or from before a crash");
  }
  std::shared_ptr<MemEnv::State> state_;
  NodeRef node_;
  std::uint64_t crashes_;
  bool closed_ = false;
};

class MemLock final : public FileLock {
 public:
  MemLock(std::shared_ptr<MemEnv::State> state, std::string key, std::uint64_t crashes)
      : state_(std::move(state)), key_(std::move(key)), crashes_(crashes) {}
  ~MemLock() override {
    const std::lock_guard lock(state_->mutex);
    if (crashes_ == state_->crashes) state_->locked.erase(key_);
  }

 private:
  std::shared_ptr<MemEnv::State> state_;
  std::string key_;
  std::uint64_t crashes_;
};

}  // namespace

MemEnv::MemEnv() : state_(std::make_shared<State>()) {
  for (const char* root : {"", "/"}) {
    state_->names[root] = state_->durable[root] = state_->NewNode(true);
  }
}
MemEnv::~MemEnv() = default;

void MemEnv::Crash(CrashNames names) {
  const std::lock_guard lock(state_->mutex);
  ++state_->crashes;
  state_->locked.clear();
  if (names == CrashNames::kKept) state_->durable = state_->names;
  // A durable name in a folder that is not durable is unreachable. Parents sort first.
  Names left;
  for (const auto& [path, node] : state_->durable) {
    const bool root = path.empty() || path == "/";
    if (!root && !left.contains(ParentPath(path))) continue;
    node->now = node->synced;
    left.emplace(path, node);
  }
  state_->names = state_->durable = std::move(left);
}

void MemEnv::SetNowNs(std::int64_t now_ns) {
  const std::lock_guard lock(state_->mutex);
  state_->now_ns = now_ns;
}

void MemEnv::SetFreeSpaceBytes(std::uint64_t bytes) {
  const std::lock_guard lock(state_->mutex);
  state_->free_space = bytes;
}

Bytes MemEnv::ContentsOf(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  const NodeRef node = state_->Find(Key(path));
  FLAIR_CHECK(node && !node->is_dir) << path;
  return node->now;
}

void MemEnv::ReplaceContents(const std::string& path, Bytes contents) {
  const std::lock_guard lock(state_->mutex);
  const NodeRef node = state_->Find(Key(path));
  FLAIR_CHECK(node && !node->is_dir) << path;
  node->now = node->synced = std::move(contents);
}

Result<std::unique_ptr<ByteSource>> MemEnv::OpenForRead(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  const NodeRef node = state_->Find(Key(path));
  if (!node) return Missing(path);
  if (node->is_dir) return Error(ErrorCode::kIo, path + " is not a regular file");
  return std::unique_ptr<ByteSource>(std::make_unique<MemSource>(state_, node, path));
}

Result<std::unique_ptr<WritableFile>> MemEnv::OpenForWrite(const std::string& path,
                                                           WriteMode mode) {
  const std::lock_guard lock(state_->mutex);
  const std::string key = Key(path);
  NodeRef node = state_->Find(key);
  if (node && (mode == WriteMode::kCreateNew || mode == WriteMode::kCreatePrivate)) {
    return Error(ErrorCode::kAlreadyExists, path + " is there already");
  }
  if (node && node->is_dir) return Error(ErrorCode::kIo, path + " is a folder");
  if (!node) {
    if (!state_->IsDir(ParentPath(key))) return Missing(ParentPath(path));
    node = state_->names[key] = state_->NewNode(false);
  } else if (mode == WriteMode::kTruncate) {
    node->now.clear();
    node->mtime_ns = node->ctime_ns = state_->Tick();
  }
  return std::unique_ptr<WritableFile>(
      std::make_unique<MemFile>(state_, std::move(node), state_->crashes));
}

Status MemEnv::Rename(const std::string& from, const std::string& to) {
  const std::lock_guard lock(state_->mutex);
  const std::string old_key = Key(from);
  const std::string new_key = Key(to);
  const NodeRef node = state_->Find(old_key);
  if (!node) return Missing(from);
  if (!state_->IsDir(ParentPath(new_key))) return Missing(ParentPath(to));
  if (old_key == new_key) return OkStatus();
  if (IsInside(new_key, old_key)) return Error(ErrorCode::kIo, to + " is inside " + from);
  if (const NodeRef taken = state_->Find(new_key); taken && (taken->is_dir || node->is_dir)) {
    return Error(ErrorCode::kAlreadyExists, to + " is there already");
  }
  Names moved;
  for (auto at = state_->names.begin(); at != state_->names.end();) {
    if (at->first == old_key || IsInside(at->first, old_key)) {
      moved[new_key + at->first.substr(old_key.size())] = at->second;
      at = state_->names.erase(at);
    } else {
      ++at;
    }
  }
  for (auto& [key, value] : moved) state_->names[key] = value;
  node->ctime_ns = state_->Tick();
  return OkStatus();
}

Status MemEnv::RemoveFile(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  const NodeRef node = state_->Find(Key(path));
  if (!node) return Missing(path);
  if (node->is_dir) return Error(ErrorCode::kIo, path + " is a folder");
  state_->names.erase(Key(path));
  return OkStatus();
}

Status MemEnv::RemoveDir(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  const std::string key = Key(path);
  if (!state_->IsDir(key)) return Missing(path);
  for (const auto& [other, node] : state_->names) {
    if (IsChild(other, key)) return Error(ErrorCode::kIo, path + " is not empty");
  }
  state_->names.erase(key);
  return OkStatus();
}

Status MemEnv::MakeDir(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  const std::string key = Key(path);
  if (const NodeRef node = state_->Find(key)) {
    if (node->is_dir) return OkStatus();
    return Error(ErrorCode::kAlreadyExists, path + " is a file");
  }
  if (!state_->IsDir(ParentPath(key))) return Missing(ParentPath(path));
  state_->names[key] = state_->NewNode(true);
  return OkStatus();
}

Status MemEnv::SyncDir(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  const std::string key = Key(path);
  if (!state_->IsDir(key)) return Missing(path);
  std::erase_if(state_->durable, [&](const auto& entry) {
    const NodeRef now = state_->Find(entry.first);
    return IsChild(entry.first, key) && now != entry.second;
  });
  for (const auto& [name, node] : state_->names) {
    if (IsChild(name, key)) state_->durable[name] = node;
  }
  return OkStatus();
}

Status MemEnv::SetExecutable(const std::string& path, bool executable) {
  const std::lock_guard lock(state_->mutex);
  const NodeRef node = state_->Find(Key(path));
  if (!node) return Missing(path);
  node->executable = executable;
  node->ctime_ns = state_->Tick();
  return OkStatus();
}

Result<std::vector<std::string>> MemEnv::ListDir(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  const std::string key = Key(path);
  if (!state_->IsDir(key)) return Missing(path);
  std::vector<std::string> found;
  for (const auto& [name, node] : state_->names) {
    if (IsChild(name, key)) found.push_back(name.substr(name.rfind('/') + 1));
  }
  std::sort(found.begin(), found.end());
  return found;
}

Result<FileInfo> MemEnv::Stat(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  const NodeRef node = state_->Find(Key(path));
  if (!node) return Missing(path);
  return FileInfo{.kind = node->is_dir ? FileKind::kDirectory : FileKind::kFile,
                  .size_bytes = node->now.size(),
                  .mtime_ns = node->mtime_ns,
                  .ctime_ns = node->ctime_ns,
                  .inode = node->inode,
                  .device = 1,
                  .executable = node->executable};
}

Result<std::unique_ptr<FileLock>> MemEnv::Lock(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  const std::string key = Key(path);
  if (!state_->IsDir(ParentPath(key))) return Missing(ParentPath(path));
  if (!state_->locked.insert(key).second) {
    return Error(ErrorCode::kConflict, path + " is locked by somebody else");
  }
  if (!state_->Find(key)) state_->names[key] = state_->NewNode(false);
  return std::unique_ptr<FileLock>(std::make_unique<MemLock>(state_, key, state_->crashes));
}

Result<std::uint64_t> MemEnv::FreeSpaceBytes(const std::string&) {
  const std::lock_guard lock(state_->mutex);
  return state_->free_space;
}

std::int64_t MemEnv::NowNs() {
  const std::lock_guard lock(state_->mutex);
  return state_->Tick();
}

std::int64_t MemEnv::MonotonicNs() { return NowNs(); }

void MemEnv::RandomBytes(MutableByteView out) {
  const std::lock_guard lock(state_->mutex);
  for (std::byte& b : out) {  // splitmix64, a byte at a time
    std::uint64_t z = (state_->random_state += 0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    b = static_cast<std::byte>(z >> 56);
  }
}

}  // namespace flair
