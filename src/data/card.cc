// SPDX-License-Identifier: Apache-2.0
#include "data/card.h"

#include <algorithm>
#include <bit>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <set>

#include "crypto/blake3.h"
#include "data/strict_json.h"
#include "program/shapes.h"

namespace flair::data {
namespace {

namespace json = boost::json;

constexpr std::uint64_t kFormat = 1;
constexpr std::size_t kMaxDims = program::kMaxRank - 1;  // behind the records
constexpr std::uint8_t kMinBits = 2;
constexpr std::uint8_t kMaxBits = 30;
constexpr int kMaxScale = 60;

Error Wrong(std::string what) { return Error(ErrorCode::kInvalidArgument, std::move(what)); }
Error WrongColumn(const CardColumn& column, const std::string& what) {
  return Wrong("column '" + column.name + "': " + what);
}

Status CheckColumn(const CardColumn& column, std::uint64_t num_records) {
  if (!program::IsName(column.name)) return Wrong("a column: " + std::string(program::kNameRule));
  if (column.has_classes()) {
    if (!column.dims.empty()) return WrongColumn(column, "classes have no dims");
    if (column.classes < 2 || column.classes > program::kMaxClasses) {
      return WrongColumn(column, std::to_string(column.classes) + " classes; 2 to " +
                                     std::to_string(program::kMaxClasses) + " are possible");
    }
  } else {
    if (column.format.bits < kMinBits || column.format.bits > kMaxBits) {
      return WrongColumn(column,
                         std::to_string(column.format.bits) + " bits; 2 to 30 are possible");
    }
    if (std::abs(int{column.format.scale}) > kMaxScale) {
      return WrongColumn(
          column, "scale " + std::to_string(column.format.scale) + "; -60 to 60 are possible");
    }
  }
  if (column.dims.size() > kMaxDims) {
    return WrongColumn(column, std::to_string(column.dims.size()) + " dims; 7 are possible");
  }
  std::uint64_t elements = num_records;
  for (const std::uint64_t dim : column.dims) {
    if (dim == 0) return WrongColumn(column, "a dim of 0");
    if (dim > kMaxElements / elements) {
      return WrongColumn(column,
                         "more than 2^36 values in " + std::to_string(num_records) + " records");
    }
    elements *= dim;
  }
  return OkStatus();
}

// Blocks of a column: the product of its axes' binary digits, before anything is built.
std::uint64_t NumBlocks(const CardColumn& column, std::uint64_t num_records) {
  const zk::DataColumn laid = DataColumnOf(column);
  const std::uint64_t packed = laid.bits <= 15 ? 4 : 2;
  auto blocks = static_cast<std::uint64_t>(std::popcount(num_records));
  for (std::size_t i = 0; i < laid.dims.size(); ++i) {
    const std::uint64_t dim = laid.dims[i];
    const bool innermost = i + 1 == laid.dims.size();
    // At most 36 digits each and 2^36 values in all: no overflow.
    blocks *=
        static_cast<std::uint64_t>(std::popcount(innermost ? (dim + packed - 1) / packed : dim));
  }
  return blocks;
}

program::Dims WithoutOnes(const program::Dims& dims) {
  program::Dims others;
  std::copy_if(dims.begin(), dims.end(), std::back_inserter(others),
               [](std::uint64_t dim) { return dim != 1; });
  return others;
}

}  // namespace

bool IsDataName(std::string_view name) {
  const auto is_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !name.empty() && name.size() <= 100 && is_word(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return is_word(c) || c == '.' || c == '_' || c == '-'; });
}

zk::DataColumn DataColumnOf(const CardColumn& column) {
  if (column.has_classes()) {
    return {.dims = {}, .bits = static_cast<unsigned>(std::bit_width(column.classes - 1))};
  }
  zk::DataColumn laid{.bits = column.format.bits, .bias = -column.format.lo()};
  laid.dims = WithoutOnes(column.dims);
  return laid;
}

std::vector<zk::DataColumn> DataColumnsOf(const DataCard& card) {
  std::vector<zk::DataColumn> columns;
  for (const CardColumn& column : card.columns) columns.push_back(DataColumnOf(column));
  return columns;
}

Result<zk::LongLived> LayoutOf(std::span<const CardColumn> columns, std::uint64_t num_records) {
  if (columns.empty()) return Wrong("no columns");
  if (columns.size() > kMaxColumns) {
    return Wrong(std::to_string(columns.size()) + " columns; a data set has at most " +
                 std::to_string(kMaxColumns));
  }
  if (num_records == 0) return Wrong("no records");
  if (num_records > kMaxRecords) {
    return Wrong(std::to_string(num_records) + " records; a data set has at most 2^32");
  }
  std::set<std::string_view> names;
  std::uint64_t blocks = 0;
  std::vector<zk::DataColumn> laid;
  for (const CardColumn& column : columns) {
    FLAIR_DO(CheckColumn(column, num_records));
    if (!names.insert(column.name).second) return WrongColumn(column, "its name stands twice");
    blocks += NumBlocks(column, num_records);
    if (blocks > kMaxBlocks) {
      return WrongColumn(column, "its sizes split into too many blocks; rounder sizes have fewer");
    }
    laid.push_back(DataColumnOf(column));
  }
  auto layout = zk::DataLayout(laid, num_records);
  // Its hint is for proofs.
  if (!layout.ok()) return Wrong("more than 2^32 cells in all columns; fewer records fit");
  return layout;
}

