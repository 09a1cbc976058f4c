// SPDX-License-Identifier: Apache-2.0
#include "program/shapes.h"

#include <algorithm>
#include <string>
#include <unordered_set>

#include "program/window.h"

namespace flair::program {
namespace {

Error Invalid(std::string what) { return Error(ErrorCode::kInvalidArgument, std::move(what)); }

Status CheckDims(const Dims& dims, std::uint64_t batch) {
  if (dims.size() > kMaxRank) return Invalid("more than " + std::to_string(kMaxRank) + " dims");
  std::uint64_t elements = batch;
  for (const std::uint64_t d : dims) {
    if (d == 0) return Invalid("a dim is 0");
    if (d > kMaxElements / elements) return Invalid(ToText(dims) + " has too many elements");
    elements *= d;
  }
  return OkStatus();
}

Status CheckFormat(const Format& f, unsigned min_bits, unsigned max_bits) {
  if (f.bits < min_bits || f.bits > max_bits) {
    return Invalid(std::to_string(f.bits) + " bits; " + std::to_string(min_bits) + " to " +
                   std::to_string(max_bits) + " are possible");
  }
  if (f.scale < -60 || f.scale > 60) return Invalid("scale " + std::to_string(f.scale));
  return OkStatus();
}

bool IsFraction(const Rational& r) {
  const auto again = MakeRational(r.num, r.den);
  return r.den > 0 && again && *again == r;
}

Status CheckAttributes(const Signature& signature, const Call& call) {
  if (call.attributes.size() != signature.attributes.size()) {
    return Invalid(std::string(signature.name) + " has " +
                   std::to_string(signature.attributes.size()) + " attributes");
  }
  for (std::size_t i = 0; i < call.attributes.size(); ++i) {
    const AttributeInfo& info = signature.attributes[i];
    const std::vector<std::int64_t>& ints = call.attributes[i].ints;
    const std::string name = std::string(signature.name) + " " + std::string(info.name);
    switch (info.kind) {
      case AttributeKind::kInteger:
        if (ints.size() != 1) return Invalid(name + " is one integer");
        break;
      case AttributeKind::kList:
        if (ints.size() > kMaxListLength) return Invalid(name + " is too long");
        break;
      case AttributeKind::kRational:
        if (ints.size() != 2 || !IsFraction({ints[0], ints[1]})) {
          return Invalid(name + " is not a reduced fraction");
        }
        break;
      case AttributeKind::kWord:
        if (ints.size() != 1 || ints[0] < 0 ||
            ints[0] >= static_cast<std::int64_t>(info.words.size())) {
          return Invalid(name + " is none of its words");
        }
    }
  }
  return OkStatus();
}

// The shape of one node from the shapes of its inputs.
class NodeShape {
 public:
  NodeShape(const Program& program, const Node& node, const std::vector<Dims>& shapes)
      : program_(program), node_(node), shapes_(shapes) {}

  Result<Dims> Infer() {
    for (const ValueId id : node_.inputs) {
      if (IsLabel(id) && !(Code() == OpCode::kCrossEntropy && id == node_.inputs[1])) {
        return Invalid("label '" + program_.NameOf(id) + "' serves cross_entropy only");
      }
    }
    switch (Code()) {
      case OpCode::kLinear:
        return Linear();
      case OpCode::kMatmul:
        return Matmul();
      case OpCode::kConv:
        return Conv();
      case OpCode::kAdd:
      case OpCode::kMul:
        return Elementwise();
      case OpCode::kAffine:
      case OpCode::kRelu:
        return In(0);
      case OpCode::kDropout:
        return Dropout();
      case OpCode::kReduce:
        return Reduce();
      case OpCode::kMaxPool:
        return Pool(List("pad"));
      case OpCode::kAvgPool:
        return Pool({0, 0, 0, 0});
      case OpCode::kReshape:
        return Reshape();
      case OpCode::kFlatten:
        return Flatten();
      case OpCode::kPermute:
        return Permute();
      case OpCode::kSlice:
        return Slice();
      case OpCode::kConcat:
        return Concat();
      case OpCode::kBatchNorm:
        return BatchNorm();
      case OpCode::kCrossEntropy:
        return CrossEntropy();
      case OpCode::kMse:
        if (In(0) != In(1)) return Misfit();
        return Dims{};
    }
    return Invalid("not an operator");
  }

