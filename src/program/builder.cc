// SPDX-License-Identifier: Apache-2.0
#include "program/builder.h"

#include <algorithm>

#include "base/check.h"
#include "program/shapes.h"

namespace flair::program {
namespace {

// What `value` is as an attribute; nothing where it is of another kind than `info` says.
std::optional<Attribute> AsAttribute(
    const AttributeInfo& info,
    const std::variant<std::int64_t, Builder::Integers, Rational, std::string_view>& value) {
  switch (info.kind) {
    case AttributeKind::kInteger:
      if (const auto* const v = std::get_if<std::int64_t>(&value)) return Attribute{{*v}};
      break;
    case AttributeKind::kList:
      if (const auto* const v = std::get_if<Builder::Integers>(&value)) return Attribute{*v};
      break;
    case AttributeKind::kRational:
      if (const auto* const v = std::get_if<Rational>(&value)) return Attribute{{v->num, v->den}};
      break;
    case AttributeKind::kWord:
      if (const auto* const v = std::get_if<std::string_view>(&value)) {
        const auto found = std::find(info.words.begin(), info.words.end(), *v);
        if (found != info.words.end()) return Attribute{{found - info.words.begin()}};
      }
  }
  return std::nullopt;
}

}  // namespace

Builder::Value Builder::Data(std::string name, Dims row, Format format) {
  program_.columns.push_back({.name = std::move(name), .row = std::move(row), .format = format});
  return {Value::Kind::kColumn, program_.columns.size() - 1};
}

Builder::Value Builder::Label(std::string name, std::uint32_t classes) {
  // No classes would make it a column of numbers.
  if (classes == 0 && !mistake_) {
    mistake_ = Error(ErrorCode::kInvalidArgument, "column '" + name + "': a label of no classes");
  }
  program_.columns.push_back({.name = std::move(name), .classes = classes});
  return {Value::Kind::kColumn, program_.columns.size() - 1};
}

Builder::Value Builder::AddParameter(std::string name, Dims dims, std::int8_t scale, Decay decay) {
  program_.parameters.push_back({.name = std::move(name),
                                 .dims = std::move(dims),
                                 .scale = scale,
                                 .decay = decay == Decay::kApplies});
  return {Value::Kind::kParameter, program_.parameters.size() - 1};
}

Builder::Value Builder::AddBuffer(std::string name, Dims dims) {
  program_.buffers.push_back({.name = std::move(name), .dims = std::move(dims)});
  return {Value::Kind::kBuffer, program_.buffers.size() - 1};
}

Builder::Value Builder::Add(std::string name, OpCode op, std::vector<Value> inputs,
                            const Settings& settings) {
  Node node{.name = std::move(name)};
  node.op =
      MakeCall(Operators(), static_cast<std::uint8_t>(op), "node '" + node.name + "'", settings);
  program_.nodes.push_back(std::move(node));
  inputs_.push_back(std::move(inputs));
  return {Value::Kind::kNode, program_.nodes.size() - 1};
}

void Builder::SetOptimiser(OptimiserCode code, const Settings& settings) {
  program_.optimiser =
      MakeCall(Optimisers(), static_cast<std::uint8_t>(code), "optimiser", settings);
}

void Builder::SetClip(ClipCode code, const Settings& settings) {
  program_.clip = MakeCall(Clips(), static_cast<std::uint8_t>(code), "clip", settings);
}

void Builder::SetProfile(ProfileLine line, Format format) {
  program_.profile[static_cast<std::size_t>(line)] = format;
}

void Builder::SetActivation(Value node, Format format) { NodeOf(node).activation = format; }
void Builder::SetGradient(Value node, Format format) { NodeOf(node).gradient = format; }

Result<Program> Builder::Finish() const {
  if (mistake_) return *mistake_;
  if (!loss_) return Error(ErrorCode::kInvalidArgument, "no loss");
  if (program_.optimiser.code == 0) return Error(ErrorCode::kInvalidArgument, "no optimiser");
  Program p = program_;
  for (std::size_t i = 0; i < p.nodes.size(); ++i) {
    for (const Value value : inputs_[i]) p.nodes[i].inputs.push_back(IdOf(value));
  }
  p.loss = IdOf(*loss_);
  if (p.clip.code == 0) p.clip = DefaultCall(Clips(), "none");
  FLAIR_DO(CheckProgram(p));
  return p;
}

// A value of another builder may be none of ours: CheckProgram() refuses its id.
ValueId Builder::IdOf(Value value) const {
  const auto index = static_cast<ValueId>(value.index_);
  switch (value.kind_) {
    case Value::Kind::kColumn:
      return index;
    case Value::Kind::kParameter:
      return program_.FirstParameter() + index;
    case Value::Kind::kBuffer:
      return program_.FirstBuffer() + index;
    case Value::Kind::kNode:
      break;
  }
  return program_.FirstNode() + index;
}

Node& Builder::NodeOf(Value value) {
  FLAIR_CHECK(value.kind_ == Value::Kind::kNode && value.index_ < program_.nodes.size());
  return program_.nodes[value.index_];
}

Call Builder::MakeCall(std::span<const Signature> table, std::uint8_t code, std::string_view user,
                       const Settings& settings) {
  const Signature* const s = FindByCode(table, code);
  FLAIR_CHECK(s != nullptr) << "code " << int{code};
  Call call = DefaultCall(table, s->name);
  for (const Setting& setting : settings) {
    std::size_t i = 0;
    while (i < s->attributes.size() && s->attributes[i].name != setting.name) ++i;
    const bool known = i < s->attributes.size();
    const auto value = known ? AsAttribute(s->attributes[i], setting.value) : std::nullopt;
    if (value) {
      call.attributes[i] = *value;
    } else if (!mistake_) {
      const std::string what = known ? " takes another kind of " : " has no attribute ";
      mistake_ =
          Error(ErrorCode::kInvalidArgument, std::string(user) + ": " + std::string(s->name) +
                                                 what + "'" + std::string(setting.name) + "'");
    }
  }
  return call;
}

}  // namespace flair::program
