// SPDX-License-Identifier: Apache-2.0
#include "data/npy.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "tensor/dims.h"

namespace flair::data {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::uint64_t kPreludeBytes = 8;  // magic and version
constexpr std::size_t kMaxDtypeBytes = 16;

struct Header {
  std::optional<std::string> descr;
  std::optional<bool> fortran_order;
  std::optional<std::vector<std::uint64_t>> shape;
};

// The dict as NumPy's repr() writes it; blanks may differ.
class HeaderReader {
 public:
  // `begin`: of the text in the file, for messages.
  HeaderReader(std::string_view text, std::uint64_t begin) : text_(text), begin_(begin) {}

  Result<Header> Read() {
    Header header;
    FLAIR_DO(Expect('{'));
    while (!Take('}')) {
      FLAIR_TRY(const std::string key, Text());
      FLAIR_DO(Expect(':'));
      FLAIR_DO(Member(key, header));
      if (Take(',')) continue;
      FLAIR_DO(Expect('}'));
      break;
    }
    SkipBlanks();
    if (at_ != text_.size()) return Corrupt("more behind the header's '}'");
    if (!header.descr || !header.fortran_order || !header.shape) {
      return Corrupt("the header says not all of descr, fortran_order and shape");
    }
    return header;
  }

 private:
  Error Corrupt(const std::string& what) const {
    return Error(ErrorCode::kCorrupt, what + ", at byte " + std::to_string(begin_ + at_));
  }
  void SkipBlanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  bool Take(char c) {
    SkipBlanks();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  Status Expect(char c) {
    if (Take(c)) return OkStatus();
    return Corrupt(std::string("the header lacks '") + c + "'");
  }
  bool TakeWord(std::string_view word) {
    SkipBlanks();
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  Result<std::string> Text() {
    SkipBlanks();
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    if (quote != '\'' && quote != '"') return Corrupt("the header lacks a text");
    const std::size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) return Corrupt("a text without an end");
    const std::string_view inside = text_.substr(at_ + 1, end - at_ - 1);
    if (inside.size() > kMaxDtypeBytes || inside.find('\\') != std::string_view::npos) {
      return Corrupt("a text that no plain array has");
    }
    at_ = end + 1;
    return std::string(inside);
  }

  Status Member(const std::string& key, Header& header) {
    if (key == "descr" && !header.descr) {
      SkipBlanks();
      if (at_ < text_.size() && text_[at_] == '[') {
        return Error(ErrorCode::kUnsupported, "an array of structures; plain numbers are read");
      }
      FLAIR_TRY(header.descr, Text());
      return OkStatus();
    }
    if (key == "fortran_order" && !header.fortran_order) {
      const bool yes = TakeWord("True");
      if (!yes && !TakeWord("False")) return Corrupt("fortran_order is neither True nor False");
      header.fortran_order = yes;
      return OkStatus();
    }
    if (key == "shape" && !header.shape) return Shape(header.shape.emplace());
    return Corrupt("a key that the header has not, or has twice");
  }

  // "()", "(3,)", "(3, 4)", "(3, 4,)"
  Status Shape(std::vector<std::uint64_t>& dims) {
    FLAIR_DO(Expect('('));
    bool comma = true;
    while (!Take(')')) {
      if (!comma) return Corrupt("the shape lacks ','");
      if (dims.size() == kMaxTensorDims) return Corrupt("a shape of more than 32 dims");
      FLAIR_TRY(const std::uint64_t dim, Number());
      dims.push_back(dim);
      comma = Take(',');
    }
    if (dims.size() == 1 && !comma) return Corrupt("'(n)' is no shape; '(n,)' is");
    return OkStatus();
  }

  Result<std::uint64_t> Number() {
    SkipBlanks();
    const std::size_t start = at_;
    std::uint64_t value = 0;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
      const auto digit = static_cast<std::uint64_t>(text_[at_] - '0');
      if (__builtin_mul_overflow(value, 10, &value) ||
          __builtin_add_overflow(value, digit, &value)) {
        return Corrupt("a dim beyond 2^64");
      }
    }
    const bool padded = at_ - start > 1 && text_[start] == '0';
    if (at_ == start || padded) return Corrupt("a dim that is no number");
    return value;
  }

