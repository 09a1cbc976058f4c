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

// Beyond so many operators, or rates, there is no list of them.
constexpr std::size_t kMostListed = 12;
constexpr std::size_t kMostRates = 4;

std::string Joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

// All nodes but the loss, in order; of many how often there is which.
std::string SummaryOfNodes(const Program& p) {
  std::vector<std::string> names, found;
  for (const Node& n : p.nodes) {
    if (&n == &p.nodes[p.loss - p.FirstNode()]) continue;
    names.emplace_back(FindByCode(Operators(), n.op.code)->name);
  }
  if (names.size() <= kMostListed) return Joined(names);
  for (const std::string& name : names) {
    if (std::find(found.begin(), found.end(), name) == found.end()) found.push_back(name);
  }
  for (std::string& name : found) {
    name = std::to_string(std::count(names.begin(), names.end(), name)) + " " + name;
  }
  return Joined(found);
}

// Its name, and what is not as it would be anyway.
std::string SummaryOf(std::span<const Signature> table, const Call& call) {
  const Signature& s = *FindByCode(table, call.code);
  std::vector<std::string> parts = {std::string(s.name)};
  for (std::size_t i = 0; i < call.attributes.size(); ++i) {
    if (call.attributes[i].ints == s.attributes[i].otherwise) continue;
    parts.push_back(std::string(s.attributes[i].name) + " " +
                    Text(s.attributes[i], call.attributes[i]));
  }
  return Joined(parts);
}

std::string RateText(const Program& p, const Schedule::Piece& piece) {
  return ToText(MakeRational(piece.numerator, p.schedule.denominator).value_or(Rational{}));
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
    out += RateText(p, piece);
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

std::string SummaryOf(const Program& p) {
  std::string text = "batch " + std::to_string(p.batch);
  if (p.nodes.size() > 1) text += "; " + SummaryOfNodes(p);
  text += "; " + SummaryOf(Operators(), p.nodes[p.loss - p.FirstNode()].op);
  text += "; " + SummaryOf(Optimisers(), p.optimiser) + ", rate ";
  const std::vector<Schedule::Piece>& pieces = p.schedule.pieces;
  if (pieces.size() > kMostRates) {
    text += RateText(p, pieces.front()) + " to begin with, of " + std::to_string(pieces.size());
  } else {
    std::vector<std::string> rates;
    for (const Schedule::Piece& piece : pieces) {
      rates.push_back(RateText(p, piece) +
                      (piece.steps == 0 ? "" : " x " + std::to_string(piece.steps)));
    }
    text += Joined(rates);
  }
  if (p.clip.code != static_cast<std::uint8_t>(ClipCode::kNone)) {
    text += "; clip " + SummaryOf(Clips(), p.clip);
  }
  return text;
}

}  // namespace flair::program
