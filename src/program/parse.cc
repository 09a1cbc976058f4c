// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <numeric>
#include <unordered_map>
#include <utility>

#include "program/lexer.h"
#include "program/schedule.h"
#include "program/shapes.h"
#include "program/text.h"

namespace flair::program {
namespace {

// Statements come in this order, so that a name is known where it is read.
enum Section : unsigned char {
  kBatch,
  kColumns,
  kParameters,
  kBuffers,
  kNodes,
  kLoss,
  kOptimiser,
  kSchedule,
  kClip,
  kProfile,
};

// Letters to insert, drop or change.
std::size_t Distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t change = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({change, diagonal + 1, row[j] + 1});
    }
  }
  return row.back();
}

// "; is 'linear' meant?", or nothing where no name is near.
std::string NearestOf(std::span<const Signature> table, std::string_view name) {
  const Signature* nearest = nullptr;
  std::size_t least = 3;
  for (const Signature& s : table) {
    const std::size_t distance = Distance(name, s.name);
    if (distance >= least) continue;
    least = distance;
    nearest = &s;
  }
  return nearest == nullptr ? "" : "; is '" + std::string(nearest->name) + "' meant?";
}

constexpr unsigned kMinNodeBits = 4;
constexpr unsigned kMaxNodeBits = 30;

class Parser {
 public:
  explicit Parser(std::string_view text) : lexer_(text) {}

  Result<Program> Parse() {
    p_.clip = DefaultCall(Clips(), "none");
    FLAIR_DO(Advance());
    FLAIR_DO(Keyword("flair"));
    FLAIR_DO(Keyword("program"));
    FLAIR_TRY(const std::int64_t version, Integer("a format number", 0, 65535));
    if (version != 1) {
      return Error(ErrorCode::kUnsupported,
                   "program format " + std::to_string(version) + "; this build reads 1");
    }
    FLAIR_DO(EndOfLine());
    while (token_.kind != Token::Kind::kEnd) FLAIR_DO(Statement());
    for (const auto& [seen, name] :
         {std::pair{kBatch, "batch"}, std::pair{kLoss, "loss"}, std::pair{kOptimiser, "optimiser"},
          std::pair{kSchedule, "schedule"}}) {
      if (!Seen(seen)) return ErrorAt(token_, std::string(name) + " is missing");
    }
    const auto checked = CheckProgram(p_);
    if (!checked.ok()) return AtItsLine(checked.error());
    return std::move(p_);
  }

 private:
  // An error of CheckProgram() begins with what it is about: "node 'h': ".
  Error AtItsLine(Error error) const {
    for (const auto& [what, line] : lines_) {
      if (!error.message().starts_with(what + ":")) continue;
      return std::move(error).In("line " + std::to_string(line));
    }
    return error;
  }
  Status Advance() {
    FLAIR_TRY(token_, lexer_.Next());
    return OkStatus();
  }

  bool Seen(Section section) const { return (seen_ & (1U << section)) != 0; }

  // Begins a statement of `section`. Statements of the middle sections repeat.
  Status Enter(Section section, const Token& at) {
    const bool repeats = (section >= kColumns && section <= kNodes) || section == kProfile;
    if ((seen_ >> section) > (repeats ? 1U : 0U)) return ErrorAt(at, "out of order, or twice");
    seen_ |= 1U << section;
    return OkStatus();
  }

  Status Keyword(std::string_view word) {
    if (token_.kind != Token::Kind::kWord || token_.text != word) {
      return ErrorAt(token_, "'" + std::string(word) + "' is expected");
    }
    return Advance();
  }

  Status Mark(char c) {
    if (!token_.IsMark(c)) return ErrorAt(token_, std::string("'") + c + "' is expected");
    return Advance();
  }

  Status EndOfLine() {
    if (token_.kind != Token::Kind::kLineEnd && token_.kind != Token::Kind::kEnd) {
      return ErrorAt(token_, "the line should end here");
    }
    return Advance();
  }

  Result<std::int64_t> Integer(std::string_view what, std::int64_t least, std::int64_t most) {
    std::int64_t v = 0;
    const char* const end = token_.text.data() + token_.text.size();
    if (token_.kind == Token::Kind::kNumber) {
      const auto [at, error] = std::from_chars(token_.text.data(), end, v);
      if (error == std::errc() && at == end && v >= least && v <= most) {
        FLAIR_DO(Advance());
        return v;
      }
    }
    std::string range;
    if (token_.kind == Token::Kind::kNumber) {
      range = " from " + std::to_string(least) + " to " + std::to_string(most);
    }
    return ErrorAt(token_, std::string(what) + range + " is expected");
  }

