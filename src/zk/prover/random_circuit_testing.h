// Circuits of small tensors whose forms have terms of every shape, by seed, for training vectors.
//
// Two data columns of a few bits, one of many, a label; weights and state; rates, masks; windows
// of every kind; factors read along axes of other names.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "circuit/builder.h"

namespace flair::zk {

class RandomCircuit {
 public:
  explicit RandomCircuit(std::uint64_t seed) : random_(seed) {}

  // Errors: a circuit that breaks Rule Z; another seed may not.
  Result<circuit::Circuit> Make() {
    batch_ = builder_.AddAxis("batch", 1 + Below(4));
    for (int i = 0; i < 4; ++i) {
      const std::uint64_t size = 1 + Below(6);
      axes_.push_back(builder_.AddAxis(Name("axis"), size));
      twins_.push_back(builder_.AddAxis(Name("twin"), size));
    }
    sources_ = {Data(Choose(), circuit::Signed(5, 3, "data")),
                Data(Choose(), circuit::Unsigned(15, 9, "data")),
                Data(Choose(), circuit::Signed(18, 9, "data")),
                Data({}, circuit::Unsigned(3, 3, "label")),
                State(Choose(), circuit::Carried::Role::kWeight)};
    if (Below(3) != 0) sources_.push_back(State(Choose(), circuit::Carried::Role::kState));
    rate_ = builder_.AddPublic("rate", {}, -3, 3);
    const std::uint64_t forms = 2 + Below(3);
    for (std::uint64_t i = 0; i < forms; ++i) {
      std::vector<circuit::AxisId> axes = Choose();
      if (Below(2) == 0) axes.push_back(batch_);
      circuit::Form sum = RandomForm(axes);
      const circuit::ValueId form = builder_.AddForm(Name("form"), axes, std::move(sum));
      if (i < 2) sources_.push_back(form);
      const unsigned shift = Below(2) == 0 ? 0 : 7;
      if (shift != 0) {
        sources_.push_back(builder_.RoundSigned(Name("signed"), form, shift, Wide(true)).positive);
      } else {
        builder_.Round(Name("number"), form, shift, Wide(false));
      }
    }
    return std::move(builder_).Finish();
  }

 private:
  static circuit::Width Wide(bool signable) {
    return signable ? circuit::Signable(52, 9, "number") : circuit::Signed(52, 9, "number");
  }
  std::uint64_t Below(std::uint64_t n) { return random_() % n; }
  std::string Name(const char* what) { return what + std::to_string(++count_); }
  std::vector<circuit::AxisId> Choose() {
    std::vector<circuit::AxisId> axes;
    for (const circuit::AxisId axis : axes_) {
      if (Below(2) == 0) axes.push_back(axis);
    }
    std::shuffle(axes.begin(), axes.end(), random_);
    return axes;
  }

  circuit::ValueId Data(std::vector<circuit::AxisId> axes, const circuit::Width& width) {
    axes.insert(axes.begin(), batch_);
    return builder_.AddData(Name("data"), std::move(axes), width, columns_++);
  }
  // w next = round((8 w + a few bits) / 16), and its limbs read one by one.
  circuit::ValueId State(const std::vector<circuit::AxisId>& axes, circuit::Carried::Role role) {
    const circuit::ValueId w =
        builder_.AddState(Name("state"), axes, circuit::Signed(12, 5, "state"), role);
    circuit::Term own{.coefficient = 8, .factors = {builder_.At(w)}, .windows = {}};
    circuit::Term more{.coefficient = 1, .factors = {Fresh({})}, .windows = {}};
    builder_.RoundInto(w,
                       builder_.AddForm(Name("step"), axes,
                                        {.terms = {std::move(own), std::move(more)},
                                         .constant = static_cast<std::int64_t>(Below(40))}),
                       4);
    circuit::Form limbs{.terms = {}, .constant = builder_[w].number.bias};
    circuit::Read next = builder_.At(w);
    next.moment = circuit::Moment::kNext;
    limbs.terms.push_back({.coefficient = 1, .factors = {next}, .windows = {}});
    for (next.limb = 0; next.limb < 3; ++next.limb) {
      limbs.terms.push_back(
          {.coefficient = -(std::int64_t{1} << (5 * next.limb)), .factors = {next}, .windows = {}});
    }
    const circuit::ValueId identity = builder_.AddForm(Name("limbs"), axes, std::move(limbs));
    builder_.AddZero(Name("limbs"), identity);
    return w;
  }
  // A tensor of new numbers, with these axes and, of data, the batch.
  circuit::Read Fresh(std::vector<circuit::AxisId> axes) {
    std::shuffle(axes.begin(), axes.end(), random_);
    if (Below(2) == 0 || axes.empty()) {
      return builder_.At(Data(std::move(axes), circuit::Signed(4, 3, "data")));
    }
    const circuit::ValueId w = builder_.AddState(
        Name("kernel"), axes, circuit::Signed(6, 4, "state"), circuit::Carried::Role::kWeight);
    circuit::Term own{.coefficient = 1, .factors = {builder_.At(w)}, .windows = {}};
    builder_.RoundInto(w, builder_.AddForm(Name("same"), axes, {.terms = {own}}), 0);
    return builder_.At(w);
  }
  circuit::Read Source() {
    circuit::Read read = builder_.At(sources_[Below(sources_.size())]);
    const circuit::Value& value = builder_[read.value];
    if (value.kind == circuit::Value::Kind::kNumber && Below(3) == 0) {
      read.limb = static_cast<int>(Below(value.number.limb_bits.size()));
    }
    for (circuit::AxisId& axis : read.axes) {
      const auto at = std::find(axes_.begin(), axes_.end(), axis);
      if (at != axes_.end() && Below(5) == 0) {
        axis = twins_[static_cast<std::size_t>(at - axes_.begin())];
      }
    }
    return read;
  }

