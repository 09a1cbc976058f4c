// Sums over F against the same tables in K, round by round.
// SPDX-License-Identifier: Apache-2.0
#include "zk/prover/base_table_sum.h"

#include <gtest/gtest.h>

#include <random>

namespace flair::zk {
namespace {

class BaseTableSumTest : public testing::TestWithParam<bool> {
 protected:
  Fp2 Random() { return {Fp(random_()), Fp(random_())}; }
  Words RandomWords(std::uint64_t size) {
    Words words = AllocateWords(size);
    for (std::uint64_t i = 0; i < size; ++i) words[i] = Fp(random_()).value();
    return words;
  }

 private:
  std::mt19937_64 random_{11};
};

KVector InK(const Words& words, std::uint64_t size) {
  KVector out(size);
  for (std::uint64_t i = 0; i < size; ++i) out.span().Set(i, Fp2(Fp(words[i])));
  return out;
}

INSTANTIATE_TEST_SUITE_P(SquareOrNot, BaseTableSumTest, testing::Bool());

TEST_P(BaseTableSumTest, IsTheSumOfTheSameTablesInK) {
  const bool is_square = GetParam();
  for (const unsigned variables : {5U, 8U, 14U}) {
    for (const int with_tau : {0, 1, 2}) {  // none, every third variable, all
      const std::uint64_t size = std::uint64_t{1} << variables;
      std::vector<std::optional<Fp2>> tau(variables);
      for (unsigned i = 0; i < variables; ++i) {
        if (with_tau == 2 || (with_tau == 1 && i % 3 == 2)) tau[i] = Random();
      }
      Words f = RandomWords(size);
      Words g = is_square ? nullptr : RandomWords(size);
      std::vector<KVector> tables;
      tables.push_back(InK(f, size));
      tables.push_back(InK(is_square ? f : g, size));
      TableSum expected(tau, std::move(tables));
      BaseTableSum sum(tau, std::move(f), std::move(g));
      EXPECT_EQ(sum.Value(), expected.Value());
      Fp2 claim = expected.Value();
      for (unsigned round = 0; round < variables; ++round) {
        const std::vector<Fp2> h = expected.Round(claim);
        ASSERT_EQ(sum.Round(claim), h) << variables << " variables, round " << round;
        const Fp2 r = Random();
        // h(r), of degree 2, from its values at 0, 1 and 2.
        const Fp2 step = h[1] - h[0];
        const Fp2 bend = (h[2] - h[1] - step) * Fp2(2).Inverse();
        claim = h[0] + r * step + r * (r - Fp2(1)) * bend;
        expected.Fold(r);
        sum.Fold(r);
      }
      EXPECT_EQ(sum.Last(0), expected.Last(0));
      EXPECT_EQ(sum.Last(1), expected.Last(1));
    }
  }
}

}  // namespace
}  // namespace flair::zk
