// The canonical encoding of objects: numbered fields, ascending, absent ones left out.
//
// Place: object. Layout of a message: for each field
//     number (varint) | length (varint) | payload (length bytes)
// with varints little-endian base 128, minimal length, at most 64 bits. Integers
// are varint payloads; lists and nested messages are payloads of their own.
// A message has exactly one encoding: the decoder refuses fields out of order,
// padded varints and trailing bytes. Unknown numbers below 64 are refused; others
// are kept and written back (docs/formats/object.md).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/digest.h"

namespace flair {

void AppendVarint(Bytes& out, std::uint64_t v);

class MessageEncoder {
 public:
  // REQUIRES: numbers ascend strictly from call to call.
  void Uint(std::uint32_t number, std::uint64_t v);
  void Raw(std::uint32_t number, ByteView payload);
  void Text(std::uint32_t number, std::string_view text) { Raw(number, AsBytes(text)); }
  Bytes Take() { return std::move(out_); }

 private:
  Bytes out_;
  std::uint32_t last_ = 0;
};

// Walks a byte string; every read is bounded by what is left.
class ByteReader {
 public:
  explicit ByteReader(ByteView in) : in_(in) {}
  bool empty() const { return at_ == in_.size(); }
  std::size_t left() const { return in_.size() - at_; }
  std::size_t offset() const { return at_; }
  Result<std::uint64_t> Varint();          // kCorrupt: padded, cut or over 64 bits
  Result<ByteView> Take(std::uint64_t n);  // kCorrupt: fewer bytes are left
  Result<ByteView> TakePrefixed();         // varint length, then that many bytes
  Result<Digest> TakeDigest();

 private:
  ByteView in_;
  std::size_t at_ = 0;
};

struct UnknownField {
  std::uint32_t number = 0;
  Bytes payload;
  bool operator==(const UnknownField&) const = default;
};

// Fields of one message by number. `known` lists the numbers the caller reads.
class MessageDecoder {
 public:
  static Result<MessageDecoder> Parse(ByteView message, std::span<const std::uint32_t> known);

  bool Has(std::uint32_t number) const;
  Result<ByteView> Raw(std::uint32_t number) const;        // kCorrupt when absent
  Result<std::uint64_t> Uint(std::uint32_t number) const;  // kCorrupt when absent
  Result<std::uint64_t> UintOr(std::uint32_t number, std::uint64_t otherwise) const;
  Result<std::string> Text(std::uint32_t number) const;  // kCorrupt unless UTF-8
  Result<std::string> TextOr(std::uint32_t number, std::string_view otherwise) const;
  Result<Digest> TakeDigest(std::uint32_t number) const;
  Result<std::optional<Digest>> OptionalDigest(std::uint32_t number) const;
  const std::vector<UnknownField>& unknown() const { return unknown_; }

 private:
  struct Field {
    std::uint32_t number;
    ByteView payload;
  };
  std::vector<Field> fields_;
  std::vector<UnknownField> unknown_;
};

bool IsUtf8(ByteView text);

}  // namespace flair