 private:
  OpCode Code() const { return static_cast<OpCode>(node_.op.code); }
  const Dims& In(std::size_t i) const { return shapes_[node_.inputs[i]]; }
  bool IsLabel(ValueId id) const {
    return id < program_.columns.size() && program_.columns[id].is_label();
  }
  const std::vector<std::int64_t>& List(std::string_view name) const {
    return AttributeOf(Operators(), node_.op, name).ints;
  }
  std::int64_t Integer(std::string_view name) const { return List(name).front(); }

  Error Misfit() const {
    std::string text = "shapes";
    for (std::size_t i = 0; i < node_.inputs.size(); ++i) text += " " + ToText(In(i));
    return Invalid(text + " do not fit");
  }

  Result<Dims> Linear() const {
    const Dims &x = In(0), &w = In(1);
    if (x.empty() || w.size() != 2 || x.back() != w[1]) return Misfit();
    if (node_.inputs.size() == 3 && In(2) != Dims{w[0]}) return Misfit();
    Dims out = x;
    out.back() = w[0];
    return out;
  }

  Result<Dims> Matmul() const {
    const Dims &a = In(0), &b = In(1);
    const std::size_t rank = a.size();
    if (rank < 2 || b.size() != rank) return Misfit();
    if (!std::equal(a.begin(), a.end() - 2, b.begin())) return Misfit();
    const std::size_t ta = Integer("transpose_a") != 0 ? 1 : 0;
    const std::size_t tb = Integer("transpose_b") != 0 ? 1 : 0;
    if (a[rank - 1 - ta] != b[rank - 2 + tb]) return Misfit();
    Dims out = a;
    out[rank - 2] = a[rank - 2 + ta];
    out[rank - 1] = b[rank - 1 - tb];
    return out;
  }

  Result<Dims> Conv() const {
    const Dims &x = In(0), &w = In(1);
    FLAIR_TRY(const Window window, MakeWindow(x, w, List("stride"), List("pad"), List("dilation")));
    const std::int64_t groups = Integer("groups");
    if (groups < 1) return Invalid("groups must be at least 1");
    const auto g = static_cast<std::uint64_t>(groups);
    if (w[0] % g != 0 || x[1] % g != 0 || x[1] / g != w[1]) return Misfit();
    if (node_.inputs.size() == 3 && In(2) != Dims{w[0]}) return Misfit();
    return Dims{x[0], w[0], window.out[0], window.out[1]};
  }

  Result<Dims> Elementwise() const {
    const auto out = Broadcast(In(0), In(1));
    if (!out) return Misfit();
    return *out;
  }

  Result<Dims> Dropout() const {
    const Rational p = AttributeOf(Operators(), node_.op, "p").rational();
    if (p.num < 0 || p.num >= p.den) return Invalid("p must be in [0, 1)");
    return In(0);
  }

  Result<Dims> Reduce() const {
    Dims out = In(0);
    std::vector<bool> gone(out.size(), false);
    for (const std::int64_t axis : List("axes")) {
      if (axis < 0 || axis >= static_cast<std::int64_t>(out.size()) ||
          gone[static_cast<std::size_t>(axis)]) {
        return Invalid("axis " + std::to_string(axis) + " of " + ToText(In(0)));
      }
      gone[static_cast<std::size_t>(axis)] = true;
    }
    Dims kept;
    for (std::size_t i = 0; i < out.size(); ++i) {
      if (!gone[i]) kept.push_back(out[i]);
    }
    return kept;
  }

  Result<Dims> Pool(const std::vector<std::int64_t>& pad) const {
    const std::vector<std::int64_t>& size = List("window");
    if (size.size() != 2 || size[0] < 1 || size[1] < 1) return Invalid("window is two sizes");
    const Dims window_dims = {1, 1, static_cast<std::uint64_t>(size[0]),
                              static_cast<std::uint64_t>(size[1])};
    FLAIR_TRY(const Window window, MakeWindow(In(0), window_dims, List("stride"), pad, {1, 1}));
    for (const std::int64_t p : pad) {
      if (p >= std::min(size[0], size[1])) return Invalid("a window lies in the padding");
    }
    return Dims{In(0)[0], In(0)[1], window.out[0], window.out[1]};
  }

