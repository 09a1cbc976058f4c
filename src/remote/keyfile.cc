// SPDX-License-Identifier: Apache-2.0
#include "remote/keyfile.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include "base/path.h"
#include "crypto/base58.h"

namespace flair {
namespace {

namespace json = boost::json;

constexpr std::uint64_t kMaxKeyFileBytes = 4096;
constexpr std::uint64_t kMaxSolanaConfigBytes = 64 * 1024;

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

Error NotAKey() {
  return Error(ErrorCode::kCorrupt,
               "not a key: a list of 64 numbers from 0 to 255, or base58 of 64 bytes, is expected");
}

}  // namespace

Result<Keypair> ParseKeypair(std::string_view text) {
  text = Trim(text);
  if (!text.starts_with('[')) {
    const auto raw = FromBase58(text, Keypair::kSecretBytes);
    if (!raw.ok() || raw->size() != Keypair::kSecretBytes) return NotAKey();
    return Keypair::FromSecret(*raw);
  }
  boost::system::error_code failed;
  const json::value v = json::parse(text, failed);
  if (failed || !v.is_array() || v.get_array().size() != Keypair::kSecretBytes) return NotAKey();
  Bytes secret;
  for (const json::value& number : v.get_array()) {
    if (!number.is_int64() || number.get_int64() < 0 || number.get_int64() > 255) return NotAKey();
    secret.push_back(static_cast<std::byte>(number.get_int64()));
  }
  auto key = Keypair::FromSecret(secret);
  std::fill(secret.begin(), secret.end(), std::byte{0});
  return key;
}

Result<Keypair> ReadKeypair(Env& env, const std::string& path) {
  auto text = ReadFile(env, path, kMaxKeyFileBytes);
  if (!text.ok()) return std::move(text).error();  // names the path
  auto key = ParseKeypair(AsText(*text));
  if (!key.ok()) return std::move(key).error().In("key " + path);
  return key;
}

Status WriteKeypair(Env& env, const std::string& path, const Keypair& key) {
  if (const std::string folder = ParentPath(path); !folder.empty()) FLAIR_DO(MakeDirs(env, folder));
  std::string text = "[";
  for (const std::byte b : key.secret()) {
    text += (text.size() == 1 ? "" : ",") + std::to_string(std::to_integer<unsigned>(b));
  }
  text += "]\n";
  auto file = env.OpenForWrite(path, WriteMode::kCreatePrivate);
  if (!file.ok()) {
    if (file.error().code() != ErrorCode::kAlreadyExists) return std::move(file).error();
    return Error(ErrorCode::kAlreadyExists, "there is a key at " + path)
        .WithHint("keys are never overwritten: move it away, or name another path with --keypair");
  }
  FLAIR_DO((*file)->Append(AsBytes(text)));
  FLAIR_DO((*file)->Sync());
  FLAIR_DO((*file)->Close());
  return env.SyncDir(ParentPath(path).empty() ? "." : ParentPath(path));
}

Result<std::string> SolanaKeypairPath(Env& env, const std::string& home) {
  const std::string folder = JoinPath(home, ".config/solana");
  const std::string config = JoinPath(folder, "cli/config.yml");
  if (Exists(env, config)) {
    FLAIR_TRY(const Bytes raw, ReadFile(env, config, kMaxSolanaConfigBytes));
    std::string_view text = AsText(raw);
    while (!text.empty()) {
      const std::size_t end = text.find('\n');
      std::string_view line = Trim(text.substr(0, end));
      text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
      if (!line.starts_with("keypair_path:")) continue;
      line = Trim(line.substr(line.find(':') + 1));
      if (line.size() >= 2 && (line.front() == '"' || line.front() == '\'')) {
        line = line.substr(1, line.size() - 2);
      }
      // "usb://ledger" and the like hold no file to read.
      if (!line.empty() && line.find("://") == std::string_view::npos) return std::string(line);
    }
  }
  return JoinPath(folder, "id.json");
}

}  // namespace flair
