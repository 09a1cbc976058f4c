// The lookup argument on top of the masked opening: completeness, and what a cheat meets
// (attacks 1, 2, 4, 10, 11, 36).
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "base/threads.h"
#include "zk/batch/equations.h"
#include "zk/lookup/equations.h"
#include "zk/poly/eq.h"
#include "zk/prover/batch_testing.h"
#include "zk/prover/fraction_sumcheck.h"
#include "zk/prover/int_rows.h"
#include "zk/prover/lookup_prover.h"
#include "zk/verifier/lookup_verifier.h"

namespace flair::zk {
namespace {

using testing::HasSubstr;

constexpr QueryPolicy kFewQueries{.work_bits = 3, .fixed_queries = 12, .has_tail = false};

// Tables of every kind, and lookups in them: 1 is a range, 2 a sign with two tie rows, 3 a
// function with a selector, 4 a single row.
struct Example {
  std::vector<TableSegment> segments;
  std::vector<LookupBlock> lookups;
  std::vector<std::int32_t> cells;

  std::uint64_t Place(unsigned log_size) {
    const std::uint64_t size = std::uint64_t{1} << log_size;
    const std::uint64_t at = (cells.size() + size - 1) / size * size;
    cells.resize(at + size);
    return at;
  }
  void AddTable(TableSegment segment) {
    segment.multiplicities = Place(segment.log_rows);
    segments.push_back(std::move(segment));
  }
  // Rows of the class, drawn among its segments.
  void AddLookups(std::uint32_t class_number, unsigned log_size, std::mt19937_64& random) {
    std::vector<const TableSegment*> own;
    bool companions = false;
    for (const TableSegment& s : segments) {
      if (s.class_number == class_number) own.push_back(&s);
      companions = companions || class_number == 2 || class_number == 3;
    }
    LookupBlock block{.class_number = class_number, .log_size = log_size, .v = Place(log_size)};
    if (companions) block.c1 = Place(log_size);
    if (class_number == 3) block.c2 = Place(log_size);
    for (std::uint64_t i = 0; i < std::uint64_t{1} << log_size; ++i) {
      const TableSegment& s = *own[random() % own.size()];
      const std::uint64_t row = random() % (std::uint64_t{1} << s.log_rows);
      cells[block.v + i] = s.first + static_cast<std::int32_t>(row);
      if (block.c1) cells[*block.c1 + i] = s.c1.at(row);
      if (block.c2) cells[*block.c2 + i] = s.c2.at(row);
    }
    lookups.push_back(block);
  }
};

Example MakeExample(std::uint64_t seed, std::vector<unsigned> sizes) {
  std::mt19937_64 random(seed);
  Example made;
  made.AddTable({.class_number = 1, .log_rows = 4});
  made.AddTable({.class_number = 2, .log_rows = 3, .first = 0, .c1 = {.constant = 0}});
  made.AddTable({.class_number = 2, .log_rows = 3, .first = 8, .c1 = {.constant = 1}});
  made.AddTable({.class_number = 2, .log_rows = 0, .first = 8, .c1 = {.constant = 0}});
  made.AddTable({.class_number = 2, .log_rows = 0, .first = 7, .c1 = {.constant = 1}});
  made.AddTable({.class_number = 3, .log_rows = 2, .first = -1, .c1 = {.values = {9, -4, 5, 5}}});
  made.AddTable({.class_number = 3,
                 .log_rows = 0,
                 .first = 0,
                 .c1 = {.constant = -4},
                 .c2 = {.constant = 1}});
  made.AddTable({.class_number = 4, .log_rows = 0, .first = 77});
  std::uint32_t class_number = 0;
  for (const unsigned size : sizes) made.AddLookups(class_number++ % 4 + 1, size, random);
  return made;
}

class Scenario {
 public:
  explicit Scenario(Example example)
      : example_(std::move(example)),
        plan_(LookupPlan::Make(example_.segments, example_.lookups).value()) {
    MatrixShape witness{.log_columns = 5,
                        .log_n = 7,
                        .num_rows = (example_.cells.size() + 31) / 32,
                        .num_pads = 16,
                        .kind = MatrixKind::kWitness};
    batch_ =
        BatchPlan::Make(witness, {}, plan_.num_pads(), plan_.num_triples(), kFewQueries).value();
  }

  std::vector<std::int32_t>& cells() { return example_.cells; }
  const Example& example() const { return example_; }
  const LookupPlan& plan() const { return plan_; }
  void Count() { ASSERT_TRUE(CountLookups(plan_, example_.cells).ok()); }

