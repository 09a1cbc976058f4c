// A hub on loopback in this process, and sites that work with it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <thread>

#include "base/env.h"
#include "crypto/ed25519.h"
#include "hub/server.h"
#include "remote/hub_api.h"
#include "remote/session.h"
#include "remote/transfer.h"
#include "repo/repository.h"

namespace flair {

// A folder that goes with the test.
class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class TestHub {
 public:
  explicit TestHub(const std::string& data_dir, std::uint16_t port = 0);
  ~TestHub();
  const std::string& url() const { return url_; }

 private:
  std::unique_ptr<hub::HubServer> server_;
  std::string url_;
  std::thread thread_;
};

// One wallet, signed in.
class Site {
 public:
  Site(const std::string& hub_url, unsigned char seed);
  HubApi& api() { return *api_; }
  const Keypair& key() const { return key_; }
  std::string wallet() const { return key_.wallet().ToBase58(); }

 private:
  HttpClient http_;
  Keypair key_;
  std::unique_ptr<HubApi> api_;
};

// A safetensors file: `num_tensors` float32 tensors of `num_elements`, values from `seed`;
// versions of the same seed differ a little, as training does.
std::string ModelBytes(unsigned seed, unsigned version, std::size_t num_tensors,
                       std::size_t num_elements);
void WriteTextFile(const std::string& path, const std::string& text);
std::string ReadTextFile(const std::string& path);

// Writes `bytes` to `name`, adds and commits it. The time is fixed by `time_s`.
CommitId CommitFile(Repository& repo, const std::string& name, const std::string& bytes,
                    const Keypair& key, std::uint64_t time_s);

}  // namespace flair