Status CheckCard(const DataCard& card) {
  if (!IsDataName(card.name)) return Wrong(std::string(kDataNameRule));
  FLAIR_TRY(const zk::LongLived layout, LayoutOf(card.columns, card.num_records));
  if (card.shape.kind != zk::MatrixKind::kData) return Wrong("the matrix is none of data");
  FLAIR_DO(zk::CheckShape(card.shape));
  const std::uint64_t width = card.shape.num_columns();
  const std::uint64_t rows = std::max<std::uint64_t>(1, (layout.num_cells + width - 1) / width);
  if (card.shape.num_rows != rows) {
    return Wrong("the matrix has " + std::to_string(card.shape.num_rows) +
                 " rows; the columns need " + std::to_string(rows));
  }
  if (NumOpenings(card.shape) == 0) return Wrong("the matrix is not made to be opened");
  return OkStatus();
}

std::uint64_t NumOpenings(const zk::MatrixShape& shape) {
  const std::uint64_t queries = zk::NumQueries(shape.row_length(), shape.n());
  return queries == 0 ? 0 : shape.num_pads / queries;
}

Status CheckServes(const DataCard& card, const program::Program& program) {
  if (card.columns.size() != program.columns.size()) {
    return Wrong("data '" + card.name + "' has " + std::to_string(card.columns.size()) +
                 " columns, the program " + std::to_string(program.columns.size()));
  }
  for (std::size_t i = 0; i < card.columns.size(); ++i) {
    const CardColumn& ours = card.columns[i];
    const program::Column& theirs = program.columns[i];
    CardColumn wanted{.name = theirs.name,
                      .dims = theirs.row,
                      .source = ours.source,
                      .format = theirs.format,
                      .classes = theirs.classes};
    if (wanted.has_classes()) wanted.format = ours.format;
    if (WithoutOnes(ours.dims) == WithoutOnes(wanted.dims)) wanted.dims = ours.dims;
    if (ours == wanted) continue;
    wanted.dims = theirs.row;
    return Wrong("data '" + card.name + "': column " + std::to_string(i) + " is '" + ours.name +
                 "', " + ToText(ours) + "; the program's is '" + wanted.name + "', " +
                 ToText(wanted));
  }
  return OkStatus();
}

std::string ToText(const CardColumn& column) {
  const std::string source(DTypeName(column.source));
  if (column.has_classes()) return source + " as " + std::to_string(column.classes) + " classes";
  return source + " " + program::ToText(column.dims) + " as " + std::to_string(column.format.bits) +
         " bits, scale " + std::to_string(column.format.scale);
}

namespace {

// All members but the matrix.
json::object ReadingJson(const DataCard& card) {
  json::array columns;
  for (const CardColumn& column : card.columns) {
    json::object o{{"name", column.name},
                   {"dims", json::array(column.dims.begin(), column.dims.end())},
                   {"source", std::string(DTypeName(column.source))}};
    if (column.has_classes()) {
      o["classes"] = column.classes;
    } else {
      o["bits"] = column.format.bits;
      o["scale"] = column.format.scale;
    }
    columns.push_back(std::move(o));
  }
  return {{"format", kFormat},
          {"name", card.name},
          {"records", card.num_records},
          {"columns", std::move(columns)}};
}

}  // namespace

std::string EncodeCard(const DataCard& card) {
  json::object document = ReadingJson(card);
  document["matrix"] = {{"generation", card.generation},  {"kappa", card.shape.log_columns},
                        {"m", card.shape.log_n},          {"rows", card.shape.num_rows},
                        {"pads", card.shape.num_pads},    {"root", card.root.ToHex()},
                        {"digest", card.matrix().ToHex()}};
  return json::serialize(document) + "\n";
}

