// DataCard: what the world may know of a private data set: columns, sizes, and the commitment
// that proofs of training open. The data stay where they are.
//
// Place: data, above program and zk; what a hub needs, and all of it. Format and limits:
// docs/formats/data-card.md.
//
// Invariants of a card that DecodeCard() returned or CheckCard() passed
//   (1) Names are unique, dims have at least one element, bits and classes are within limits.
//   (2) The matrix has the rows that the columns need and the digest that its root gives.
//   (3) One card has one spelling, which its id is the hash of.
// Thread safety: a plain value.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/digest.h"
#include "program/program.h"
#include "tensor/dtype.h"
#include "zk/pcs/shape.h"
#include "zk/training/long_lived.h"

namespace flair::data {

// Numbers in fixed point, or one class for each record; as program::Column.
struct CardColumn {
  std::string name;
  program::Dims dims;          // of a record; empty for classes
  DType source = DType::kF32;  // what the values were before
  program::Format format;      // of numbers
  std::uint32_t classes = 0;   // 0: the column holds numbers

  bool operator==(const CardColumn&) const = default;
  bool has_classes() const { return classes != 0; }
};

struct DataCard {
  std::string name;
  std::uint64_t num_records = 0;
  std::vector<CardColumn> columns;
  std::uint64_t generation = 0;  // how often the commitment was made anew
  zk::MatrixShape shape;
  Digest root;

  bool operator==(const DataCard&) const = default;
  Digest matrix() const { return zk::MatrixDigest(shape, root); }
};

inline constexpr std::size_t kMaxCardBytes = std::size_t{1} << 20;
inline constexpr std::size_t kMaxColumns = 256;
inline constexpr std::uint64_t kMaxRecords = std::uint64_t{1} << 32;
inline constexpr std::uint64_t kMaxGenerations = 1U << 20;
// Of a column over all records; also the limit of a program's column and batch.
inline constexpr std::uint64_t kMaxElements = program::kMaxElements;
// Blocks of all columns (zk/relation/layout.h): what a hostile card can make others work.
inline constexpr std::uint64_t kMaxBlocks = std::uint64_t{1} << 16;

// 1 to 100 of a-z A-Z 0-9 . _ -, the first a letter or digit: it begins names of files.
bool IsDataName(std::string_view name);
inline constexpr std::string_view kDataNameRule =
    "a data set's name is 1 to 100 letters, digits, '.', '_' and '-', and begins with a letter or "
    "digit";

// Dims of size 1 are none to a circuit. A number's cells are [-2^(bits-1), 2^(bits-1)), a class's
// [0, 2^w) with 2^w >= classes: what a program's lowering makes of the same column.
zk::DataColumn DataColumnOf(const CardColumn& column);
std::vector<zk::DataColumn> DataColumnsOf(const DataCard& card);

// Checks the columns alone, and lays them out.
// Errors: kInvalidArgument names the column and what is wrong with it.
Result<zk::LongLived> LayoutOf(std::span<const CardColumn> columns, std::uint64_t num_records);

// Errors: kInvalidArgument, saying what is wrong.
Status CheckCard(const DataCard& card);

// How many proofs the matrix's pads are enough for, at least.
std::uint64_t NumOpenings(const zk::MatrixShape& shape);

// Has the card the program's columns: names, dims (but for those of size 1), formats, classes, in
// the program's order?
// Errors: kInvalidArgument names the column and both sides.
Status CheckServes(const DataCard& card, const program::Program& program);

// REQUIRES: CheckCard(card) is ok.
std::string EncodeCard(const DataCard& card);
// Hostile text. Errors: kCorrupt says what is wrong and where; kUnsupported for another version.
Result<DataCard> DecodeCard(std::string_view text);
// BLAKE3 of the encoding: what commits name.
Digest CardId(const DataCard& card);

// What a card says beside its matrix: name, records, columns. BLAKE3 of the encoding without it.
Digest ReadingOf(const DataCard& card);
// Do both cards read their cells alike? Errors: kRejected says what is different.
Status CheckReadAlike(const DataCard& before, const DataCard& after);

// "U8 [28, 28] as 9 bits, scale 0", "U8 as 10 classes"
std::string ToText(const CardColumn& column);

}  // namespace flair::data
