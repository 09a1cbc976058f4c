// SPDX-License-Identifier: Apache-2.0
#include "transfer_site.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "repo/commit_ops.h"
#include "repo/worktree.h"

namespace flair {

TempFolder::TempFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "flair-transfer-XXXXXX").string();
  path_ = mkdtemp(pattern.data());
}
TempFolder::~TempFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

TestHub::TestHub(const std::string& data_dir, std::uint16_t port) {
  hub::HubOptions options;
  options.data_dir = data_dir;
  options.port = port;
  options.low_water_bytes = 0;
  options.stop_grace_s = 1;
  auto server = hub::StartHub(options);
  EXPECT_TRUE(server.ok()) << server.error().message();
  server_ = std::move(server).value();
  url_ = server_->url();
  thread_ = std::thread([this] { (void)server_->Run().ok(); });
}
TestHub::~TestHub() {
  server_->Stop();
  thread_.join();
}

Site::Site(const std::string& hub_url, unsigned char seed)
    : key_(Keypair::FromSeed({std::byte{seed}})) {
  const auto session = SignIn(http_, hub_url, key_, {"read", "push", "review"});
  EXPECT_TRUE(session.ok()) << session.error().message();
  api_ = std::make_unique<HubApi>(http_, hub_url, session.ok() ? session->token : "");
}

std::string ModelBytes(unsigned seed, unsigned version, std::size_t num_tensors,
                       std::size_t num_elements) {
  std::string header = "{";
  const std::size_t bytes = num_elements * sizeof(float);
  for (std::size_t t = 0; t < num_tensors; ++t) {
    header += (t == 0 ? "\"layer" : ",\"layer") + std::to_string(t) +
              R"(.weight":{"dtype":"F32","shape":[)" + std::to_string(num_elements) +
              R"(],"data_offsets":[)" + std::to_string(t * bytes) + "," +
              std::to_string((t + 1) * bytes) + "]}";
  }
  header += "}";
  while (header.size() % 8 != 0) header += " ";
  std::string out(8, '\0');
  const std::uint64_t length = header.size();
  std::memcpy(out.data(), &length, 8);
  out += header;
  std::minstd_rand random(seed + 1);
  std::minstd_rand step(version * 7919 + seed + 13);
  std::string data(num_tensors * bytes, '\0');
  for (std::size_t i = 0; i < num_tensors * num_elements; ++i) {
    float value = static_cast<float>(random() % 20001) / 10000.0f - 1.0f;
    if (version != 0) value += 1e-4f * (static_cast<float>(step() % 2001) / 1000.0f - 1.0f);
    std::memcpy(data.data() + i * sizeof(float), &value, sizeof value);
  }
  return out + data;
}

void WriteTextFile(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}
std::string ReadTextFile(const std::string& path) {
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}

CommitId CommitFile(Repository& repo, const std::string& name, const std::string& bytes,
                    const Keypair& key, std::uint64_t time_s) {
  WriteTextFile(repo.PathOf(name), bytes);
  const auto added = Add(repo, {name});
  EXPECT_TRUE(added.ok()) << added.error().message();
  CommitRequest request;
  request.message = "version of " + name;
  request.num_samples = 100;
  request.time_s = time_s;
  const auto commit = CreateCommit(repo, request, key);
  EXPECT_TRUE(commit.ok()) << commit.error().message();
  return commit.ok() ? *commit : CommitId{};
}

}  // namespace flair
