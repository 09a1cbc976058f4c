// Properties of the merged tensors; the exact numbers are in vectors_test.cc.
// SPDX-License-Identifier: Apache-2.0
#include "merge/combine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>

#include "base/threads.h"
#include "merge/kernels.h"
#include "merge/krum.h"
#include "merge/merge_testing.h"
#include "merge/weights.h"

namespace flair {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

MergeRule Rule(MergeMethod method, std::size_t n) {
  MergeRule rule = Get(MakeMergeRule(method, {}, n));
  rule.alpha = EqualWeights(n);
  return rule;
}

std::vector<float> Merge(const CombineInputs& in, const MergeRule& rule,
                         TensorRole role = TensorRole::kTrainable) {
  return ValuesOf<float>(Get(ReadAll(*CombinedTensor(in, rule, role))));
}

constexpr MergeMethod kMethods[] = {MergeMethod::kFedAvg, MergeMethod::kMedian,
                                    MergeMethod::kTrimmedMean};

TEST(CombineTest, InputsThatChangedNothingMergeIntoTheTarget) {
  const auto target = Lcg(3, 1000);
  for (const MergeMethod method : kMethods) {
    EXPECT_EQ(Merge(SharedBase(target, {target, target, target}), Rule(method, 3)), target);
  }
}

TEST(CombineTest, TheOrderOfInputsDoesNotMatterToMedianAndTrimmedMean) {
  std::vector<std::vector<float>> inputs;
  for (std::uint32_t i = 0; i < 7; ++i) inputs.push_back(Lcg(i + 50, 700));
  const auto target = Lcg(1, 700);
  auto shuffled = inputs;
  std::mt19937 random(5);
  std::shuffle(shuffled.begin(), shuffled.end(), random);
  for (const MergeMethod method : {MergeMethod::kMedian, MergeMethod::kTrimmedMean}) {
    EXPECT_EQ(Merge(SharedBase(target, inputs), Rule(method, 7)),
              Merge(SharedBase(target, shuffled), Rule(method, 7)));
  }
}

TEST(CombineTest, OneWildInputOfThreeDoesNotMoveTheMedian) {
  EXPECT_THAT(
      Merge(SharedBase({0, 0}, {{1, 1}, {2, -1e30F}, {3, 2}}), Rule(MergeMethod::kMedian, 3)),
      ElementsAre(2, 1));
}

// The same bytes however they are read: whole, in odd pieces, inside elements.
TEST(CombineTest, BytesDoNotDependOnHowTheyAreRead) {
  constexpr std::size_t kElements = 2 * kMergeBlockElements + 777;
  std::vector<std::vector<float>> inputs;
  for (std::uint32_t i = 0; i < 4; ++i) inputs.push_back(Lcg(i + 9, kElements));
  const CombineInputs in = SharedBase(Lcg(2, kElements), inputs);
  for (const MergeMethod method : kMethods) {
    const auto merged = CombinedTensor(in, Rule(method, 4), TensorRole::kTrainable);
    const Bytes whole = Get(ReadAll(*merged));
    Bytes pieces(whole.size());
    std::size_t step = 1;
    for (std::size_t at = 0; at < pieces.size(); at += step, step = step * 7 % 100'003 + 1) {
      step = std::min(step, pieces.size() - at);
      ASSERT_TRUE(merged->ReadAt(at, MutableByteView(pieces).subspan(at, step)).ok());
    }
    EXPECT_EQ(pieces, whole) << MergeMethodName(method);
    Bytes beyond(8);
    EXPECT_FALSE(merged->ReadAt(whole.size() - 4, beyond).ok());
  }
}

// A base that is equal, but another source, takes the general path.
TEST(CombineTest, TheFastPathForOneBaseGivesTheSameBits) {
  const auto target = Lcg(1, 5000);
  const auto base = Lcg(2, 5000);
  CombineInputs fast;
  fast.name = "w";
  fast.num_elements = target.size();
  fast.target = SourceOf(target);
  CombineInputs slow = fast;
  const auto shared = SourceOf(base);
  for (std::uint32_t i = 0; i < 6; ++i) {
    fast.inputs.push_back(SourceOf(Lcg(i + 40, 5000)));
    slow.inputs.push_back(fast.inputs.back());
    fast.bases.push_back(shared);
    slow.bases.push_back(SourceOf(base));
  }
  for (const MergeMethod method : kMethods) {
    EXPECT_EQ(Merge(fast, Rule(method, 6)), Merge(slow, Rule(method, 6)));
  }
}

TEST(CombineTest, StatisticsStayInsideWhatWasMeasured) {
  // As updates these would give 1 + (0.5 - 4) < 0: no variance.
  CombineInputs in;
  in.name = "bn.running_var";
  in.num_elements = 1;
  in.target = SourceOf<float>({1});
  in.inputs = {SourceOf<float>({0.5F}), SourceOf<float>({0.75F})};
  in.bases = {SourceOf<float>({4}), SourceOf<float>({4})};
  EXPECT_THAT(Merge(in, Rule(MergeMethod::kFedAvg, 2), TensorRole::kStatistics),
              ElementsAre(0.625F));
}

TEST(CombineTest, WhatIsNotFiniteIsNamed) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInf = std::numeric_limits<float>::infinity();
  std::vector<float> bad(3000, 1.0F);
  for (const MergeMethod method : kMethods) {
    for (const float value : {kNan, kInf, -kInf}) {
      bad[2345] = value;
      const CombineInputs in = SharedBase(Lcg(1, 3000), {Lcg(2, 3000), bad, Lcg(3, 3000)});
      const auto merged = ReadAll(*CombinedTensor(in, Rule(method, 3), TensorRole::kTrainable));
      ASSERT_FALSE(merged.ok());
      EXPECT_EQ(merged.error().code(), ErrorCode::kConflict);
      EXPECT_THAT(merged.error().message(),
                  AllOf(HasSubstr("'w'"), HasSubstr("input 2"), HasSubstr("element 2345")));
    }
  }
  KrumDistances distances(3);
  EXPECT_FALSE(distances.Add(SharedBase(Lcg(1, 3000), {Lcg(2, 3000), bad, Lcg(3, 3000)})).ok());
}

