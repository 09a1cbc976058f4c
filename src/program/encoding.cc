// SPDX-License-Identifier: Apache-2.0
#include "program/encoding.h"

#include <string>

#include "crypto/sha256.h"
#include "program/shapes.h"

namespace flair::program {
namespace {

constexpr std::string_view kMagic = "FLPG";
constexpr std::uint16_t kVersion = 1;
constexpr std::string_view kHashTag = "flair.program.v1";

constexpr std::uint8_t kNoDecay = 1;
constexpr std::uint8_t kHasActivation = 1;
constexpr std::uint8_t kHasGradient = 2;

class Writer {
 public:
  void Byte(std::uint8_t b) { out_.push_back(std::byte{b}); }
  void Uint(std::uint64_t v) {
    for (; v >= 0x80; v >>= 7) Byte(static_cast<std::uint8_t>(v | 0x80));
    Byte(static_cast<std::uint8_t>(v));
  }
  // 0, -1, 1, -2, ... as 0, 1, 2, 3, ...
  void Int(std::int64_t v) {
    Uint((static_cast<std::uint64_t>(v) << 1) ^ static_cast<std::uint64_t>(v >> 63));
  }
  void Text(std::string_view text) {
    Uint(text.size());
    Append(out_, AsBytes(text));
  }
  void List(const Dims& dims) {
    Uint(dims.size());
    for (const std::uint64_t d : dims) Uint(d);
  }
  void FormatOf(const Format& f) {
    Byte(f.bits);
    Int(f.scale);
  }
  void CallOf(std::span<const Signature> table, const Call& call) {
    Byte(call.code);
    const Signature& s = *FindByCode(table, call.code);
    for (std::size_t i = 0; i < call.attributes.size(); ++i) {
      const std::vector<std::int64_t>& ints = call.attributes[i].ints;
      if (s.attributes[i].kind == AttributeKind::kList) Uint(ints.size());
      for (const std::int64_t v : ints) Int(v);
    }
  }
  void Raw(std::string_view text) { Append(out_, AsBytes(text)); }
  Bytes Take() { return std::move(out_); }

 private:
  Bytes out_;
};

class Reader {
 public:
  explicit Reader(ByteView in) : in_(in) {}

  bool empty() const { return at_ == in_.size(); }
  Error Corrupt(std::string_view what) const {
    return Error(ErrorCode::kCorrupt, "byte " + std::to_string(at_) + ": " + std::string(what));
  }

  Result<std::uint8_t> Byte() {
    if (empty()) return Corrupt("the program is cut off");
    return std::to_integer<std::uint8_t>(in_[at_++]);
  }

  Result<std::uint64_t> Uint() {
    std::uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      FLAIR_TRY(const std::uint8_t b, Byte());
      if (shift == 63 && b > 1) break;
      v |= (std::uint64_t{b} & 0x7f) << shift;
      if (b < 0x80) {
        if (b == 0 && shift > 0) return Corrupt("a number is padded");
        return v;
      }
    }
    return Corrupt("a number has more than 64 bits");
  }

  Result<std::int64_t> Int() {
    FLAIR_TRY(const std::uint64_t v, Uint());
    return static_cast<std::int64_t>((v >> 1) ^ (~(v & 1) + 1));
  }

  // A number of things of at least `least_bytes` each: more than the rest of the bytes
  // can hold is refused before anything is reserved.
  Result<std::size_t> Count(std::size_t least_bytes, std::size_t most) {
    FLAIR_TRY(const std::uint64_t n, Uint());
    if (n > most)
      return Corrupt(std::to_string(n) + " where at most " + std::to_string(most) + " fit");
    if (n > (in_.size() - at_) / least_bytes) return Corrupt("more is announced than there is");
    return static_cast<std::size_t>(n);
  }

  Result<std::string> Text() {
    FLAIR_TRY(const std::size_t n, Count(1, kMaxNameBytes));
    std::string text(AsText(in_.subspan(at_, n)));
    at_ += n;
    return text;
  }

  Result<Dims> List() {
    FLAIR_TRY(const std::size_t n, Count(1, kMaxRank));
    Dims dims;
    for (std::size_t i = 0; i < n; ++i) {
      FLAIR_TRY(const std::uint64_t d, Uint());
      dims.push_back(d);
    }
    return dims;
  }

