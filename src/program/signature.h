// Signatures: what a named thing of a program (an operator, an optimiser, a clipping
// rule) takes. One table for each kind serves encoding, text form and checks alike.
//
// Place: program, below program.h. Codes and attribute orders are bytes of the
// canonical encoding (docs/spec/program.md): append only.
// Thread safety: constants.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

#include "program/rational.h"

namespace flair::program {

enum class AttributeKind : std::uint8_t {
  kInteger,   // one integer
  kList,      // integers
  kRational,  // numerator, denominator
  kWord,      // one of `words`, held as its place in the list
};

struct AttributeInfo {
  std::string_view name;
  AttributeKind kind;
  std::vector<std::string_view> words;  // of kWord
  std::vector<std::int64_t> otherwise;  // what a text that leaves it out means
};

struct Attribute {
  std::vector<std::int64_t> ints;

  bool operator==(const Attribute&) const = default;
  std::int64_t integer() const { return ints.front(); }
  Rational rational() const { return {ints[0], ints[1]}; }
};

struct Signature {
  std::uint8_t code = 0;
  std::string_view name;
  std::size_t min_inputs = 0;
  std::size_t max_inputs = 0;
  std::vector<AttributeInfo> attributes;
};

// A use of a signature: attributes in its order, each of its kind.
struct Call {
  std::uint8_t code = 0;
  std::vector<Attribute> attributes;

  bool operator==(const Call&) const = default;
};

// Null when nothing in `table` has this code, or this name.
const Signature* FindByCode(std::span<const Signature> table, std::uint8_t code);
const Signature* FindByName(std::span<const Signature> table, std::string_view name);

// The attribute `name` of `call`. REQUIRES: the signature of `call` has one.
const Attribute& AttributeOf(std::span<const Signature> table, const Call& call,
                             std::string_view name);

// A call with every attribute at its default. REQUIRES: `name` is in `table`.
Call DefaultCall(std::span<const Signature> table, std::string_view name);

}  // namespace flair::program