TEST(CombineTest, AResultThatOverflowsIsAnError) {
  CombineInputs in = SharedBase({3e38F}, {{3e38F}});
  in.bases[0] = SourceOf<float>({0});
  const auto merged =
      ReadAll(*CombinedTensor(in, Rule(MergeMethod::kFedAvg, 1), TensorRole::kTrainable));
  ASSERT_FALSE(merged.ok());
  EXPECT_THAT(merged.error().message(), HasSubstr("overflows F32"));
}

TEST(CombineTest, CountersTakeTheMaximum) {
  CombineInputs in;
  in.name = "steps";
  in.dtype = DType::kI64;
  in.num_elements = 3;
  in.target = SourceOf<std::int64_t>({5, -7, 1});
  in.inputs = {SourceOf<std::int64_t>({4, -8, 9}), SourceOf<std::int64_t>({6, -9, 2})};
  in.bases = {in.target, in.target};
  EXPECT_THAT(ValuesOf<std::int64_t>(Get(ReadAll(*MaximumTensor(in)))), ElementsAre(6, -7, 9));
  in.dtype = DType::kU8;
  in.num_elements = 2;
  in.target = SourceOf<std::uint8_t>({200, 1});
  in.inputs = {SourceOf<std::uint8_t>({100, 255})};
  in.bases = {in.target};
  EXPECT_THAT(ValuesOf<std::uint8_t>(Get(ReadAll(*MaximumTensor(in)))), ElementsAre(200, 255));
}

TEST(CombineTest, AnEmptyTensorMergesIntoAnEmptyOne) {
  for (const MergeMethod method : kMethods) {
    EXPECT_TRUE(Merge(SharedBase({}, {{}, {}, {}}), Rule(method, 3)).empty());
  }
}

TEST(KrumTest, DistancesDoNotDependOnThreads) {
  constexpr std::size_t kElements = 3 * kMergeBlockElements + 5;
  const CombineInputs in =
      SharedBase(Lcg(0, kElements), {Lcg(1, kElements), Lcg(2, kElements), Lcg(3, kElements)});
  std::vector<double> first;
  for (const std::size_t threads : {1U, 2U, 7U}) {
    SetThreadCount(threads);
    KrumDistances distances(3);
    ASSERT_TRUE(distances.Add(in).ok());
    const std::vector<double> now = {distances.squared_distance(0, 1),
                                     distances.squared_distance(2, 0),
                                     distances.squared_distance(1, 2), distances.squared_norm(2)};
    if (first.empty()) first = now;
    EXPECT_EQ(now, first) << threads;
  }
  SetThreadCount(0);
}

// By the zero-one principle a network that sorts every 0-1 sequence sorts everything.
TEST(KernelsTest, NetworksSortEveryZeroOneSequence) {
  for (std::size_t n = 1; n <= 16; ++n) {
    const auto network = kernels::SortingNetwork(n);
    for (std::uint32_t bits = 0; bits < (1U << n); ++bits) {
      std::uint32_t v = bits;
      for (const auto& [i, j] : network) {
        ASSERT_LT(i, j);
        ASSERT_LT(j, n);
        const bool swap = ((v >> i) & 1) != 0 && ((v >> j) & 1) == 0;
        if (swap) v ^= (1U << i) | (1U << j);
      }
      const std::uint32_t ones = static_cast<std::uint32_t>(__builtin_popcount(bits));
      ASSERT_EQ(v, ((1U << ones) - 1) << (n - ones)) << n;
    }
  }
}

