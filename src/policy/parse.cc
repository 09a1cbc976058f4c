// flair.toml -> Policy. Every key is in kKnownKeys; the reader of a key sits below.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "base/path.h"
#include "base/toml.h"
#include "policy/policy.h"

namespace flair {
namespace {

enum class Known : std::uint8_t { kEnforced, kLater };

struct KnownKey {
  std::string_view path;  // "*" stands for any name
  Known known = Known::kEnforced;
};

constexpr KnownKey kKnownKeys[] = {
    {"format"},
    {"hub.key"},
    {"access.repository"},
    {"access.updates"},
    {"branches.*.push"},
    {"branches.*.reviews"},
    {"contribution.min_samples"},
    {"contribution.min_steps"},
    {"contribution.max_steps"},
    {"contribution.max_update_norm"},
    {"contribution.registered_card"},
    {"program.hash"},
    {"merge.methods"},
    {"merge.staleness"},
    {"merge.min_contributions"},
    {"tensors.frozen"},
    {"tensors.local"},
    {"tensors.statistics"},
    {"tensors.counters"},
    {"tensors.trainable"},
    {"licence.spdx"},
    {"program.lr_min", Known::kLater},
    {"program.lr_max", Known::kLater},
    {"proof.tier", Known::kLater},
    {"proof.answer_hours", Known::kLater},
    {"proof.rho2", Known::kLater},
    {"proof.rho2_first", Known::kLater},
    {"proof.kappa", Known::kLater},
    {"proof.tau_inf", Known::kLater},
    {"proof.sigma", Known::kLater},
    {"proof.beta_per_million", Known::kLater},
    {"privacy.epsilon_max", Known::kLater},
    {"privacy.delta", Known::kLater},
    {"privacy.min_batch", Known::kLater},
};

std::uint32_t LineOf(const toml::node& node) { return node.source().begin.line; }

std::string At(std::uint32_t line) {
  return std::string(kPolicyPath) + ":" + std::to_string(line) + ": ";
}

Error Wrong(const toml::node& node, std::string_view path, std::string_view must) {
  return Error(ErrorCode::kInvalidArgument,
               At(LineOf(node)) + "'" + std::string(path) + "' must be " + std::string(must));
}

// What the third part of "branches.*.push" and the whole of other paths say.
std::string Generic(std::string_view path) {
  constexpr std::string_view kBranches = "branches.";
  if (!path.starts_with(kBranches)) return std::string(path);
  const std::size_t last = path.rfind('.');
  if (last < kBranches.size()) return std::string(path);
  return "branches.*" + std::string(path.substr(last));
}

Error UnknownKey(std::uint32_t line, std::string_view path) {
  const std::string generic = Generic(path);
  std::string_view nearest;
  std::size_t distance = std::numeric_limits<std::size_t>::max();
  for (const KnownKey& key : kKnownKeys) {
    if (key.known != Known::kEnforced) continue;
    const auto consider = [&](std::string_view compared, std::string_view named) {
      const std::size_t d = EditDistance(generic, compared);
      if (d >= distance) return;
      distance = d;
      nearest = named;
    };
    // One word is a section, or a key whose section was forgotten.
    if (generic.find('.') == std::string::npos) {
      consider(key.path.substr(0, key.path.find('.')), key.path.substr(0, key.path.find('.')));
      consider(key.path.substr(key.path.rfind('.') + 1), key.path);
    } else {
      consider(key.path, key.path);
    }
  }
  return Error(ErrorCode::kInvalidArgument, At(line) + "unknown key '" + std::string(path) +
                                                "'; the nearest known key is '" +
                                                std::string(nearest) + "'");
}

Error NotYet(std::uint32_t line, std::string_view path) {
  return Error(ErrorCode::kInvalidArgument,
               At(line) + "'" + std::string(path) + "' is not enforced by this version of Flair")
      .WithHint("remove the line: a rule that nobody checks protects nobody");
}

Result<std::uint64_t> ReadUint(const toml::node& node, std::string_view path) {
  const auto v = node.as_integer();
  if (v == nullptr || v->get() < 0) return Wrong(node, path, "a whole number, zero or more");
  return static_cast<std::uint64_t>(v->get());
}

Result<double> ReadPositive(const toml::node& node, std::string_view path) {
  const std::optional<double> v =
      node.is_string() || node.is_boolean() ? std::nullopt : node.value<double>();
  if (!v || !std::isfinite(*v) || *v <= 0) return Wrong(node, path, "a number above zero");
  return *v;
}

Result<std::string> ReadText(const toml::node& node, std::string_view path) {
  const auto v = node.as_string();
  if (v == nullptr || v->get().empty()) return Wrong(node, path, "a text in quotes");
  return v->get();
}

Result<std::vector<std::string>> ReadTexts(const toml::node& node, std::string_view path) {
  const auto list = node.as_array();
  if (list == nullptr) return Wrong(node, path, "a list of texts, [\"…\", …]");
  std::vector<std::string> out;
  for (const toml::node& item : *list) {
    const auto v = item.as_string();
    if (v == nullptr || v->get().empty()) {
      return Wrong(item, path, "a list of texts, [\"…\", …]");
    }
    out.push_back(v->get());
  }
  return out;
}

Result<std::vector<PolicyRole>> ReadRoles(const toml::node& node, std::string_view path) {
  FLAIR_TRY(const std::vector<std::string> names, ReadTexts(node, path));
  std::vector<PolicyRole> roles;
  for (const std::string& name : names) {
    if (name == "owner") {
      roles.push_back(PolicyRole::kOwner);
    } else if (name == "maintainer") {
      roles.push_back(PolicyRole::kMaintainer);
    } else if (name == "contributor") {
      roles.push_back(PolicyRole::kContributor);
    } else {
      return Wrong(node, path, "a list of \"owner\", \"maintainer\", \"contributor\"");
    }
  }
  return roles;
}

Result<std::uint32_t> ReadSmall(const toml::node& node, std::string_view path) {
  FLAIR_TRY(const std::uint64_t v, ReadUint(node, path));
  if (v > 1000) return Wrong(node, path, "at most 1000");
  return static_cast<std::uint32_t>(v);
}

Status ReadHubKey(const toml::node& node, std::string_view path, Policy& p) {
  FLAIR_TRY(const std::string text, ReadText(node, path));
  auto wallet = Wallet::FromBase58(text);
  if (!wallet.ok()) return Wrong(node, path, "the hub's wallet in base58");
  p.hub_key = *wallet;
  return OkStatus();
}

Status ReadAccess(const toml::node& node, std::string_view path, Policy& p) {
  FLAIR_TRY(const std::string text, ReadText(node, path));
  if (path == "access.repository") {
    if (text != "public" && text != "private") {
      return Wrong(node, path, "\"public\" or \"private\"");
    }
    p.is_private = text == "private";
    return OkStatus();
  }
  if (text == "sealed") return NotYet(LineOf(node), "access.updates = \"sealed\"");
  if (text != "open") return Wrong(node, path, "\"open\"");
  return OkStatus();
}

Status ReadProgramHash(const toml::node& node, std::string_view path, Policy& p) {
  FLAIR_TRY(const std::string text, ReadText(node, path));
  const auto hash = Digest::FromHex(text);
  if (!hash.ok()) return Wrong(node, path, "64 hex digits, as `flair program show` prints them");
  p.program_hash = {*hash, LineOf(node)};
  return OkStatus();
}

Status ReadSpdx(const toml::node& node, std::string_view path, Policy& p) {
  FLAIR_TRY(const std::string text, ReadText(node, path));
  const bool plain = std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '.' || c == '+' || c == ' ' || c == '(' ||
           c == ')' || c == ':';
  });
  if (!plain || text.size() > 256) return Wrong(node, path, "an SPDX licence expression");
  p.licence_spdx = {text, LineOf(node)};
  return OkStatus();
}

