// A repository in a temporary folder, for tests of what people do in one.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/env.h"
#include "repo/commit_ops.h"
#include "repo/refs.h"
#include "repo/repository.h"
#include "repo/worktree.h"

namespace flair {

class WorkingCopyTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "flair-repo-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    auto repo = Repository::Init(PosixEnv(), root_);
    ASSERT_TRUE(repo.ok()) << repo.error().message();
    repo_ = std::move(*repo);
  }
  void TearDown() override {
    repo_.reset();
    std::filesystem::remove_all(root_);
  }

  Repository& repo() { return *repo_; }
  const Keypair& key() const { return key_; }

  void Write(const std::string& path, const std::string& text) {
    const std::string full = root_ + "/" + path;
    std::filesystem::create_directories(std::filesystem::path(full).parent_path());
    std::filesystem::remove(full);
    auto file = PosixEnv().OpenForWrite(full, WriteMode::kCreateNew);
    ASSERT_TRUE(file.ok()) << file.error().message();
    ASSERT_TRUE((*file)->Append(AsBytes(text)).ok());
  }
  // One F32 tensor "w".
  void WriteModel(const std::string& path, const std::vector<float>& w) {
    std::string header = "{\"w\":{\"dtype\":\"F32\",\"shape\":[" + std::to_string(w.size()) +
                         "],\"data_offsets\":[0," + std::to_string(4 * w.size()) + "]}}";
    header.append((8 - header.size() % 8) % 8, ' ');
    Bytes out;
    AppendLe64(out, header.size());
    Append(out, AsBytes(header));
    Append(out, std::as_bytes(std::span(w)));
    Write(path, std::string(AsText(out)));
  }
  std::string Read(const std::string& path) {
    const auto bytes = ReadFile(PosixEnv(), root_ + "/" + path, 1 << 20);
    return bytes.ok() ? std::string(AsText(*bytes)) : "(absent)";
  }
  std::vector<float> ReadModel(const std::string& path) {
    const auto bytes = ReadFile(PosixEnv(), root_ + "/" + path, 1 << 20).value();
    const std::size_t begin = 8 + LoadLe64(ByteView(bytes).first(8));
    std::vector<float> w((bytes.size() - begin) / 4);
    std::memcpy(w.data(), bytes.data() + begin, 4 * w.size());
    return w;
  }
  CommitId CommitAll(const std::string& message, std::uint64_t samples = 0) {
    const auto added = Add(repo(), {""});
    EXPECT_TRUE(added.ok()) << added.error().message();
    CommitRequest request{.message = message};
    if (samples > 0) request.num_samples = samples;
    request.time_s = ++time_s_;
    const auto id = CreateCommit(repo(), request, key());
    EXPECT_TRUE(id.ok()) << id.error().message();
    return id.ok() ? *id : CommitId{};
  }
  CommitId HeadCommit() { return ReadHead(repo()).value().commit.value(); }
  bool IsClean() {
    const auto status = ReadStatus(repo());
    EXPECT_TRUE(status.ok()) << status.error().message();
    return status.ok() && status->clean() && status->untracked.empty();
  }

  std::string root_;
  std::unique_ptr<Repository> repo_;
  Keypair key_ = Keypair::FromSeed({});
  std::uint64_t time_s_ = 1'700'000'000;
};

}  // namespace flair
