// Program: the training program P that a branch pins. Graph, loss, optimiser, schedule,
// numeric profile; a proof of training is about exactly one of these.
//
// Place: program, above tables.h. Canonical bytes in encoding.h, text form in text.h,
// the checks in shapes.h. Normative: docs/spec/program.md.
//
// Invariants of a program that DecodeProgram(), ParseProgram() or a builder returned
//   (1) Names are unique over columns, parameters, buffers and nodes.
//   (2) A node reads values before it only, and its shape follows from theirs.
//   (3) Attributes are those of the operator's signature, in its order.
// Thread safety: a plain value.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "program/signature.h"
#include "program/tables.h"

namespace flair::program {

using Dims = std::vector<std::uint64_t>;

// Values are numbered: columns, then parameters, then buffers, then nodes.
using ValueId = std::uint32_t;

// A column of the data set: numbers in fixed point, or one class for each row.
struct Column {
  std::string name;
  Dims row;                   // without the batch; empty for labels
  Format format;              // of numbers
  std::uint32_t classes = 0;  // of labels; 0 says that the column holds numbers

  bool operator==(const Column&) const = default;
  bool is_label() const { return classes != 0; }
};

// A trained tensor: 32-bit integers with unit 2^(scale-30), so its range is 2^(scale+1).
struct Parameter {
  std::string name;
  Dims dims;
  std::int8_t scale = 0;
  bool decay = true;  // weight decay applies

  bool operator==(const Parameter&) const = default;
};

// A running statistic: profile line `statistics`.
struct Buffer {
  std::string name;
  Dims dims;

  bool operator==(const Buffer&) const = default;
};

struct Node {
  std::string name;
  Call op;
  std::vector<ValueId> inputs;
  std::optional<Format> activation;  // instead of the profile's
  std::optional<Format> gradient;

  bool operator==(const Node&) const = default;
};

// Learning rates: numerator / denominator, piece after piece; the last one stays.
struct Schedule {
  struct Piece {
    std::uint64_t steps = 0;  // 0 for the last piece, and only there
    std::int64_t numerator = 0;

    bool operator==(const Piece&) const = default;
  };
  std::int64_t denominator = 1;  // least common: no factor divides it and every numerator
  std::vector<Piece> pieces;

  bool operator==(const Schedule&) const = default;
  // By a walk over the pieces; Rates (schedule.h) searches.
  std::int64_t NumeratorAt(std::uint64_t step) const;
  std::int64_t LargestNumerator() const;
};

struct Program {
  std::uint64_t batch = 1;
  std::vector<Column> columns;
  std::vector<Parameter> parameters;
  std::vector<Buffer> buffers;
  std::vector<Node> nodes;
  ValueId loss = 0;
  Call optimiser;
  Schedule schedule;
  Call clip;
  Profile profile = DefaultProfile();

  bool operator==(const Program&) const = default;

  ValueId FirstParameter() const { return static_cast<ValueId>(columns.size()); }
  ValueId FirstBuffer() const { return FirstParameter() + static_cast<ValueId>(parameters.size()); }
  ValueId FirstNode() const { return FirstBuffer() + static_cast<ValueId>(buffers.size()); }
  ValueId NumValues() const { return FirstNode() + static_cast<ValueId>(nodes.size()); }
  // REQUIRES: id < NumValues().
  const std::string& NameOf(ValueId id) const;
};

// What bounds the work that hostile bytes can ask for.
inline constexpr std::size_t kMaxProgramBytes = std::size_t{1} << 22;
inline constexpr std::size_t kMaxValues = 1U << 14;
inline constexpr std::size_t kMaxRank = 8;
inline constexpr std::size_t kMaxNameBytes = 200;
// 1 to kMaxNameBytes printable ASCII characters, no blank or quote: safe in a message, and
// in the text form between quotes.
bool IsName(std::string_view name);
// What to say where something else stands.
inline constexpr std::string_view kNameRule =
    "a name is 1 to 200 printable ASCII characters, no blank or quote";
inline constexpr std::size_t kMaxListLength = 8;
inline constexpr std::uint64_t kMaxElements = std::uint64_t{1} << 36;  // of one value
inline constexpr std::uint64_t kMaxBatch = std::uint64_t{1} << 24;
inline constexpr std::uint32_t kMaxClasses = 1U << 20;

}  // namespace flair::program