  circuit::Form RandomForm(const std::vector<circuit::AxisId>& axes) {
    circuit::Form form{.terms = {}, .constant = static_cast<std::int64_t>(Below(9)) - 4};
    const std::uint64_t terms = 1 + Below(3);
    for (std::uint64_t i = 0; i < terms; ++i) {
      circuit::Term term{
          .coefficient = static_cast<std::int64_t>(Below(7)) - 3, .factors = {}, .windows = {}};
      if (Below(2) == 0) {
        AddWindow(axes, term);
      } else {
        term.factors.push_back(Source());
        if (Below(3) != 0) term.factors.push_back(Source());
      }
      if (Below(3) == 0) term.factors.push_back(builder_.At(rate_));
      if (term.windows.empty() && Below(3) == 0) AddMask(term);
      form.terms.push_back(std::move(term));
    }
    return form;
  }

  // A public tensor over axes that a hidden factor has.
  void AddMask(circuit::Term& term) {
    std::vector<circuit::AxisId> axes;
    for (const circuit::AxisId axis : term.factors[0].axes) {
      if (Below(2) == 0) axes.push_back(axis);
    }
    if (axes.empty()) return;
    term.factors.push_back(builder_.At(builder_.AddPublic(Name("mask"), axes, -1, 2)));
  }

  // A window between an axis of the form, or one that is summed, and two of the factors.
  void AddWindow(const std::vector<circuit::AxisId>& axes, circuit::Term& term) {
    circuit::AxisId mine = axes.empty() ? batch_ : axes[Below(axes.size())];
    if (mine == batch_) mine = builder_.AddAxis(Name("axis"), 1 + Below(3));
    const circuit::AxisId one = builder_.AddAxis(Name("axis"), 1 + Below(6));
    const circuit::AxisId other = builder_.AddAxis(Name("axis"), 1 + Below(6));
    std::vector<circuit::AxisId> roles = {mine, one, other};
    std::shuffle(roles.begin(), roles.end(), random_);
    term.windows.push_back({.out = roles[0],
                            .kernel = roles[1],
                            .in = roles[2],
                            .stride = 1 + Below(2),
                            .dilation = 1 + Below(2),
                            .offset = static_cast<std::int64_t>(Below(4)) - 2});
    std::vector<circuit::AxisId> left = {one};
    std::vector<circuit::AxisId> right = {other};
    for (const circuit::AxisId axis : axes_) {
      if (axis != mine && Below(3) == 0) left.push_back(axis);
      if (axis != mine && Below(3) == 0) right.push_back(axis);
    }
    switch (Below(9)) {
      case 0:  // both axes of one factor
        left.push_back(other);
        term.factors = {Fresh(left)};
        break;
      case 1:  // one axis is nobody's
        term.factors = {Fresh(left)};
        break;
      case 2:
        left.push_back(other);
        right.erase(right.begin());
        term.factors = {Fresh(left), Fresh(right)};
        break;
      case 3:  // both axes of one factor, and one of them the other's too
        left.push_back(other);
        term.factors = {Fresh(left), Fresh(right)};
        std::shuffle(term.factors.begin(), term.factors.end(), random_);
        break;
      case 4:  // none is a factor's
        term.factors = {Source()};
        break;
      case 5: {  // one that the form has as well
        std::vector<circuit::AxisId> own = {mine};
        term.factors = {Fresh(own), Fresh(right)};
        break;
      }
      case 6:  // both axes of one factor, and one of them the form's
        left.push_back(mine);
        term.factors = {Fresh(left)};
        if (Below(2) == 0) term.factors.push_back(Fresh({mine}));
        break;
      case 7:  // one axis, of both factors
        right[0] = one;
        term.factors = {Fresh(left), Fresh(right)};
        break;
      default:
        term.factors = {Fresh(left), Fresh(right)};
    }
    std::shuffle(term.factors.begin(), term.factors.end(), random_);
  }

  std::mt19937_64 random_;
  circuit::Builder builder_;
  circuit::AxisId batch_ = 0;
  std::vector<circuit::AxisId> axes_;
  std::vector<circuit::AxisId> twins_;  // of equal sizes
  std::vector<circuit::ValueId> sources_;
  circuit::ValueId rate_ = 0;
  std::int64_t columns_ = 0;
  int count_ = 0;
};

}  // namespace flair::zk
