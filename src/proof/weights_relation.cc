// SPDX-License-Identifier: Apache-2.0
#include "proof/weights_relation.h"

#include <algorithm>
#include <bit>
#include <map>
#include <string>
#include <utility>

#include "circuit/builder.h"
#include "circuit/gadgets/bounded_sum.h"
#include "circuit/gadgets/terms.h"
#include "crypto/sha256.h"
#include "program/encoding.h"
#include "program/lower.h"
#include "zk/batch/soundness.h"
#include "zk/verifier/weights_verifier.h"

namespace flair::proof {
namespace {

using circuit::Builder;
using circuit::Form;
using circuit::Times;
using circuit::ValueId;
using program::kLowWeightBits;

constexpr const char* kLine = "the bound";
constexpr const char* kRangeLine = "the range of the weights' format";
// Of a tensor's change, |d|^2 = 2^24 HH + 2^13 HL + LL: its norm is below 2^25 units of 2^12.
constexpr unsigned kHighBits = 50;
constexpr unsigned kMixedBits = 47;  // signed
constexpr unsigned kLowBits = 58;
constexpr unsigned kFloorBits = 38;  // signed
constexpr unsigned kGapBits = 61;
constexpr std::uint64_t kMaxBound = std::uint64_t{1} << 60;
constexpr std::int64_t kMaxFactor = std::int64_t{1} << 28;

Error Wrong(const std::string& what) { return {ErrorCode::kInvalidArgument, what}; }

// A tensor that a commitment holds, and the parameter that it is; a buffer is none.
struct Held {
  std::string name;
  std::vector<std::uint64_t> sizes;
  circuit::Width width;
  std::optional<std::uint32_t> parameter;
};

Result<std::vector<Held>> HeldBy(const program::Program& p) {
  FLAIR_TRY(const program::Lowered lowered, program::Lower(p));
  const circuit::Circuit& c = lowered.circuit;
  std::map<ValueId, std::uint32_t> parameters;
  for (std::uint32_t i = 0; i < lowered.parameters.size(); ++i) {
    parameters[lowered.parameters[i]] = i;
  }
  const auto limb = p.profile[static_cast<std::size_t>(program::ProfileLine::kLimb)].bits;
  std::vector<Held> held;
  for (const circuit::Carried& carried : c.carried) {
    if (carried.role != circuit::Carried::Role::kWeight) continue;
    const circuit::Value& value = c[carried.number];
    Held tensor{.name = value.name, .sizes = {}, .width = {}, .parameter = {}};
    for (const circuit::AxisId axis : value.axes) tensor.sizes.push_back(c.axes[axis].size);
    unsigned bits = 0;
    for (const unsigned own : value.number.limb_bits) bits += own;
    tensor.width = circuit::Signed(bits, limb, kRangeLine);
    if (const auto found = parameters.find(carried.number); found != parameters.end()) {
      tensor.parameter = found->second;
      tensor.width.cut = kLowWeightBits;
    }
    held.push_back(std::move(tensor));
  }
  if (held.empty()) return Wrong("the program has no weights");
  return held;
}

class Maker {
 public:
  Maker(const program::Program& program, std::vector<Held> held)
      : p_(program), held_(std::move(held)) {
    for (const Held& tensor : held_) {
      axes_.emplace_back();
      for (const std::uint64_t size : tensor.sizes) {
        axes_.back().push_back(
            b_.AddAxis(tensor.name + "." + std::to_string(axes_.back().size()), size));
      }
    }
  }

  void AddModels(std::size_t count) {
    for (std::size_t m = 0; m < count; ++m) {
      numbers_.emplace_back();
      for (std::size_t i = 0; i < held_.size(); ++i) {
        const std::string name = "model " + std::to_string(m) + "." + held_[i].name;
        numbers_.back().push_back(b_.AddData(name, axes_[i], held_[i].width,
                                             static_cast<std::int64_t>(numbers_.back().size())));
      }
    }
  }

  // -B <= m W - sum a_i W_i <= B
  void Merge(const MergeNumbers& merge) {
    const std::int64_t most = merge.divisor / 2 + std::int64_t{merge.tolerance} * merge.divisor;
    const auto width = circuit::Unsigned(
        static_cast<unsigned>(std::bit_width(static_cast<std::uint64_t>(2 * most) | 1)), LimbBits(),
        kLine);
    for (std::size_t i = 0; i < held_.size(); ++i) {
      for (const std::int64_t sign : {1, -1}) {
        Form gap{.terms = {Times(sign * merge.divisor, {b_.At(numbers_.back()[i])})},
                 .constant = most};
        for (std::size_t m = 0; m < merge.factors.size(); ++m) {
          gap.terms.push_back(Times(-sign * merge.factors[m], {b_.At(numbers_[m][i])}));
        }
        // SOUNDNESS: a number is at least 0. Test: WeightsRelationTest.AMeanThatIsNoneHasNoProof.
        const std::string name = held_[i].name + (sign > 0 ? ".above" : ".below");
        b_.Divide(name, b_.AddForm(name, axes_[i], std::move(gap)), 1, width);
      }
    }
  }