  std::string Run(const std::function<void(BatchProof&, std::uint64_t&)>& change = {}) {
    Transcript prover_transcript("test");
    Transcript verifier_transcript("test");
    return RunOn(prover_transcript, verifier_transcript, change);
  }
  std::string RunOn(Transcript& prover_transcript, Transcript& verifier_transcript,
                    const std::function<void(BatchProof&, std::uint64_t&)>& change = {}) {
    const auto rows = std::make_shared<IntRows>(example_.cells, 32);
    BatchProver prover = BatchProver::Commit(*batch_, rows, {}, *SeededEnv(5)).value();
    prover.AbsorbRoots(prover_transcript);
    std::uint64_t nonce = 0;
    std::vector<Claim> proven;
    if (cheat_) {
      proven = cheat_(plan_, rows->cells(), prover_transcript, prover);
    } else {
      ProvenLookups honest = ProveLookups(plan_, rows->cells(), prover_transcript, prover);
      nonce = honest.nonce;
      proven = std::move(honest.claims);
    }
    proof_ = prover.Prove(prover_transcript, proven).value();
    if (change) change(proof_, nonce);

    auto begun = BatchVerifier::Begin(*batch_, {prover.witness_root()}, {}, proof_);
    if (!begun.ok()) return begun.error().message();
    begun->AbsorbRoots(verifier_transcript);
    const auto claims = CheckLookups(plan_, nonce, verifier_transcript, *begun);
    if (!claims.ok()) return claims.error().message();
    const Status checked = begun->Check(verifier_transcript, *claims);
    return checked.ok() ? "accepted" : checked.error().message();
  }
  const BatchProof& proof() const { return proof_; }

  using Prover = std::vector<Claim>(const LookupPlan& plan, std::span<const std::int32_t> cells,
                                    Transcript& transcript, BatchProver& values);
  void UseProver(std::function<Prover> cheat) { cheat_ = std::move(cheat); }

