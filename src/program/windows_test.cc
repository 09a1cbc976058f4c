// Convolutions, pools and wiring, trained in integers beside doubles.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "program/lower_testing.h"

namespace flair::program {
namespace {

// Padding, stride, dilation, groups, depthwise, a window of size 1, pooling, flattening.
constexpr std::string_view kConvolutions = R"(flair program 1
batch 2
data x [4, 7, 6] bits 12 scale 8
label y classes 3
param a [6, 2, 3, 2]
param b [6]
param d [6, 1, 3, 3]
param e [2, 6, 1, 1]
param f [3, 16]
param fb [3]
h = conv(x, a, b, stride=[2, 1], pad=[1, 0, 0, 1], dilation=[1, 2], groups=2)
r = relu(h)
k = conv(r, d, pad=[1, 1, 1, 1], groups=6)
q = relu(k)
m = conv(q, e)
p = avg_pool(m, window=[2, 2], stride=[1, 1])
v = flatten(p)
z = linear(v, f, fb)
l = cross_entropy(z, y)
loss l
optimiser sgd()
schedule 1/32
profile gradient 26 22
)";

// The same for one row, images of one column and a global mean.
constexpr std::string_view kThin = R"(flair program 1
batch 1
data x [1, 6, 1] bits 12 scale 8
label y classes 2
param a [4, 1, 3, 1]
param b [4, 4, 3, 1]
param c [4, 1, 1, 1]
param f [2, 4]
h = conv(x, a, stride=[1, 1], pad=[1, 1, 0, 0])
r = relu(h)
k = conv(r, b, stride=[2, 1], pad=[0, 1, 0, 0])
s = conv(k, c, groups=4, stride=[1, 2])
q = relu(s)
m = reduce(q, axes=[2, 3], by=mean)
z = linear(m, f)
l = cross_entropy(z, y)
loss l
optimiser sgd()
schedule 1/32
profile gradient 26 22
)";

// Cutting, joining and turning; dropout's mask is public.
constexpr std::string_view kWiring = R"(flair program 1
batch 4
data x [3, 4] bits 12 scale 8
data target [3, 4] bits 12 scale 8
param w [4, 4]
param u [6, 36]
param g [1, 4]
h = linear(x, w)
left = slice(h, axis=2, begin=1, size=3)
first = slice(h, axis=1, begin=2, size=1)
turned = permute(left, axes=[0, 2, 1])
wide = concat(left, turned, left, axis=2)
all = concat(wide, wide, axis=1)
kept = dropout(all, p=1/4)
cut = slice(kept, axis=2, begin=2, size=6)
flat = reshape(cut, dims=[4, 36])
k = linear(flat, u)
again = reshape(k, dims=[4, 2, 3])
back = permute(again, axes=[0, 2, 1])
more = add(first, g)
pair = concat(back, back, axis=2)
s = add(pair, more)
e = mse(s, target)
loss e
optimiser sgd()
schedule 1/16
profile gradient 26 22
)";

// Pools that share no cell before a relu; that overlap; that are padded, of a branch; in a row.
constexpr std::string_view kPools = R"(flair program 1
batch 2
data x [2, 7, 6] bits 12 scale 8
label y classes 3
param a [3, 2, 3, 3]
param b [3]
param c [3, 3, 2, 2]
param f [3, 3]
h = conv(x, a, b, pad=[1, 1, 1, 1])
r = relu(h)
p = max_pool(r)
k = conv(p, c, pad=[1, 1, 1, 1])
o = max_pool(k, window=[2, 2], stride=[1, 1])
q = relu(o)
m = max_pool(q, window=[2, 3], stride=[2, 1], pad=[1, 0, 1, 1])
n = max_pool(m, window=[1, 3], stride=[1, 1])
g = max_pool(n, window=[2, 1], stride=[2, 1])
v = flatten(g)
z = linear(v, f)
l = cross_entropy(z, y)
loss l
optimiser sgd()
schedule 1/32
profile gradient 26 22
)";

TEST(WindowsTest, MaxPoolsTrainLikeDoubles) { ExpectTrainsLikeDoubles(kPools, 3, 1e-4); }

TEST(WindowsTest, ConvolutionsTrainLikeDoubles) {
  ExpectTrainsLikeDoubles(kConvolutions, 3, 1e-4);
  ExpectTrainsLikeDoubles(kThin, 3, 1e-4);
}

TEST(WindowsTest, WiringTrainsLikeDoubles) { ExpectTrainsLikeDoubles(kWiring, 3, 2e-5); }

TEST(WindowsTest, EveryChangedCellIsRefused) {
  EXPECT_GT(ExpectOneStepOnly(kThin), 500U);
  EXPECT_GT(ExpectOneStepOnly(kPools), 5000U);
  EXPECT_GT(ExpectOneStepOnly(kWiring), 500U);
}

}  // namespace
}  // namespace flair::program
