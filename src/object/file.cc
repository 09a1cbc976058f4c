// SPDX-License-Identifier: Apache-2.0
#include "object/file.h"

#include <array>
#include <string_view>
#include <unordered_set>

#include "crypto/blake3.h"
#include "object/encoding.h"

namespace flair {
namespace {

constexpr std::uint32_t kFormat = 1;
constexpr std::uint32_t kSegments = 2;
constexpr std::array kFileFields = {kFormat, kSegments};

// Segment kinds, as written.
constexpr std::uint64_t kInline = 1;
constexpr std::uint64_t kTensor = 2;
constexpr std::uint64_t kBlob = 3;

Error Corrupt(std::string what) { return Error(ErrorCode::kCorrupt, std::move(what)); }

void AppendPrefixed(Bytes& out, ByteView payload) {
  AppendVarint(out, payload.size());
  Append(out, payload);
}

void AppendSegment(Bytes& out, const Segment& segment) {
  if (const auto* text = std::get_if<InlineSegment>(&segment)) {
    AppendVarint(out, kInline);
    AppendPrefixed(out, text->bytes);
  } else if (const auto* tensor = std::get_if<TensorSegment>(&segment)) {
    Bytes payload;
    AppendPrefixed(payload, AsBytes(tensor->name));
    Append(payload, EncodeTensorRef(tensor->tensor));
    AppendVarint(out, kTensor);
    AppendPrefixed(out, payload);
  } else {
    AppendVarint(out, kBlob);
    AppendPrefixed(out, EncodeContentRef(std::get<BlobSegment>(segment).content));
  }
}

Result<TensorSegment> DecodeTensorSegment(ByteView payload) {
  ByteReader reader(payload);
  FLAIR_TRY(const ByteView name, reader.TakePrefixed());
  if (name.empty()) return Corrupt("a tensor without a name");
  if (name.size() > kMaxTensorNameBytes) {
    return Corrupt("a tensor name of " + std::to_string(name.size()) + " bytes; the limit is " +
                   std::to_string(kMaxTensorNameBytes));
  }
  if (!IsUtf8(name)) return Corrupt("a tensor name is not UTF-8");
  FLAIR_TRY(const ByteView rest, reader.Take(reader.left()));
  FLAIR_TRY(TensorRef tensor, DecodeTensorRef(rest));
  return TensorSegment{.name = std::string(AsText(name)), .tensor = std::move(tensor)};
}

Result<Segment> DecodeSegment(ByteReader& reader) {
  FLAIR_TRY(const std::uint64_t kind, reader.Varint());
  FLAIR_TRY(const ByteView payload, reader.TakePrefixed());
  switch (kind) {
    case kInline:
      return Segment(InlineSegment{.bytes = Bytes(payload.begin(), payload.end())});
    case kTensor: {
      FLAIR_TRY(TensorSegment tensor, DecodeTensorSegment(payload));
      return Segment(std::move(tensor));
    }
    case kBlob: {
      FLAIR_TRY(const ContentRef content, DecodeContentRef(payload));
      return Segment(BlobSegment{.content = content});
    }
    default:
      return Corrupt("segment kind " + std::to_string(kind) + " is not known");
  }
}

Result<std::vector<Segment>> DecodeSegments(ByteView payload) {
  if (payload.empty()) return Corrupt("an empty list of segments, which is left out");
  std::vector<Segment> segments;
  ByteReader reader(payload);
  std::uint64_t inline_bytes = 0;
  std::uint64_t total_bytes = 0;
  while (!reader.empty()) {
    const std::string where = "segment " + std::to_string(segments.size());
    if (segments.size() == kMaxSegments) {
      return Corrupt("more than " + std::to_string(kMaxSegments) + " segments");
    }
    auto segment = DecodeSegment(reader);
    if (!segment.ok()) return std::move(segment).error().In(where);
    const std::uint64_t size = SegmentBytes(*segment);
    if (std::holds_alternative<InlineSegment>(*segment)) inline_bytes += size;
    if (inline_bytes > kMaxInlineBytes) {
      return Corrupt("more than " + std::to_string(kMaxInlineBytes) + " inline bytes");
    }
    if (__builtin_add_overflow(total_bytes, size, &total_bytes)) {
      return Corrupt(where + ": the file's size overflows 64 bits");
    }
    segments.push_back(std::move(*segment));
  }
  return segments;
}

Status CheckNamesUnique(const std::vector<Segment>& segments) {
  std::unordered_set<std::string_view> names;
  for (const Segment& segment : segments) {
    const auto* tensor = std::get_if<TensorSegment>(&segment);
    if (tensor != nullptr && !names.insert(tensor->name).second) {
      return Corrupt("tensor \"" + tensor->name + "\" appears twice");
    }
  }
  return OkStatus();
}

Result<File> DecodeFields(ByteView bytes) {
  FLAIR_TRY(const MessageDecoder m, MessageDecoder::Parse(bytes, kFileFields));
  if (!m.unknown().empty()) {
    return Corrupt("field " + std::to_string(m.unknown().front().number) + " is not known");
  }
  File f;
  FLAIR_TRY(const std::uint64_t format, m.Uint(kFormat));
  if (format == 0 || format > kMaxFileFormat) {
    return Error(ErrorCode::kUnsupported, "file format " + std::to_string(format) +
                                              " is not known to this version of flair");
  }
  f.format = static_cast<FileFormat>(format);
  if (m.Has(kSegments)) {
    FLAIR_TRY(const ByteView payload, m.Raw(kSegments));
    FLAIR_TRY(f.segments, DecodeSegments(payload));
  }
  FLAIR_DO(CheckNamesUnique(f.segments));
  return f;
}

}  // namespace

std::uint64_t SegmentBytes(const Segment& s) {
  if (const auto* text = std::get_if<InlineSegment>(&s)) return text->bytes.size();
  if (const auto* tensor = std::get_if<TensorSegment>(&s)) return tensor->tensor.content.size_bytes;
  return std::get<BlobSegment>(s).content.size_bytes;
}

std::uint64_t File::size_bytes() const {
  std::uint64_t total = 0;
  for (const Segment& segment : segments) total += SegmentBytes(segment);
  return total;
}

const TensorSegment* File::FindTensor(std::string_view name) const {
  for (const Segment& segment : segments) {
    const auto* tensor = std::get_if<TensorSegment>(&segment);
    if (tensor != nullptr && tensor->name == name) return tensor;
  }
  return nullptr;
}

Bytes EncodeFile(const File& f) {
  MessageEncoder m;
  m.Uint(kFormat, static_cast<std::uint64_t>(f.format));
  if (!f.segments.empty()) {
    Bytes segments;
    for (const Segment& segment : f.segments) AppendSegment(segments, segment);
    m.Raw(kSegments, segments);
  }
  return m.Take();
}

Result<File> DecodeFile(ByteView bytes) {
  auto f = DecodeFields(bytes);
  if (!f.ok()) return std::move(f).error().In("file");
  return f;
}

FileId IdOf(const File& f) { return {Blake3DeriveKey("flair.v1.file", EncodeFile(f))}; }

}  // namespace flair