  Result<Rational> Fraction() {
    const auto value = token_.kind == Token::Kind::kNumber ? RationalFromText(token_.text)
                                                           : std::optional<Rational>();
    if (!value) return ErrorAt(token_, "a number or a fraction is expected");
    FLAIR_DO(Advance());
    return *value;
  }

  Result<std::string> Name() {
    if (token_.kind != Token::Kind::kWord && token_.kind != Token::Kind::kQuoted) {
      return ErrorAt(token_, "a name is expected");
    }
    std::string name(token_.text);
    FLAIR_DO(Advance());
    return name;
  }

  Result<ValueId> Value() {
    const Token at = token_;
    FLAIR_TRY(const std::string name, Name());
    const auto found = ids_.find(name);
    if (found == ids_.end()) return ErrorAt(at, "no value named '" + name + "' so far");
    return found->second;
  }

  Status Define(const std::string& name, const Token& at) {
    if (ids_.size() == kMaxValues) return ErrorAt(at, "too many values");
    if (!ids_.emplace(name, static_cast<ValueId>(ids_.size())).second) {
      return ErrorAt(at, "'" + name + "' is defined twice");
    }
    return OkStatus();
  }

  Result<std::vector<std::int64_t>> List() {
    FLAIR_DO(Mark('['));
    std::vector<std::int64_t> values;
    while (!token_.IsMark(']')) {
      if (!values.empty()) FLAIR_DO(Mark(','));
      if (values.size() == kMaxListLength) return ErrorAt(token_, "the list is too long");
      FLAIR_TRY(const std::int64_t v, Integer("an integer", -kMaxRationalTerm, kMaxRationalTerm));
      values.push_back(v);
    }
    FLAIR_DO(Mark(']'));
    return values;
  }

  Result<Dims> DimList() {
    const Token at = token_;
    FLAIR_TRY(const std::vector<std::int64_t> values, List());
    Dims dims;
    for (const std::int64_t v : values) {
      if (v < 1) return ErrorAt(at, "dims must be at least 1");
      dims.push_back(static_cast<std::uint64_t>(v));
    }
    return dims;
  }

  Result<Format> FormatOf(bool has_scale, unsigned min_bits, unsigned max_bits) {
    Format f;
    FLAIR_TRY(const std::int64_t bits, Integer("a number of bits", min_bits, max_bits));
    f.bits = static_cast<std::uint8_t>(bits);
    if (has_scale) {
      FLAIR_TRY(const std::int64_t scale, Integer("a scale", -60, 60));
      f.scale = static_cast<std::int8_t>(scale);
    }
    return f;
  }

  Result<Attribute> AttributeValue(const AttributeInfo& info) {
    switch (info.kind) {
      case AttributeKind::kInteger: {
        FLAIR_TRY(const std::int64_t v, Integer("an integer", -kMaxRationalTerm, kMaxRationalTerm));
        return Attribute{{v}};
      }
      case AttributeKind::kRational: {
        FLAIR_TRY(const Rational r, Fraction());
        return Attribute{{r.num, r.den}};
      }
      case AttributeKind::kList: {
        FLAIR_TRY(std::vector<std::int64_t> values, List());
        return Attribute{std::move(values)};
      }
      case AttributeKind::kWord:
        break;
    }
    for (std::size_t i = 0; i < info.words.size(); ++i) {
      if (token_.kind == Token::Kind::kWord && token_.text == info.words[i]) {
        FLAIR_DO(Advance());
        return Attribute{{static_cast<std::int64_t>(i)}};
      }
    }
    std::string words;
    for (const std::string_view w : info.words) words += " " + std::string(w);
    return ErrorAt(token_, "one of these is expected:" + words);
  }