  Status Norm(const NormNumbers& norm) {
    Form gap{.terms = {}, .constant = static_cast<std::int64_t>(norm.bound)};
    for (std::size_t i = 0; i < held_.size(); ++i) {
      if (!held_[i].parameter) continue;
      const int scale = p_.parameters[*held_[i].parameter].scale;
      ValueId square = SquareOf(i);  // in units of 2^(2 scale - 36), less than 1 too small
      std::int64_t factor = 1, extra = 1;
      if (scale < 0) {
        // Once more rounded down.
        square = Floored(held_[i].name + ".coarse", {.terms = {Times(1, {b_.At(square)})}},
                         static_cast<unsigned>(-2 * scale), kHighBits, false);
        extra = 2;
      } else {
        factor = std::int64_t{1} << (2 * scale);
        extra = factor;
      }
      gap.terms.push_back(Times(-factor, {b_.At(square)}));
      gap.constant -= extra;
    }
    if (gap.terms.empty()) return Wrong("the program has no parameters");
    // SOUNDNESS: a number is at least 0. Test: WeightsRelationTest.ANormBeyondItsBoundHasNoProof.
    b_.Divide("norm.gap", b_.AddForm("norm.gap", {}, std::move(gap)), 1,
              circuit::Unsigned(kGapBits, LimbBits(), kLine));
    return OkStatus();
  }

  void Init(const InitNumbers& init) {
    for (std::size_t i = 0; i < held_.size(); ++i) {
      if (!held_[i].parameter) continue;
      const std::uint64_t bound = init.bounds[*held_[i].parameter];
      const auto width = circuit::Unsigned(static_cast<unsigned>(std::bit_width(2 * bound | 1)),
                                           LimbBits(), kLine);
      for (const std::int64_t sign : {1, -1}) {
        const std::string name = held_[i].name + (sign > 0 ? ".above" : ".below");
        // SOUNDNESS: a number is at least 0. Test: WeightsRelationTest.WeightsBeyondTheirRange....
        b_.Divide(name,
                  b_.AddForm(name, axes_[i],
                             {.terms = {Times(sign, {b_.At(numbers_[0][i])})},
                              .constant = static_cast<std::int64_t>(bound)}),
                  1, width);
      }
    }
  }

  Result<RelationCircuit> Finish() && {
    FLAIR_TRY(circuit::Circuit made, std::move(b_).Finish());
    return RelationCircuit{.circuit = std::move(made), .numbers = std::move(numbers_)};
  }

 private:
  unsigned LimbBits() const {
    return p_.profile[static_cast<std::size_t>(program::ProfileLine::kLimb)].bits;
  }

  // W_1 - W_0, the limbs from kLowWeightBits on in units of that, or those below.
  ValueId PartOfChange(std::size_t tensor, bool high) {
    Form form;
    for (const std::size_t model : {std::size_t{1}, std::size_t{0}}) {
      const ValueId number = numbers_[model][tensor];
      const std::vector<unsigned> limbs = b_[number].number.limb_bits;
      unsigned below = 0;
      for (std::size_t limb = 0; limb < limbs.size(); below += limbs[limb++]) {
        if ((below >= kLowWeightBits) != high) continue;
        circuit::Read read = b_.At(number);
        read.limb = static_cast<int>(limb);
        const std::int64_t unit = std::int64_t{1} << (high ? below - kLowWeightBits : below);
        form.terms.push_back(Times(model == 1 ? unit : -unit, {std::move(read)}));
      }
    }
    return b_.AddForm(held_[tensor].name + (high ? ".high" : ".low"), axes_[tensor],
                      std::move(form));
  }

  ValueId Floored(const std::string& name, Form x, unsigned shift, unsigned bits, bool is_signed) {
    x.constant -= (std::int64_t{1} << shift) / 2;
    return b_.Divide(name, b_.AddForm(name + ".exact", {}, std::move(x)), std::int64_t{1} << shift,
                     is_signed ? circuit::Signed(bits, LimbBits(), kLine)
                               : circuit::Unsigned(bits, LimbBits(), kLine));
  }

