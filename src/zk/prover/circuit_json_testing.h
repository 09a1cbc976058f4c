// Circuits as JSON, for vectors: reference/circuit.py says what each member is.
//
// Read back through circuit::Builder, so that a changed circuit that nobody could build is refused.
// Rules and names of what numbers are computed from are left out: no verifier needs them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "circuit/builder.h"
#include "zk/vectors_testing.h"

namespace flair::zk {

// --- writing -------------------------------------------------------------------------------

inline json::value TermJson(const circuit::Term& term) {
  json::array factors;
  for (const circuit::Read& read : term.factors) {
    json::value limb;
    if (read.limb != circuit::Read::kWhole) limb = read.limb;
    factors.push_back({{"value", read.value},
                       {"axes", json::array(read.axes.begin(), read.axes.end())},
                       {"limb", limb},
                       {"next", read.moment == circuit::Moment::kNext}});
  }
  json::array windows;
  for (const circuit::Window& w : term.windows) {
    windows.push_back({{"out", w.out},
                       {"kernel", w.kernel},
                       {"in", w.in},
                       {"stride", w.stride},
                       {"dilation", w.dilation},
                       {"offset", w.offset}});
  }
  return {{"coefficient", term.coefficient}, {"factors", factors}, {"windows", windows}};
}

inline json::value ValueJson(const circuit::Value& value) {
  json::object out = {{"name", value.name},
                      {"kind", ""},
                      {"axes", json::array(value.axes.begin(), value.axes.end())}};
  switch (value.kind) {
    case circuit::Value::Kind::kNumber: {
      const circuit::Number& number = value.number;
      out["kind"] = "number";
      out["limb_bits"] = json::array(number.limb_bits.begin(), number.limb_bits.end());
      out["bias"] = number.bias;
      out["state"] = number.is_state;
      const bool is_data = !number.is_state && number.rule.kind == circuit::RuleKind::kData;
      out["column"] = is_data ? json::value(number.rule.parameters[0]) : json::value();
      break;
    }
    case circuit::Value::Kind::kForm: {
      json::array terms;
      for (const circuit::Term& term : value.form.terms) terms.push_back(TermJson(term));
      out["kind"] = "form";
      out["constant"] = value.form.constant;
      out["terms"] = terms;
      break;
    }
    case circuit::Value::Kind::kPublic:
      out["kind"] = "public";
      out["lo"] = value.lo;
      out["hi"] = value.hi;
  }
  return out;
}

inline json::value CircuitJson(const circuit::Circuit& c) {
  const auto column = [](const circuit::TableColumn& of) -> json::value {
    if (of.values.empty()) return of.constant;
    return json::array(of.values.begin(), of.values.end());
  };
  const auto limb = [](const std::optional<circuit::LimbRef>& of) -> json::value {
    if (!of) return nullptr;
    return {of->number, of->limb};
  };
  json::array axes;
  for (const circuit::Axis& axis : c.axes) axes.push_back({axis.name, axis.size});
  json::array tables;
  for (const circuit::Table& table : c.tables) {
    json::array segments;
    for (const circuit::TableSegment& s : table.segments) {
      segments.push_back({{"log_rows", s.log_rows},
                          {"first", s.first},
                          {"c1", column(s.c1)},
                          {"c2", column(s.c2)}});
    }
    tables.push_back(segments);
  }
  json::array values;
  for (const circuit::Value& value : c.values) values.push_back(ValueJson(value));
  json::array lookups;
  for (const circuit::Lookup& l : c.lookups) {
    lookups.push_back(
        {{"table", l.table}, {"v", limb(l.v)}, {"c1", limb(l.c1)}, {"c2", limb(l.c2)}});
  }
  json::array zeros;
  for (const circuit::Zero& zero : c.zeros) zeros.push_back(zero.form);
  json::array carried;
  for (const circuit::Carried& of : c.carried) {
    const bool is_weight = of.role == circuit::Carried::Role::kWeight;
    carried.push_back({of.number, is_weight ? "weight" : "state"});
  }
  return {{"axes", axes},
          {"tables", tables},
          {"values", values},
          {"lookups", lookups},
          {"zeros", zeros},
          {"carried", carried},
          {"data", json::array(c.data.begin(), c.data.end())},
          {"publics", json::array(c.publics.begin(), c.publics.end())}};
}

// --- reading -------------------------------------------------------------------------------

template <class T>
std::vector<T> NumbersOf(const json::value& list) {
  std::vector<T> out;
  for (const json::value& v : list.as_array()) out.push_back(v.to_number<T>());
  return out;
}

inline circuit::Term TermOf(const json::value& term) {
  circuit::Term out{.coefficient = term.at("coefficient").to_number<std::int64_t>(),
                    .factors = {},
                    .windows = {}};
  for (const json::value& read : term.at("factors").as_array()) {
    const json::value& limb = read.at("limb");
    out.factors.push_back(
        {.value = read.at("value").to_number<circuit::ValueId>(),
         .axes = NumbersOf<circuit::AxisId>(read.at("axes")),
         .limb = limb.is_null() ? circuit::Read::kWhole : limb.to_number<int>(),
         .moment = read.at("next").as_bool() ? circuit::Moment::kNext : circuit::Moment::kNow});
  }
  for (const json::value& w : term.at("windows").as_array()) {
    out.windows.push_back({.out = w.at("out").to_number<circuit::AxisId>(),
                           .kernel = w.at("kernel").to_number<circuit::AxisId>(),
                           .in = w.at("in").to_number<circuit::AxisId>(),
                           .stride = Num(w.at("stride")),
                           .dilation = Num(w.at("dilation")),
                           .offset = w.at("offset").to_number<std::int64_t>()});
  }
  return out;
}

inline void AddValue(circuit::Builder& builder, const json::value& value) {
  const std::string name = Str(value.at("name"));
  const auto axes = NumbersOf<circuit::AxisId>(value.at("axes"));
  const std::string kind = Str(value.at("kind"));
  if (kind == "public") {
    builder.AddPublic(name, axes, value.at("lo").to_number<std::int64_t>(),
                      value.at("hi").to_number<std::int64_t>());
  } else if (kind == "form") {
    circuit::Form form{.terms = {}, .constant = value.at("constant").to_number<std::int64_t>()};
    for (const json::value& term : value.at("terms").as_array()) form.terms.push_back(TermOf(term));
    builder.AddForm(name, axes, std::move(form));
  } else {
    const auto limb_bits = NumbersOf<unsigned>(value.at("limb_bits"));
    circuit::Width width{.bits = 0,
                         .bias = value.at("bias").to_number<std::int64_t>(),
                         .limb_bits = limb_bits[0],
                         .line = {}};
    for (const unsigned bits : limb_bits) width.bits += bits;
    circuit::Rule rule{.kind = circuit::RuleKind::kQuotient, .inputs = {}, .parameters = {}};
    if (!value.at("column").is_null()) {
      rule = {.kind = circuit::RuleKind::kData,
              .inputs = {},
              .parameters = {value.at("column").to_number<std::int64_t>()}};
    }
    if (value.at("state").as_bool()) {
      builder.AddState(name, axes, width, circuit::Carried::Role::kWeight);
    } else {
      builder.AddNumber(name, axes, width, rule, false);
    }
  }
}

inline Result<circuit::Circuit> CircuitOf(const json::value& c) {
  circuit::Builder builder;
  for (const json::value& axis : c.at("axes").as_array()) {
    builder.AddAxis(Str(axis.at(0)), Num(axis.at(1)));
  }
  for (const json::value& value : c.at("values").as_array()) AddValue(builder, value);
  const auto limb = [](const json::value& v) -> std::optional<circuit::LimbRef> {
    if (v.is_null()) return std::nullopt;
    return circuit::LimbRef{v.at(0).to_number<circuit::ValueId>(), v.at(1).to_number<unsigned>()};
  };
  std::vector<circuit::Lookup> lookups;
  for (const json::value& l : c.at("lookups").as_array()) {
    lookups.push_back({.table = l.at("table").to_number<circuit::TableId>(),
                       .v = *limb(l.at("v")),
                       .c1 = limb(l.at("c1")),
                       .c2 = limb(l.at("c2"))});
    builder.AddLookup(lookups.back());
  }
  FLAIR_TRY(circuit::Circuit out, std::move(builder).Finish());

  const auto column = [](const json::value& v) {
    circuit::TableColumn of;
    if (v.is_array()) {
      of.values = NumbersOf<std::int32_t>(v);
    } else {
      of.constant = v.to_number<std::int32_t>();
    }
    return of;
  };
  out.tables.clear();
  for (const json::value& table : c.at("tables").as_array()) {
    circuit::Table of;
    for (const json::value& s : table.as_array()) {
      of.segments.push_back({.log_rows = s.at("log_rows").to_number<unsigned>(),
                             .first = s.at("first").to_number<std::int32_t>(),
                             .c1 = column(s.at("c1")),
                             .c2 = column(s.at("c2"))});
    }
    out.tables.push_back(std::move(of));
  }
  out.lookups = std::move(lookups);
  for (const json::value& form : c.at("zeros").as_array()) {
    out.zeros.push_back({.name = {}, .form = form.to_number<circuit::ValueId>()});
  }
  out.carried.clear();
  for (const json::value& of : c.at("carried").as_array()) {
    const bool is_weight = of.at(1) == "weight";
    out.carried.push_back(
        {of.at(0).to_number<circuit::ValueId>(),
         is_weight ? circuit::Carried::Role::kWeight : circuit::Carried::Role::kState});
  }
  out.data = NumbersOf<circuit::ValueId>(c.at("data"));
  return out;
}

}  // namespace flair::zk