  Result<Dims> Reshape() const {
    Dims out;
    for (const std::int64_t d : List("dims")) {
      if (d < 1) return Invalid("dims must be at least 1");
      out.push_back(static_cast<std::uint64_t>(d));
    }
    FLAIR_DO(CheckDims(out, 1));
    if (NumElements(out) != NumElements(In(0))) {
      return Invalid(ToText(In(0)) + " does not become " + ToText(out));
    }
    return out;
  }

  Result<Dims> Flatten() const {
    const Dims& x = In(0);
    if (x.empty()) return Misfit();
    return Dims{x[0], NumElements(x) / x[0]};
  }

  Result<Dims> Permute() const {
    const Dims& x = In(0);
    const std::vector<std::int64_t>& axes = List("axes");
    std::vector<bool> used(x.size(), false);
    Dims out;
    for (const std::int64_t axis : axes) {
      if (axis < 0 || axis >= static_cast<std::int64_t>(x.size()) ||
          used[static_cast<std::size_t>(axis)]) {
        return Invalid("axes are no permutation of " + ToText(x));
      }
      used[static_cast<std::size_t>(axis)] = true;
      out.push_back(x[static_cast<std::size_t>(axis)]);
    }
    if (out.size() != x.size()) return Invalid("axes are no permutation of " + ToText(x));
    return out;
  }

  Result<Dims> Slice() const {
    Dims out = In(0);
    const std::int64_t axis = Integer("axis"), begin = Integer("begin"), size = Integer("size");
    if (axis < 0 || axis >= static_cast<std::int64_t>(out.size())) return Invalid("no such axis");
    std::uint64_t& extent = out[static_cast<std::size_t>(axis)];
    if (begin < 0 || size < 1 || static_cast<std::uint64_t>(begin) >= extent ||
        static_cast<std::uint64_t>(size) > extent - static_cast<std::uint64_t>(begin)) {
      return Invalid("the slice leaves " + ToText(In(0)));
    }
    extent = static_cast<std::uint64_t>(size);
    return out;
  }

  Result<Dims> Concat() const {
    Dims out = In(0);
    const std::int64_t axis = Integer("axis");
    if (axis < 0 || axis >= static_cast<std::int64_t>(out.size())) return Invalid("no such axis");
    const auto at = static_cast<std::size_t>(axis);
    for (std::size_t i = 1; i < node_.inputs.size(); ++i) {
      Dims other = In(i);
      if (other.size() != out.size()) return Misfit();
      out[at] += other[at];
      other[at] = out[at];
      if (other != out) return Misfit();
    }
    return out;
  }

  Result<Dims> BatchNorm() const {
    const Dims& x = In(0);
    if (x.size() < 2) return Misfit();
    for (std::size_t i = 1; i < 5; ++i) {
      if (In(i) != Dims{x[1]}) return Misfit();
    }
    for (std::size_t i = 3; i < 5; ++i) {
      const ValueId id = node_.inputs[i];
      if (id < program_.FirstBuffer() || id >= program_.FirstNode()) {
        return Invalid("running statistics are buffers");
      }
    }
    const Rational eps = AttributeOf(Operators(), node_.op, "eps").rational();
    const Rational m = AttributeOf(Operators(), node_.op, "momentum").rational();
    if (eps.num <= 0) return Invalid("eps must be positive");
    if (m.num < 0 || m.num > m.den) return Invalid("momentum must be in [0, 1]");
    if (NumElements(x) / x[1] < 2) return Invalid("statistics of one element");
    return x;
  }

  Result<Dims> CrossEntropy() const {
    if (!IsLabel(node_.inputs[1])) return Invalid("the second input must be a label");
    if (In(0) != Dims{program_.batch, program_.columns[node_.inputs[1]].classes}) {
      return Invalid("logits " + ToText(In(0)) + " do not fit the label's classes");
    }
    return Dims{};
  }

  const Program& program_;
  const Node& node_;
  const std::vector<Dims>& shapes_;
};

class Checker {
 public:
  explicit Checker(const Program& program) : p_(program) {}

