// Committed cells of small runs, changed before the proof is made: a prover that goes on with
// them is refused. Of an MLP under AdamW, of a convolution with normalisation under momentum, and
// of recorded runs, one of them with a gauge tensor under Adam.
//
// A share of the cells in ./dev test; --gtest_random_seed=N takes the N-th share, and
// `./dev soak cells` all of them.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <limits>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "proof/prover/small_chunk_testing.h"
#include "zk/prover/tensor_cells.h"

namespace flair::proof {
namespace {

using circuit::StepValues;
using circuit::ValueId;

constexpr std::string_view kPerceptron = R"(flair program 1
batch 2
data x [3] bits 8 scale 6
label y classes 2
param w1 [3, 3]
param b1 [3]
param w2 [2, 3]
h = linear(x, w1, b1)
a = relu(h)
z = linear(a, w2)
l = cross_entropy(z, y)
loss l
optimiser adamw(eps=1/100000)
schedule 1/1024
profile limb 8
profile logit 8 6
profile activation 18 12
profile gradient 24 23
)";

constexpr std::string_view kConvolution = R"(flair program 1
batch 2
data x [1, 3, 3] bits 8 scale 6
label y classes 2
param c.weight [2, 1, 2, 2]
param n.weight [2]
param n.bias [2]
param f.weight [2, 2]
buffer n.mean [2]
buffer n.var [2]
c = conv(x, c.weight)
n = batch_norm(c, n.weight, n.bias, n.mean, n.var, eps=0.001)
r = relu(n)
p = max_pool(r)
v = flatten(p)
z = linear(v, f.weight)
l = cross_entropy(z, y)
loss l
optimiser sgd(momentum=9/10)
schedule 1/64
profile limb 8
profile logit 8 6
profile activation 20 14
profile gradient 28 23
)";

constexpr std::string_view kRecorded = R"(flair program 1
batch 2
data x [3] bits 8 scale 6
label y classes 2
param w1 [2, 3]
param w2 [2, 2]
h = linear(x, w1)
a = relu(h)
z = linear(a, w2)
l = cross_entropy(z, y)
loss l
optimiser sgd()
schedule 1/16
profile limb 8
profile logit 8 6
profile activation 12 8
profile gradient 24 23
)";

constexpr std::string_view kGauge = R"(flair program 1
batch 2
data x [3] bits 8 scale 6
label y classes 2
param w [2, 3]
param c [2]
param g [2]
param b [2]
buffer m [2]
buffer v [2]
h = linear(x, w, c)
n = batch_norm(h, g, b, m, v, eps=0.001)
l = cross_entropy(n, y)
loss l
optimiser adam(eps=1/100000)
schedule 1/1024
profile limb 8
profile logit 8 6
profile activation 18 12
profile gradient 24 23
)";

// Of which number a cell is a limb; none for counts of lookups.
struct Origin {
  ValueId number = 0;
  unsigned limb = 0;
  std::uint64_t index = 0;  // over steps and the number's axes
};

std::vector<std::optional<Origin>> OriginsOf(const SmallChunk& chunk) {
  const zk::Layout& layout = chunk.plan().layout();
  std::vector<std::optional<Origin>> origins(layout.num_cells());
  for (ValueId id = 0; id < chunk.circuit().values.size(); ++id) {
    const circuit::Value& value = chunk.circuit()[id];
    if (value.kind != circuit::Value::Kind::kNumber) continue;
    for (unsigned limb = 0; limb < value.number.limb_bits.size(); ++limb) {
      zk::ForEachCell(layout.BlocksOf({id, limb}), [&](std::uint64_t cell, std::uint64_t index) {
        origins[cell] = Origin{id, limb, index};
      });
    }
  }
  return origins;
}

SmallChunk ChunkOf(std::string_view text, const SmallChunkOptions& options) {
  auto chunk =
      SmallChunk::Make(program::Prepared(text, {.rows = 4, .data = 0.5, .weights = 0.3}), options);
  EXPECT_TRUE(chunk.ok()) << chunk.error().message();
  return std::move(*chunk);
}

class CellChanges {
 public:
  CellChanges(std::string_view text, const SmallChunkOptions& options)
      : chunk_(ChunkOf(text, options)),
        origins_(OriginsOf(chunk_)),
        values_(chunk_.ValuesOf(chunk_.steps())),
        honest_(chunk_.Cells(values_).value()) {}

  std::uint64_t num_cells() const { return honest_.size(); }
  bool IsCount(std::uint64_t cell) const { return !origins_[cell]; }
  std::string NameOf(std::uint64_t cell) const {
    if (IsCount(cell)) return "count in cell " + std::to_string(cell);
    const Origin& o = *origins_[cell];
    return chunk_.circuit()[o.number].name + " limb " + std::to_string(o.limb) + " at " +
           std::to_string(o.index);
  }
  std::string Honest() {
    return chunk_.Judge(chunk_.Prove(honest_, values_, *zk::SeededEnv(1)).value());
  }

