// The kernels over the lanes of one lanes_*.h and the products of one k_arithmetic*.h, included
// once by each k_kernels_*.cc behind both. As in field/tile_loops.h nothing here is inline
// across files, and Fp2's own arithmetic is not used.
// SPDX-License-Identifier: Apache-2.0

namespace flair::zk {
namespace {

// Elements of even and of odd index from 2 i on.
FLAIR_LANES void LoadPairs(const KSpan& x, std::size_t i, Wide& even, Wide& odd) {
  const Wide low = LoadK(x, 2 * i);
  const Wide high = LoadK(x, 2 * i + kWidth);
  even = {Lanes::Even(low.a, high.a), Lanes::Even(low.b, high.b)};
  odd = {Lanes::Odd(low.a, high.a), Lanes::Odd(low.b, high.b)};
}

// add(i) for every lane's first index, sums settled as often as they must be.
template <typename AddAt, typename... Sums>
FLAIR_LANES void InRuns(std::size_t n, const AddAt& add, Sums&... sums) {
  for (std::size_t i = 0; i < n;) {
    const std::size_t lanes = (n - i) / kWidth;
    const std::size_t end = lanes > kProductsAtOnce ? i + kProductsAtOnce * kWidth : n;
    for (; i < end; i += kWidth) add(i);
    (sums.Settle(), ...);
  }
}

void Deinterleave(KSpan in, KSpan even, KSpan odd, std::size_t n) {
  for (std::size_t i = 0; i < n; i += kWidth) {
    Wide x0;
    Wide x1;
    LoadPairs(in, i, x0, x1);
    StoreK(even, i, x0);
    StoreK(odd, i, x1);
  }
}

void Combine(const FractionPairs& in, KSpan p, KSpan q, std::size_t n) {
  for (std::size_t i = 0; i < n; i += kWidth) {
    const Wide q0 = LoadK(in.q0, i);
    const Wide q1 = LoadK(in.q1, i);
    StoreK(p, i, TwoProducts(LoadK(in.p0, i), q1, LoadK(in.p1, i), q0));
    StoreK(q, i, MulK(q0, q1));
  }
}

void CombineOnes(KSpan in0, KSpan in1, KSpan p, KSpan q, std::size_t n) {
  for (std::size_t i = 0; i < n; i += kWidth) {
    const Wide q0 = LoadK(in0, i);
    const Wide q1 = LoadK(in1, i);
    StoreK(p, i, AddK(q0, q1));
    StoreK(q, i, MulK(q0, q1));
  }
}

void AddScaled(KSpan p0, KSpan q0, Fp2 mu, std::size_t n) {
  const Wide factor = BroadcastK(mu.a.value(), mu.b.value());
  for (std::size_t i = 0; i < n; i += kWidth) {
    StoreK(p0, i, MulAddK(LoadK(p0, i), LoadK(q0, i), factor));
  }
}

void Fold(KSpan in, Fp2 r, KSpan out, std::size_t n) {
  const Wide factor = BroadcastK(r.a.value(), r.b.value());
  for (std::size_t i = 0; i < n; i += kWidth) {
    Wide x0;
    Wide x1;
    LoadPairs(in, i, x0, x1);
    StoreK(out, i, MulAddK(x0, SubK(x1, x0), factor));
  }
}

void Multiply(KSpan x, KSpan y, KSpan out, std::size_t n) {
  for (std::size_t i = 0; i < n; i += kWidth) StoreK(out, i, MulK(LoadK(x, i), LoadK(y, i)));
}

void AddProduct(KSpan x, KSpan y, KSpan out, std::size_t n) {
  for (std::size_t i = 0; i < n; i += kWidth) {
    StoreK(out, i, MulAddK(LoadK(out, i), LoadK(x, i), LoadK(y, i)));
  }
}

void Add(KSpan x, KSpan y, KSpan out, std::size_t n) {
  for (std::size_t i = 0; i < n; i += kWidth) StoreK(out, i, AddK(LoadK(x, i), LoadK(y, i)));
}

void Scale(KSpan x, Fp2 c, KSpan out, std::size_t n) {
  const Wide factor = BroadcastK(c.a.value(), c.b.value());
  for (std::size_t i = 0; i < n; i += kWidth) StoreK(out, i, MulK(LoadK(x, i), factor));
}

void Split(KSpan in, KSpan even, KSpan step, std::size_t n) {
  for (std::size_t i = 0; i < n; i += kWidth) {
    Wide x0;
    Wide x1;
    LoadPairs(in, i, x0, x1);
    StoreK(even, i, x0);
    StoreK(step, i, SubK(x1, x0));
  }
}

void StoreSum(KSpan sums, std::size_t first, Wide sum) {
  for (std::size_t i = 0; i < kSumLanes; ++i) sums.a[first + i] = sums.b[first + i] = 0;
  StoreK(sums, first, sum);
}

void Dot(KSpan x, KSpan y, std::size_t n, KSpan sums) {
  SumOfProducts sum;
  InRuns(
      n, [&](std::size_t i) { sum.Add(LoadK(x, i), LoadK(y, i)); }, sum);
  StoreSum(sums, 0, sum.Get());
}

void DotBase(KSpan w, const std::uint64_t* x, std::size_t n, KSpan sums) {
  SumOfBaseProducts sum;
  InRuns(
      n, [&](std::size_t i) { sum.Add(LoadK(w, i), Lanes::Load(x + i)); }, sum);
  StoreSum(sums, 0, sum.Get());
}

void WeightedDot(KSpan x, KSpan y, KSpan eq, std::size_t n, KSpan sums) {
  SumOfProducts sum;
  InRuns(
      n, [&](std::size_t i) { sum.Add(LoadK(eq, i), MulK(LoadK(x, i), LoadK(y, i))); }, sum);
  StoreSum(sums, 0, sum.Get());
}

void WeightedRound(KSpan x, KSpan y, KSpan eq, std::size_t n, KSpan sums) {
  SumOfProducts sum0;
  SumOfProducts sum2;
  InRuns(
      n,
      [&](std::size_t i) {
        Wide x0;
        Wide x1;
        Wide y0;
        Wide y1;
        LoadPairs(x, i, x0, x1);
        LoadPairs(y, i, y0, y1);
        const Wide weight = LoadK(eq, i);
        sum0.Add(weight, MulK(x0, y0));
        sum2.Add(weight, MulK(SubK(AddK(x1, x1), x0), SubK(AddK(y1, y1), y0)));
      },
      sum0, sum2);
  StoreSum(sums, 0, sum0.Get());
  StoreSum(sums, kSumLanes, sum2.Get());
}

void RoundOfProduct(KSpan x, KSpan y, std::size_t n, KSpan sums) {
  SumOfProducts sum0;
  SumOfProducts sum2;
  InRuns(
      n,
      [&](std::size_t i) {
        Wide x0;
        Wide x1;
        Wide y0;
        Wide y1;
        LoadPairs(x, i, x0, x1);
        LoadPairs(y, i, y0, y1);
        sum0.Add(x0, y0);
        sum2.Add(SubK(AddK(x1, x1), x0), SubK(AddK(y1, y1), y0));
      },
      sum0, sum2);
  StoreSum(sums, 0, sum0.Get());
  StoreSum(sums, kSumLanes, sum2.Get());
}

FLAIR_LANES void LoadBasePairs(const std::uint64_t* x, std::size_t i, Word& even, Word& odd) {
  const Word low = Lanes::Load(x + 2 * i);
  const Word high = Lanes::Load(x + 2 * i + kWidth);
  even = Lanes::Even(low, high);
  odd = Lanes::Odd(low, high);
}

void RoundOfBase(KSpan w, const std::uint64_t* x, std::size_t n, KSpan sums) {
  SumOfBaseProducts sum0;
  SumOfBaseProducts sum1;
  SumOfBaseProducts sum2;
  InRuns(
      n,
      [&](std::size_t i) {
        Wide w0;
        Wide w1;
        Word x0;
        Word x1;
        LoadPairs(w, i, w0, w1);
        LoadBasePairs(x, i, x0, x1);
        sum0.Add(w0, x0);
        sum1.Add(w1, x1);
        sum2.Add(SubK(AddK(w1, w1), w0), Lanes::Sub(Lanes::Add(x1, x1), x0));
      },
      sum0, sum1, sum2);
  StoreSum(sums, 0, sum0.Get());
  StoreSum(sums, kSumLanes, sum1.Get());
  StoreSum(sums, 2 * kSumLanes, sum2.Get());
}

void RoundOfBaseProduct(const std::uint64_t* x, const std::uint64_t* y, KSpan eq, std::size_t n,
                        KSpan sums) {
  SumOfBaseProducts sum0;
  SumOfBaseProducts sum1;
  SumOfBaseProducts sum2;
  InRuns(
      n,
      [&](std::size_t i) {
        Word x0;
        Word x1;
        Word y0;
        Word y1;
        LoadBasePairs(x, i, x0, x1);
        LoadBasePairs(y, i, y0, y1);
        const Wide weight = LoadK(eq, i);
        const Word x2 = Lanes::Sub(Lanes::Add(x1, x1), x0);
        const Word y2 = Lanes::Sub(Lanes::Add(y1, y1), y0);
        sum0.Add(weight, Lanes::Mul(x0, y0));
        sum1.Add(weight, Lanes::Mul(x1, y1));
        sum2.Add(weight, Lanes::Mul(x2, y2));
      },
      sum0, sum1, sum2);
  StoreSum(sums, 0, sum0.Get());
  StoreSum(sums, kSumLanes, sum1.Get());
  StoreSum(sums, 2 * kSumLanes, sum2.Get());
}

void FoldBase(const std::uint64_t* in, Fp2 r, KSpan out, std::size_t n) {
  const Wide factor = BroadcastK(r.a.value(), r.b.value());
  const Word zero = Lanes::Broadcast(0);
  for (std::size_t i = 0; i < n; i += kWidth) {
    Word x0;
    Word x1;
    LoadBasePairs(in, i, x0, x1);
    StoreK(out, i, MulAddBase({x0, zero}, factor, Lanes::Sub(x1, x0)));
  }
}

void AddScaledBase(KSpan out, Fp2 c, const std::uint64_t* x, std::size_t n) {
  const Wide factor = BroadcastK(c.a.value(), c.b.value());
  for (std::size_t i = 0; i < n; i += kWidth) {
    StoreK(out, i, MulAddBase(LoadK(out, i), factor, Lanes::Load(x + i)));
  }
}

void Round(const FractionPairs& in, KSpan eq, std::size_t n, KSpan sums) {
  SumOfProducts sum0;
  SumOfProducts sum2;
  InRuns(
      n,
      [&](std::size_t i) {
        Wide at0[4];
        Wide at2[4];
        const KSpan* const tables[4] = {&in.p0, &in.q1, &in.p1, &in.q0};
        for (std::size_t k = 0; k < 4; ++k) {
          Wide x1;
          LoadPairs(*tables[k], i, at0[k], x1);
          at2[k] = SubK(AddK(x1, x1), at0[k]);
        }
        const Wide weight = LoadK(eq, i);
        sum0.Add(weight, TwoProducts(at0[0], at0[1], at0[2], at0[3]));
        sum2.Add(weight, TwoProducts(at2[0], at2[1], at2[2], at2[3]));
      },
      sum0, sum2);
  StoreSum(sums, 0, sum0.Get());
  StoreSum(sums, kSumLanes, sum2.Get());
}

void RoundOfOnes(KSpan q0, KSpan q1, KSpan eq, Fp2 mu, std::size_t n, KSpan sums) {
  SumOfProducts sum0;
  SumOfProducts sum2;
  const Wide factor = BroadcastK(mu.a.value(), mu.b.value());
  const Wide one = BroadcastK(1, 0);
  // (1 + mu x) y + x
  const auto product = [&](Wide x, Wide y) { return MulAddK(x, MulAddK(one, x, factor), y); };
  InRuns(
      n,
      [&](std::size_t i) {
        Wide x0;
        Wide x1;
        Wide y0;
        Wide y1;
        LoadPairs(q0, i, x0, x1);
        LoadPairs(q1, i, y0, y1);
        const Wide weight = LoadK(eq, i);
        sum0.Add(weight, product(x0, y0));
        sum2.Add(weight, product(SubK(AddK(x1, x1), x0), SubK(AddK(y1, y1), y0)));
      },
      sum0, sum2);
  StoreSum(sums, 0, sum0.Get());
  StoreSum(sums, kSumLanes, sum2.Get());
}

// Four integers a node: v[4i + k] in part k.
FLAIR_LANES void LoadFours(const std::int32_t* v, std::size_t i, Word (&parts)[4]) {
  Word loaded[4];
  for (std::size_t k = 0; k < 4; ++k) loaded[k] = Lanes::LoadInts(v + 4 * i + k * kWidth);
  const Word even[2] = {Lanes::Even(loaded[0], loaded[1]), Lanes::Even(loaded[2], loaded[3])};
  const Word odd[2] = {Lanes::Odd(loaded[0], loaded[1]), Lanes::Odd(loaded[2], loaded[3])};
  parts[0] = Lanes::Even(even[0], even[1]);
  parts[1] = Lanes::Even(odd[0], odd[1]);
  parts[2] = Lanes::Odd(even[0], even[1]);
  parts[3] = Lanes::Odd(odd[0], odd[1]);
}

// With base = a + b phi: p = 2 base - (v0 + v1), q = (a - v0)(a - v1) + 7 b^2 +
// b (2 a - (v0 + v1)) phi.
void ChildrenOfInts(Fp2 base, const std::int32_t* v, const FractionPairs& out, std::size_t n) {
  const Word zero = Lanes::Broadcast(0);
  const Word a = Lanes::Broadcast(base.a.value());
  const Word b = Lanes::Broadcast(base.b.value());
  const Word b2 = Lanes::Add(b, b);
  const Word norm = Lanes::Mul(Lanes::Mul(b, b), Lanes::Broadcast(7));
  const auto combine = [&](Word v0, Word v1, KSpan p, KSpan q, std::size_t i) {
    const Word x0 = Lanes::Sub(a, v0);
    const Word x1 = Lanes::Sub(a, v1);
    const Word sum = Lanes::Add(x0, x1);
    StoreK(p, i, {sum, b2});
    StoreK(q, i, {MulAddF(norm, x0, x1), MulAddF(zero, b, sum)});
  };
  for (std::size_t i = 0; i < n; i += kWidth) {
    Word parts[4];
    LoadFours(v, i, parts);
    combine(parts[0], parts[1], out.p0, out.q0, i);
    combine(parts[2], parts[3], out.p1, out.q1, i);
  }
}

void RoundOfInts(const std::int32_t* v, KSpan eq, std::size_t n, KSpan sums) {
  SumOfBaseProducts sum0;
  SumOfBaseProducts sum2;
  SumOfBaseProducts product0;
  SumOfBaseProducts product2;
  InRuns(
      n,
      [&](std::size_t i) {
        Word parts[4];
        LoadFours(v, i, parts);
        const Word x2 = Lanes::Sub(Lanes::Add(parts[2], parts[2]), parts[0]);
        const Word y2 = Lanes::Sub(Lanes::Add(parts[3], parts[3]), parts[1]);
        const Wide weight = LoadK(eq, i);
        sum0.Add(weight, Lanes::Add(parts[0], parts[1]));
        sum2.Add(weight, Lanes::Add(x2, y2));
        product0.Add(weight, Lanes::Mul(parts[0], parts[1]));
        product2.Add(weight, Lanes::Mul(x2, y2));
      },
      sum0, sum2, product0, product2);
  StoreSum(sums, 0, sum0.Get());
  StoreSum(sums, kSumLanes, sum2.Get());
  StoreSum(sums, 2 * kSumLanes, product0.Get());
  StoreSum(sums, 3 * kSumLanes, product2.Get());
}

void FoldOfInts(Fp2 base, const std::int32_t* v, Fp2 r, KSpan q0, KSpan q1, std::size_t n) {
  const Wide from = BroadcastK(base.a.value(), base.b.value());
  const Wide factor = BroadcastK(r.a.value(), r.b.value());
  // base - v0 + r (v0 - v2)
  const auto fold = [&](Word v0, Word v2, KSpan out, std::size_t i) {
    const Wide at0 = {Lanes::Sub(from.a, v0), from.b};
    StoreK(out, i, MulAddBase(at0, factor, Lanes::Sub(v0, v2)));
  };
  for (std::size_t i = 0; i < n; i += kWidth) {
    Word parts[4];
    LoadFours(v, i, parts);
    fold(parts[0], parts[2], q0, i);
    fold(parts[1], parts[3], q1, i);
  }
}

void SubtractInts(Fp2 base, const std::int32_t* v, KSpan out, std::size_t n) {
  const Wide from = BroadcastK(base.a.value(), base.b.value());
  for (std::size_t i = 0; i < n; i += kWidth) {
    StoreK(out, i, {Lanes::Sub(from.a, Lanes::LoadInts(v + i)), from.b});
  }
}

void SubtractScaledInts(KSpan out, Fp2 c, const std::int32_t* v, std::size_t n) {
  const Wide factor = BroadcastK(c.a.value(), c.b.value());
  for (std::size_t i = 0; i < n; i += kWidth) {
    const Word value = Lanes::LoadInts(v + i);
    const Wide product = {Lanes::Mul(factor.a, value), Lanes::Mul(factor.b, value)};
    StoreK(out, i, SubK(LoadK(out, i), product));
  }
}

#undef FLAIR_LANES

constexpr KKernels MakeKKernels(std::string_view name) {
  return {.name = name,
          .deinterleave = Deinterleave,
          .combine = Combine,
          .combine_ones = CombineOnes,
          .add_scaled = AddScaled,
          .fold = Fold,
          .multiply = Multiply,
          .add_product = AddProduct,
          .add = Add,
          .scale = Scale,
          .split = Split,
          .dot = Dot,
          .dot_base = DotBase,
          .weighted_dot = WeightedDot,
          .round_of_product = RoundOfProduct,
          .weighted_round = WeightedRound,
          .round_of_base = RoundOfBase,
          .round_of_base_product = RoundOfBaseProduct,
          .fold_base = FoldBase,
          .add_scaled_base = AddScaledBase,
          .round = Round,
          .round_of_ones = RoundOfOnes,
          .children_of_ints = ChildrenOfInts,
          .round_of_ints = RoundOfInts,
          .fold_of_ints = FoldOfInts,
          .subtract_ints = SubtractInts,
          .subtract_scaled_ints = SubtractScaledInts};
}

}  // namespace
}  // namespace flair::zk
