// Shapes, numbers of queries, pads, the code and the ledger.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "zk/pcs/code.h"
#include "zk/pcs/ledger.h"
#include "zk/pcs/pads.h"
#include "zk/pcs/shape.h"
#include "zk/poly/eq.h"
#include "zk/vectors_testing.h"

namespace flair::zk {
namespace {

using testing::HasSubstr;

constexpr MatrixShape kSmall{
    .log_columns = 4, .log_n = 6, .num_rows = 3, .num_pads = 5, .kind = MatrixKind::kWeights};

TEST(ShapeTest, CountsAreTheReferences) {
  const json::value vectors = ReadVectors("zk_commitment.json");
  for (const json::value& v : vectors.at("counts").at(0).at("queries").as_array()) {
    EXPECT_EQ(NumQueries(Num(v.at("row_length")), Num(v.at("n")),
                         static_cast<unsigned>(Num(v.at("work_bits")))),
              Num(v.at("queries")));
  }
  for (const json::value& v : vectors.at("counts").at(0).at("pads").as_array()) {
    EXPECT_EQ(PadsForOneOpening(static_cast<unsigned>(Num(v.at("log_columns"))),
                                static_cast<unsigned>(Num(v.at("log_n")))),
              Num(v.at("pads")));
  }
}

TEST(ShapeTest, WhatCannotBeIsRefused) {
  EXPECT_TRUE(CheckShape(kSmall).ok());
  const auto refused = [](auto change, const char* says) {
    MatrixShape shape = kSmall;
    change(shape);
    const Status status = CheckShape(shape);
    ASSERT_FALSE(status.ok()) << says;
    EXPECT_THAT(status.error().message(), HasSubstr(says));
  };
  refused([](MatrixShape& s) { s.num_pads = 17; }, "more pads than cells");
  refused([](MatrixShape& s) { s.log_n = 4; }, "no redundancy");
  refused([](MatrixShape& s) { s.num_rows = 0; }, "number of rows");
  refused([](MatrixShape& s) { s.num_rows = kMaxRows + 1; }, "number of rows");
  refused([](MatrixShape& s) { s.log_n = kMaxLogN + 1; }, "too wide");
  refused([](MatrixShape& s) { s.log_columns = 60; }, "too wide");
  refused(
      [](MatrixShape& s) {
        s.log_columns = 14;
        s.log_n = 15;
        s.num_rows = (std::uint64_t{1} << 20) + 1;
      },
      "too many cells");
  refused([](MatrixShape& s) { s.kind = MatrixKind{9}; }, "unknown kind");
}

// Attack 25, in part: everything public is in the digest.
TEST(ShapeTest, TheDigestBindsEveryNumber) {
  const Digest root;
  const Digest digest = MatrixDigest(kSmall, root);
  for (const auto& change : std::vector<std::function<void(MatrixShape&)>>{
           [](MatrixShape& s) { ++s.log_columns; }, [](MatrixShape& s) { ++s.log_n; },
           [](MatrixShape& s) { ++s.num_rows; }, [](MatrixShape& s) { ++s.num_pads; },
           [](MatrixShape& s) { s.kind = MatrixKind::kState; }}) {
    MatrixShape shape = kSmall;
    change(shape);
    EXPECT_NE(MatrixDigest(shape, root), digest);
  }
}

// Attack 39: one seed under other values or sizes gives other pads.
TEST(PadsTest, OneSeedNeverRepeatsAPad) {
  Digest seed;
  seed.bytes[0] = std::byte{1};
  const auto first = [](const Pads& pads, std::uint64_t row) {
    std::vector<std::uint64_t> out(8);
    pads.Row(row, out);
    return out;
  };
  const Pads pads(seed, kSmall, Digest{});
  Digest values;
  values.bytes[5] = std::byte{9};
  std::set<std::vector<std::uint64_t>> seen = {first(pads, 0), first(pads, 1),
                                               first(Pads(seed, kSmall, values), 0),
                                               first(Pads(values, kSmall, Digest{}), 0)};
  for (const auto& change : std::vector<std::function<void(MatrixShape&)>>{
           [](MatrixShape& s) { ++s.log_columns; }, [](MatrixShape& s) { ++s.log_n; },
           [](MatrixShape& s) { ++s.num_pads; },
           [](MatrixShape& s) { s.kind = MatrixKind::kState; }}) {
    MatrixShape shape = kSmall;
    change(shape);
    seen.insert(first(Pads(seed, shape, Digest{}), 0));
  }
  EXPECT_EQ(seen.size(), 8U);
  for (const auto& row : seen) {
    for (const std::uint64_t pad : row) EXPECT_LT(pad, Fp::kModulus);
  }
}

TEST(PadsTest, ALongRowBeginsLikeAShortOne) {
  const Pads pads(Digest{}, kSmall, Digest{});
  std::vector<std::uint64_t> long_row(5000);
  pads.Row(7, long_row);
  for (const std::size_t size : {1U, 7U, 8U, 9U, 511U, 512U, 513U, 1024U}) {
    std::vector<std::uint64_t> row(size);
    pads.Row(7, row);
    EXPECT_TRUE(std::equal(row.begin(), row.end(), long_row.begin())) << size;
  }
}

// Coset by coset, against the polynomial itself.
TEST(CodeTest, EveryColumnIsThePolynomialAtItsPoint) {
  std::mt19937_64 random(3);
  for (const auto& [kappa, m, h] : {std::tuple(4U, 6U, 5U), std::tuple(3U, 4U, 7U),
                                    std::tuple(5U, 6U, 0U), std::tuple(1U, 5U, 2U)}) {
    const MatrixShape shape{.log_columns = kappa, .log_n = m, .num_rows = 8, .num_pads = h};
    ASSERT_TRUE(CheckShape(shape).ok());
    const Code code(shape);
    std::vector<std::uint64_t> cells(shape.num_columns() * kTileRows);
    std::vector<std::uint64_t> pads(h * kTileRows);
    for (auto* values : {&cells, &pads}) {
      for (std::uint64_t& v : *values) v = Fp(random()).value();
    }
    std::vector<bool> seen(shape.n());
    std::vector<std::uint64_t> out(cells.size());
    for (std::uint64_t coset = 0; coset < code.num_cosets(); ++coset) {
      code.EncodeCoset(coset, cells, pads, out);
      for (std::uint64_t place = 0; place < shape.num_columns(); ++place) {
        const std::uint64_t column = code.ColumnAt(coset, place);
        EXPECT_EQ(code.PlaceOf(column), std::pair(coset, place));
        seen[column] = true;
        const Fp x = PointAt(shape, column);
        for (std::size_t r = 0; r < kTileRows; ++r) {
          Fp value;
          for (std::size_t k = h; k-- > 0;) value = value * x + Fp(pads[k * kTileRows + r]);
          for (std::size_t k = shape.num_columns(); k-- > 0;) {
            value = value * x + Fp(cells[k * kTileRows + r]);
          }
          ASSERT_EQ(out[place * kTileRows + r], value.value());
        }
      }
    }
    EXPECT_TRUE(std::all_of(seen.begin(), seen.end(), [](bool b) { return b; }));
  }
}

TEST(EqTest, TheTableIsTheProduct) {
  std::mt19937_64 random(4);
  std::vector<Fp2> point;
  for (std::size_t variables = 0; variables < 6; ++variables) {
    const std::vector<Fp2> table = EqTable(point);
    ASSERT_EQ(table.size(), std::size_t{1} << variables);
    Fp2 sum;
    for (std::size_t x = 0; x < table.size(); ++x) {
      EXPECT_EQ(table[x], EqAt(point, x));
      sum += table[x];
    }
    EXPECT_EQ(sum, Fp2(1));
    point.emplace_back(Fp(random()), Fp(random()));
  }
  const std::vector<Fp2> corner = {Fp2(1), Fp2(0), Fp2(1)};
  EXPECT_EQ(EqTable(corner)[5], Fp2(1)) << "variable 0 is the lowest bit";
}

// Attack 30: the opening that would show more columns than there are pads.
TEST(LedgerTest, ColumnsAreCountedOnceAndNeverPastTheBudget) {
  OpeningLedger ledger(Digest{}, kSmall);
  const std::vector<std::uint64_t> first = {1, 2, 3};
  const std::vector<std::uint64_t> second = {2, 3, 4, 5};
  const std::vector<std::uint64_t> third = {5, 6};
  EXPECT_TRUE(ledger.Spend(first).ok());
  EXPECT_TRUE(ledger.Spend(first).ok());
  EXPECT_TRUE(ledger.Spend(second).ok());
  EXPECT_EQ(ledger.spent(), 5U);
  const Status refused = ledger.Spend(third);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), ErrorCode::kConflict);
  EXPECT_THAT(refused.error().message(), HasSubstr("has shown 5 of its 5 columns"));
  EXPECT_THAT(refused.error().hint(), HasSubstr("refresh"));
  EXPECT_EQ(ledger.spent(), 5U) << "a refused opening leaves no trace";
  const std::vector<std::uint64_t> outside = {64};
  EXPECT_EQ(ledger.Check(outside).error().code(), ErrorCode::kInvalidArgument);

  const Bytes bytes = ledger.Encode();
  const auto back = OpeningLedger::Decode(bytes);
  ASSERT_TRUE(back.ok()) << back.error().message();
  EXPECT_EQ(back->Encode(), bytes);
  EXPECT_FALSE(back->Check(third).ok());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    Bytes changed = bytes;
    changed[i] ^= std::byte{1};
    EXPECT_EQ(OpeningLedger::Decode(changed).error().code(), ErrorCode::kCorrupt) << i;
    EXPECT_FALSE(OpeningLedger::Decode(ByteView(bytes).first(i)).ok()) << i;
  }
}

}  // namespace
}  // namespace flair::zk
