// SPDX-License-Identifier: Apache-2.0
#include "hub/hub_files.h"

#include <array>

#include "wire/json.h"

namespace flair::hub {
namespace {

constexpr std::size_t kMaxKeyFileBytes = 4096;

Result<Keypair> ParseKeyFile(std::string_view text) {
  const auto parsed = wire::ParseJson(text, kMaxKeyFileBytes);
  const Error broken(ErrorCode::kCorrupt, "hub.json: must be an array of 64 bytes");
  if (!parsed.ok() || !parsed->is_array()) return broken;
  Bytes secret;
  for (const auto& v : parsed->get_array()) {
    if (!v.is_int64() || v.get_int64() < 0 || v.get_int64() > 255) return broken;
    secret.push_back(static_cast<std::byte>(v.get_int64()));
  }
  if (secret.size() != Keypair::kSecretBytes) return broken;
  return Keypair::FromSecret(secret);
}

std::string KeyFileText(const Keypair& key) {
  std::string text = "[";
  for (const std::byte b : key.secret()) {
    text += (text.size() == 1 ? "" : ",") + std::to_string(std::to_integer<int>(b));
  }
  return text + "]\n";
}

}  // namespace

Result<std::unique_ptr<FileLock>> LockHubFolder(Env& env, const std::string& data_dir) {
  FLAIR_DO(MakeDirs(env, data_dir));
  auto lock = env.Lock(data_dir + "/lock");
  if (lock.ok() || lock.error().code() != ErrorCode::kConflict) return lock;
  return Error(ErrorCode::kConflict, "another hub runs on " + data_dir).WithHint("stop it first");
}

Result<Keypair> LoadHubWallet(Env& env, const std::string& data_dir) {
  const std::string path = data_dir + "/hub.json";
  if (Exists(env, path)) {
    FLAIR_TRY(const Bytes bytes, ReadFile(env, path, kMaxKeyFileBytes));
    auto key = ParseKeyFile(AsText(bytes));
    if (!key.ok()) return std::move(key).error().In(data_dir);
    return key;
  }
  std::array<std::byte, 32> seed{};
  env.RandomBytes(seed);
  Keypair key = Keypair::FromSeed(seed);
  FLAIR_TRY(const auto file, env.OpenForWrite(path, WriteMode::kCreatePrivate));
  FLAIR_DO(file->Append(AsBytes(KeyFileText(key))));
  FLAIR_DO(file->Sync());
  FLAIR_DO(file->Close());
  FLAIR_DO(env.SyncDir(data_dir));
  return key;
}

Result<std::unique_ptr<HubDb>> OpenHubDb(const std::string& data_dir) {
  return HubDb::Open(data_dir + "/hub.db");
}

Status CheckHubFolder(Env& env, const std::string& data_dir) {
  if (Exists(env, data_dir + "/hub.db")) return OkStatus();
  return Error(ErrorCode::kNotFound, data_dir + " holds no hub")
      .WithHint("`flair hub serve --data DIR` makes one");
}

}  // namespace flair::hub