  Result<std::int8_t> Scale() {
    FLAIR_TRY(const std::int64_t v, Int());
    if (v < -128 || v > 127) return Corrupt("a scale of more than 8 bits");
    return static_cast<std::int8_t>(v);
  }

  Result<Format> FormatOf() {
    Format f;
    FLAIR_TRY(f.bits, Byte());
    FLAIR_TRY(f.scale, Scale());
    return f;
  }

  Result<Call> CallOf(std::span<const Signature> table, std::string_view kind) {
    Call call;
    FLAIR_TRY(call.code, Byte());
    const Signature* const s = FindByCode(table, call.code);
    if (s == nullptr) {
      return Error(ErrorCode::kUnsupported,
                   "byte " + std::to_string(at_ - 1) + ": " + std::string(kind) + " code " +
                       std::to_string(call.code) + " is not known to this build");
    }
    for (const AttributeInfo& info : s->attributes) {
      std::size_t n = info.kind == AttributeKind::kRational ? 2 : 1;
      if (info.kind == AttributeKind::kList) {
        FLAIR_TRY(n, Count(1, kMaxListLength));
      }
      Attribute& attribute = call.attributes.emplace_back();
      for (std::size_t i = 0; i < n; ++i) {
        FLAIR_TRY(const std::int64_t v, Int());
        attribute.ints.push_back(v);
      }
    }
    return call;
  }

 private:
  ByteView in_;
  std::size_t at_ = 0;
};

void Write(Writer& w, const Column& c) {
  w.Text(c.name);
  w.Uint(c.classes);
  if (c.is_label()) return;
  w.List(c.row);
  w.FormatOf(c.format);
}

Result<Column> ReadColumn(Reader& r) {
  Column c;
  FLAIR_TRY(c.name, r.Text());
  FLAIR_TRY(const std::uint64_t classes, r.Uint());
  if (classes > kMaxClasses) return r.Corrupt("too many classes");
  c.classes = static_cast<std::uint32_t>(classes);
  if (c.is_label()) return c;
  FLAIR_TRY(c.row, r.List());
  FLAIR_TRY(c.format, r.FormatOf());
  return c;
}

void Write(Writer& w, const Parameter& p) {
  w.Text(p.name);
  w.List(p.dims);
  w.Int(p.scale);
  w.Byte(p.decay ? 0 : kNoDecay);
}

Result<Parameter> ReadParameter(Reader& r) {
  Parameter p;
  FLAIR_TRY(p.name, r.Text());
  FLAIR_TRY(p.dims, r.List());
  FLAIR_TRY(p.scale, r.Scale());
  FLAIR_TRY(const std::uint8_t flags, r.Byte());
  if (flags > kNoDecay) return r.Corrupt("an unknown flag");
  p.decay = flags == 0;
  return p;
}

void Write(Writer& w, const Node& n) {
  w.Text(n.name);
  w.CallOf(Operators(), n.op);
  w.Uint(n.inputs.size());
  for (const ValueId id : n.inputs) w.Uint(id);
  w.Byte(static_cast<std::uint8_t>((n.activation ? kHasActivation : 0) |
                                   (n.gradient ? kHasGradient : 0)));
  if (n.activation) w.FormatOf(*n.activation);
  if (n.gradient) w.FormatOf(*n.gradient);
}

Result<Node> ReadNode(Reader& r) {
  Node n;
  FLAIR_TRY(n.name, r.Text());
  FLAIR_TRY(n.op, r.CallOf(Operators(), "operator"));
  FLAIR_TRY(const std::size_t inputs, r.Count(1, 64));
  for (std::size_t i = 0; i < inputs; ++i) {
    FLAIR_TRY(const std::uint64_t id, r.Uint());
    if (id >= kMaxValues) return r.Corrupt("no such value");
    n.inputs.push_back(static_cast<ValueId>(id));
  }
  FLAIR_TRY(const std::uint8_t flags, r.Byte());
  if (flags > (kHasActivation | kHasGradient)) return r.Corrupt("an unknown flag");
  if ((flags & kHasActivation) != 0) {
    FLAIR_TRY(n.activation, r.FormatOf());
  }
  if ((flags & kHasGradient) != 0) {
    FLAIR_TRY(n.gradient, r.FormatOf());
  }
  return n;
}

Result<Schedule> ReadSchedule(Reader& r) {
  Schedule s;
  FLAIR_TRY(s.denominator, r.Int());
  FLAIR_TRY(const std::size_t pieces, r.Count(2, kMaxProgramBytes));
  for (std::size_t i = 0; i < pieces; ++i) {
    Schedule::Piece piece;
    FLAIR_TRY(piece.steps, r.Uint());
    FLAIR_TRY(piece.numerator, r.Int());
    s.pieces.push_back(piece);
  }
  return s;
}

}  // namespace

