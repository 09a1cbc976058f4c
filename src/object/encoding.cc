// SPDX-License-Identifier: Apache-2.0
#include "object/encoding.h"

#include <algorithm>
#include <limits>

#include "base/check.h"
#include "base/utf8.h"

namespace flair {
namespace {

// Numbers below this are the format's own; a decoder that meets one it does not
// know would misread the message.
constexpr std::uint32_t kFirstOptionalNumber = 64;

// Unknown fields cost an allocation each, so their number is bounded apart from
// their bytes.
constexpr std::size_t kMaxUnknownFields = 256;

Error Corrupt(std::string what) { return Error(ErrorCode::kCorrupt, std::move(what)); }

std::string FieldName(std::uint32_t number) { return "field " + std::to_string(number); }

}  // namespace

void AppendVarint(Bytes& out, std::uint64_t v) {
  for (; v >= 0x80; v >>= 7) out.push_back(static_cast<std::byte>(v | 0x80));
  out.push_back(static_cast<std::byte>(v));
}

void MessageEncoder::Uint(std::uint32_t number, std::uint64_t v) {
  Bytes payload;
  AppendVarint(payload, v);
  Raw(number, payload);
}

void MessageEncoder::Raw(std::uint32_t number, ByteView payload) {
  FLAIR_CHECK(number > last_) << "field " << number << " after " << last_;
  last_ = number;
  AppendVarint(out_, number);
  AppendVarint(out_, payload.size());
  Append(out_, payload);
}

Result<std::uint64_t> ByteReader::Varint() {
  std::uint64_t v = 0;
  const std::size_t begin = at_;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (at_ == in_.size()) {
      return Corrupt("byte " + std::to_string(begin) + ": a number is cut off");
    }
    const auto b = std::to_integer<std::uint64_t>(in_[at_++]);
    // The tenth byte holds the 64th bit alone.
    if (shift == 63 && b > 1) break;
    v |= (b & 0x7F) << shift;
    if (b < 0x80) {
      if (b == 0 && shift > 0) {
        return Corrupt("byte " + std::to_string(begin) + ": a number is padded");
      }
      return v;
    }
  }
  return Corrupt("byte " + std::to_string(begin) + ": a number has more than 64 bits");
}

Result<ByteView> ByteReader::Take(std::uint64_t n) {
  if (n > left()) {
    return Corrupt("byte " + std::to_string(at_) + ": " + std::to_string(n) + " bytes announced, " +
                   std::to_string(left()) + " left");
  }
  const ByteView taken = in_.subspan(at_, static_cast<std::size_t>(n));
  at_ += static_cast<std::size_t>(n);
  return taken;
}

Result<ByteView> ByteReader::TakePrefixed() {
  FLAIR_TRY(const std::uint64_t n, Varint());
  return Take(n);
}

Result<Digest> ByteReader::TakeDigest() {
  FLAIR_TRY(const ByteView raw, Take(Digest::kBytes));
  return Digest::FromBytes(raw);
}

Result<MessageDecoder> MessageDecoder::Parse(ByteView message,
                                             std::span<const std::uint32_t> known) {
  MessageDecoder out;
  ByteReader reader(message);
  std::uint64_t last = 0;
  while (!reader.empty()) {
    const std::size_t at = reader.offset();
    FLAIR_TRY(const std::uint64_t number, reader.Varint());
    if (number <= last) {
      return Corrupt("byte " + std::to_string(at) + ": field " + std::to_string(number) +
                     (last == 0 ? " is not a field number" : " after " + std::to_string(last)));
    }
    if (number > std::numeric_limits<std::uint32_t>::max()) {
      return Corrupt("byte " + std::to_string(at) + ": field number has more than 32 bits");
    }
    last = number;
    FLAIR_TRY(const ByteView payload, reader.TakePrefixed());
    const auto short_number = static_cast<std::uint32_t>(number);
    if (std::find(known.begin(), known.end(), short_number) != known.end()) {
      out.fields_.push_back({short_number, payload});
      continue;
    }
    if (number < kFirstOptionalNumber) {
      return Corrupt("byte " + std::to_string(at) + ": " + FieldName(short_number) +
                     " is not known");
    }
    if (out.unknown_.size() == kMaxUnknownFields) {
      return Corrupt("byte " + std::to_string(at) + ": more than " +
                     std::to_string(kMaxUnknownFields) + " unknown fields");
    }
    out.unknown_.push_back({short_number, Bytes(payload.begin(), payload.end())});
  }
  return out;
}

bool MessageDecoder::Has(std::uint32_t number) const { return Raw(number).ok(); }

Result<ByteView> MessageDecoder::Raw(std::uint32_t number) const {
  for (const Field& field : fields_) {
    if (field.number == number) return field.payload;
  }
  return Corrupt(FieldName(number) + " is missing");
}

Result<std::uint64_t> MessageDecoder::Uint(std::uint32_t number) const {
  FLAIR_TRY(const ByteView payload, Raw(number));
  ByteReader reader(payload);
  auto v = reader.Varint();
  if (!v.ok()) return std::move(v).error().In(FieldName(number));
  if (!reader.empty()) return Corrupt(FieldName(number) + ": bytes after the number");
  return v;
}

Result<std::uint64_t> MessageDecoder::UintOr(std::uint32_t number, std::uint64_t otherwise) const {
  if (!Has(number)) return otherwise;
  FLAIR_TRY(const std::uint64_t v, Uint(number));
  if (v == otherwise) {
    return Corrupt(FieldName(number) + " holds its default " + std::to_string(v) +
                   ", which is left out");
  }
  return v;
}

Result<std::string> MessageDecoder::Text(std::uint32_t number) const {
  FLAIR_TRY(const ByteView payload, Raw(number));
  if (!IsUtf8(payload)) return Corrupt(FieldName(number) + " is not UTF-8");
  return std::string(AsText(payload));
}

Result<std::string> MessageDecoder::TextOr(std::uint32_t number, std::string_view otherwise) const {
  if (!Has(number)) return std::string(otherwise);
  FLAIR_TRY(std::string text, Text(number));
  if (text == otherwise) {
    return Corrupt(FieldName(number) + " holds its default, which is left out");
  }
  return text;
}

Result<Digest> MessageDecoder::TakeDigest(std::uint32_t number) const {
  FLAIR_TRY(const ByteView payload, Raw(number));
  auto digest = Digest::FromBytes(payload);
  if (!digest.ok()) return std::move(digest).error().In(FieldName(number));
  return digest;
}

Result<std::optional<Digest>> MessageDecoder::OptionalDigest(std::uint32_t number) const {
  if (!Has(number)) return std::optional<Digest>();
  FLAIR_TRY(const Digest digest, TakeDigest(number));
  return std::optional<Digest>(digest);
}

bool IsUtf8(ByteView text) { return IsValidUtf8(AsText(text)); }

}  // namespace flair