  Result<std::vector<Dims>> Check() {
    if (p_.batch < 1 || p_.batch > kMaxBatch) return Invalid("batch " + std::to_string(p_.batch));
    const std::size_t values =
        p_.columns.size() + p_.parameters.size() + p_.buffers.size() + p_.nodes.size();
    if (values > kMaxValues) return Invalid("more than " + std::to_string(kMaxValues) + " values");
    shapes_.reserve(values);
    for (const Column& c : p_.columns) FLAIR_DO(Named("column", c.name, Leaf(c)));
    for (const Parameter& p : p_.parameters) FLAIR_DO(Named("parameter", p.name, Leaf(p)));
    for (const Buffer& b : p_.buffers) FLAIR_DO(Named("buffer", b.name, Leaf(b)));
    for (const Node& n : p_.nodes) FLAIR_DO(Named("node", n.name, Inner(n)));
    if (p_.loss < p_.FirstNode() || p_.loss >= p_.NumValues()) return Invalid("loss is no node");
    if (!shapes_[p_.loss].empty()) {
      return Invalid("loss '" + p_.NameOf(p_.loss) + "' is not one number");
    }
    FLAIR_DO(Named("optimiser", "", Optimiser()));
    FLAIR_DO(Named("schedule", "", CheckSchedule()));
    FLAIR_DO(Named("clip", "", Clip()));
    for (std::size_t i = 0; i < kNumProfileLines; ++i) {
      const ProfileInfo& info = InfoOf(static_cast<ProfileLine>(i));
      const Format& f = p_.profile[i];
      FLAIR_DO(Named("profile", info.name, CheckFormat(f, info.min_bits, info.max_bits)));
      if (!info.has_scale && f.scale != 0) {
        return Invalid("profile " + std::string(info.name) + ": it has no scale");
      }
    }
    return std::move(shapes_);
  }

 private:
  static Status Named(std::string_view kind, std::string_view name, Status status) {
    if (status.ok()) return status;
    std::string where(kind);
    if (IsName(name)) where += " '" + std::string(name) + "'";
    return std::move(status).error().In(where);
  }

  Status Name(const std::string& name) {
    if (!IsName(name)) return Invalid(std::string(kNameRule));
    if (!names_.insert(name).second) return Invalid("the name is taken");
    return OkStatus();
  }

  Status Leaf(const Column& c) {
    FLAIR_DO(Name(c.name));
    if (c.row.size() >= kMaxRank) return Invalid("too many dims");
    FLAIR_DO(CheckDims(c.row, p_.batch));
    if (c.is_label()) {
      if (!c.row.empty() || c.format != Format{}) return Invalid("a label has one class for a row");
      if (c.classes < 2 || c.classes > kMaxClasses) return Invalid("2 to 2^20 classes");
    } else {
      FLAIR_DO(CheckFormat(c.format, 2, 30));
    }
    Dims dims = {p_.batch};
    dims.insert(dims.end(), c.row.begin(), c.row.end());
    shapes_.push_back(std::move(dims));
    return OkStatus();
  }

  Status Leaf(const Parameter& p) {
    FLAIR_DO(Name(p.name));
    FLAIR_DO(CheckDims(p.dims, 1));
    if (p.scale < -20 || p.scale > 10) return Invalid("scale " + std::to_string(p.scale));
    shapes_.push_back(p.dims);
    return OkStatus();
  }

  Status Leaf(const Buffer& b) {
    FLAIR_DO(Name(b.name));
    FLAIR_DO(CheckDims(b.dims, 1));
    shapes_.push_back(b.dims);
    return OkStatus();
  }

  Status Inner(const Node& n) {
    FLAIR_DO(Name(n.name));
    const Signature* const s = FindByCode(Operators(), n.op.code);
    if (s == nullptr) {
      return Error(ErrorCode::kUnsupported, "operator code " + std::to_string(n.op.code));
    }
    if (n.inputs.size() < s->min_inputs || n.inputs.size() > s->max_inputs) {
      return Invalid(std::string(s->name) + " with " + std::to_string(n.inputs.size()) + " inputs");
    }
    for (const ValueId id : n.inputs) {
      if (id >= shapes_.size()) return Invalid("it reads a value that comes later");
    }
    FLAIR_DO(CheckAttributes(*s, n.op));
    if (n.activation) FLAIR_DO(CheckFormat(*n.activation, 4, 30));
    if (n.gradient) FLAIR_DO(CheckFormat(*n.gradient, 4, 30));
    FLAIR_TRY(Dims dims, NodeShape(p_, n, shapes_).Infer());
    FLAIR_DO(CheckDims(dims, 1));
    shapes_.push_back(std::move(dims));
    return OkStatus();
  }

