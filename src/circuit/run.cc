// SPDX-License-Identifier: Apache-2.0
#include "circuit/run.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <tuple>

#include "base/check.h"
#include "circuit/cell_text.h"
#include "circuit/rules.h"

namespace flair::circuit {
namespace {

class Runner {
 public:
  Runner(const Circuit& circuit, const StepInputs& inputs, Keep keep)
      : c_(circuit), inputs_(inputs), keep_(keep), last_readers_(LastReaders(circuit, keep)) {}

  Result<StepValues> Run() {
    values_.now.resize(c_.values.size());
    values_.next.resize(c_.values.size());
    for (ValueId id = 0; id < c_.values.size(); ++id) {
      const Value& value = c_[id];
      if (value.kind == Value::Kind::kForm) {
        // What reads the next value of a state comes after the state's rule can be said.
        FLAIR_DO(StateThatIsDue(id));
        if (last_readers_[id] == kNobody) continue;
        values_.now[id] = EvaluateForm(c_, id, ReaderOf(c_, values_));
      } else if (value.kind == Value::Kind::kPublic || value.number.is_state ||
                 value.number.rule.kind == RuleKind::kData) {
        values_.now[id] = inputs_.cells[id];
        FLAIR_CHECK(values_.now[id].size() == c_.SizeOf(value.axes)) << value.name;
        FLAIR_DO(CheckFits(id, values_.now[id]));
      } else {
        values_.now[id] = ByRule(value.number.rule);
        TakeGiven(id);
        FLAIR_DO(CheckFits(id, values_.now[id]));
      }
      DropWhatIsRead(id);
    }
    for (const Carried& carried : c_.carried) FLAIR_DO(Advance(carried.number));
    for (ValueId id = 0; id < c_.values.size() && keep_ == Keep::kNumbers; ++id) {
      if (IsLargeForm(c_, id)) values_.now[id] = Ints();
    }
    return std::move(values_);
  }

 private:
  static constexpr ValueId kNobody = std::numeric_limits<ValueId>::max();
  static constexpr ValueId kForever = kNobody - 1;

  static bool IsLargeForm(const Circuit& c, ValueId id) {
    return c[id].kind == Value::Kind::kForm && c.SizeOf(c[id].axes) > 1;
  }
  // Of each value, behind which other it is needed no more.
  static std::vector<ValueId> LastReaders(const Circuit& c, Keep keep) {
    std::vector<ValueId> last(c.values.size(), kForever);
    if (keep == Keep::kAll) return last;
    for (ValueId id = 0; id < c.values.size(); ++id) {
      if (IsLargeForm(c, id)) last[id] = kNobody;
    }
    const auto note = [&](const Read& read, ValueId reader) {
      ValueId& of = last[read.value];
      if (of == kNobody || of < reader) of = reader;
    };
    // The rule of state is that of its next value, whenever that is due.
    for (const Value& value : c.values) {
      if (!value.number.is_state) continue;
      for (const Read& read : value.number.rule.inputs) note(read, kForever);
    }
    // From the last one on: what only forms read that nobody reads is read by nobody.
    for (auto id = static_cast<ValueId>(c.values.size()); id-- > 0;) {
      const Value& value = c[id];
      if (value.kind == Value::Kind::kForm && last[id] != kNobody) {
        for (const Term& term : value.form.terms) {
          for (const Read& read : term.factors) note(read, id);
        }
      } else if (value.kind == Value::Kind::kNumber && !value.number.is_state) {
        for (const Read& read : value.number.rule.inputs) note(read, id);
      }
    }
    return last;
  }
  void DropWhatIsRead(ValueId reader) {
    const Value& value = c_[reader];
    const auto drop = [&](const Read& read) {
      if (last_readers_[read.value] == reader) values_.now[read.value] = Ints();
    };
    for (const Term& term : value.form.terms) {
      for (const Read& read : term.factors) drop(read);
    }
    for (const Read& read : value.number.rule.inputs) drop(read);
  }