Bytes EncodeProgram(const Program& p) {
  Writer w;
  w.Raw(kMagic);
  w.Byte(kVersion & 0xff);
  w.Byte(kVersion >> 8);
  w.Uint(p.batch);
  w.Uint(p.columns.size());
  for (const Column& c : p.columns) Write(w, c);
  w.Uint(p.parameters.size());
  for (const Parameter& q : p.parameters) Write(w, q);
  w.Uint(p.buffers.size());
  for (const Buffer& b : p.buffers) {
    w.Text(b.name);
    w.List(b.dims);
  }
  w.Uint(p.nodes.size());
  for (const Node& n : p.nodes) Write(w, n);
  w.Uint(p.loss);
  w.CallOf(Optimisers(), p.optimiser);
  w.Int(p.schedule.denominator);
  w.Uint(p.schedule.pieces.size());
  for (const Schedule::Piece& piece : p.schedule.pieces) {
    w.Uint(piece.steps);
    w.Int(piece.numerator);
  }
  w.CallOf(Clips(), p.clip);
  for (const Format& f : p.profile) w.FormatOf(f);
  return w.Take();
}

Result<Program> DecodeProgram(ByteView bytes) {
  if (bytes.size() > kMaxProgramBytes) {
    return Error(ErrorCode::kUnsupported, "program: " + std::to_string(bytes.size()) +
                                              " bytes; this build reads up to " +
                                              std::to_string(kMaxProgramBytes));
  }
  Reader r(bytes);
  for (const char c : kMagic) {
    FLAIR_TRY(const std::uint8_t b, r.Byte());
    if (b != static_cast<std::uint8_t>(c)) return r.Corrupt("not a training program");
  }
  FLAIR_TRY(const std::uint8_t low, r.Byte());
  FLAIR_TRY(const std::uint8_t high, r.Byte());
  if (const unsigned version = low + 256U * high; version != kVersion) {
    return Error(ErrorCode::kUnsupported,
                 "program format " + std::to_string(version) + "; this build reads 1");
  }
  Program p;
  FLAIR_TRY(p.batch, r.Uint());
  FLAIR_TRY(const std::size_t columns, r.Count(3, kMaxValues));
  for (std::size_t i = 0; i < columns; ++i) {
    FLAIR_TRY(Column c, ReadColumn(r));
    p.columns.push_back(std::move(c));
  }
  FLAIR_TRY(const std::size_t parameters, r.Count(4, kMaxValues));
  for (std::size_t i = 0; i < parameters; ++i) {
    FLAIR_TRY(Parameter q, ReadParameter(r));
    p.parameters.push_back(std::move(q));
  }
  FLAIR_TRY(const std::size_t buffers, r.Count(2, kMaxValues));
  for (std::size_t i = 0; i < buffers; ++i) {
    Buffer b;
    FLAIR_TRY(b.name, r.Text());
    FLAIR_TRY(b.dims, r.List());
    p.buffers.push_back(std::move(b));
  }
  FLAIR_TRY(const std::size_t nodes, r.Count(4, kMaxValues));
  for (std::size_t i = 0; i < nodes; ++i) {
    FLAIR_TRY(Node n, ReadNode(r));
    p.nodes.push_back(std::move(n));
  }
  FLAIR_TRY(const std::uint64_t loss, r.Uint());
  if (loss >= kMaxValues * 4) return r.Corrupt("no such loss");
  p.loss = static_cast<ValueId>(loss);
  FLAIR_TRY(p.optimiser, r.CallOf(Optimisers(), "optimiser"));
  FLAIR_TRY(p.schedule, ReadSchedule(r));
  FLAIR_TRY(p.clip, r.CallOf(Clips(), "clip"));
  for (Format& f : p.profile) {
    FLAIR_TRY(f, r.FormatOf());
  }
  if (!r.empty()) return r.Corrupt("bytes after the program");
  FLAIR_DO(CheckProgram(p));
  return p;
}

Digest HashProgram(const Program& program) {
  Bytes message = ToBytes(kHashTag);
  Append(message, EncodeProgram(program));
  return Sha256(message);
}

}  // namespace flair::program
