// Zero knowledge of whole proofs: what they show of the witness, by first-order statistics over
// a hundred proofs each, and by looking for committed values in them.
//
// And a simulator makes proofs without a witness that the same verifier accepts and the same
// statistics take for a prover's. That an opening's messages are uniform on all solutions of the
// verifier's equations, for every witness, is shown in zk/prover/batch_test.cc.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "proof/prover/simulator_testing.h"
#include "proof/prover/small_chunk_testing.h"
#include "zk/training/training_proof.h"

namespace flair::proof {
namespace {

constexpr std::string_view kTiny = R"(flair program 1
batch 1
data x [2] bits 8 scale 6
label y classes 2
param w [2, 2]
z = linear(x, w)
l = cross_entropy(z, y)
loss l
optimiser sgd()
schedule 1/16
profile limb 8
profile logit 8 6
profile activation 12 8
profile gradient 20 18
profile probability 12
)";

constexpr std::uint64_t kProofs = 120 / kOneIn;

// All that is seen but for hashes, part by part.
struct Seen {
  std::vector<zk::Fp> masked, rows, columns, messages;

  std::vector<const std::vector<zk::Fp>*> parts() const {
    return {&masked, &rows, &columns, &messages};
  }
};
constexpr const char* kPartNames[] = {"masked values", "combined rows", "columns", "mask messages"};

Seen SeenIn(const zk::BatchProof& opening) {
  Seen seen;
  const auto add = [](std::vector<zk::Fp>& to, const std::vector<zk::Fp2>& list) {
    for (const zk::Fp2& v : list) to.insert(to.end(), {v.a, v.b});
  };
  add(seen.masked, opening.masked);
  const auto add_group = [&](const zk::GroupOpening& group) {
    add(seen.rows, group.combined_row);
    for (const zk::OpenedMatrix& matrix : group.matrices) {
      for (const auto& column : matrix.columns) {
        seen.columns.insert(seen.columns.end(), column.begin(), column.end());
      }
    }
  };
  for (const zk::GroupOpening& group : opening.groups) add_group(group);
  if (opening.tail) {
    add(seen.rows, opening.tail->values);
    for (const auto& [at_0, at_2] : opening.tail->rounds) add(seen.rows, {at_0, at_2});
    add_group(opening.tail->opening);
  }
  add(seen.messages, opening.mask.low_degree);
  add(seen.messages, opening.mask.linear);
  add(seen.messages, opening.mask.quadratic);
  return seen;
}

// One statement but for the commitments: `which` decides data and weights. Every proof is of
// commitments of its own.
class Witness {
 public:
  explicit Witness(int which)
      : training_(program::Prepared(kTiny, {.rows = 3, .data = 0.3, .weights = 0.2})) {
    for (auto& cells : training_.data.columns) {
      for (auto& v : cells) v = which == 0 ? 0 : 1;
    }
    for (auto& cells : training_.state.carried) {
      for (auto& v : cells) v = which == 0 ? 0 : 123'456'789 - v;
    }
  }

  SmallChunk Commit(std::uint64_t seed, std::optional<bool> has_tail = {}) const {
    return SmallChunk::Make(training_, {.steps = 1, .seed = 10 * seed, .has_tail = has_tail})
        .value();
  }
  static Seen Prove(const SmallChunk& chunk, Env& env) {
    const Bytes proof = chunk.Prove(env).value();
    return SeenIn(zk::DecodeProof(chunk.plan().batch(), proof).value().opening);
  }

 private:
  program::Training training_;
};

// Counts of elements by their top bits.
constexpr std::size_t kBuckets = 64;
using Counts = std::array<double, kBuckets>;

void AddTo(Counts& counts, const std::vector<zk::Fp>& seen) {
  for (const zk::Fp v : seen) ++counts[v.value() >> 58];
}

// Of counts against the uniform distribution, in standard deviations: chi-square of k degrees has
// the mean k and the variance 2k.
double FromUniform(const Counts& counts) {
  double total = 0, chi = 0;
  for (const double c : counts) total += c;
  const double expected = total / kBuckets;
  for (const double c : counts) chi += (c - expected) * (c - expected) / expected;
  return (chi - (kBuckets - 1)) / std::sqrt(2.0 * (kBuckets - 1));
}

// Of two samples against each other, likewise.
double Apart(const Counts& a, const Counts& b) {
  double total_a = 0, total_b = 0, chi = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    total_a += a[i];
    total_b += b[i];
  }
  const double ratio = std::sqrt(total_b / total_a);
  for (std::size_t i = 0; i < kBuckets; ++i) {
    const double difference = a[i] * ratio - b[i] / ratio;
    chi += difference * difference / (a[i] + b[i]);
  }
  return (chi - (kBuckets - 1)) / std::sqrt(2.0 * (kBuckets - 1));
}

constexpr double kFar = 6;  // standard deviations

// Proofs of one kind: elements by their top bits, part by part, and place by place.
struct Sample {
  std::array<Counts, 4> counts{};
  std::vector<int> high;  // by place: how often the top bit is set

  void Add(const Seen& seen) {
    std::size_t place = 0;
    for (std::size_t part = 0; part < 4; ++part) {
      AddTo(counts[part], *seen.parts()[part]);
      high.resize(std::max(high.size(), place + seen.parts()[part]->size()));
      for (const zk::Fp v : *seen.parts()[part]) high[place++] += v.value() >> 63 ? 1 : 0;
    }
  }
};