  // The cell changed by itself: sums are about what it was.
  std::string Alone(std::uint64_t cell, std::mt19937_64& random) {
    std::vector<std::int32_t> cells = honest_;
    cells[cell] += OtherBy(random);
    return chunk_.Judge(chunk_.Prove(std::move(cells), values_, *zk::SeededEnv(2)).value());
  }
  // The number changed with its limb, to another limb in range, and all lookups counted again.
  // Empty where no number is left.
  std::string WithItsNumber(std::uint64_t cell, std::mt19937_64& random) {
    const Origin& o = *origins_[cell];
    const circuit::Value& value = chunk_.circuit()[o.number];
    unsigned below = 0;
    for (unsigned limb = 0; limb < o.limb; ++limb) below += value.number.limb_bits[limb];
    const std::int64_t most = (std::int64_t{1} << value.number.limb_bits[o.limb]) - 1;
    const std::int64_t limb = honest_[cell];
    std::vector<std::int64_t> others;
    for (const std::int64_t v : {limb - 1, limb + 1, std::int64_t{0}, most}) {
      if (v != limb && v >= 0 && v <= most) others.push_back(v);
    }
    const std::int64_t by = (others[random() % others.size()] - limb) * (std::int64_t{1} << below);

    std::vector<StepValues> steps = chunk_.steps();
    const std::uint64_t size = steps[0].now[o.number].size();
    const std::uint64_t step = o.index / size, at = o.index % size;
    if (step < steps.size()) steps[step].now[o.number][at] += by;
    if (value.number.is_state && step > 0) steps[step - 1].next[o.number][at] += by;
    zk::RunValues values = chunk_.ValuesOf(steps);
    std::vector<std::int32_t> cells = values.Cells(chunk_.plan().layout());
    for (std::uint64_t i = 0; i < cells.size(); ++i) {
      if (IsCount(i)) cells[i] = honest_[i];
    }
    std::vector<std::int32_t> counted = values.Cells(chunk_.plan().layout());
    if (zk::CountLookups(chunk_.plan().layout().lookups(), counted).ok()) cells = counted;
    return chunk_.Judge(chunk_.Prove(std::move(cells), values, *zk::SeededEnv(3)).value());
  }

 private:
  static std::int32_t OtherBy(std::mt19937_64& random) {
    constexpr std::int32_t kChanges[] = {1, -1, 1 << 4, -(1 << 8), 1 << 12, 1 << 28};
    return kChanges[random() % std::size(kChanges)];
  }

  SmallChunk chunk_;
  std::vector<std::optional<Origin>> origins_;
  zk::RunValues values_;
  std::vector<std::int32_t> honest_;
};

// Every `stride`-th cell is changed alone and, where it is one of a number, with its number.
void ExpectAreRejected(CellChanges changes, std::uint64_t stride) {
  stride *= kOneIn;
  const auto share = static_cast<std::uint64_t>(GTEST_FLAG_GET(random_seed)) % stride;
  ASSERT_EQ(changes.Honest(), "accepted");
  std::mt19937_64 random(share);
  std::uint64_t tried = 0;
  for (std::uint64_t cell = share; cell < changes.num_cells(); cell += stride) {
    EXPECT_NE(changes.Alone(cell, random), "accepted") << changes.NameOf(cell);
    ++tried;
    if (changes.IsCount(cell)) continue;
    EXPECT_NE(changes.WithItsNumber(cell, random), "accepted") << changes.NameOf(cell);
    ++tried;
  }
  testing::Test::RecordProperty("cells", std::to_string(changes.num_cells()));
  testing::Test::RecordProperty("changes", std::to_string(tried));
  testing::Test::RecordProperty("shares", std::to_string(stride));
}

TEST(CellChangesTest, OfAPerceptronUnderAdamWAreRejected) {
  ExpectAreRejected({kPerceptron, {.steps = 2}}, 12);
}

TEST(CellChangesTest, OfAConvolutionWithNormalisationAreRejected) {
  ExpectAreRejected({kConvolution, {.steps = 2}}, 12);
}

TEST(CellChangesTest, OfARecordedRunAreRejected) {
  ExpectAreRejected({kRecorded, {.steps = 2, .slack = program::Slack{.tau = -8, .kappa = 4}}}, 12);
}

TEST(CellChangesTest, OfAGaugeTensorsStepsAreRejected) {
  ExpectAreRejected({kGauge, {.steps = 2, .slack = program::Slack{.tau = -8, .kappa = 4}}}, 48);
}

}  // namespace
}  // namespace flair::proof
