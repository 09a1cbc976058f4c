// What the tests of history, diff, merges and evidence share: a store in memory and
// short ways to fill it with models and commits.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/mem_env.h"
#include "repo/history.h"
#include "store/object_store.h"

namespace flair {

inline constexpr float kInf = std::numeric_limits<float>::infinity();
inline constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

template <typename T>
T Get(Result<T> result) {
  if (!result.ok()) {
    ADD_FAILURE() << result.error().message();
    std::abort();  // nothing after it would make sense
  }
  return std::move(result).value();
}

struct TestTensor {
  DType dtype = DType::kF32;
  std::vector<std::uint64_t> dims;
  Bytes bytes;
};

template <typename T>
TestTensor Values(DType dtype, const std::vector<T>& values) {
  TestTensor t{.dtype = dtype, .dims = {values.size()}, .bytes = {}};
  t.bytes.resize(values.size() * sizeof(T));
  if (!values.empty()) std::memcpy(t.bytes.data(), values.data(), t.bytes.size());
  return t;
}
inline TestTensor F32(const std::vector<float>& values) { return Values(DType::kF32, values); }
inline TestTensor I64(const std::vector<std::int64_t>& values) {
  return Values(DType::kI64, values);
}

using TestModel = std::map<std::string, TestTensor>;

// A store with commits in it; every commit is a minute younger than the one before.
class TestGraph {
 public:
  TestGraph() : store_(Get(ObjectStore::Open(env_, "/store"))) {}

  ObjectStore& store() { return *store_; }

  ContentRef PutContent(const Bytes& bytes) {
    const auto batch = Get(store_->Begin());
    const ContentRef ref = Get(batch->PutContent(*SourceOfBytes(bytes), {}));
    Get(batch->Commit());
    return ref;
  }

  FileId PutFile(const File& file) {
    const auto batch = Get(store_->Begin());
    const Digest id = Get(batch->PutObject(ObjectKind::kFile, EncodeFile(file)));
    Get(batch->Commit());
    return FileId{id};
  }

  // A model file: a header that depends on names and shapes only, then the tensors.
  FileId PutModel(const TestModel& model, std::string_view metadata = "") {
    File file;
    file.format = FileFormat::kSafetensors;
    std::string header(metadata);
    for (const auto& [name, t] : model) header += name + DescribeDims(t) + ";";
    file.segments.push_back(InlineSegment{ToBytes(header)});
    for (const auto& [name, t] : model) {
      file.segments.push_back(TensorSegment{
          .name = name,
          .tensor = {.dtype = t.dtype, .dims = t.dims, .content = PutContent(t.bytes)}});
    }
    return PutFile(file);
  }

  FileId PutText(const std::string& text) {
    File file;
    file.segments.push_back(BlobSegment{PutContent(ToBytes(text))});
    return PutFile(file);
  }

  CommitId PutCommit(const std::map<std::string, FileId>& files, std::vector<CommitId> parents,
                     std::uint64_t samples = 0) {
    Tree tree;
    for (const auto& [path, file] : files) {
      tree.entries.push_back({.path = path,
                              .mode = FileMode::kRegular,
                              .file = file,
                              .size_bytes = Get(ReadFileObject(*store_, file)).size_bytes()});
    }
    Commit commit;
    commit.parents = std::move(parents);
    commit.time_s = time_s_ += 60;
    commit.message = "commit";
    if (samples > 0) {
      commit.training.emplace();
      commit.training->num_samples = samples;
    }
    const auto batch = Get(store_->Begin());
    commit.tree = TreeId{Get(batch->PutObject(ObjectKind::kTree, EncodeTree(tree)))};
    Get(batch->PutObject(ObjectKind::kCommit, EncodeCommit(commit)));
    Get(batch->Commit());
    return IdOf(commit);
  }

  // One model at "model.safetensors".
  CommitId PutModelCommit(const TestModel& model, std::vector<CommitId> parents,
                          std::uint64_t samples = 0) {
    return PutCommit({{"model.safetensors", PutModel(model)}}, std::move(parents), samples);
  }

  CommitId Store(const Commit& commit) {
    const auto batch = Get(store_->Begin());
    Get(batch->PutObject(ObjectKind::kCommit, EncodeCommit(commit)));
    Get(batch->Commit());
    return IdOf(commit);
  }

  Bytes TensorBytes(const Tree& tree, const std::string& path, const std::string& name) {
    const TreeEntry* const entry = tree.Find(path);
    if (entry == nullptr) return {};
    const File file = Get(ReadFileObject(*store_, entry->file));
    const TensorSegment* const t = file.FindTensor(name);
    if (t == nullptr) return {};
    Bytes out(t->tensor.content.size_bytes);
    Get(store_->ReadContent(t->tensor.content.hash, 0, out));
    return out;
  }

  std::vector<float> Floats(const Tree& tree, const std::string& name) {
    const Bytes bytes = TensorBytes(tree, "model.safetensors", name);
    std::vector<float> out(bytes.size() / sizeof(float));
    if (!out.empty()) std::memcpy(out.data(), bytes.data(), bytes.size());
    return out;
  }

 private:
  static std::string DescribeDims(const TestTensor& t) {
    std::string out(DTypeName(t.dtype));
    for (const std::uint64_t d : t.dims) out += "," + std::to_string(d);
    return out;
  }

  MemEnv env_;
  std::unique_ptr<ObjectStore> store_;
  std::uint64_t time_s_ = 1'700'000'000;
};

}  // namespace flair
