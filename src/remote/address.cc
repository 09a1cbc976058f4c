// SPDX-License-Identifier: Apache-2.0
#include "remote/address.h"

#include <algorithm>

namespace flair {
namespace {

Error Invalid(std::string_view text, std::string_view why) {
  return Error(ErrorCode::kInvalidArgument, "'" + std::string(text) + "': " + std::string(why));
}

bool IsName(std::string_view text) {
  return !text.empty() && text.size() <= 100 && text.front() != '.' && text.front() != '-' &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '.' || c == '_';
         });
}

bool IsLoopback(std::string_view host) {
  return host == "localhost" || host == "[::1]" || host.starts_with("127.");
}

Status CheckAuthority(std::string_view whole, std::string_view authority) {
  const auto fine = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == ':' || c == '[' || c == ']' || c == '_';
  };
  if (authority.empty()) return Invalid(whole, "no host is named");
  if (!std::all_of(authority.begin(), authority.end(), fine)) {
    return Invalid(whole, "a host and a port are expected");
  }
  return OkStatus();
}

}  // namespace

Result<std::string> ParseHubUrl(std::string_view text) {
  std::string_view rest = text;
  std::string scheme;
  if (const std::size_t at = rest.find("://"); at != std::string_view::npos) {
    scheme = std::string(rest.substr(0, at));
    rest.remove_prefix(at + 3);
    if (scheme != "http" && scheme != "https") return Invalid(text, "http or https is expected");
  }
  while (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.find('/') != std::string_view::npos) {
    return Invalid(text, "a hub's address has no path");
  }
  FLAIR_DO(CheckAuthority(text, rest));
  if (scheme.empty()) {
    const std::size_t port = rest.starts_with('[') ? rest.find("]") + 1 : rest.find(':');
    scheme = IsLoopback(rest.substr(0, port)) ? "http" : "https";
  }
  return scheme + "://" + std::string(rest);
}

Result<RepoAddress> ParseRepoAddress(std::string_view text, std::string_view default_hub) {
  std::string_view path = text;
  while (path.ends_with('/')) path.remove_suffix(1);
  RepoAddress out;
  if (const std::size_t at = path.find("://"); at != std::string_view::npos) {
    const std::size_t slash = path.find('/', at + 3);
    if (slash == std::string_view::npos) {
      return Invalid(text, "an address is http(s)://HUB/OWNER/NAME");
    }
    FLAIR_TRY(out.hub, ParseHubUrl(path.substr(0, slash)));
    path.remove_prefix(slash + 1);
  } else {
    if (default_hub.empty()) {
      return Invalid(text, "an address is http(s)://HUB/OWNER/NAME; no default hub is set");
    }
    FLAIR_TRY(out.hub, ParseHubUrl(default_hub));
  }
  const std::size_t slash = path.find('/');
  if (slash == std::string_view::npos) return Invalid(text, "an address ends in OWNER/NAME");
  out.owner = std::string(path.substr(0, slash));
  out.name = std::string(path.substr(slash + 1));
  if (!IsName(out.owner)) return Invalid(text, "the owner is a wallet or a handle");
  if (!IsName(out.name)) return Invalid(text, "a name has letters, digits, '-', '_' and '.'");
  return out;
}

std::string HubDomain(std::string_view hub_url) {
  const std::size_t at = hub_url.find("://");
  return std::string(at == std::string_view::npos ? hub_url : hub_url.substr(at + 3));
}

}  // namespace flair