  // name(input, ..., attribute=value, ...). Inputs come first.
  Result<Call> CallOf(std::span<const Signature> table, std::string_view kind,
                      std::vector<ValueId>* inputs) {
    const Token at = token_;
    FLAIR_TRY(const std::string name, Name());
    const Signature* const s = FindByName(table, name);
    if (s == nullptr) {
      return ErrorAt(at,
                     "no " + std::string(kind) + " named '" + name + "'" + NearestOf(table, name));
    }
    Call call = DefaultCall(table, name);
    FLAIR_DO(Mark('('));
    std::vector<bool> given(s->attributes.size(), false);
    bool first = true;
    bool in_attributes = false;
    while (!token_.IsMark(')')) {
      if (!first) FLAIR_DO(Mark(','));
      first = false;
      const Token word = token_;
      FLAIR_TRY(const std::string argument, Name());
      if (!token_.IsMark('=')) {
        const auto found = ids_.find(argument);
        if (in_attributes || inputs == nullptr || inputs->size() == s->max_inputs) {
          return ErrorAt(word, "an input is not expected here");
        }
        if (found == ids_.end()) return ErrorAt(word, "no value named '" + argument + "' so far");
        inputs->push_back(found->second);
        continue;
      }
      in_attributes = true;
      FLAIR_DO(Mark('='));
      std::size_t i = 0;
      while (i < s->attributes.size() && s->attributes[i].name != argument) ++i;
      if (i == given.size()) return ErrorAt(word, name + " has no attribute '" + argument + "'");
      if (given[i]) return ErrorAt(word, "'" + argument + "' is given twice");
      given[i] = true;
      FLAIR_TRY(call.attributes[i], AttributeValue(s->attributes[i]));
    }
    FLAIR_DO(Mark(')'));
    return call;
  }

  Status Statement() {
    const Token at = token_;
    FLAIR_TRY(const std::string word, Name());
    if (word == "optimiser" || word == "schedule" || word == "clip") {
      lines_.emplace_back(word, at.line);
    }
    if (token_.IsMark('=')) {
      FLAIR_DO(NodeStatement(word, at));
    } else if (at.kind == Token::Kind::kQuoted) {
      return ErrorAt(token_, "'=' is expected");
    } else if (word == "batch") {
      FLAIR_DO(Enter(kBatch, at));
      FLAIR_TRY(const std::int64_t n, Integer("a batch size", 1, kMaxBatch));
      p_.batch = static_cast<std::uint64_t>(n);
    } else if (word == "data" || word == "label") {
      FLAIR_DO(ColumnStatement(word == "label", at));
    } else if (word == "param") {
      FLAIR_DO(ParameterStatement(at));
    } else if (word == "buffer") {
      FLAIR_DO(Enter(kBuffers, at));
      Buffer b;
      FLAIR_TRY(b.name, Name());
      FLAIR_TRY(b.dims, DimList());
      FLAIR_DO(Define(b.name, at));
      lines_.emplace_back("buffer '" + b.name + "'", at.line);
      p_.buffers.push_back(std::move(b));
    } else if (word == "loss") {
      FLAIR_DO(Enter(kLoss, at));
      FLAIR_TRY(p_.loss, Value());
    } else if (word == "optimiser") {
      FLAIR_DO(Enter(kOptimiser, at));
      FLAIR_TRY(p_.optimiser, CallOf(Optimisers(), "optimiser", nullptr));
    } else if (word == "schedule") {
      FLAIR_DO(ScheduleStatement(at));
    } else if (word == "clip") {
      FLAIR_DO(Enter(kClip, at));
      FLAIR_TRY(p_.clip, CallOf(Clips(), "clipping rule", nullptr));
    } else if (word == "profile") {
      FLAIR_DO(ProfileStatement(at));
    } else {
      return ErrorAt(at, "'" + word + "' begins no statement");
    }
    return EndOfLine();
  }

  Status NodeStatement(const std::string& name, const Token& at) {
    FLAIR_DO(Enter(kNodes, at));
    lines_.emplace_back("node '" + name + "'", at.line);
    FLAIR_DO(Mark('='));
    Node n{.name = name};
    FLAIR_TRY(n.op, CallOf(Operators(), "operator", &n.inputs));
    FLAIR_DO(Define(name, at));
    p_.nodes.push_back(std::move(n));
    return OkStatus();
  }

  Status ColumnStatement(bool is_label, const Token& at) {
    FLAIR_DO(Enter(kColumns, at));
    Column c;
    FLAIR_TRY(c.name, Name());
    if (is_label) {
      FLAIR_DO(Keyword("classes"));
      FLAIR_TRY(const std::int64_t classes, Integer("a number of classes", 2, kMaxClasses));
      c.classes = static_cast<std::uint32_t>(classes);
    } else {
      FLAIR_TRY(c.row, DimList());
      FLAIR_DO(Keyword("bits"));
      FLAIR_TRY(const std::int64_t bits, Integer("a number of bits", 2, 30));
      FLAIR_DO(Keyword("scale"));
      FLAIR_TRY(const std::int64_t scale, Integer("a scale", -60, 60));
      c.format = {static_cast<std::uint8_t>(bits), static_cast<std::int8_t>(scale)};
    }
    FLAIR_DO(Define(c.name, at));
    lines_.emplace_back("column '" + c.name + "'", at.line);
    p_.columns.push_back(std::move(c));
    return OkStatus();
  }

