// Where a repository lives: http(s)://HUB/OWNER/NAME, or OWNER/NAME with a default hub.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace flair {

struct RepoAddress {
  std::string hub;    // "http://127.0.0.1:8420", no slash at the end
  std::string owner;  // wallet or handle
  std::string name;

  std::string ToUrl() const { return hub + "/" + owner + "/" + name; }
  bool operator==(const RepoAddress&) const = default;
};

// Errors: kInvalidArgument. Names and owners are checked, not looked up.
Result<RepoAddress> ParseRepoAddress(std::string_view text, std::string_view default_hub = {});
// "http://HUB", with or without a slash at the end; "HUB:8420" means http on loopback
// names and https elsewhere. Errors: kInvalidArgument (another scheme, user names, a path).
Result<std::string> ParseHubUrl(std::string_view text);
// "http://127.0.0.1:8420" -> "127.0.0.1:8420".
std::string HubDomain(std::string_view hub_url);

}  // namespace flair
