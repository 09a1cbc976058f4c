// Training in integers: close to doubles, the same everywhere, and nothing else passes.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/threads.h"
#include "program/lower_testing.h"

namespace flair::program {
namespace {

// A perceptron with weight decay and batches of 3: divisors that are no powers of two.
constexpr std::string_view kSmall = R"(flair program 1
batch 3
data x [4] bits 12 scale 8
label y classes 3
param w1 [5, 4]
param b1 [5]
param w2 [3, 5] scale 1
param b2 [3] decay no
h = linear(x, w1, b1)
a = relu(h)
z = linear(a, w2, b2)
l = cross_entropy(z, y)
loss l
optimiser sgd(weight_decay=1/2000)
schedule 3/16 x 2, 1/16
profile gradient 24 23
)";

// Sums, products and branches that meet again.
constexpr std::string_view kTangled = R"(flair program 1
batch 2
data x [3] bits 12 scale 8
data target [4] bits 12 scale 8
param w1 [4, 3]
param w2 [4, 4]
param g [4]
param c [2, 1]
h = linear(x, w1)
a = relu(h)
s = add(h, a, alpha=1/3, beta=-2)
k = mul(s, g)
m = mul(k, c)
f = affine(m, scale=3/5, shift=1/8)
z = linear(f, w2)
q = mul(z, z)
e = mse(z, target)
r = reduce(q, axes=[0, 1], by=mean)
v = add(z, c)
u = reduce(v, axes=[1])
uu = mul(u, u)
ru = reduce(uu, axes=[0])
l0 = add(e, r, beta=1/7)
l = add(l0, ru, beta=1/9)
loss l
optimiser sgd()
schedule 1/64
profile gradient 28 23
)";

std::string Mlp() { return std::string(kMlp) + "profile gradient 24 25\n"; }

TEST(TrainTest, APerceptronTrainsLikeDoubles) {
  // A logit's grid of 2^-14 moves a probability by up to 3e-5 of itself.
  ExpectTrainsLikeDoubles(Mlp(), 6, 5e-5);
  ExpectTrainsLikeDoubles(kSmall, 6, 5e-5);
}

TEST(TrainTest, SumsAndProductsTrainLikeDoubles) { ExpectTrainsLikeDoubles(kTangled, 6, 5e-5); }

// A mask under a gradient that is a constant: regression, that gradient was 0.
TEST(TrainTest, DropoutBeforeASumTrainsLikeDoubles) {
  ExpectTrainsLikeDoubles(R"(flair program 1
batch 4
data x [3] bits 12 scale 8
param w [3]
h = mul(x, w)
d = dropout(h, p=1/4)
l = reduce(d, axes=[0, 1], by=mean)
loss l
optimiser sgd()
schedule 1/32
)",
                          4, 5e-5);
}

// `r` does not vary along the batch, and is read without it: regression, its mean was a quarter.
TEST(TrainTest, NormsAndConvolutionsOfWhatIsRepeatedTrainLikeDoubles) {
  constexpr std::string_view kHead = R"(flair program 1
batch 4
data x [2, 3, 3] bits 12 scale 8
data t [2, 2, 2] bits 12 scale 8
param w [2, 3, 3]
param k [2, 2, 2, 2]
param g [2]
param b [2]
buffer m [2]
buffer v [2]
r = add(x, w, alpha=0)
)";
  constexpr std::string_view kTail =
      "l = mse(z, t)\nloss l\noptimiser sgd()\nschedule 1/32\nprofile gradient 24 20\n";
  for (const std::string_view nodes :
       {"z = conv(r, k)\n", "n = batch_norm(r, g, b, m, v)\nz = conv(n, k)\n"}) {
    SCOPED_TRACE(nodes);
    ExpectTrainsLikeDoubles(std::string(kHead).append(nodes).append(kTail), 3, 1e-4);
  }
}

// An error of half a cell is too small for the comparison above to see.
TEST(TrainTest, ProductsReadTheMiddleOfAWeightsCell) {
  const Training t = Prepared(kSmall);
  const auto end = Train(t.lowered, t.data, t.state, t.run, [&](const TrainingStep& step) {
    const auto& values = t.lowered.circuit.values;
    for (circuit::ValueId id = 0; id < values.size(); ++id) {
      if (values[id].name != "w1.middle") continue;
      const circuit::Ints& w = step.values.now[t.lowered.parameters[0]];
      for (std::size_t i = 0; i < w.size(); ++i) {
        EXPECT_EQ(step.values.now[id][i], 2 * (w[i] >> kLowWeightBits) + 1);
      }
      return OkStatus();
    }
    ADD_FAILURE() << "no middle";
    return OkStatus();
  });
  EXPECT_TRUE(end.ok());
}

TEST(TrainTest, EveryChangedCellIsRefused) {
  EXPECT_GT(ExpectOneStepOnly(kSmall), 1000U);
  EXPECT_GT(ExpectOneStepOnly(kTangled), 1000U);
}

TEST(TrainTest, AValueOutOfRangeNamesStepTensorCellAndLine) {
  std::string text(kMlp);
  text += "profile h activation 10 18\n";
  const Training t = Prepared(text);
  const auto end =
      Train(t.lowered, t.data, t.state, t.run, [](const TrainingStep&) { return OkStatus(); });
  ASSERT_FALSE(end.ok());
  EXPECT_THAT(end.error().message(),
              testing::MatchesRegex("step 0: 'h' is -?[0-9]+ in cell \\[[0-9, ]+\\], "
                                    "outside of \\[-511, 512\\]: in real numbers "
                                    "-?[0-9.e-]+, outside of "
                                    "\\[-0.00195, 0.00195\\]"));
  EXPECT_EQ(end.error().hint(), "raise the profile's line 'h activation'");
}

TEST(TrainTest, ThreadsChangeNothing) {
  Training t = Prepared(Mlp());
  t.run.steps = 3;
  std::vector<TrainingState> ends;
  for (const std::size_t threads : {1, 2, 5}) {
    SetThreadCount(threads);
    ends.push_back(Train(t.lowered, t.data, t.state, t.run, [](const TrainingStep&) {
                     return OkStatus();
                   }).value());
  }
  SetThreadCount(0);
  EXPECT_EQ(ends[0].carried, ends[1].carried);
  EXPECT_EQ(ends[0].carried, ends[2].carried);
}

TEST(TrainTest, ChunksOfARunAreTheRun) {
  Training t = Prepared(kSmall);
  t.run.steps = 7;  // over an epoch's end
  const auto nothing = [](const TrainingStep&) { return OkStatus(); };
  const TrainingState whole = Train(t.lowered, t.data, t.state, t.run, nothing).value();
  TrainingState state = t.state;
  for (const std::uint64_t first : {0, 3}) {
    t.run.first_step = first;
    t.run.steps = first == 0 ? 3 : 4;
    state = Train(t.lowered, t.data, std::move(state), t.run, nothing).value();
  }
  EXPECT_EQ(state.carried, whole.carried);
}

TEST(TrainTest, DataOfOtherSizesAreRefused) {
  const Training t = Prepared(kMlp);
  DataSet data = t.data;
  data.columns[0].pop_back();
  const auto nothing = [](const TrainingStep&) { return OkStatus(); };
  EXPECT_EQ(Train(t.lowered, data, t.state, t.run, nothing).error().message(),
            "column 'x' has 143 cells, not 144");
  data = t.data;
  data.rows = 4;
  EXPECT_EQ(Train(t.lowered, data, t.state, t.run, nothing).error().message(),
            "the data set has 4 rows, a batch 8");
}

}  // namespace
}  // namespace flair::program