  void TakeGiven(ValueId id) {
    if (id >= inputs_.given.size() || inputs_.given[id].empty()) return;
    const Rule& rule = c_[id].number.rule;
    const Ints& x = values_.now[rule.inputs[0].value];
    if (rule.kind == RuleKind::kGivenSign) TakeSigns(rule, x, inputs_.given[id], values_.now[id]);
    if (rule.kind == RuleKind::kGivenMaximum) {
      TakeMaxima(rule, x, inputs_.given[id], values_.now[id]);
    }
    if (rule.kind == RuleKind::kGivenMinimum) {
      TakeMinima(rule, x, inputs_.given[id], values_.now[id]);
    }
  }
  // Within the zone the sign is what is given.
  static void TakeSigns(const Rule& rule, const Ints& x, const Ints& given, Ints& signs) {
    const std::int64_t zone = std::int64_t{1} << rule.parameters[0];
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (x[i] > -zone && x[i] <= zone) signs[i] = given[i];
    }
  }
  static void TakeMaxima(const Rule& rule, const Ints& x, const Ints& given, Ints& maxima) {
    const auto row = static_cast<std::size_t>(rule.parameters[0]);
    for (std::size_t i = 0; i < maxima.size(); ++i) {
      const std::int64_t v = x[i * row + static_cast<std::size_t>(given[i])];
      const std::int64_t divisor = rule.parameters[1];
      const std::int64_t floor = v / divisor - (v % divisor < 0 ? 1 : 0);
      if (maxima[i] - (floor - rule.parameters[2]) <= rule.parameters[3]) {
        maxima[i] = floor - rule.parameters[2];
      }
    }
  }
  // `below`: the divisor times the maximum, less the cell: of the cell that gave it above
  // -divisor and at most 0.
  static void TakeMinima(const Rule& rule, const Ints& below, const Ints& given, Ints& chosen) {
    const auto row = static_cast<std::size_t>(rule.parameters[0]);
    for (std::size_t i = 0; i < given.size(); ++i) {
      const auto cell = i * row + static_cast<std::size_t>(given[i]);
      if (below[cell] > 0 || below[cell] <= -rule.parameters[1]) continue;
      std::fill_n(chosen.begin() + static_cast<std::ptrdiff_t>(i * row), row, 0);
      chosen[cell] = 1;
    }
  }
  Status StateThatIsDue(ValueId form) {
    for (const Term& term : c_[form].form.terms) {
      for (const Read& read : term.factors) {
        if (read.moment == Moment::kNext) FLAIR_DO(Advance(read.value));
      }
    }
    return OkStatus();
  }
  Status Advance(ValueId state) {
    if (!values_.next[state].empty()) return OkStatus();
    if (c_[state].number.rule.kind == RuleKind::kRecorded) {
      FLAIR_CHECK(state < inputs_.next.size() &&
                  inputs_.next[state].size() == c_.SizeOf(c_[state].axes))
          << "'" << c_[state].name << "' is not recorded";
      values_.next[state] = inputs_.next[state];
    } else {
      values_.next[state] = ByRule(c_[state].number.rule);
    }
    return CheckFits(state, values_.next[state]);
  }

  Ints ByRule(const Rule& rule) const {
    const Reader reader = ReaderOf(c_, values_);
    std::vector<Ints> scratch(rule.inputs.size());
    std::vector<std::span<const std::int64_t>> inputs;
    for (std::size_t i = 0; i < rule.inputs.size(); ++i) {
      inputs.push_back(reader(rule.inputs[i], scratch[i]));
    }
    return ComputeRule(c_, rule, inputs);
  }

  Status CheckFits(ValueId id, const Ints& cells) const {
    const Value& value = c_[id];
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (cells[i] >= value.lo && cells[i] <= value.hi) continue;
      std::vector<std::uint64_t> dims;
      for (const AxisId axis : value.axes) dims.push_back(c_.axes[axis].size);
      Error error(ErrorCode::kInvalidArgument,
                  "'" + value.name + "' is " + std::to_string(cells[i]) + " in cell " +
                      CellText(dims, i) + ", outside of [" + std::to_string(value.lo) + ", " +
                      std::to_string(value.hi) + "]");
      if (value.number.line.empty()) return error;
      const std::string& line = value.number.line;
      return std::move(error).WithHint(
          "raise " + (line.starts_with("the ") ? line : "the profile's line '" + line + "'"));
    }
    return OkStatus();
  }

  const Circuit& c_;
  const StepInputs& inputs_;
  const Keep keep_;
  const std::vector<ValueId> last_readers_;
  StepValues values_;
};

}  // namespace

LimbCut::LimbCut(const Number& number, unsigned limb)
    : bias_(number.bias), mask_((std::uint64_t{1} << number.limb_bits[limb]) - 1) {
  for (unsigned i = 0; i < limb; ++i) shift_ += number.limb_bits[i];
}

Reader ReaderOf(const Circuit& circuit, const StepValues& values) {
  return [&circuit, &values](const Read& read, Ints& scratch) -> std::span<const std::int64_t> {
    const Ints& cells =
        read.moment == Moment::kNext ? values.next[read.value] : values.now[read.value];
    if (read.limb == Read::kWhole) return cells;
    const LimbCut cut(circuit[read.value].number, static_cast<unsigned>(read.limb));
    scratch.resize(cells.size());
    std::transform(cells.begin(), cells.end(), scratch.begin(), cut);
    return scratch;
  };
}