  // floor(|W_1 - W_0|^2 / 2^24)
  ValueId SquareOf(std::size_t tensor) {
    const std::string& name = held_[tensor].name;
    const ValueId high = PartOfChange(tensor, true), low = PartOfChange(tensor, false);
    const auto sum = [&](const char* part, ValueId a, ValueId b, unsigned bits, bool is_signed) {
      return circuit::BoundedSum(
          b_, name + part, a, b,
          {.bits = bits, .is_signed = is_signed, .limb_bits = LimbBits(), .line = kLine});
    };
    const ValueId hh = sum(".hh", high, high, kHighBits, false);
    const ValueId hl = sum(".hl", high, low, kMixedBits, true);
    const ValueId ll = sum(".ll", low, low, kLowBits, false);
    const ValueId rest = Floored(
        name + ".rest",
        {.terms = {Times(std::int64_t{2} << kLowWeightBits, {b_.At(hl)}), Times(1, {b_.At(ll)})}},
        2 * kLowWeightBits, kFloorBits, true);
    return b_.AddForm(name + ".square", {},
                      {.terms = {Times(1, {b_.At(hh)}), Times(1, {b_.At(rest)})}});
  }

  const program::Program& p_;
  std::vector<Held> held_;
  Builder b_;
  std::vector<std::vector<circuit::AxisId>> axes_;  // by tensor
  std::vector<std::vector<ValueId>> numbers_;       // by model
};

Status CheckNumbers(const program::Program& p, const WeightsRelation& relation) {
  const int kinds = (relation.merge ? 1 : 0) + (relation.norm ? 1 : 0) + (relation.init ? 1 : 0);
  if (kinds != 1) return Wrong("a relation is a merge, a norm or an init");
  if (relation.merge) {
    const MergeNumbers& merge = *relation.merge;
    if (merge.factors.empty() || merge.factors.size() > kMaxMerged) {
      return Wrong("a merge of " + std::to_string(merge.factors.size()) + " models");
    }
    const auto [least, most] = std::minmax_element(merge.factors.begin(), merge.factors.end());
    if (*least < 0 || *most > kMaxFactor || merge.divisor < 1 || merge.divisor > kMaxFactor ||
        merge.tolerance > kMaxFactor) {
      return Wrong("a merge's numbers are up to 2^28, its divisor 1 or more");
    }
  }
  if (relation.norm && relation.norm->bound >= kMaxBound)
    return Wrong("a norm's bound passes 2^60");
  if (relation.init) {
    if (relation.init->bounds.size() != p.parameters.size()) {
      return Wrong(std::to_string(relation.init->bounds.size()) + " ranges for " +
                   std::to_string(p.parameters.size()) + " parameters");
    }
    for (const std::uint64_t bound : relation.init->bounds) {
      if (bound >= std::uint64_t{1} << 31) return Wrong("a range of 2^31 units is that of all");
    }
  }
  return OkStatus();
}

std::size_t NumModels(const WeightsRelation& relation) {
  if (relation.merge) return relation.merge->factors.size() + 1;
  return relation.norm ? 2 : 1;
}

}  // namespace

Digest RelationDigest(const program::Program& program, const WeightsRelation& relation) {
  Bytes message = ToBytes("flair weights relation v1");
  Append(message, program::HashProgram(program).view());
  const auto begin = [&](int kind) { message.push_back(static_cast<std::byte>(kind)); };
  if (relation.merge) {
    begin(1);
    AppendLe64(message, relation.merge->factors.size());
    for (const std::int64_t a : relation.merge->factors) {
      AppendLe64(message, static_cast<std::uint64_t>(a));
    }
    AppendLe64(message, static_cast<std::uint64_t>(relation.merge->divisor));
    AppendLe64(message, relation.merge->tolerance);
  } else if (relation.norm) {
    begin(2);
    AppendLe64(message, relation.norm->bound);
  } else if (relation.init) {
    begin(3);
    AppendLe64(message, relation.init->bounds.size());
    for (const std::uint64_t bound : relation.init->bounds) AppendLe64(message, bound);
  }
  return Sha256(message);
}

Result<RelationCircuit> CircuitOf(const program::Program& program,
                                  const WeightsRelation& relation) {
  FLAIR_DO(CheckNumbers(program, relation));
  FLAIR_TRY(std::vector<Held> held, HeldBy(program));
  Maker maker(program, std::move(held));
  maker.AddModels(NumModels(relation));
  if (relation.merge) maker.Merge(*relation.merge);
  if (relation.norm) FLAIR_DO(maker.Norm(*relation.norm));
  if (relation.init) maker.Init(*relation.init);
  return std::move(maker).Finish();
}

Result<double> VerifyWeightsClaim(const WeightsClaim& claim, ByteView proof,
                                  zk::QueryPolicy policy) {
  FLAIR_TRY(const RelationCircuit made, CircuitOf(claim.program, claim.relation));
  const zk::WeightsStatement statement{.relation = RelationDigest(claim.program, claim.relation),
                                       .wallet = claim.wallet,
                                       .matrices = claim.matrices};
  FLAIR_TRY(const zk::WeightsPlan plan,
            zk::WeightsPlan::Make(statement, {.circuit = &made.circuit, .numbers = made.numbers},
                                  policy));
  FLAIR_DO(zk::VerifyWeights(plan, proof));
  return zk::TotalOf(zk::SoundnessTerms(plan.batch())).bits();
}

}  // namespace flair::proof