  Rational Fraction(std::string_view name) const {
    return AttributeOf(Optimisers(), p_.optimiser, name).rational();
  }

  Status Unit(std::string_view name) const {
    const Rational r = Fraction(name);
    if (r.num < 0 || r.num >= r.den) return Invalid(std::string(name) + " must be in [0, 1)");
    return OkStatus();
  }

  Status Optimiser() const {
    const Signature* const s = FindByCode(Optimisers(), p_.optimiser.code);
    if (s == nullptr) {
      return Error(ErrorCode::kUnsupported, "code " + std::to_string(p_.optimiser.code));
    }
    FLAIR_DO(CheckAttributes(*s, p_.optimiser));
    if (Fraction("weight_decay").num < 0) return Invalid("weight_decay must not be negative");
    if (static_cast<OptimiserCode>(s->code) == OptimiserCode::kSgd) {
      FLAIR_DO(Unit("momentum"));
      return Unit("dampening");
    }
    FLAIR_DO(Unit("beta1"));
    FLAIR_DO(Unit("beta2"));
    if (Fraction("eps").num <= 0) return Invalid("eps must be positive");
    return OkStatus();
  }

  Status CheckSchedule() const {
    const Schedule& s = p_.schedule;
    if (s.pieces.empty()) return Invalid("no learning rate");
    if (s.denominator < 1 || s.denominator > kMaxRationalTerm) return Invalid("its denominator");
    std::int64_t common = s.denominator;
    for (std::size_t i = 0; i < s.pieces.size(); ++i) {
      const Schedule::Piece& piece = s.pieces[i];
      if (piece.numerator < 0 || piece.numerator > kMaxRationalTerm) {
        return Invalid("a learning rate is negative or too large");
      }
      if ((piece.steps == 0) != (i + 1 == s.pieces.size())) {
        return Invalid("every piece but the last has a number of steps");
      }
      if (piece.steps > (std::uint64_t{1} << 40)) return Invalid("a piece is too long");
      if (i > 0 && piece.numerator == s.pieces[i - 1].numerator) {
        return Invalid("two pieces with one learning rate");
      }
      std::int64_t rest = piece.numerator;
      while (rest != 0) {
        const std::int64_t next = common % rest;
        common = rest;
        rest = next;
      }
    }
    if (common != 1) return Invalid("its fractions are not reduced");
    return OkStatus();
  }

  Status Clip() const {
    const Signature* const s = FindByCode(Clips(), p_.clip.code);
    if (s == nullptr) {
      return Error(ErrorCode::kUnsupported, "code " + std::to_string(p_.clip.code));
    }
    FLAIR_DO(CheckAttributes(*s, p_.clip));
    if (static_cast<ClipCode>(s->code) == ClipCode::kNorm &&
        AttributeOf(Clips(), p_.clip, "limit").rational().num <= 0) {
      return Invalid("limit must be positive");
    }
    return OkStatus();
  }

  const Program& p_;
  std::vector<Dims> shapes_;
  std::unordered_set<std::string> names_;
};

}  // namespace

Result<std::vector<Dims>> CheckProgram(const Program& program) { return Checker(program).Check(); }

std::uint64_t NumElements(const Dims& dims) {
  std::uint64_t n = 1;
  for (const std::uint64_t d : dims) n *= d;
  return n;
}

std::optional<Dims> Broadcast(const Dims& a, const Dims& b) {
  const Dims& longer = a.size() >= b.size() ? a : b;
  const Dims& shorter = a.size() >= b.size() ? b : a;
  Dims out = longer;
  const std::size_t skip = longer.size() - shorter.size();
  for (std::size_t i = 0; i < shorter.size(); ++i) {
    std::uint64_t& d = out[skip + i];
    if (d == 1) {
      d = shorter[i];
    } else if (shorter[i] != 1 && shorter[i] != d) {
      return std::nullopt;
    }
  }
  return out;
}

std::string ToText(const Dims& dims) {
  std::string text = "[";
  for (std::size_t i = 0; i < dims.size(); ++i) {
    text += (i == 0 ? "" : ", ") + std::to_string(dims[i]);
  }
  return text + "]";
}

}  // namespace flair::program