 private:
  Example example_;
  LookupPlan plan_;
  std::optional<BatchPlan> batch_;
  BatchProof proof_;
  std::function<Prover> cheat_;
};

TEST(LookupTest, RowsOfTheirTablesAreAccepted) {
  std::uint64_t seed = 0;
  for (const std::vector<unsigned>& sizes : {std::vector<unsigned>{0},
                                             {1, 0},
                                             {0, 0, 0, 0},
                                             {3, 2, 1, 0, 3},
                                             {5, 5, 5},
                                             {6, 4, 2, 0, 0, 1},
                                             {7, 0, 3, 3, 7},
                                             {2, 9, 2},
                                             {0, 0, 10},
                                             {17, 16}}) {
    Scenario scenario(MakeExample(++seed, sizes));
    scenario.Count();
    EXPECT_EQ(scenario.Run(), "accepted") << seed;
  }
}

TEST(LookupTest, TheThreadsDoNotShow) {
  Scenario scenario(MakeExample(3, {14, 12, 15, 13}));
  scenario.Count();
  ASSERT_EQ(scenario.Run(), "accepted");
  const BatchProof first = scenario.proof();
  SetThreadCount(5);
  ASSERT_EQ(scenario.Run(), "accepted");
  SetThreadCount(0);
  EXPECT_EQ(scenario.proof().masked, first.masked);
}

// The leaf claims are what the tree's leaves are by definition.
TEST(LookupTest, LeafClaimsAreTheLeavesExtensions) {
  Scenario scenario(MakeExample(8, {2, 3, 1, 0}));
  scenario.Count();
  const LookupPlan& plan = scenario.plan();
  Transcript transcript("points");
  const LookupChallenges c = DrawLookupChallenges(transcript);
  std::vector<Fp2> point;
  for (unsigned i = 0; i < plan.num_layers(); ++i) point.push_back(transcript.Draw(Label::kPoint));
  const std::vector<Fp2> eq = EqTable(point);
  Fp2 p;
  Fp2 q;
  std::uint64_t at = 0;
  for (const LookupPlan::LeafBlock& leaves : plan.leaf_blocks()) {
    ASSERT_EQ(leaves.first_leaf, at);
    for (std::uint64_t i = 0; i < std::uint64_t{1} << leaves.log_size; ++i, ++at) {
      const auto key = [&](std::uint32_t number, std::int64_t v, std::int64_t c1, std::int64_t c2) {
        return c.beta0 * Fp(number) + Fp2(Fp::FromInt(v)) + c.beta1 * Fp::FromInt(c1) +
               c.beta2 * Fp::FromInt(c2);
      };
      if (leaves.is_table) {
        const TableSegment& s = plan.segments()[leaves.index];
        const auto row = static_cast<std::int32_t>(i);
        p -= eq[at] * Fp::FromInt(scenario.cells()[s.multiplicities + i]);
        q += eq[at] * (c.alpha - key(s.class_number, s.first + row, s.c1.at(i), s.c2.at(i)));
      } else {
        const LookupBlock& b = plan.lookups()[leaves.index];
        p += eq[at];
        q += eq[at] * (c.alpha - key(b.class_number, scenario.cells()[b.v + i],
                                     b.c1 ? scenario.cells()[*b.c1 + i] : 0,
                                     b.c2 ? scenario.cells()[*b.c2 + i] : 0));
      }
    }
  }
  for (; at < eq.size(); ++at) q += eq[at];
  const std::vector<Claim> claims = LeafClaims(plan, c, point, Masked(p), Masked(q));
  for (const Claim& claim : claims) {
    std::vector<Fp2> cells(1024);
    ASSERT_LE(scenario.cells().size(), cells.size());
    AddWeights(claim, Fp2(1), cells);
    Fp2 value;
    for (std::size_t i = 0; i < scenario.cells().size(); ++i) {
      value += cells[i] * Fp::FromInt(scenario.cells()[i]);
    }
    EXPECT_EQ(value, claim.value.known());
  }
}

TEST(LookupTest, ALookupThatIsNoRowIsNamed) {
  Scenario scenario(MakeExample(2, {3, 3, 3, 3}));
  const std::uint64_t cell = scenario.example().lookups[0].v + 5;
  scenario.cells()[cell] = 16;
  const Status counted = CountLookups(scenario.plan(), scenario.cells());
  EXPECT_EQ(counted.error().message(),
            "cell " + std::to_string(cell) + " holds 16, which is no row of table 1");
}

// Attacks 1, 2, 4, 10: every cell that the argument reads, changed in every way, counts as they
// were or adapted as well as they can be.
TEST(LookupTest, EveryChangedCellIsRejected) {
  Scenario scenario(MakeExample(4, {3, 3, 2, 1}));
  scenario.Count();
  const std::vector<std::int32_t> honest = scenario.cells();
  std::size_t rejected = 0;
  const auto expect_rejected = [&](const std::string& what) {
    EXPECT_THAT(scenario.Run(), HasSubstr("constraint")) << what;
    scenario.cells() = honest;
    ++rejected;
  };
  const auto change_all = [&](std::uint64_t first, unsigned log_size, const std::string& what) {
    for (std::uint64_t i = 0; i < std::uint64_t{1} << log_size; ++i) {
      for (const std::int32_t change : {1, -1, 16, 1 << 20}) {
        scenario.cells()[first + i] += change;
        expect_rejected(what + " " + std::to_string(i));
      }
    }
  };
  for (const LookupBlock& block : scenario.example().lookups) {
    change_all(block.v, block.log_size, "v of " + std::to_string(block.class_number));
    if (block.c1) change_all(*block.c1, block.log_size, "c1");
    if (block.c2) change_all(*block.c2, block.log_size, "c2");
  }
  for (const TableSegment& s : scenario.example().segments) {
    change_all(s.multiplicities, s.log_rows, "counts");
  }
  // A count moved to a row of another class, and to a negative one.
  const auto& segments = scenario.example().segments;
  scenario.cells()[segments[0].multiplicities + 3] += 1;
  scenario.cells()[segments[1].multiplicities + 3] -= 1;
  expect_rejected("a foreign class");
  RecordProperty("rejected", static_cast<int>(rejected));
  EXPECT_GT(rejected, 200U);
}

TEST(LookupTest, EveryChangedMessageIsRejected) {
  Scenario scenario(MakeExample(6, {2, 1, 0}));
  scenario.Count();
  ASSERT_EQ(scenario.Run(), "accepted");
  const std::size_t messages = scenario.plan().num_pads() + 2 * scenario.plan().num_triples();
  ASSERT_LE(messages, scenario.proof().masked.size());
  for (std::size_t i = 0; i < messages; ++i) {
    EXPECT_NE(scenario.Run([&](BatchProof& proof, auto&) { proof.masked[i] += Fp2(1); }),
              "accepted")
        << i;
  }
}

// Challenges that the cheat knows before: those that Fiat-Shamir keeps from it.
class KnownTranscript final : public Transcript {
 public:
  KnownTranscript() : Transcript("test") {}