// One enforced key, outside [branches].
Status ReadKey(const toml::node& node, std::string_view path, Policy& p) {
  const std::uint32_t line = LineOf(node);
  if (path == "hub.key") return ReadHubKey(node, path, p);
  if (path.starts_with("access.")) return ReadAccess(node, path, p);
  if (path == "licence.spdx") return ReadSpdx(node, path, p);
  if (path == "program.hash") return ReadProgramHash(node, path, p);
  if (path == "contribution.registered_card") {
    if (!node.is_boolean()) return Wrong(node, path, "true or false");
    p.registered_card = {node.as_boolean()->get(), line};
    return OkStatus();
  }
  if (path == "contribution.max_update_norm") {
    FLAIR_TRY(const double v, ReadPositive(node, path));
    p.max_update_norm = {v, line};
    return OkStatus();
  }
  if (path == "merge.methods") {
    FLAIR_TRY(auto v, ReadTexts(node, path));
    if (v.empty()) return Wrong(node, path, "a list with at least one method");
    p.merge_methods = {std::move(v), line};
    return OkStatus();
  }
  if (path.starts_with("tensors.")) {
    FLAIR_TRY(auto v, ReadTexts(node, path));
    PolicyTensorRules& t = p.tensors;
    auto& rule = path == "tensors.frozen"       ? t.frozen
                 : path == "tensors.local"      ? t.local
                 : path == "tensors.statistics" ? t.statistics
                 : path == "tensors.counters"   ? t.counters
                                                : t.trainable;
    rule = {std::move(v), line};
    return OkStatus();
  }
  FLAIR_TRY(const std::uint64_t v, ReadUint(node, path));
  if (path == "contribution.min_samples") p.min_samples = {v, line};
  if (path == "contribution.min_steps") p.min_steps = {v, line};
  if (path == "contribution.max_steps") p.max_steps = {v, line};
  if (path == "merge.staleness") p.staleness = {v, line};
  if (path == "merge.min_contributions") p.min_contributions = {v, line};
  return OkStatus();
}

