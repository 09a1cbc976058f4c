// SPDX-License-Identifier: Apache-2.0
#include "zk/training/long_lived.h"

#include <algorithm>
#include <optional>
#include <string>

#include "zk/mask/mask_shape.h"
#include "zk/tail/tail_plan.h"

namespace flair::zk {
namespace {

using circuit::Circuit;
using circuit::Value;

constexpr unsigned kNarrowBits = 15;
constexpr unsigned kWideBits = 30;
constexpr unsigned kMinLogColumns = 9;
constexpr unsigned kMaxLogColumnsOfProofs = 17;   // wider tiles leave the caches
constexpr unsigned kMaxLogColumnsOfWitness = 18;  // 2^28 cells and more: fewer rows are shown
// Rows that a witness has besides its data, as a rule: blinding and mask rows.
constexpr std::uint64_t kRowsBesides = 24;

Status PlaceTensors(LongLived& all) {
  std::vector<Place> places;
  for (LongLivedTensor& tensor : all.tensors) {
    for (TensorBlocks::Placed& block : tensor.blocks.blocks) {
      places.push_back({block.log_size(), &block.offset});
    }
  }
  FLAIR_TRY(all.num_cells, PlaceAll(std::move(places)));
  return OkStatus();
}

// Bytes of an opening: the combined row, and the columns.
std::uint64_t OpeningBytes(const MatrixShape& s) {
  return BytesOfRow(s.row_length()) + NumQueries(s.row_length(), s.n()) * (8 * s.num_rows + 64);
}

// What a witness is chosen by: a cell takes as long as half a byte is worth.
std::uint64_t WitnessCost(const MatrixShape& s) {
  return 2 * OpeningBytes(s) + s.num_columns() * (s.num_rows + kRowsBesides);
}

std::uint64_t RowsFor(std::uint64_t cells, unsigned log_columns) {
  const std::uint64_t columns = std::uint64_t{1} << log_columns;
  return std::max<std::uint64_t>(1, (cells + columns - 1) / columns);
}

template <typename PadsOf, typename CostOf>
Result<MatrixShape> Cheapest(std::uint64_t num_cells, MatrixKind kind, unsigned log_rate,
                             const PadsOf& pads_of, const CostOf& cost_of) {
  std::optional<MatrixShape> best;
  const unsigned max =
      kind == MatrixKind::kWitness ? kMaxLogColumnsOfWitness : kMaxLogColumnsOfProofs;
  for (unsigned k = kMinLogColumns; k <= max; ++k) {
    MatrixShape shape{.log_columns = k,
                      .log_n = k + log_rate,
                      .num_rows = RowsFor(num_cells, k),
                      .num_pads = 0,
                      .kind = kind};
    shape.num_pads = pads_of(k, k + log_rate);
    if (shape.num_pads == 0 || !CheckShape(shape).ok()) continue;
    if (kind == MatrixKind::kWitness && !MaskShape::Fits(shape)) continue;
    if (!best || cost_of(shape) < cost_of(*best)) best = shape;
  }
  if (!best) {
    return Error(ErrorCode::kInvalidArgument, std::string("no matrix holds ") +
                                                  std::to_string(num_cells) + " cells of " +
                                                  std::string(MatrixKindName(kind)));
  }
  return *best;
}

}  // namespace

Result<LongLived> CarriedLayout(const Circuit& circuit, circuit::Carried::Role role) {
  LongLived all;
  for (const circuit::Carried& carried : circuit.carried) {
    if (carried.role != role) continue;
    std::vector<std::uint64_t> sizes;
    for (const circuit::AxisId axis : circuit[carried.number].axes) {
      sizes.push_back(circuit.axes[axis].size);
    }
    if (sizes.empty()) sizes.push_back(1);  // a scalar
    LongLivedTensor tensor{.number = carried.number, .blocks = {}};
    FLAIR_TRY(tensor.blocks, SplitTensor(std::move(sizes)));
    all.tensors.push_back(std::move(tensor));
  }
  FLAIR_DO(PlaceTensors(all));
  return all;
}

Result<LongLived> DataLayout(std::span<const DataColumn> columns, std::uint64_t num_records) {
  LongLived all;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const DataColumn& column = columns[i];
    if (column.bits < 1 || column.bits > kWideBits) {
      return Error(ErrorCode::kInvalidArgument,
                   "column " + std::to_string(i) + ": a data set holds values of 1 to 30 bits");
    }
    LongLivedTensor tensor{.number = static_cast<circuit::ValueId>(i), .blocks = {}};
    std::vector<std::uint64_t> sizes = {num_records};
    sizes.insert(sizes.end(), column.dims.begin(), column.dims.end());
    tensor.value_bits = column.bits <= kNarrowBits ? kNarrowBits : kWideBits;
    if (sizes.size() > 1) {
      tensor.packed = 60 / tensor.value_bits;
      sizes.back() = (sizes.back() + tensor.packed - 1) / tensor.packed;
    }
    FLAIR_TRY(tensor.blocks, SplitTensor(std::move(sizes)));
    all.tensors.push_back(std::move(tensor));
  }
  FLAIR_DO(PlaceTensors(all));
  return all;
}