namespace {

Result<CardColumn> DecodeColumn(const json::value& value, std::size_t index) {
  const std::string where = "column " + std::to_string(index);
  FLAIR_TRY(const StrictObject o, StrictObject::Of(value, where));
  CardColumn column;
  FLAIR_TRY(column.name, o.Text("name"));
  FLAIR_TRY(const json::array* dims, o.Array("dims", kMaxDims));
  for (const json::value& dim : *dims) {
    FLAIR_TRY(const std::uint64_t size, AsUint(dim, where + ": a dim", kMaxElements));
    column.dims.push_back(size);
  }
  FLAIR_TRY(const std::string source, o.Text("source"));
  const auto dtype = DTypeFromName(source);
  if (!dtype) return o.Wrong("'source' is no dtype");
  column.source = *dtype;
  if (o.Has("classes")) {
    FLAIR_DO(o.HasOnly({"name", "dims", "source", "classes"}));
    FLAIR_TRY(const std::uint64_t classes, o.Uint("classes", program::kMaxClasses));
    if (classes < 2) return o.Wrong("'classes' must be 2 or more");
    column.classes = static_cast<std::uint32_t>(classes);
  } else {
    FLAIR_DO(o.HasOnly({"name", "dims", "source", "bits", "scale"}));
    FLAIR_TRY(const std::uint64_t bits, o.Uint("bits", kMaxBits));
    FLAIR_TRY(const std::int64_t scale, o.Int("scale", -kMaxScale, kMaxScale));
    column.format = {.bits = static_cast<std::uint8_t>(bits),
                     .scale = static_cast<std::int8_t>(scale)};
  }
  return column;
}

Status DecodeMatrix(const json::value& value, DataCard& card) {
  FLAIR_TRY(const StrictObject o, StrictObject::Of(value, "matrix"));
  FLAIR_DO(o.HasOnly({"generation", "kappa", "m", "rows", "pads", "root", "digest"}));
  FLAIR_TRY(card.generation, o.Uint("generation", kMaxGenerations));
  FLAIR_TRY(const std::uint64_t log_columns, o.Uint("kappa", zk::kMaxLogColumns));
  FLAIR_TRY(const std::uint64_t log_n, o.Uint("m", zk::kMaxLogN));
  card.shape.log_columns = static_cast<unsigned>(log_columns);
  card.shape.log_n = static_cast<unsigned>(log_n);
  card.shape.kind = zk::MatrixKind::kData;
  FLAIR_TRY(card.shape.num_rows, o.Uint("rows", zk::kMaxRows));
  FLAIR_TRY(card.shape.num_pads, o.Uint("pads", card.shape.num_columns()));
  FLAIR_TRY(card.root, o.Hash("root"));
  FLAIR_TRY(const Digest digest, o.Hash("digest"));
  if (digest != card.matrix()) return o.Wrong("the digest is not that of shape and root");
  return OkStatus();
}

Result<DataCard> Decode(std::string_view text) {
  FLAIR_TRY(const json::value document, ParseStrict(text, kMaxCardBytes));
  FLAIR_TRY(const StrictObject o, StrictObject::Of(document, ""));
  FLAIR_DO(o.CheckFormat(kFormat));
  FLAIR_DO(o.HasOnly({"format", "name", "records", "columns", "matrix"}));
  DataCard card;
  FLAIR_TRY(card.name, o.Text("name"));
  FLAIR_TRY(card.num_records, o.Uint("records", kMaxRecords));
  FLAIR_TRY(const json::array* columns, o.Array("columns", kMaxColumns));
  for (const json::value& value : *columns) {
    FLAIR_TRY(CardColumn column, DecodeColumn(value, card.columns.size()));
    card.columns.push_back(std::move(column));
  }
  FLAIR_DO(DecodeMatrix(*o.Find("matrix"), card));
  if (const Status status = CheckCard(card); !status.ok()) {
    return Error(ErrorCode::kCorrupt, status.error().message());
  }
  FLAIR_DO(CheckSpelling(text, EncodeCard(card)));
  return card;
}

}  // namespace

Result<DataCard> DecodeCard(std::string_view text) {
  auto card = Decode(text);
  if (!card.ok()) return std::move(card).error().In("data card");
  return card;
}

Digest CardId(const DataCard& card) { return Blake3(AsBytes(EncodeCard(card))); }

Digest ReadingOf(const DataCard& card) {
  return Blake3(AsBytes(json::serialize(ReadingJson(card)) + "\n"));
}

Status CheckReadAlike(const DataCard& before, const DataCard& after) {
  if (ReadingOf(before) == ReadingOf(after)) return OkStatus();
  const auto other = [](const std::string& what) {
    return Error(ErrorCode::kRejected, "the cards are of different data: " + what);
  };
  if (before.name != after.name) return other("'" + before.name + "' and '" + after.name + "'");
  if (before.num_records != after.num_records) {
    return other(std::to_string(before.num_records) + " records and " +
                 std::to_string(after.num_records));
  }
  if (before.columns.size() != after.columns.size()) {
    return other(std::to_string(before.columns.size()) + " columns and " +
                 std::to_string(after.columns.size()));
  }
  for (std::size_t i = 0; i < before.columns.size(); ++i) {
    const CardColumn &a = before.columns[i], &b = after.columns[i];
    if (a == b) continue;
    return other("column " + std::to_string(i) + " is '" + a.name + "', " + ToText(a) + ", and '" +
                 b.name + "', " + ToText(b));
  }
  return other("they read otherwise");
}

}  // namespace flair::data
