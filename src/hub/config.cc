// The hub's configuration file: HubOptions by name, unknown keys refused.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/env.h"
#include "base/toml.h"
#include "hub/server.h"
#include "policy/policy.h"

namespace flair::hub {
namespace {

constexpr std::size_t kMaxConfigBytes = 64 * 1024;

class Reader {
 public:
  Reader(const std::string& path, const toml::table& table) : path_(path), table_(table) {}

  void Text(std::string_view key, std::string& out) {
    if (const toml::node* node = Take(key)) {
      if (const auto* v = node->as_string()) {
        out = v->get();
      } else {
        Fail(*node, key, "a text");
      }
    }
  }
  template <typename T>
  void Number(std::string_view key, T& out, std::int64_t least, std::int64_t most) {
    const toml::node* node = Take(key);
    if (node == nullptr) return;
    const auto* v = node->as_integer();
    if (v == nullptr || v->get() < least || v->get() > most) {
      Fail(*node, key, "a number from " + std::to_string(least) + " to " + std::to_string(most));
      return;
    }
    out = static_cast<T>(v->get());
  }

  Status Finish() {
    if (error_) return *error_;
    for (const auto& [key, node] : table_) {
      const bool known = std::find(taken_.begin(), taken_.end(), key.str()) != taken_.end();
      if (known) continue;
      return Error(ErrorCode::kInvalidArgument,
                   path_ + ":" + std::to_string(node.source().begin.line) + ": unknown key '" +
                       std::string(key.str()) + "'; the nearest known key is '" +
                       Nearest(key.str()) + "'");
    }
    return OkStatus();
  }

 private:
  std::string Nearest(std::string_view key) const {
    return *std::min_element(taken_.begin(), taken_.end(), [&](const auto& a, const auto& b) {
      return EditDistance(key, a) < EditDistance(key, b);
    });
  }
  const toml::node* Take(std::string_view key) {
    taken_.emplace_back(key);
    return table_.get(key);
  }
  void Fail(const toml::node& node, std::string_view key, const std::string& must) {
    if (error_) return;
    error_ =
        Error(ErrorCode::kInvalidArgument, path_ + ":" + std::to_string(node.source().begin.line) +
                                               ": '" + std::string(key) + "' must be " + must);
  }

  const std::string& path_;
  const toml::table& table_;
  std::vector<std::string> taken_;
  std::optional<Error> error_;
};

}  // namespace

Result<HubOptions> ReadHubConfig(const std::string& path, HubOptions o) {
  FLAIR_TRY(const Bytes bytes, ReadFile(PosixEnv(), path, kMaxConfigBytes));
  const toml::parse_result parsed = toml::parse(AsText(bytes));
  if (!parsed) {
    return Error(ErrorCode::kInvalidArgument,
                 path + ":" + std::to_string(parsed.error().source().begin.line) + ": " +
                     std::string(parsed.error().description()));
  }
  constexpr std::int64_t kMuch = std::int64_t{1} << 50;
  Reader r(path, parsed.table());
  r.Text("address", o.address);
  r.Number("port", o.port, 0, 65535);
  r.Text("public_url", o.public_url);
  r.Text("name", o.name);
  r.Number("max_connections", o.max_connections, 1, 1'000'000);
  r.Number("max_workers", o.max_workers, 1, 4096);
  r.Number("low_water_bytes", o.low_water_bytes, 0, kMuch);
  r.Number("max_body_bytes", o.max_body_bytes, 1, kMuch);
  r.Number("idle_timeout_s", o.idle_timeout_s, 1, 86'400);
  r.Number("head_timeout_s", o.head_timeout_s, 1, 3600);
  r.Number("stall_timeout_s", o.stall_timeout_s, 1, 3600);
  r.Number("stop_grace_s", o.stop_grace_s, 0, 3600);
  FLAIR_DO(r.Finish());
  return o;
}

}  // namespace flair::hub