 private:
  Digest Step(std::uint8_t tag, Label label, ByteView message) const override {
    if (label != Label::kLookupChallenge) return Transcript::Step(tag, label, message);
    Digest known;  // every draw is 5
    known.bytes[0] = std::byte{5};
    return known;
  }
};

// Attack 11: two leaves at alpha itself make p = q = 0 at the root, whatever the others are.
TEST(LookupTest, DenominatorsOfZeroAreNoProof) {
  Example example;
  example.AddTable({.class_number = 1, .log_rows = 3, .first = 1});
  std::mt19937_64 random(1);
  example.AddLookups(1, 3, random);
  Scenario scenario(example);
  scenario.Count();
  const auto run = [&] {
    KnownTranscript prover;
    KnownTranscript verifier;
    return scenario.RunOn(prover, verifier);
  };
  ASSERT_EQ(run(), "accepted");
  // alpha = beta0 = (5, 5), so that v = 0 of class 1, which is no row, has key alpha.
  scenario.cells()[example.lookups[0].v] = 0;
  scenario.cells()[example.lookups[0].v + 6] = 0;
  EXPECT_THAT(run(), HasSubstr("constraint"));
}

// Some words of the lookups' challenges are known to the cheat: alpha's, or all betas'. Each of
// these is 1.
class KnownChallenges final : public Transcript {
 public:
  enum class Which { kAlpha, kBetas };
  explicit KnownChallenges(Which which) : Transcript("test"), which_(which) {}