  std::string_view text_;
  std::uint64_t begin_;
  std::size_t at_ = 0;
};

struct Element {
  DType dtype;
  ByteOrder order;
};

// "<f4", ">i2", "|u1"
std::optional<Element> ElementOf(std::string_view descr) {
  constexpr std::pair<std::string_view, DType> kKinds[] = {
      {"b1", DType::kBool}, {"u1", DType::kU8},  {"i1", DType::kI8},  {"u2", DType::kU16},
      {"i2", DType::kI16},  {"u4", DType::kU32}, {"i4", DType::kI32}, {"u8", DType::kU64},
      {"i8", DType::kI64},  {"f2", DType::kF16}, {"f4", DType::kF32}, {"f8", DType::kF64}};
  if (descr.size() != 3) return std::nullopt;
  const char order = descr[0];
  for (const auto& [kind, dtype] : kKinds) {
    if (descr.substr(1) != kind) continue;
    if (order == '>') return Element{dtype, ByteOrder::kBig};
    if (order == '<' || (order == '|' && DTypeBytes(dtype) == 1)) {
      return Element{dtype, ByteOrder::kLittle};
    }
  }
  return std::nullopt;
}

std::string Quoted(std::string_view text) {
  const bool plain =
      std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
  return plain ? "'" + std::string(text) + "'" : std::string("that is no plain text");
}

struct Place {
  std::uint64_t begin = 0;
  std::uint64_t size = 0;
};

// Where the header's text lies.
Result<Place> FindHeader(const ByteSource& file) {
  const auto corrupt = [](std::string what) { return Error(ErrorCode::kCorrupt, std::move(what)); };
  if (file.size_bytes() < kPreludeBytes + 2) return corrupt("the file ends before its header");
  std::array<std::byte, kPreludeBytes> prelude{};
  FLAIR_DO(file.ReadAt(0, prelude));
  if (!AsText(prelude).starts_with(kMagic)) return corrupt("it does not begin as one");
  const auto major = std::to_integer<unsigned>(prelude[6]);
  if ((major != 1 && major != 2) || prelude[7] != std::byte{0}) {
    return Error(ErrorCode::kUnsupported,
                 "version " + std::to_string(major) + "." +
                     std::to_string(std::to_integer<unsigned>(prelude[7])) +
                     "; 1.0 and 2.0 are read");
  }
  Bytes length(major == 1 ? 2 : 4);
  if (file.size_bytes() < kPreludeBytes + length.size()) {
    return corrupt("the file ends before its header");
  }
  FLAIR_DO(file.ReadAt(kPreludeBytes, length));
  const Place place{.begin = kPreludeBytes + length.size(),
                    .size = major == 1 ? LoadLe16(length) : LoadLe32(length)};
  if (place.size > kMaxNpyHeaderBytes || place.size > file.size_bytes() - place.begin) {
    return corrupt("a header of " + std::to_string(place.size) + " bytes, at byte 8");
  }
  return place;
}

Result<SourceColumn> Read(const ByteSource& file) {
  FLAIR_TRY(const Place place, FindHeader(file));
  Bytes text(place.size);
  FLAIR_DO(file.ReadAt(place.begin, text));
  FLAIR_TRY(Header header, HeaderReader(AsText(text), place.begin).Read());
  const auto element = ElementOf(*header.descr);
  if (!element) {
    return Error(ErrorCode::kUnsupported, "elements " + Quoted(*header.descr) +
                                              "; bool, integers and floats up to 8 bytes are read");
  }
  if (*header.fortran_order) {
    return Error(ErrorCode::kUnsupported, "Fortran order")
        .WithHint("numpy.save(file, numpy.ascontiguousarray(array)) writes C order");
  }
  SourceColumn column{.dtype = element->dtype,
                      .order = element->order,
                      .dims = std::move(*header.shape),
                      .bytes = nullptr,
                      .begin = place.begin + place.size};
  const std::uint64_t found = file.size_bytes() - column.begin;
  const auto wanted = BytesOfDims(column.dtype, column.dims);
  if (!wanted || *wanted != found) {
    return Error(ErrorCode::kCorrupt,
                 std::to_string(found) + " bytes behind byte " + std::to_string(column.begin) +
                     "; the shape says " +
                     (wanted ? std::to_string(*wanted) : std::string("more than 2^64")));
  }
  return column;
}

}  // namespace

Result<SourceColumn> ReadNpy(std::shared_ptr<const ByteSource> file, std::string name,
                             std::string file_name) {
  auto column = Read(*file);
  if (!column.ok()) return std::move(column).error().In(file_name + ": NPY");
  column->name = std::move(name);
  column->file = std::move(file_name);
  column->bytes = std::move(file);
  return column;
}

}  // namespace flair::data