Status CheckKnown(const toml::node& node, std::string_view path) {
  const std::string generic = Generic(path);
  for (const KnownKey& key : kKnownKeys) {
    if (key.path != generic) continue;
    if (key.known == Known::kLater) return NotYet(LineOf(node), path);
    return OkStatus();
  }
  return UnknownKey(LineOf(node), path);
}

Status ReadBranch(const toml::node& node, const std::string& name, Policy& p) {
  const toml::table* table = node.as_table();
  const std::string path = "branches." + name;
  if (table == nullptr) return Wrong(node, path, "a table, [" + path + "]");
  if (!CheckRepoPath(name).ok()) return Wrong(node, path, "named after a branch");
  BranchRule rule;
  for (const auto& [key, value] : *table) {
    const std::string full = path + "." + std::string(key.str());
    FLAIR_DO(CheckKnown(value, full));
    if (key.str() == "push") {
      FLAIR_TRY(auto roles, ReadRoles(value, full));
      rule.push = {std::move(roles), LineOf(value)};
    } else {
      FLAIR_TRY(const std::uint32_t reviews, ReadSmall(value, full));
      rule.reviews = {reviews, LineOf(value)};
    }
  }
  p.branches.emplace(name, std::move(rule));
  return OkStatus();
}

Status ReadSection(std::string_view section, const toml::table& table, Policy& p) {
  for (const auto& [key, value] : table) {
    if (section == "branches") {
      FLAIR_DO(ReadBranch(value, std::string(key.str()), p));
      continue;
    }
    const std::string path = std::string(section) + "." + std::string(key.str());
    FLAIR_DO(CheckKnown(value, path));
    FLAIR_DO(ReadKey(value, path, p));
  }
  return OkStatus();
}

bool IsKnownSection(std::string_view name) {
  return std::any_of(std::begin(kKnownKeys), std::end(kKnownKeys), [&](const KnownKey& key) {
    return key.path.substr(0, key.path.find('.')) == name && key.path.size() > name.size();
  });
}

Status CheckTogether(const Policy& p) {
  if (p.max_steps && p.max_steps->value < p.min_steps.value) {
    return Error(ErrorCode::kInvalidArgument,
                 At(p.max_steps->line) + "'contribution.max_steps' is below 'min_steps'");
  }
  return OkStatus();
}

}  // namespace

Result<Policy> ParsePolicy(std::string_view text) {
  if (text.size() > kMaxPolicyBytes) {
    return Error(ErrorCode::kInvalidArgument, std::string(kPolicyPath) + ": " +
                                                  std::to_string(text.size()) + " bytes; at most " +
                                                  std::to_string(kMaxPolicyBytes));
  }
  Policy p;
  if (text.empty()) return p;
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    return Error(ErrorCode::kInvalidArgument, At(parsed.error().source().begin.line) +
                                                  std::string(parsed.error().description()));
  }
  const toml::table& root = parsed.table();
  const toml::node* format = root.get("format");
  if (format == nullptr) {
    return Error(ErrorCode::kInvalidArgument, At(1) + "'format = 1' is missing");
  }
  if (format->as_integer() == nullptr || format->as_integer()->get() != 1) {
    return Wrong(*format, "format", "1");
  }
  for (const auto& [key, value] : root) {
    if (key.str() == "format") continue;
    if (!IsKnownSection(key.str())) return UnknownKey(LineOf(value), key.str());
    if (value.as_table() == nullptr) {
      return Wrong(value, key.str(), "a table, [" + std::string(key.str()) + "]");
    }
    FLAIR_DO(ReadSection(key.str(), *value.as_table(), p));
  }
  FLAIR_DO(CheckTogether(p));
  return p;
}

std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({change, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace flair