 private:
  Digest Step(std::uint8_t tag, Label label, ByteView message) const override {
    Digest step = Transcript::Step(tag, label, message);
    if (tag != 2 || label != Label::kLookupChallenge) return step;
    const int word = word_++;  // of alpha and three betas, two each; then those of the layers
    const bool is_known = which_ == Which::kAlpha ? word < 2 : word >= 2 && word < 8;
    if (is_known) {
      std::fill_n(step.bytes.begin(), 8, std::byte{0});
      step.bytes[0] = word % 2 == 0 ? std::byte{1} : std::byte{0};
    }
    return step;
  }
  Which which_;
  mutable int word_ = 0;
};

// Rejected, but for challenges that the cheat knew.
void ExpectOnlyKnownChallengesPass(Scenario& scenario, KnownChallenges::Which which) {
  KnownChallenges prover(which);
  KnownChallenges verifier(which);
  EXPECT_EQ(scenario.RunOn(prover, verifier), "accepted") << "the cheat does not work at all";
  EXPECT_EQ(scenario.Run(), "masks: a constraint between pads does not hold");
}

// Tuples that have the key of another row when betas are 1.
TEST(LookupTest, RowsThatAKnownBetaConfusesAreRejected) {
  const Example example = MakeExample(9, {2, 2, 2, 2});
  const auto counts_of = [&](std::size_t segment) {
    return example.segments[segment].multiplicities;
  };
  const auto make = [&](const std::function<void(std::vector<std::int32_t>&)>& change) {
    Scenario scenario(example);
    auto& cells = scenario.cells();
    // One honest row each, whatever was drawn.
    cells[example.lookups[0].v] = 3;
    cells[example.lookups[1].v] = 9;
    cells[*example.lookups[1].c1] = 1;
    cells[example.lookups[2].v] = 0;
    cells[*example.lookups[2].c1] = -4;
    cells[*example.lookups[2].c2] = 1;
    scenario.Count();
    change(cells);
    return scenario;
  };
  Scenario beta0 = make([&](auto& cells) {  // 1 + 80 = 4 + 77
    cells[example.lookups[0].v] = 80;
    --cells[counts_of(0) + 3];
    ++cells[counts_of(7)];
  });
  Scenario beta1 = make([&](auto& cells) {  // 10 + 0 = 9 + 1
    cells[example.lookups[1].v] = 10;
    cells[*example.lookups[1].c1] = 0;
  });
  Scenario beta2 = make([&](auto& cells) {  // 1 + 0 = 0 + 1
    cells[example.lookups[2].v] = 1;
    cells[*example.lookups[2].c2] = 0;
  });
  for (Scenario* const scenario : {&beta0, &beta1, &beta2}) {
    ExpectOnlyKnownChallengesPass(*scenario, KnownChallenges::Which::kBetas);
  }
}

// Counts that make up for a value which is no row, at one alpha: 1/(1-13) = 1/(1-4) - 1/(1-5).
TEST(LookupTest, CountsThatFitAKnownAlphaAreRejected) {
  Example example;
  example.AddTable({.class_number = 0, .log_rows = 3, .first = 2});
  std::mt19937_64 random(1);
  example.AddLookups(0, 3, random);
  example.cells[example.lookups[0].v] = 2;
  Scenario scenario(example);
  scenario.Count();
  scenario.cells()[example.lookups[0].v] = 13;
  const std::uint64_t counts = example.segments[0].multiplicities;
  --scenario.cells()[counts];
  ++scenario.cells()[counts + 2];
  --scenario.cells()[counts + 3];
  ExpectOnlyKnownChallengesPass(scenario, KnownChallenges::Which::kAlpha);
}

// 2^23 lookups, of which nobody has to see a cell before the work is looked at.
TEST(LookupTest, ANonceWithoutWorkIsRejected) {
  const LookupPlan plan =
      LookupPlan::Make({{.class_number = 1, .log_rows = 4}},
                       {{.class_number = 1, .log_size = 23, .v = std::uint64_t{1} << 23}})
          .value();
  ASSERT_GT(plan.work_bits(), 0U);
  const MatrixShape witness{
      .log_columns = 5, .log_n = 7, .num_rows = 1, .num_pads = 16, .kind = MatrixKind::kWitness};
  const BatchPlan batch =
      BatchPlan::Make(witness, {}, plan.num_pads(), plan.num_triples(), kFewQueries).value();
  BatchProof proof;
  proof.masked.resize(batch.mask().num_pads() + 2 * batch.mask().num_triples());
  proof.groups.emplace_back().combined_row.resize(witness.row_length());
  int rejected = 0;
  for (std::uint64_t nonce = 0; nonce < 40; ++nonce) {
    Transcript ahead("test");
    const bool works = ahead.CheckWork(Label::kLookupWork, plan.work_bits(), nonce);
    Transcript transcript("test");
    BatchVerifier verifier = BatchVerifier::Begin(batch, {Digest{}}, {}, proof).value();
    const auto claims = CheckLookups(plan, nonce, transcript, verifier);
    EXPECT_EQ(claims.ok() ? "accepted" : claims.error().message(),
              works ? "accepted" : "the nonce of the lookups has no work behind it");
    rejected += works ? 0 : 1;
  }
  EXPECT_GT(rejected, 0);
}

// A prover that lies where no layer's sum can tell: it makes the root 0 by a false child, and
// then sends the rounds of the true tree. Only the first of these rounds contradicts it. What
// cannot be hidden it states, or leaves out.
std::vector<Claim> ForgeLookups(const LookupPlan& plan, std::span<const std::int32_t> cells,
                                Transcript& transcript, BatchProver& values, bool states_rounds) {
  (void)transcript.Grind(Label::kLookupWork, plan.work_bits());
  const LookupChallenges challenges = DrawLookupChallenges(transcript);
  const FractionTree tree(plan, challenges, cells);
  const Fp2 root_q = tree.root_q();
  const auto root = values.SendProduct(transcript, Label::kLookupMessage, root_q, root_q.Inverse());
  values.RequireZero(root.product.masked - Masked(Fp2(1)));
  Fp2 true_p;
  Fp2 true_q = root_q;
  Masked p;
  Masked q = root.a.masked;
  std::vector<Fp2> point;
  for (unsigned layer = 0; layer < plan.num_layers(); ++layer) {
    const Fp2 mu = transcript.Draw(Label::kLookupChallenge);
    Masked claim = p + q * mu;
    Fp2 true_claim = true_p + mu * true_q;
    FractionSumcheck sumcheck(tree, layer, mu, point);
    std::vector<Fp2> next;
    for (unsigned round = 0; round < layer; ++round) {
      const Fp2 r = point[round];
      const auto [at0, at2] = sumcheck.Round();
      const Fp2 at1 = (true_claim - (Fp2(1) - r) * at0) * r.Inverse();
      const auto h = values.Send(transcript, Label::kSumcheckMessage, {at0, at1, at2});
      if (states_rounds) values.RequireZero(AtLinear(h[0].masked, h[1].masked, r) - claim);
      next.push_back(transcript.Draw(Label::kSumcheckChallenge));
      claim = AtQuadratic(h[0].masked, h[1].masked, h[2].masked, next.back());
      true_claim = AtQuadratic(Masked(at0), Masked(at1), Masked(at2), next.back()).known();
      sumcheck.Fold(next.back());
    }
    const FractionSumcheck::Last last = sumcheck.last();
    const Fp2 p0 = last.mixed - mu * last.q0;
    const Fp2 p1 = layer == 0 ? -(p0 * last.q1) * last.q0.Inverse() : last.p1;
    const auto left = values.SendProduct(transcript, Label::kLookupMessage, last.mixed, last.q1);
    const auto right = values.SendProduct(transcript, Label::kLookupMessage, p1, last.q0);
    values.RequireZero(left.product.masked + right.product.masked - claim);
    const Fp2 child = transcript.Draw(Label::kSumcheckChallenge);
    true_p = (Fp2(1) - child) * p0 + child * last.p1;
    true_q = (Fp2(1) - child) * last.q0 + child * last.q1;
    p = AtLinear(left.a.masked - right.b.masked * mu, right.a.masked, child);
    q = AtLinear(right.b.masked, left.b.masked, child);
    next.insert(next.begin(), child);
    point = std::move(next);
  }
  return LeafClaims(plan, challenges, point, p, q);
}

TEST(LookupTest, ALieThatOnlyARoundContradictsIsRejected) {
  for (const bool states_rounds : {true, false}) {
    Scenario scenario(MakeExample(4, {3, 3, 2, 1}));
    scenario.Count();
    scenario.UseProver([&](const LookupPlan& plan, std::span<const std::int32_t> cells,
                           Transcript& transcript, BatchProver& values) {
      return ForgeLookups(plan, cells, transcript, values, states_rounds);
    });
    if (states_rounds) {
      EXPECT_EQ(scenario.Run(), "accepted");  // what is true needs no lie
    }
    scenario.cells()[scenario.example().lookups[0].v] += 16;
    EXPECT_EQ(scenario.Run(), "masks: a constraint between pads does not hold");
  }
}

TEST(LookupTest, APlanRefusesWhatCannotBe) {
  const auto says = [](const std::function<void(Example&)>& change) {
    Example example = MakeExample(1, {2, 2, 2, 0});
    change(example);
    const auto plan = LookupPlan::Make(example.segments, example.lookups);
    return plan.ok() ? "" : plan.error().message();
  };
  EXPECT_EQ(says([](Example&) {}), "");
  EXPECT_THAT(says([](Example& e) { e.lookups[0].class_number = 9; }), HasSubstr("have no table"));
  EXPECT_THAT(says([](Example& e) { e.lookups[0].v += 1; }), HasSubstr("not aligned"));
  EXPECT_THAT(says([](Example& e) { e.lookups.clear(); }), HasSubstr("without lookups"));
  EXPECT_THAT(says([](Example& e) { e.segments[0].multiplicities += 1; }),
              HasSubstr("not aligned"));
  EXPECT_THAT(says([](Example& e) { e.segments[5].c1.values.pop_back(); }),
              HasSubstr("another length"));
  EXPECT_THAT(says([](Example& e) { e.segments[0].log_rows = 32; }), HasSubstr("too large"));
  EXPECT_EQ(says([](Example& e) { e.segments[0].first = 0x7fff'fff0; }), "");
  EXPECT_THAT(says([](Example& e) { e.segments[0].first = 0x7fff'fff1; }), HasSubstr("too large"));
  // More lookups than a count can hold, of one class and of all.
  const auto add_block = [](Example& e, std::uint32_t class_number, unsigned log_size) {
    e.lookups.push_back({.class_number = class_number, .log_size = log_size, .v = 0});
  };
  EXPECT_EQ(says([&](Example& e) { add_block(e, 1, 30); }), "");
  EXPECT_THAT(says([&](Example& e) { add_block(e, 1, 31); }), HasSubstr("2^31 lookups or more"));
  EXPECT_THAT(says([&](Example& e) {
                for (const std::uint32_t c : {1, 2, 3, 4, 5}) {
                  e.AddTable({.class_number = 5, .log_rows = 0, .first = static_cast<int>(c)});
                  add_block(e, c, 30);
                }
              }),
              HasSubstr("more than 2^32 lookups"));
  // Attack 36: a row that occurs twice could hide a count.
  EXPECT_THAT(says([](Example& e) { e.segments[3].c1.constant = 1; }),
              HasSubstr("table 2 has the row of 8 twice"));
  EXPECT_THAT(says([](Example& e) { e.segments[6].c2.constant = 0; }),
              HasSubstr("table 3 has the row of 0 twice"));
}

}  // namespace
}  // namespace flair::zk
