// Builder: makes programs without their text, for front ends that read models.
//
//   Builder b(64);
//   const auto x = b.Data("x", {784}, {.bits = 16, .scale = 12});
//   const auto w = b.AddParameter("fc.weight", {10, 784});
//   const auto z = b.Add("z", OpCode::kLinear, {x, w});
//
// Place: program, above shapes.h, whose checks Finish() ends in: no program comes out
// that bytes or text could not say.
//
// Invariants
//   (1) Values of each kind are numbered in the order of the calls; kinds may mix.
//   (2) The first mistake is kept, whatever follows, and Finish() returns it.
// Thread safety: none.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "program/program.h"

namespace flair::program {

class Builder {
 public:
  // A value of the program in the making. It serves the builder that made it only.
  class Value {
   private:
    friend class Builder;
    enum class Kind : std::uint8_t { kColumn, kParameter, kBuffer, kNode };
    Value(Kind kind, std::size_t index) : kind_(kind), index_(index) {}

    Kind kind_;
    std::size_t index_;
  };

  // An attribute that is not what it would be anyway: {"groups", 2}, {"by", "mean"},
  // {"p", Rational{1, 4}}, {"stride", Integers{2, 2}}.
  using Integers = std::vector<std::int64_t>;
  struct Setting {
    std::string_view name;
    std::variant<std::int64_t, Integers, Rational, std::string_view> value;
  };
  using Settings = std::vector<Setting>;

  enum class Decay : std::uint8_t { kApplies, kNone };

  explicit Builder(std::uint64_t batch) { program_.batch = batch; }

  Value Data(std::string name, Dims row, Format format);
  Value Label(std::string name, std::uint32_t classes);
  Value AddParameter(std::string name, Dims dims, std::int8_t scale = 0,
                     Decay decay = Decay::kApplies);
  Value AddBuffer(std::string name, Dims dims);
  Value Add(std::string name, OpCode op, std::vector<Value> inputs, const Settings& settings = {});

  void SetLoss(Value loss) { loss_ = loss; }
  void SetOptimiser(OptimiserCode code, const Settings& settings = {});
  void SetSchedule(Schedule schedule) { program_.schedule = std::move(schedule); }
  void SetClip(ClipCode code, const Settings& settings = {});  // none, unless set
  void SetProfile(ProfileLine line, Format format);
  // The formats of one node, instead of the profile's. REQUIRES: `node` is one.
  void SetActivation(Value node, Format format);
  void SetGradient(Value node, Format format);

  // Errors: kInvalidArgument for a missing loss or optimiser, for a setting that is none
  // of its call's or of another kind, and from CheckProgram().
  Result<Program> Finish() const;

 private:
  ValueId IdOf(Value value) const;
  Node& NodeOf(Value value);
  Call MakeCall(std::span<const Signature> table, std::uint8_t code, std::string_view user,
                const Settings& settings);

  Program program_;  // its nodes' inputs and loss are filled in by Finish()
  std::vector<std::vector<Value>> inputs_;
  std::optional<Value> loss_;
  std::optional<Error> mistake_;
};

}  // namespace flair::program
