// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "program/shapes.h"
#include "program/text.h"

namespace flair::program {
namespace {

bool IsPlain(std::string_view name) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return letter(name.front()) && std::all_of(name.begin(), name.end(), [&](char c) {
           return letter(c) || (c >= '0' && c <= '9') || c == '.';
         });
}

std::string Name(std::string_view name) {
  return IsPlain(name) ? std::string(name) : '"' + std::string(name) + '"';
}

std::string Text(const AttributeInfo& info, const Attribute& attribute) {
  switch (info.kind) {
    case AttributeKind::kInteger:
      return std::to_string(attribute.integer());
    case AttributeKind::kRational:
      return ToText(attribute.rational());
    case AttributeKind::kWord:
      return std::string(info.words[static_cast<std::size_t>(attribute.integer())]);
    case AttributeKind::kList:
      break;
  }
  std::string text = "[";
  for (std::size_t i = 0; i < attribute.ints.size(); ++i) {
    text += (i == 0 ? "" : ", ") + std::to_string(attribute.ints[i]);
  }
  return text + "]";
}

// name(input, ..., attribute=value, ...)
std::string Text(std::span<const Signature> table, const Call& call,
                 const std::vector<std::string>& inputs) {
  const Signature& s = *FindByCode(table, call.code);
  std::string text(s.name);
  text += '(';
  bool first = true;
  const auto add = [&](const std::string& part) {
    text += (first ? "" : ", ") + part;
    first = false;
  };
  for (const std::string& input : inputs) add(input);
  for (std::size_t i = 0; i < call.attributes.size(); ++i) {
    add(std::string(s.attributes[i].name) + "=" + Text(s.attributes[i], call.attributes[i]));
  }
  return text + ")";
}

std::string Text(const Format& f) { return std::to_string(f.bits) + " " + std::to_string(f.scale); }

}  // namespace

std::string PrintProgram(const Program& p) {
  std::string out = "flair program 1\nbatch " + std::to_string(p.batch) + "\n";
  for (const Column& c : p.columns) {
    if (c.is_label()) {
      out += "label " + Name(c.name) + " classes " + std::to_string(c.classes) + "\n";
    } else {
      out += "data " + Name(c.name) + " " + ToText(c.row) + " bits " +
             std::to_string(c.format.bits) + " scale " + std::to_string(c.format.scale) + "\n";
    }
  }
  for (const Parameter& q : p.parameters) {
    out += "param " + Name(q.name) + " " + ToText(q.dims) + " scale " + std::to_string(q.scale) +
           " decay " + (q.decay ? "yes" : "no") + "\n";
  }
  for (const Buffer& b : p.buffers) out += "buffer " + Name(b.name) + " " + ToText(b.dims) + "\n";
  for (const Node& n : p.nodes) {
    std::vector<std::string> inputs;
    for (const ValueId id : n.inputs) inputs.push_back(Name(p.NameOf(id)));
    out += Name(n.name) + " = " + Text(Operators(), n.op, inputs) + "\n";
  }
  out += "loss " + Name(p.NameOf(p.loss)) + "\n";
  out += "optimiser " + Text(Optimisers(), p.optimiser, {}) + "\n";
  out += "schedule ";
  for (const Schedule::Piece& piece : p.schedule.pieces) {
    const Rational rate =
        MakeRational(piece.numerator, p.schedule.denominator).value_or(Rational{});
    out += ToText(rate);
    out += piece.steps == 0 ? "\n" : " x " + std::to_string(piece.steps) + ", ";
  }
  out += "clip " + Text(Clips(), p.clip, {}) + "\n";
  for (std::size_t i = 0; i < kNumProfileLines; ++i) {
    const ProfileInfo& info = InfoOf(static_cast<ProfileLine>(i));
    out += "profile " + std::string(info.name) + " " +
           (info.has_scale ? Text(p.profile[i]) : std::to_string(p.profile[i].bits)) + "\n";
  }
  for (const Node& n : p.nodes) {
    if (n.activation) {
      out += "profile " + Name(n.name) + " activation " + Text(*n.activation) + "\n";
    }
    if (n.gradient) out += "profile " + Name(n.name) + " gradient " + Text(*n.gradient) + "\n";
  }
  return out;
}

}  // namespace flair::program