Ints EvaluateForm(const Circuit& circuit, ValueId id, const Reader& reader) {
  const Value& value = circuit[id];
  Ints out(circuit.SizeOf(value.axes), value.form.constant);
  for (const Term& term : value.form.terms) {
    std::vector<Ints> scratch(term.factors.size());
    std::vector<std::span<const std::int64_t>> factors;
    for (std::size_t f = 0; f < term.factors.size(); ++f) {
      factors.push_back(reader(term.factors[f], scratch[f]));
    }
    AddTerm(circuit.axes, value.axes, term, factors, out);
  }
  return out;
}

Result<StepValues> RunStep(const Circuit& circuit, const StepInputs& inputs, Keep keep) {
  return Runner(circuit, inputs, keep).Run();
}

LimbValues LimbsOf(const Circuit& circuit, const StepValues& values) {
  LimbValues limbs;
  limbs.now.resize(circuit.values.size());
  limbs.next.resize(circuit.values.size());
  for (ValueId id = 0; id < circuit.values.size(); ++id) {
    const Value& value = circuit[id];
    if (value.kind != Value::Kind::kNumber) continue;
    for (unsigned limb = 0; limb < value.number.limb_bits.size(); ++limb) {
      const auto cut = [&](const Ints& cells) {
        Ints part(cells.size());
        std::transform(cells.begin(), cells.end(), part.begin(), LimbCut(value.number, limb));
        return part;
      };
      limbs.now[id].push_back(cut(values.now[id]));
      if (value.number.is_state) limbs.next[id].push_back(cut(values.next[id]));
    }
  }
  return limbs;
}

namespace {

// Rows of a table, for questions.
class Rows {
 public:
  explicit Rows(const Table& table) : table_(table) {}
  bool Has(std::int64_t v, std::int64_t c1, std::int64_t c2) const {
    for (const TableSegment& segment : table_.segments) {
      const std::int64_t row = v - segment.first;
      if (row < 0 || row >= std::int64_t{1} << segment.log_rows) continue;
      const auto at = [&](const TableColumn& column) -> std::int64_t {
        return column.values.empty() ? column.constant
                                     : column.values[static_cast<std::size_t>(row)];
      };
      if (at(segment.c1) == c1 && at(segment.c2) == c2) return true;
    }
    return false;
  }

 private:
  const Table& table_;
};

// Values from limbs.
Ints Compose(const Number& number, const std::vector<Ints>& limbs) {
  Ints cells(limbs[0].size(), -number.bias);
  unsigned below = 0;
  for (std::size_t limb = 0; limb < limbs.size(); ++limb) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      cells[i] += limbs[limb][i] * (std::int64_t{1} << below);
    }
    below += number.limb_bits[limb];
  }
  return cells;
}

}  // namespace

std::string Judge(const Circuit& circuit, const LimbValues& limbs,
                  const std::vector<Ints>& publics) {
  // Lookups first: sums of cells within their ranges fit 64 bits, by Rule Z.
  for (const Lookup& lookup : circuit.lookups) {
    const Rows rows(circuit.tables[lookup.table]);
    const auto holds = [&](const std::vector<std::vector<Ints>>& of) {
      const auto cell = [&](const std::optional<LimbRef>& ref, std::size_t i) {
        return ref ? of[ref->number][ref->limb][i] : 0;
      };
      for (std::size_t i = 0; i < of[lookup.v.number][lookup.v.limb].size(); ++i) {
        if (!rows.Has(cell(lookup.v, i), cell(lookup.c1, i), cell(lookup.c2, i))) return false;
      }
      return true;
    };
    if (!holds(limbs.now) || (circuit[lookup.v.number].number.is_state && !holds(limbs.next))) {
      return circuit[lookup.v.number].name + " is no row of '" + circuit.tables[lookup.table].name +
             "'";
    }
  }
  StepValues values{.now = publics, .next = std::vector<Ints>(circuit.values.size())};
  values.now.resize(circuit.values.size());
  const Reader reader = [&](const Read& read, Ints&) -> std::span<const std::int64_t> {
    const bool next = read.moment == Moment::kNext;
    if (read.limb == Read::kWhole) return next ? values.next[read.value] : values.now[read.value];
    const auto limb = static_cast<std::size_t>(read.limb);
    return next ? limbs.next[read.value][limb] : limbs.now[read.value][limb];
  };
  for (ValueId id = 0; id < circuit.values.size(); ++id) {
    const Value& value = circuit[id];
    if (value.kind == Value::Kind::kNumber) {
      values.now[id] = Compose(value.number, limbs.now[id]);
      if (value.number.is_state) values.next[id] = Compose(value.number, limbs.next[id]);
    } else if (value.kind == Value::Kind::kForm) {
      values.now[id] = EvaluateForm(circuit, id, reader);
    }
  }
  for (const Zero& zero : circuit.zeros) {
    for (const std::int64_t cell : values.now[zero.form]) {
      if (cell != 0) return zero.name;
    }
  }
  return "";
}

}  // namespace flair::circuit
