// Lowered programs as JSON in which names of axes, numbers and forms do not count, and its digest:
// docs/spec/lowering.md, "Digest". Two implementations of the lowering are compared by it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "crypto/sha256.h"
#include "program/lower.h"
#include "program/text.h"

namespace flair::program {

namespace json = boost::json;

// A form's own axes are 0, 1, ...; what a term sums over is numbered behind them, as it occurs.
class AxisNumbers {
 public:
  explicit AxisNumbers(const std::vector<circuit::AxisId>& own) {
    for (const circuit::AxisId axis : own) Of(axis);
    num_own_ = number_.size();
  }

  std::size_t Of(circuit::AxisId axis) {
    return number_.emplace(axis, number_.size()).first->second;
  }

  // Of the axes behind the form's own.
  json::array SizesOfOthers(const circuit::Circuit& c) const {
    json::array sizes(number_.size() - num_own_);
    for (const auto& [axis, number] : number_) {
      if (number >= num_own_) sizes[number - num_own_] = c.axes[axis].size;
    }
    return sizes;
  }

 private:
  std::map<circuit::AxisId, std::size_t> number_;
  std::size_t num_own_ = 0;
};

inline json::array SizesJson(const circuit::Circuit& c, const std::vector<circuit::AxisId>& axes) {
  json::array sizes;
  for (const circuit::AxisId axis : axes) sizes.push_back(c.axes[axis].size);
  return sizes;
}

inline json::array TermDigestJson(const circuit::Circuit& c, const circuit::Value& form,
                                  const circuit::Term& term) {
  AxisNumbers numbers(form.axes);
  json::array factors;
  for (const circuit::Read& read : term.factors) {
    json::array axes;
    for (const circuit::AxisId axis : read.axes) axes.push_back(numbers.Of(axis));
    factors.push_back({read.value, axes, read.limb, read.moment == circuit::Moment::kNext ? 1 : 0});
  }
  json::array windows;
  for (const circuit::Window& w : term.windows) {
    const std::size_t out = numbers.Of(w.out), kernel = numbers.Of(w.kernel), in = numbers.Of(w.in);
    windows.push_back({out, kernel, in, w.stride, w.dilation, w.offset});
  }
  return {term.coefficient, numbers.SizesOfOthers(c), factors, windows};
}

inline json::array ValueDigestJson(const circuit::Circuit& c, const circuit::Value& value) {
  const json::array sizes = SizesJson(c, value.axes);
  switch (value.kind) {
    case circuit::Value::Kind::kNumber: {
      const circuit::Number& n = value.number;
      const bool is_data = !n.is_state && n.rule.kind == circuit::RuleKind::kData;
      return {"number",
              sizes,
              json::array(n.limb_bits.begin(), n.limb_bits.end()),
              n.bias,
              n.is_state ? 1 : 0,
              is_data ? n.rule.parameters[0] : -1};
    }
    case circuit::Value::Kind::kForm: {
      json::array terms;
      for (const circuit::Term& term : value.form.terms) {
        terms.push_back(TermDigestJson(c, value, term));
      }
      return {"form", sizes, value.form.constant, terms};
    }
    case circuit::Value::Kind::kPublic:
      break;
  }
  return {"public", sizes, value.lo, value.hi};
}

inline json::array PublicDigestJson(const PublicInput& input) {
  switch (input.kind) {
    case PublicInput::Kind::kLearningRate:
      return {"rate"};
    case PublicInput::Kind::kMask:
      return {"mask", input.index, input.drop.num, input.drop.den};
    case PublicInput::Kind::kPlaces:
      return {"places"};
    case PublicInput::Kind::kGradientShare:
      return {"share"};
    case PublicInput::Kind::kDecay:
      return {"decay"};
    case PublicInput::Kind::kAdamFactor:
      return {"factor"};
    case PublicInput::Kind::kAdamEpsilon:
      return {"epsilon"};
    case PublicInput::Kind::kSlackShare:
      break;
  }
  return {"slack share"};
}

inline json::array CircuitDigestJson(const Lowered& lowered) {
  const circuit::Circuit& c = lowered.circuit;
  const auto column = [](const circuit::TableColumn& of) -> json::value {
    if (of.values.empty()) return of.constant;
    return json::array(of.values.begin(), of.values.end());
  };
  json::array tables, values, lookups, zeros, carried, publics;
  for (const circuit::Table& table : c.tables) {
    json::array segments;
    for (const circuit::TableSegment& s : table.segments) {
      segments.push_back({s.log_rows, s.first, column(s.c1), column(s.c2)});
    }
    tables.push_back(segments);
  }
  for (const circuit::Value& value : c.values) values.push_back(ValueDigestJson(c, value));
  for (const circuit::Lookup& l : c.lookups) {
    json::array lookup{l.table};
    for (const auto& ref : {std::optional(l.v), l.c1, l.c2}) {
      lookup.push_back(ref ? json::value(ref->number) : json::value(-1));
      lookup.push_back(ref ? json::value(ref->limb) : json::value(-1));
    }
    lookups.push_back(lookup);
  }
  for (const circuit::Zero& zero : c.zeros) zeros.push_back(zero.form);
  for (const circuit::Carried& of : c.carried) {
    const bool is_weight = of.role == circuit::Carried::Role::kWeight;
    carried.push_back({of.number, is_weight ? "weight" : "state"});
  }
  for (const PublicInput& input : lowered.publics) {
    publics.push_back({input.value, PublicDigestJson(input)});
  }
  return {tables, values, lookups, zeros, carried, json::array(c.data.begin(), c.data.end()),
          publics};
}

inline std::string CircuitDigest(const Lowered& lowered) {
  return Sha256(ToBytes(json::serialize(CircuitDigestJson(lowered)))).ToHex();
}

// null, or {"tau", "rho", "rho_first", "kappa", "sigma", "beta"}
inline std::optional<Slack> SlackOf(const json::value& bounds) {
  if (bounds.is_null()) return std::nullopt;
  return Slack{.tau = bounds.at("tau").to_number<int>(),
               .rho = bounds.at("rho").to_number<double>(),
               .rho_first = bounds.at("rho_first").to_number<double>(),
               .kappa = bounds.at("kappa").to_number<std::uint32_t>(),
               .sigma = bounds.at("sigma").to_number<double>(),
               .beta = bounds.at("beta").to_number<std::uint64_t>()};
}

// {"program": TEXT, "slack"}. Errors: those of ParseProgram() and Lower().
inline Result<Lowered> LoweredOf(const json::value& question) {
  FLAIR_TRY(const Program program, ParseProgram(question.at("program").as_string()));
  return Lower(program, SlackOf(question.at("slack")));
}

}  // namespace flair::program
