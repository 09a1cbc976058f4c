// SPDX-License-Identifier: Apache-2.0
#include "base/glob.h"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace flair {
namespace {

struct Token {
  enum class Kind : std::uint8_t {
    kLiteral,
    kAny,      // '?'
    kClass,    // '[...]'
    kRun,      // '*'
    kDeepRun,  // "**", and '*' of names
    kFolders,  // "**/": nothing, or any text that ends in '/'
  };
  Kind kind = Kind::kLiteral;
  char literal = 0;
  std::string_view set{};  // of a class, without brackets and '!'
  bool negated = false;
};

// The end of the class that opens at `at`, or npos. A ']' right behind the opening is a member.
std::size_t ClassEnd(std::string_view pattern, std::size_t at) {
  std::size_t i = at + 1;
  if (i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^')) ++i;
  if (i < pattern.size() && pattern[i] == ']') ++i;
  return pattern.find(']', i);
}

std::vector<Token> Tokens(std::string_view pattern, GlobKind kind) {
  std::vector<Token> tokens;
  tokens.reserve(pattern.size());
  for (std::size_t i = 0; i < pattern.size();) {
    const char c = pattern[i];
    if (c == '*') {
      const std::size_t begin = i;
      while (i < pattern.size() && pattern[i] == '*') ++i;
      const bool deep = kind == GlobKind::kName || i - begin > 1;
      const bool at_part = begin == 0 || pattern[begin - 1] == '/';
      if (kind == GlobKind::kPath && deep && at_part && i < pattern.size() && pattern[i] == '/') {
        tokens.push_back({.kind = Token::Kind::kFolders});
        ++i;
      } else {
        tokens.push_back({.kind = deep ? Token::Kind::kDeepRun : Token::Kind::kRun});
      }
      continue;
    }
    if (c == '?') {
      tokens.push_back({.kind = Token::Kind::kAny});
      ++i;
      continue;
    }
    if (const std::size_t end = c == '[' ? ClassEnd(pattern, i) : std::string_view::npos;
        end != std::string_view::npos) {
      const bool negated = pattern[i + 1] == '!' || pattern[i + 1] == '^';
      const std::size_t begin = i + (negated ? 2 : 1);
      tokens.push_back({.kind = Token::Kind::kClass,
                        .set = pattern.substr(begin, end - begin),
                        .negated = negated});
      i = end + 1;
      continue;
    }
    if (c == '\\' && i + 1 < pattern.size()) ++i;
    tokens.push_back({.kind = Token::Kind::kLiteral, .literal = pattern[i]});
    ++i;
  }
  return tokens;
}

bool InClass(const Token& token, char c) {
  const auto u = static_cast<unsigned char>(c);
  const std::string_view set = token.set;
  for (std::size_t i = 0; i < set.size(); ++i) {
    const auto low = static_cast<unsigned char>(set[i]);
    if (i + 2 < set.size() && set[i + 1] == '-') {
      if (low <= u && u <= static_cast<unsigned char>(set[i + 2])) return !token.negated;
      i += 2;
    } else if (low == u) {
      return !token.negated;
    }
  }
  return token.negated;
}

}  // namespace

// All positions a match can be at, moved together over the text: no backtracking.
bool GlobMatch(std::string_view pattern, std::string_view text, GlobKind kind) {
  const std::vector<Token> tokens = Tokens(pattern, kind);
  const std::size_t n = tokens.size();
  // at[i]: the first i tokens matched. inside[i]: within the kFolders token i, mid-part.
  std::vector<std::uint8_t> at(n + 1), next(n + 1), inside(n + 1), next_inside(n + 1);
  const auto skip_empty = [&](std::vector<std::uint8_t>& set) {
    for (std::size_t i = 0; i < n; ++i) {
      const auto k = tokens[i].kind;
      if (set[i] != 0 &&
          (k == Token::Kind::kRun || k == Token::Kind::kDeepRun || k == Token::Kind::kFolders)) {
        set[i + 1] = 1;
      }
    }
  };
  at[0] = 1;
  skip_empty(at);
  for (const char c : text) {
    const bool stops = kind == GlobKind::kPath && c == '/';
    std::fill(next.begin(), next.end(), std::uint8_t{0});
    std::fill(next_inside.begin(), next_inside.end(), std::uint8_t{0});
    for (std::size_t i = 0; i < n; ++i) {
      const Token& token = tokens[i];
      if (token.kind == Token::Kind::kFolders && (at[i] != 0 || inside[i] != 0)) {
        (c == '/' ? next : next_inside)[i] = 1;
        continue;
      }
      if (at[i] == 0) continue;
      switch (token.kind) {
        case Token::Kind::kLiteral:
          if (c == token.literal) next[i + 1] = 1;
          break;
        case Token::Kind::kAny:
          if (!stops) next[i + 1] = 1;
          break;
        case Token::Kind::kClass:
          if (!stops && InClass(token, c)) next[i + 1] = 1;
          break;
        case Token::Kind::kRun:
          if (!stops) next[i] = 1;
          break;
        case Token::Kind::kDeepRun:
          next[i] = 1;
          break;
        case Token::Kind::kFolders:
          break;
      }
    }
    skip_empty(next);
    at.swap(next);
    inside.swap(next_inside);
  }
  return at[n] != 0;
}

bool IsGlob(std::string_view text) { return text.find_first_of("*?[") != std::string_view::npos; }

}  // namespace flair