  Status ParameterStatement(const Token& at) {
    FLAIR_DO(Enter(kParameters, at));
    Parameter q;
    FLAIR_TRY(q.name, Name());
    FLAIR_TRY(q.dims, DimList());
    if (token_.text == "scale") {
      FLAIR_DO(Advance());
      FLAIR_TRY(const std::int64_t scale, Integer("a scale", -60, 60));
      q.scale = static_cast<std::int8_t>(scale);
    }
    if (token_.text == "decay") {
      FLAIR_DO(Advance());
      if (token_.text != "yes" && token_.text != "no") {
        return ErrorAt(token_, "'yes' or 'no' is expected");
      }
      q.decay = token_.text == "yes";
      FLAIR_DO(Advance());
    }
    FLAIR_DO(Define(q.name, at));
    lines_.emplace_back("parameter '" + q.name + "'", at.line);
    p_.parameters.push_back(std::move(q));
    return OkStatus();
  }

  Status ScheduleStatement(const Token& at) {
    FLAIR_DO(Enter(kSchedule, at));
    std::vector<Rational> rates;
    std::vector<std::uint64_t> steps;
    while (true) {
      FLAIR_TRY(const Rational rate, Fraction());
      rates.push_back(rate);
      steps.push_back(0);
      if (token_.kind != Token::Kind::kWord || token_.text != "x") break;
      FLAIR_DO(Advance());
      FLAIR_TRY(const std::int64_t n, Integer("a number of steps", 1, std::int64_t{1} << 40));
      steps.back() = static_cast<std::uint64_t>(n);
      FLAIR_DO(Mark(','));
    }
    const auto schedule = MakeSchedule(rates, steps);
    if (!schedule.ok()) return ErrorAt(at, schedule.error().message());
    p_.schedule = *schedule;
    return OkStatus();
  }

  Status ProfileStatement(const Token& at) {
    FLAIR_DO(Enter(kProfile, at));
    const Token subject = token_;
    FLAIR_TRY(const std::string name, Name());
    if (token_.kind == Token::Kind::kNumber) {
      const std::size_t line = ProfileLineByName(name);
      if (line == kNumProfileLines) return ErrorAt(subject, "no profile line '" + name + "'");
      const ProfileInfo& info = InfoOf(static_cast<ProfileLine>(line));
      if ((profile_seen_ & (1U << line)) != 0) return ErrorAt(subject, "it is given twice");
      profile_seen_ |= 1U << line;
      FLAIR_TRY(p_.profile[line], FormatOf(info.has_scale, info.min_bits, info.max_bits));
      return OkStatus();
    }
    const auto found = ids_.find(name);
    if (found == ids_.end() || found->second < p_.FirstNode()) {
      return ErrorAt(subject, "no node named '" + name + "'");
    }
    Node& node = p_.nodes[found->second - p_.FirstNode()];
    const Token what = token_;
    FLAIR_TRY(const std::string word, Name());
    if (word != "activation" && word != "gradient") {
      return ErrorAt(what, "'activation' or 'gradient' is expected");
    }
    std::optional<Format>& format = word == "activation" ? node.activation : node.gradient;
    if (format) return ErrorAt(what, "it is given twice");
    FLAIR_TRY(format, FormatOf(true, kMinNodeBits, kMaxNodeBits));
    return OkStatus();
  }

  Lexer lexer_;
  Token token_;
  Program p_;
  std::unordered_map<std::string, ValueId> ids_;
  std::vector<std::pair<std::string, std::size_t>> lines_;  // where what was said
  unsigned seen_ = 0;
  unsigned profile_seen_ = 0;
};

}  // namespace

Result<Program> ParseProgram(std::string_view text) {
  if (text.size() > kMaxProgramBytes) {
    return Error(ErrorCode::kUnsupported,
                 "program: the text is longer than " + std::to_string(kMaxProgramBytes) + " bytes");
  }
  return Parser(text).Parse();
}

}  // namespace flair::program
