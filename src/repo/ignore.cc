// SPDX-License-Identifier: Apache-2.0
#include "repo/ignore.h"

#include "base/glob.h"

namespace flair {

void IgnoreRules::AddFile(std::string_view folder, std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    // A space at the end counts only when it is quoted.
    while (line.ends_with(' ') && !line.ends_with("\\ ")) line.remove_suffix(1);
    if (line.empty() || line.front() == '#') continue;
    Rule rule;
    if (line.front() == '!') {
      rule.negated = true;
      line.remove_prefix(1);
    }
    if (line.ends_with('/')) {
      rule.folders_only = true;
      line.remove_suffix(1);
    }
    rule.anchored = line.find('/') != std::string_view::npos;
    if (line.starts_with('/')) line.remove_prefix(1);
    if (line.empty()) continue;
    if (!folder.empty()) rule.folder = std::string(folder) + "/";
    rule.pattern = line;
    rules_.push_back(std::move(rule));
  }
}

bool IgnoreRules::Ignores(std::string_view path, bool is_folder) const {
  for (auto rule = rules_.rbegin(); rule != rules_.rend(); ++rule) {
    if (rule->folders_only && !is_folder) continue;
    if (!path.starts_with(rule->folder)) continue;
    std::string_view inside = path.substr(rule->folder.size());
    if (!rule->anchored) inside = inside.substr(inside.rfind('/') + 1);
    if (GlobMatch(rule->pattern, inside, GlobKind::kPath)) return !rule->negated;
  }
  return false;
}

}  // namespace flair
