// Builder: makes a circuit value by value, with ranges, limbs and lookups.
//
// Gadgets are the few ways in which a number comes to be; each says why its witness is unique.
//
// Errors are remembered: a builder that met one goes on with placeholders, and Finish() returns
// the first. Place: circuit, over circuit.h. Thread safety: one thread at a time.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "circuit/circuit.h"

namespace flair::circuit {

// How a number is cut and checked.
struct Width {
  unsigned bits = 1;
  std::int64_t bias = 0;    // the number's least value is -bias
  unsigned limb_bits = 20;  // of every limb but the highest
  std::string line;         // of the profile
  unsigned cut = 0;         // limbs end at this bit; 0: where they would anyway

  std::int64_t lo() const { return -bias; }
  std::int64_t hi() const { return (std::int64_t{1} << bits) - 1 - bias; }
};
// [-2^(bits-1), 2^(bits-1))
Width Signed(unsigned bits, unsigned limb_bits, std::string line);
// (-2^(bits-1), 2^(bits-1)]: the highest limb's upper half says that the value is positive.
Width Signable(unsigned bits, unsigned limb_bits, std::string line);
// [0, 2^bits)
Width Unsigned(unsigned bits, unsigned limb_bits, std::string line);

class Builder {
 public:
  AxisId AddAxis(std::string name, std::uint64_t size);
  ValueId AddPublic(std::string name, std::vector<AxisId> axes, std::int64_t lo, std::int64_t hi);
  // Its range is what its terms' ranges allow; a sum of absolute values of 2^62 is refused.
  ValueId AddForm(std::string name, std::vector<AxisId> axes, Form form);
  // With a range lookup for each limb; `looked_up`: false when the caller adds its own.
  ValueId AddNumber(std::string name, std::vector<AxisId> axes, const Width& width, Rule rule,
                    bool looked_up = true);
  // State, whose rule the caller sets when its next value can be said.
  ValueId AddState(std::string name, std::vector<AxisId> axes, const Width& width,
                   Carried::Role role);
  void SetRule(ValueId state, Rule rule);
  TableId AddTable(Table table);
  void AddLookup(Lookup lookup) { circuit_.lookups.push_back(lookup); }
  void AddZero(std::string name, ValueId form) {
    circuit_.zeros.push_back({std::move(name), form});
  }

  // A column of the data set: rows of the batch, axes[0].
  ValueId AddData(std::string name, std::vector<AxisId> axes, const Width& width,
                  std::int64_t column);

  // Tables, made once each.
  TableId Range(unsigned bits);
  // (v, [v >= 2^(bits-1)])
  TableId Sign(unsigned bits);
  // The same, and (2^(bits-1), 0, 1), (2^(bits-1) - 1, 1, 1): next to the middle either.
  TableId TiedSign(unsigned bits);
  // (v, 0), and (0, 1): a 1 beside nothing but 0.
  TableId Chosen(unsigned bits);
  // (v, 0, 0) for v >= 1, (1, 1, 0) and (0, 0, 1): v is 1 beside a 1, and 0 is a deviation.
  TableId TiedChoice(unsigned bits);

  // Gadgets ----------------------------------------------------------------------------------

  // y = floor((x + floor(m/2)) / m): x + floor(m/2) = m y + r, 0 <= r < m, half up.
  // Unique: r is x + floor(m/2) mod m. Its limbs bound r where m is a power of two; otherwise
  // those of m-1-r do, too. No r, and y = x, where m is 1.
  ValueId Divide(const std::string& name, ValueId x, std::int64_t divisor, const Width& width);
  // The same for the next value of a state that has no rule yet.
  void DivideInto(ValueId state, ValueId x, std::int64_t divisor);
  // A number y and [y > 0], which the highest limb's row in a table of signs forces.
  // REQUIRES: a Signable() width.
  // With a zone of z > 0 bits, either sign may stand where -2^z < y <= 2^z, and a third number
  // is 1 in the cells where it is not [y > 0]. REQUIRES then: the limb above the zone is one.
  struct Branch {
    ValueId value;
    ValueId positive;
    std::optional<ValueId> deviation;
  };
  Branch AddSigned(const std::string& name, std::vector<AxisId> axes, Width width, Rule rule,
                   unsigned zone = 0);
  // Fails unless the number has one limb from bit `zone` on.
  void RequireOneLimbAbove(const std::string& name, ValueId number, unsigned zone);
  // Divide() into such a number.
  Branch DivideSigned(const std::string& name, ValueId x, std::int64_t divisor, const Width& width,
                      unsigned zone = 0);
  // r alone, for gadgets that have an identity of their own; nothing where the divisor is 1.
  std::optional<ValueId> Remainder(const std::string& name, ValueId x, std::int64_t divisor,
                                   unsigned limb_bits);

  // By 2^shift.
  ValueId Round(const std::string& name, ValueId x, unsigned shift, const Width& width) {
    return Divide(name, x, std::int64_t{1} << shift, width);
  }
  void RoundInto(ValueId state, ValueId x, unsigned shift) {
    DivideInto(state, x, std::int64_t{1} << shift);
  }
  Branch RoundSigned(const std::string& name, ValueId x, unsigned shift, const Width& width) {
    return DivideSigned(name, x, std::int64_t{1} << shift, width);
  }

  // Reads and terms --------------------------------------------------------------------------

  Read At(ValueId value) const { return {.value = value, .axes = circuit_[value].axes}; }
  Read As(ValueId value, std::vector<AxisId> axes) const {
    return {.value = value, .axes = std::move(axes)};
  }
  const Value& operator[](ValueId id) const { return circuit_[id]; }
  const Axis& axis(AxisId id) const { return circuit_.axes[id]; }

  // What AddForm() would find: [lo, hi], and whether its terms may pass 2^62.
  struct Extent {
    std::int64_t lo = 0;
    std::int64_t hi = 0;
    bool fits = true;
  };
  Extent ExtentOf(const std::vector<AxisId>& axes, const Form& form) const;

  // The first error so far; from then on ranges mean nothing.
  const std::optional<Error>& error() const { return error_; }
  // Errors: kInvalidArgument, naming the value and what is wrong with it.
  Result<Circuit> Finish() &&;

 private:
  void Fail(const std::string& name, const std::string& why);
  void CheckEveryLimbIsLookedUp();
  void CheckCompanions();
  void CheckWindows(const std::string& name, const Term& term);
  void LookUpLimbs(ValueId number);
  void CheckReads(const std::string& name, const Form& form);
  void TieQuotient(const std::string& name, ValueId x, std::int64_t divisor, const Read& quotient,
                   unsigned limb_bits);

  Circuit circuit_;
  std::optional<Error> error_;
  std::vector<std::optional<TableId>> ranges_;  // by bits
  std::vector<std::optional<TableId>> signs_;
  std::vector<std::optional<TableId>> tied_signs_;
  std::vector<std::optional<TableId>> chosen_;
  std::vector<std::optional<TableId>> tied_choices_;
};

}  // namespace flair::circuit
