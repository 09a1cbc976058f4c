// SPDX-License-Identifier: Apache-2.0
#include "base/path.h"

#include <algorithm>
#include <cstdint>
#include <unordered_map>

#include "base/utf8.h"

namespace flair {
namespace {

constexpr std::size_t kMaxPathBytes = 1024;
constexpr std::size_t kMaxPartBytes = 255;

std::string FoldAscii(std::string_view text) {
  std::string folded(text);
  for (char& c : folded) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return folded;
}

// For messages: a hostile path must not write control characters to a terminal.
std::string Printable(std::string_view path) {
  std::string out = "path \"";
  for (const char c : path.substr(0, 200)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7F) {
      out += c;
    } else {
      constexpr char kDigits[] = "0123456789abcdef";
      out += "\\x";
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    }
  }
  if (path.size() > 200) out += "...";
  return out + "\"";
}

Error Broken(std::string_view path, std::string_view rule) {
  return {ErrorCode::kInvalidArgument, Printable(path) + ": " + std::string(rule)};
}

// The first rule a part breaks; empty when it breaks none.
std::string_view BrokenPartRule(std::string_view part) {
  if (part.empty()) return "has an empty part";
  if (part == "." || part == "..") return "has a \".\" or \"..\" part";
  if (part.size() > kMaxPartBytes) return "has a part over 255 bytes";
  const std::string folded = FoldAscii(part);
  if (folded == ".flair" || folded == ".git") return "names a version-control folder";
  return {};
}

}  // namespace

Status CheckRepoPath(std::string_view path) {
  if (path.empty()) return Broken(path, "is empty");
  if (path.size() > kMaxPathBytes) return Broken(path, "is over 1024 bytes");
  for (std::string_view rest = path; !rest.empty();) {
    const auto point = TakeCodePoint(rest);
    if (!point) return Broken(path, "is not UTF-8");
    if (*point < 0x20 || (*point >= 0x7F && *point < 0xA0)) {
      return Broken(path, "has a control character");
    }
    if (*point == '\\' || *point == ':') return Broken(path, "has a backslash or a colon");
  }
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view rule = BrokenPartRule(path.substr(begin, end - begin));
    if (!rule.empty()) return Broken(path, rule);
    begin = end + 1;
  }
  return OkStatus();
}

Result<std::string> NormaliseRepoPath(std::string_view typed) {
  if (!typed.empty() && typed.front() == '/') return Broken(typed, "is not relative");
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; begin <= typed.size();) {
    const std::size_t end = std::min(typed.find('/', begin), typed.size());
    const std::string_view part = typed.substr(begin, end - begin);
    begin = end + 1;
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
      continue;
    }
    if (parts.empty()) return Broken(typed, "leaves the repository");
    parts.pop_back();
  }
  std::string path;
  for (const std::string_view part : parts) {
    if (!path.empty()) path += '/';
    path += part;
  }
  FLAIR_DO(CheckRepoPath(path));
  return path;
}

Status CheckNoCaseCollisions(const std::vector<std::string>& paths) {
  // Folders collide too: "A/x" and "a/y" share a folder there. Every prefix is entered
  // with its own spelling.
  std::unordered_map<std::string, std::string> spelling;
  spelling.reserve(paths.size());
  for (const std::string& path : paths) {
    for (std::size_t end = path.find('/');; end = path.find('/', end + 1)) {
      const std::string prefix = path.substr(0, end);
      const auto [at, fresh] = spelling.emplace(FoldAscii(prefix), prefix);
      if (!fresh && at->second != prefix) {
        return Error(ErrorCode::kInvalidArgument,
                     Printable(prefix) + " and " + Printable(at->second) + " differ only by case");
      }
      if (end == std::string::npos) break;
    }
  }
  return OkStatus();
}

std::string JoinPath(std::string_view folder, std::string_view name) {
  if (folder.empty()) return std::string(name);
  std::string path(folder);
  if (path.back() != '/') path += '/';
  return path += name;
}

std::string ParentPath(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return "";
  return std::string(path.substr(0, slash == 0 ? 1 : slash));
}

}  // namespace flair
