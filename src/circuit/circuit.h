// Circuit: one training step as integer tensors, and what must hold between them.
//
//   number   an integer tensor that a proof commits to, cut into limbs that are rows of tables.
//            Its rule says how it is computed, its table and the zeros what it can be
//   form     constant + sum of terms; a term is coefficient times the product of one or two
//            numbers or forms (and public values), summed over the axes that the form has not:
//              z[b,o] = sum_i x[b,i] w[o,i]
//            Forms are never committed
//   public   what everybody knows: learning rates, dropout masks
//   zero     a form that is 0 in every cell of every step
//
// Everything is per step, without an axis for time; a number of state has a value before the
// first step and one after each, and may be read `now` and `next`. A tensor is row-major, its
// last axis innermost. docs/spec/circuit.md.
//
// Place: circuit, above nothing but base. Built by builder.h, computed by run.h.
//
// Invariants of a circuit that Builder::Finish() returned
//   (1) A value reads values before it only.
//   (2) |v| < 2^62 for every value v that its ranges allow, and for the sum of absolute values
//       of a form's terms: so that equality mod p is equality of integers ("Rule Z").
//   (3) Every limb is in one lookup at least, as v or as a companion.
// Thread safety: a plain value.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace flair::circuit {

using AxisId = std::uint32_t;
using ValueId = std::uint32_t;
using TableId = std::uint32_t;

struct Axis {
  std::string name;
  std::uint64_t size = 0;
};

// Tables -------------------------------------------------------------------------------------

// A companion of v in the rows of a segment: one value for all of them, or a list.
struct TableColumn {
  std::int32_t constant = 0;
  std::vector<std::int32_t> values;  // empty, or one for each row
};

// 2^log_rows rows, v = first, first + 1, ...
struct TableSegment {
  unsigned log_rows = 0;
  std::int32_t first = 0;
  TableColumn c1;
  TableColumn c2;
};

// Rows of a table are pairwise different.
struct Table {
  std::string name;
  std::vector<TableSegment> segments;
};

// Values -------------------------------------------------------------------------------------

enum class Moment : std::uint8_t { kNow, kNext };

struct Read {
  static constexpr int kWhole = -1;

  ValueId value = 0;
  std::vector<AxisId> axes;  // instead of the value's own: as many, of equal sizes, different
  int limb = kWhole;         // of a number: that limb, from 0 on, alone
  Moment moment = Moment::kNow;

  bool operator==(const Read&) const = default;
};

// A factor [in = stride out + dilation kernel + offset] between three axes. Convolution, pooling
// and, with a kernel of size 1, cutting and placing.
struct Window {
  AxisId out = 0;
  AxisId kernel = 0;
  AxisId in = 0;
  std::uint64_t stride = 1;    // >= 1
  std::uint64_t dilation = 1;  // >= 1
  std::int64_t offset = 0;     // minus the padding
};

struct Term {
  std::int64_t coefficient = 1;
  std::vector<Read> factors;  // one or two that are not public, any number that are
  std::vector<Window> windows;
};

struct Form {
  std::vector<Term> terms;
  std::int64_t constant = 0;  // in every cell
};

// How the trainer computes a number; `x` is a value, in whole. A row is parameter 0 neighbouring
// cells, the last axes of what has rows.
enum class RuleKind : std::uint8_t {
  kData,          // rows of the data set: parameter 0 is the column
  kQuotient,      // floor((x + parameter 1) / parameter 0)
  kRemainder,     // of the same
  kPositive,      // [x > 0]
  kNegative,      // [x < 0]
  kGivenSign,     // [x > 0], but where -2^z < x <= 2^z, z parameter 0, what is given, if it is
  kDeviation,     // [x > 0] xor y
  kMaximum,       // floor(m / parameter 1) - parameter 2, m the largest cell of each row of x
  kGivenMaximum,  // the same of the cell that is given, where it is at most parameter 3 below
  kGivenMinimum,  // kFirstMinimum, but the cell that is given where that gave the maximum
  kFirstMinimum,  // in each row of x: 1 in the first of its least cells, else 0
  kOneHot,        // a row for each cell of x: 1 in cell x of it, else 0
  kTable,         // column parameter 1 of the row of table parameter 0 whose v is x
  kReciprocal,    // floor(parameter 0 / x); of x <= 0 parameter 0
  kRecorded,      // given with the step: the next value of state
  kRoot,          // the integer below the square root of x; of x < 0 0
  kRatio,         // the integer nearest to x / y, half up, y the second input; of y <= 0 0
};

struct Rule {
  RuleKind kind = RuleKind::kData;
  std::vector<Read> inputs;
  std::vector<std::int64_t> parameters;
};

struct Number {
  // value = sum_j 2^(bits below) limb_j - bias; limbs from the lowest, >= 0.
  std::vector<unsigned> limb_bits;
  std::int64_t bias = 0;
  bool is_state = false;
  Rule rule;  // of state: the next value
  // What to raise when a value does not fit: a line of the profile, or in words that begin with
  // "the " something else.
  std::string line;
};

struct Value {
  enum class Kind : std::uint8_t { kNumber, kForm, kPublic };

  std::string name;
  Kind kind = Kind::kForm;
  std::vector<AxisId> axes;
  std::int64_t lo = 0;  // lo <= every cell <= hi
  std::int64_t hi = 0;
  Number number;  // of kNumber
  Form form;      // of kForm
};

// Relations ----------------------------------------------------------------------------------

struct LimbRef {
  ValueId number = 0;
  unsigned limb = 0;
};

// In every cell and step (v, c1, c2) is a row of the table. A companion that is not named is 0.
struct Lookup {
  TableId table = 0;
  LimbRef v;
  std::optional<LimbRef> c1;
  std::optional<LimbRef> c2;
};

struct Zero {
  std::string name;
  ValueId form = 0;
};

// A number of state that the statement ties to commitments before the first and after the last
// step: what a checkpoint of the model holds, parameters and buffers; or what the optimiser
// remembers.
struct Carried {
  enum class Role : std::uint8_t { kWeight, kState };

  ValueId number = 0;
  Role role = Role::kWeight;
};

struct Circuit {
  std::vector<Axis> axes;
  std::vector<Table> tables;
  std::vector<Value> values;
  std::vector<Lookup> lookups;
  std::vector<Zero> zeros;
  std::vector<Carried> carried;
  std::vector<ValueId> data;     // numbers of rule kData, whose first axis is the batch's
  std::vector<ValueId> publics;  // in the order in which whoever runs it supplies them

  const Value& operator[](ValueId id) const { return values[id]; }
  std::uint64_t SizeOf(const std::vector<AxisId>& of) const {
    std::uint64_t size = 1;
    for (const AxisId axis : of) size *= axes[axis].size;
    return size;
  }
};

}  // namespace flair::circuit
