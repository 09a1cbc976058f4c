// SPDX-License-Identifier: Apache-2.0
#include "zk/pcs/code.h"

#include <algorithm>

#include "base/check.h"

namespace flair::zk {

Fp PointAt(const MatrixShape& shape, std::uint64_t column) {
  return Fp(Fp::kGenerator) * RootOfUnity(shape.log_n).Pow(column);
}

Code::Code(const MatrixShape& shape)
    : log_columns_(shape.log_columns),
      num_columns_(shape.num_columns()),
      n_(shape.n()),
      num_pads_(shape.num_pads),
      fft_(shape.log_columns) {
  FLAIR_CHECK(CheckShape(shape).ok()) << "the shape was not checked";
  const Fp root = RootOfUnity(shape.log_n);
  Fp base(Fp::kGenerator);
  for (std::uint64_t c = 0; c < num_cosets(); ++c, base *= root) {
    std::vector<std::uint64_t> powers;
    powers.reserve(num_columns_);
    Fp power(1);
    for (std::uint64_t k = 0; k < num_columns_; ++k, power *= base) {
      powers.push_back(power.value());
    }
    powers_.push_back(std::move(powers));
    gammas_.push_back(power.value());
  }
}

std::vector<std::uint64_t> Code::PaddedCells(std::uint64_t coset,
                                             std::span<const std::uint64_t> cells,
                                             std::span<const std::uint64_t> pads) const {
  FLAIR_CHECK(cells.size() == num_columns_ * kTileRows && pads.size() == num_pads_ * kTileRows)
      << "tiles of another size";
  const std::span<const std::uint64_t> own = cells.first(pads.size());
  std::vector<std::uint64_t> padded(own.begin(), own.end());
  Kernels().add_scaled(padded.data(), pads.data(), gammas_[coset], pads.size());
  return padded;
}

void Code::EncodeCoset(std::uint64_t coset, std::span<const std::uint64_t> cells,
                       std::span<const std::uint64_t> pads, std::span<std::uint64_t> out) const {
  const std::vector<std::uint64_t> padded = PaddedCells(coset, cells, pads);
  fft_.ForwardScaled({.first = padded, .columns = cells, .factors = powers_[coset]}, out);
}

void Code::EncodeCosetAt(std::uint64_t coset, std::span<const std::uint64_t> cells,
                         std::span<const std::uint64_t> pads, std::span<const std::uint64_t> places,
                         std::span<std::uint64_t> out) const {
  const std::vector<std::uint64_t> padded = PaddedCells(coset, cells, pads);
  fft_.ForwardScaledAt({.first = padded, .columns = cells, .factors = powers_[coset]}, out, places);
}

std::vector<std::vector<std::uint64_t>> Code::PlacesOf(
    std::span<const std::uint64_t> columns) const {
  std::vector<std::vector<std::uint64_t>> places(num_cosets());
  for (const std::uint64_t column : columns) {
    const auto [coset, place] = PlaceOf(column);
    places[coset].push_back(place);
  }
  for (std::vector<std::uint64_t>& of_coset : places) std::sort(of_coset.begin(), of_coset.end());
  return places;
}

std::vector<Fp2> EncodeAt(const MatrixShape& shape, std::span<const Fp2> row,
                          std::span<const std::uint64_t> columns) {
  FLAIR_CHECK(row.size() == shape.row_length()) << "a row of another length";
  const std::uint64_t num_columns = shape.num_columns();
  std::vector<std::uint64_t> cells(num_columns * kTileRows);
  std::vector<std::uint64_t> pads(shape.num_pads * kTileRows);
  for (std::uint64_t k = 0; k < row.size(); ++k) {
    std::uint64_t* const at =
        k < num_columns ? &cells[k * kTileRows] : &pads[(k - num_columns) * kTileRows];
    at[0] = row[k].a.value();
    at[1] = row[k].b.value();
  }
  const Code code(shape);
  std::vector<Fp2> values(columns.size());
  std::vector<std::uint64_t> codeword(cells.size());
  const auto places = code.PlacesOf(columns);
  for (std::uint64_t coset = 0; coset < code.num_cosets(); ++coset) {
    code.EncodeCosetAt(coset, cells, pads, places[coset], codeword);
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const auto [at_coset, place] = code.PlaceOf(columns[i]);
      if (at_coset != coset) continue;
      values[i] = Fp2(Fp(codeword[place * kTileRows]), Fp(codeword[place * kTileRows + 1]));
    }
  }
  return values;
}

}  // namespace flair::zk