namespace {

DataColumn ColumnOf(const Circuit& circuit, circuit::ValueId number) {
  const Value& value = circuit[number];
  DataColumn column{.dims = {}, .bits = 0, .bias = value.number.bias};
  for (std::size_t i = 1; i < value.axes.size(); ++i) {
    column.dims.push_back(circuit.axes[value.axes[i]].size);
  }
  for (const unsigned bits : value.number.limb_bits) column.bits += bits;
  return column;
}

}  // namespace

namespace {

std::string ToText(const DataColumn& column) {
  std::string dims;
  for (const std::uint64_t dim : column.dims) {
    dims += (dims.empty() ? "" : ", ") + std::to_string(dim);
  }
  return "[" + dims + "] of " + std::to_string(column.bits) + " bits from " +
         std::to_string(-column.bias);
}

}  // namespace

Status CheckColumns(const Circuit& circuit, std::span<const DataColumn> columns) {
  for (const circuit::ValueId number : circuit.data) {
    const auto index = static_cast<std::size_t>(circuit[number].number.rule.parameters[0]);
    const DataColumn read = ColumnOf(circuit, number);
    if (index < columns.size() && columns[index] == read) continue;
    return Error(ErrorCode::kInvalidArgument,
                 "'" + circuit[number].name + "' is read as " + ToText(read) + "; the data have " +
                     (index < columns.size() ? ToText(columns[index]) : "no such column"));
  }
  return OkStatus();
}

std::vector<DataColumn> ColumnsOf(const Circuit& circuit) {
  std::vector<DataColumn> columns;
  for (const circuit::ValueId number : circuit.data) {
    const auto index = static_cast<std::size_t>(circuit[number].number.rule.parameters[0]);
    if (index >= columns.size()) columns.resize(index + 1);
    columns[index] = ColumnOf(circuit, number);
  }
  return columns;
}

Result<MatrixShape> LongLivedShape(std::uint64_t num_cells, MatrixKind kind,
                                   std::uint64_t openings) {
  // Enough pads for as many openings as that: each shows at most as many columns as its queries.
  const auto pads_of = [&](unsigned log_columns, unsigned log_n) -> std::uint64_t {
    const std::uint64_t columns = std::uint64_t{1} << log_columns;
    for (std::uint64_t h = openings; h <= columns; h += openings) {
      const std::uint64_t queries = NumQueries(columns + h, std::uint64_t{1} << log_n);
      if (queries == 0) return 0;
      if (queries * openings <= h) return h;
    }
    return 0;
  };
  return Cheapest(num_cells, kind, 2, pads_of, OpeningBytes);
}

Result<MatrixShape> WitnessShape(std::uint64_t num_cells) {
  return Cheapest(num_cells, MatrixKind::kWitness, 1, PadsForOneOpening, WitnessCost);
}

}  // namespace flair::zk
