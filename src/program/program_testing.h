// Programs that the tests share.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "program/text.h"

namespace flair::program {

inline Program Parsed(std::string_view text) {
  auto program = ParseProgram(text);
  EXPECT_TRUE(program.ok()) << (program.ok() ? "" : program.error().message());
  return program.ok() ? *program : Program{};
}

inline constexpr std::string_view kMlp = R"(flair program 1
batch 8
data x [12] bits 16 scale 12
label y classes 5
param fc1.weight [16, 12]
param fc1.bias [16]
param fc2.weight [5, 16]
param fc2.bias [5]
h = linear(x, fc1.weight, fc1.bias)
a = relu(h)
z = linear(a, fc2.weight, fc2.bias)
l = cross_entropy(z, y)
loss l
optimiser sgd()
schedule 1/8
)";

// Every operator of the table, in a network that makes little sense.
inline constexpr std::string_view kZoo = R"(flair program 1
batch 4
data x [3, 8, 8] bits 16 scale 12
data target [4] bits 16 scale 12
label y classes 4
param c1.weight [6, 3, 3, 3]
param c1.bias [6]
param bn.weight [6]
param bn.bias [6]
param dw.weight [6, 1, 3, 3]
param fc.weight [4, 54] scale -1 decay no
param "odd:name" [4]
buffer bn.running_mean [6]
buffer bn.running_var [6]
c1 = conv(x, c1.weight, c1.bias, stride=[1, 1], pad=[1, 1, 1, 1])
n1 = batch_norm(c1, bn.weight, bn.bias, bn.running_mean, bn.running_var, eps=0.001)
r1 = relu(n1)
p1 = max_pool(r1, window=[2, 2], stride=[2, 2])
dw = conv(p1, dw.weight, pad=[1, 1, 1, 1], groups=6)
s = add(dw, p1, beta=1/2)
p2 = avg_pool(s, window=[2, 2], stride=[1, 1])
d = dropout(p2, p=1/4)
f = flatten(d)
z0 = linear(f, fc.weight)
z = mul(z0, "odd:name")
z2 = affine(z, scale=3/2, shift=1/8)
left = slice(z2, axis=1, begin=0, size=2)
right = slice(z2, axis=1, begin=2, size=2)
swapped = concat(right, left, axis=1)
again = permute(swapped, axes=[1, 0])
back = permute(again, axes=[1, 0])
shaped = reshape(back, dims=[2, 2, 4])
shaped2 = matmul(shaped, shaped, transpose_b=yes)
flat = reshape(shaped2, dims=[4, 2])
twice = concat(flat, flat)
r = reduce(flat, axes=[0, 1], by=mean)
ce = cross_entropy(twice, y)
m = mse(swapped, target)
l0 = add(ce, m, beta=1/4)
l = add(l0, r, beta=1/16)
loss l
optimiser sgd(momentum=9/10, nesterov=yes, weight_decay=1/2000)
schedule 1/8 x 100, 1/16 x 50, 1/80
clip norm(limit=1)
profile activation 24 16
profile c1 activation 22 14
profile z gradient 22 24
)";

}  // namespace flair::program