// Of kProofs proofs each.
void ExpectAreNotToldApart(const Sample& a, const Sample& b) {
  for (std::size_t part = 0; part < 4; ++part) {
    EXPECT_LT(FromUniform(a.counts[part]), kFar) << kPartNames[part];
    EXPECT_LT(FromUniform(b.counts[part]), kFar) << kPartNames[part];
    EXPECT_LT(Apart(a.counts[part], b.counts[part]), kFar) << kPartNames[part];
  }
  // Place by place: deviations of sqrt(n)/2 and, of the difference, sqrt(n/2).
  ASSERT_EQ(a.high.size(), b.high.size());
  const double n = kProofs;
  for (std::size_t place = 0; place < a.high.size(); ++place) {
    EXPECT_NEAR(a.high[place], n / 2, kFar * std::sqrt(n) / 2) << place;
    EXPECT_NEAR(b.high[place], n / 2, kFar * std::sqrt(n) / 2) << place;
    EXPECT_NEAR(a.high[place], b.high[place], kFar * std::sqrt(n / 2)) << place;
  }
}

class ProofsWithAndWithoutTailTest : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(ZeroKnowledge, ProofsWithAndWithoutTailTest, testing::Bool());

TEST_P(ProofsWithAndWithoutTailTest, TwoWitnessesAreNotToldApart) {
  Sample samples[2];
  for (const int which : {0, 1}) {
    const Witness witness(which);
    for (std::uint64_t i = 0; i < kProofs; ++i) {
      const SmallChunk chunk =
          witness.Commit(1 + 2 * i + static_cast<std::uint64_t>(which), GetParam());
      samples[which].Add(Witness::Prove(chunk, *zk::SeededEnv(1 + i)));
    }
  }
  ExpectAreNotToldApart(samples[0], samples[1]);
  RecordProperty("elements", std::to_string(samples[0].high.size()));
  RecordProperty("proofs", std::to_string(2 * kProofs));
}

TEST_P(ProofsWithAndWithoutTailTest, ASimulatorIsAcceptedAndNotToldApart) {
  const Witness witness(1);
  const SmallChunk chunk = witness.Commit(1, GetParam());
  Sample proven, simulated;
  for (std::uint64_t i = 0; i < kProofs; ++i) {
    proven.Add(Witness::Prove(witness.Commit(1 + i, GetParam()), *zk::SeededEnv(1 + i)));
    const Simulator simulator(chunk.plan(), 1 + i);
    EXPECT_EQ(simulator.Judge(), "accepted");
    simulated.Add(SeenIn(simulator.proof()));
  }
  ExpectAreNotToldApart(proven, simulated);
}

// The same statistics see a prover without randomness: every proof shows the same.
TEST(ZeroKnowledgeOfRunsTest, TheTestSeesAProverWithoutRandomness) {
  const Witness witness(1);
  const SmallChunk chunk = witness.Commit(1);
  std::vector<int> high;
  constexpr int kFew = 40;
  for (int i = 0; i < kFew; ++i) {
    const Seen seen = Witness::Prove(chunk, *zk::SeededEnv(1));
    high.resize(seen.masked.size());
    for (std::size_t k = 0; k < high.size(); ++k) high[k] += seen.masked[k].value() >> 63 ? 1 : 0;
  }
  int far = 0;
  for (const int h : high) far += std::abs(h - kFew / 2) > kFar * std::sqrt(kFew) / 2 ? 1 : 0;
  EXPECT_EQ(far, static_cast<int>(high.size()));
}

// Elements are 64 bits wide and committed values a few hundred: by chance none is seen.
TEST(ZeroKnowledgeOfRunsTest, NoCommittedValueIsSeen) {
  const program::Training training =
      program::Prepared(kTiny, {.rows = 3, .data = 0.5, .weights = 0.2});
  std::uint64_t elements = 0, found = 0;
  std::set<std::uint64_t> values;
  for (std::uint64_t i = 0; i < 100 / kOneIn; ++i) {
    const SmallChunk chunk = SmallChunk::Make(training, {.steps = 1, .seed = 10 * i}).value();
    zk::RunValues run = chunk.ValuesOf(chunk.steps());
    if (i == 0) {
      const auto add = [&](std::int64_t v) {
        values.insert(zk::Fp::FromInt(v).value());
        values.insert(zk::Fp::FromInt(-v).value());
      };
      const std::vector<std::int32_t> limbs = chunk.Cells(run).value();
      for (const std::int32_t limb : limbs) add(limb);
      for (circuit::ValueId id = 0; id < chunk.circuit().values.size(); ++id) {
        for (const circuit::StepValues& step : chunk.steps()) {
          for (const std::int64_t v : step.now[id]) add(v);
          for (const std::int64_t v : step.next[id]) add(v);
        }
      }
      for (const auto& column : training.data.columns) {
        for (const std::int64_t v : column) add(v);
      }
    }
    const Seen seen = Witness::Prove(chunk, *zk::SeededEnv(1 + i));
    for (const auto* part : seen.parts()) {
      for (const zk::Fp v : *part) {
        ++elements;
        found += values.contains(v.value()) ? 1 : 0;
      }
    }
  }
  EXPECT_GT(values.size(), 50U);
  EXPECT_EQ(found, 0U) << "of " << elements << " elements";
  RecordProperty("values", std::to_string(values.size()));
  RecordProperty("elements", std::to_string(elements));
}

}  // namespace
}  // namespace flair::proof