TEST(KernelsTest, LargeNetworksSort) {
  std::mt19937 random(11);
  for (const std::size_t n : {17U, 64U, 255U}) {
    std::vector<std::uint32_t> v(n);
    for (auto& x : v) x = static_cast<std::uint32_t>(random());
    for (const auto& [i, j] : kernels::SortingNetwork(n)) {
      if (v[j] < v[i]) std::swap(v[i], v[j]);
    }
    EXPECT_TRUE(std::is_sorted(v.begin(), v.end())) << n;
  }
}

// Every kernel, portable against the best the machine has, on odd sizes.
template <typename T>
void ExpectSameBits() {
  std::mt19937 random(3);
  std::uniform_real_distribution<double> uniform(-2, 2);
  for (const std::size_t n : {1U, 7U, 8U, 31U, 511U, 512U}) {
    std::vector<std::vector<T>> rows(6, std::vector<T>(n));
    for (auto& row : rows) {
      for (T& v : row) v = static_cast<T>(uniform(random));
    }
    std::vector<const T*> inputs;
    for (const auto& row : rows) inputs.push_back(row.data());
    const std::vector<const T*> one_base(6, rows[0].data());
    std::vector<const T*> bases(inputs.rbegin(), inputs.rend());
    const std::vector<double> alpha = {0.1, 0.2, 0.3, 0.15, 0.05, 0.2};
    const auto network = kernels::SortingNetwork(6);
    const kernels::Ranks ranks = {.first = 1, .count = 4, .mean = kernels::RankMean::kMean};
    std::vector<double> sums[2];
    std::vector<T> out[2];
    for (const kernels::Isa isa : {kernels::Isa::kPortable, kernels::Isa::kBest}) {
      auto& all = sums[isa == kernels::Isa::kBest ? 1 : 0];
      std::vector<double> sum(kernels::kChunk);
      kernels::LinearUpdate<T>(inputs, bases, alpha, n, sum.data(), isa);
      all.insert(all.end(), sum.begin(), sum.begin() + static_cast<std::ptrdiff_t>(n));
      kernels::RankUpdate<T>(inputs, one_base, network, ranks, n, sum.data(), isa);
      all.insert(all.end(), sum.begin(), sum.begin() + static_cast<std::ptrdiff_t>(n));
      kernels::RankUpdate<T>(inputs, bases, network, ranks, n, sum.data(), isa);
      all.insert(all.end(), sum.begin(), sum.begin() + static_cast<std::ptrdiff_t>(n));
      auto& merged = out[isa == kernels::Isa::kBest ? 1 : 0];
      merged.resize(n);
      kernels::AddUpdate<T>(inputs[0], sum.data(), n, merged.data(), isa);
      kernels::Difference<T>(inputs[1], inputs[2], n, sum.data(), isa);
      std::fill(sum.begin() + static_cast<std::ptrdiff_t>(n), sum.end(), 0.0);
      const std::vector<double> other(kernels::kChunk, 0.75);
      double lanes[kernels::kLanes] = {1, 2, 3, 4, 5, 6, 7, 8};
      kernels::AddSquaredDistance(sum.data(), other.data(), (n + 7) / 8 * 8, lanes, isa);
      kernels::AddDot(sum.data(), sum.data(), (n + 7) / 8 * 8, lanes, isa);
      all.insert(all.end(), std::begin(lanes), std::end(lanes));
      all.push_back(kernels::FoldLanes(lanes));
    }
    EXPECT_EQ(sums[0], sums[1]) << n;
    EXPECT_EQ(out[0], out[1]) << n;
  }
}

TEST(KernelsTest, WideAndPortableCodeGiveTheSameBits) {
  ExpectSameBits<float>();
  ExpectSameBits<double>();
}

TEST(KernelsTest, SeesEveryValueThatIsNotFinite) {
  for (const auto isa : {kernels::Isa::kPortable, kernels::Isa::kBest}) {
    std::vector<float> f(100, std::numeric_limits<float>::max());
    std::vector<double> d(100, -std::numeric_limits<double>::max());
    EXPECT_FALSE(kernels::AnyNonFinite(f.data(), f.size(), isa));
    EXPECT_FALSE(kernels::AnyNonFinite(d.data(), d.size(), isa));
    for (std::size_t k = 0; k < f.size(); ++k) {
      f.assign(100, 0);
      d.assign(100, 0);
      f[k] = -std::numeric_limits<float>::infinity();
      d[k] = -std::numeric_limits<double>::quiet_NaN();
      EXPECT_TRUE(kernels::AnyNonFinite(f.data(), f.size(), isa));
      EXPECT_TRUE(kernels::AnyNonFinite(d.data(), d.size(), isa));
    }
  }
}

}  // namespace
}  // namespace flair
