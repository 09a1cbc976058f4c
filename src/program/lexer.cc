// SPDX-License-Identifier: Apache-2.0
#include "program/lexer.h"

#include "program/program.h"

namespace flair::program {
namespace {

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsWordPart(char c) { return IsLetter(c) || IsDigit(c) || c == '.'; }
bool IsNumberPart(char c) { return IsDigit(c) || c == '.' || c == '/'; }

}  // namespace

std::size_t Lexer::TakeWhile(bool (*wanted)(char)) {
  const std::size_t begin = at_;
  while (at_ < source_.size() && wanted(source_[at_])) ++at_;
  return at_ - begin;
}

Result<Token> Lexer::Next() {
  while (at_ < source_.size()) {
    const char c = source_[at_];
    Token token{.line = line_, .column = at_ - line_begin_ + 1};
    const std::size_t begin = at_;
    if (c == '\n') {
      ++at_;
      ++line_;
      line_begin_ = at_;
      if (fresh_line_) continue;
      fresh_line_ = true;
      token.kind = Token::Kind::kLineEnd;
      return token;
    }
    if (c == ' ' || c == '\t' || c == '\r') {
      ++at_;
      continue;
    }
    if (c == '#') {
      TakeWhile([](char d) { return d != '\n'; });
      continue;
    }
    fresh_line_ = false;
    if (IsLetter(c)) {
      TakeWhile(IsWordPart);
      token.kind = Token::Kind::kWord;
    } else if (IsDigit(c) || c == '-') {
      ++at_;
      TakeWhile(IsNumberPart);
      token.kind = Token::Kind::kNumber;
    } else if (c == '"') {
      ++at_;
      const std::size_t n = TakeWhile([](char d) { return d != '"' && d != '\n'; });
      if (at_ == source_.size() || source_[at_] == '\n') {
        return ErrorAt(token, "a quoted name has no end");
      }
      ++at_;
      token.kind = Token::Kind::kQuoted;
      token.text = source_.substr(begin + 1, n);
      if (!IsName(token.text)) return ErrorAt(token, kNameRule);
      return token;
    } else if (std::string_view("()[],=").find(c) != std::string_view::npos) {
      ++at_;
      token.kind = Token::Kind::kMark;
    } else {
      return ErrorAt(token, "a character that begins nothing");
    }
    token.text = source_.substr(begin, at_ - begin);
    // Messages repeat words.
    if (token.kind == Token::Kind::kWord && !IsName(token.text)) return ErrorAt(token, kNameRule);
    return token;
  }
  Token end{.line = line_, .column = at_ - line_begin_ + 1};
  if (!fresh_line_) {
    fresh_line_ = true;
    end.kind = Token::Kind::kLineEnd;
  }
  return end;
}

Error ErrorAt(const Token& token, std::string_view what) {
  return Error(ErrorCode::kInvalidArgument, "line " + std::to_string(token.line) + ", column " +
                                                std::to_string(token.column) + ": " +
                                                std::string(what));
}

}  // namespace flair::program
