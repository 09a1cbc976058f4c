// Words of the text form: names, numbers and marks, line by line.
//
// Place: program, inside the text form. `#` begins a comment; a line ends a statement.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace flair::program {

struct Token {
  enum class Kind : unsigned char { kWord, kQuoted, kNumber, kMark, kLineEnd, kEnd };
  Kind kind = Kind::kEnd;
  std::string_view text;  // without quotes; borrowed from the source
  std::size_t line = 1;
  std::size_t column = 1;

  bool IsMark(char c) const { return kind == Kind::kMark && text.front() == c; }
};

class Lexer {
 public:
  // REQUIRES: `source` outlives the lexer and its tokens.
  explicit Lexer(std::string_view source) : source_(source) {}

  // Runs of blank lines are one line end; after the last token comes kEnd for ever.
  // Errors: kInvalidArgument for a character that begins nothing, and for words and quoted
  // names that are no names: what a token holds can be repeated in a message.
  Result<Token> Next();

 private:
  std::size_t TakeWhile(bool (*wanted)(char));

  std::string_view source_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t line_begin_ = 0;
  bool fresh_line_ = true;
};

// "line 3, column 7: what"
Error ErrorAt(const Token& token, std::string_view what);

}  // namespace flair::program
