// A circuit's zeros and lookups on top of the masked opening: completeness over steps and sizes,
// and what changed cells meet.
// SPDX-License-Identifier: Apache-2.0
#include "zk/relation/relations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "circuit/circuit_testing.h"
#include "circuit/gadgets/ratio.h"
#include "circuit/gadgets/root.h"
#include "zk/mask/counting_channel.h"
#include "zk/prover/batch_testing.h"
#include "zk/prover/int_rows.h"
#include "zk/prover/lookup_prover.h"
#include "zk/prover/run_values.h"
#include "zk/verifier/lookup_verifier.h"

namespace flair::zk {
namespace {

using circuit::Circuit;
using circuit::Ints;
using circuit::MakePerceptron;
using circuit::Perceptron;
using circuit::StepInputs;
using circuit::StepValues;
using circuit::ValueId;

constexpr QueryPolicy kFewQueries{.work_bits = 3, .fixed_queries = 12, .has_tail = false};
constexpr unsigned kLogColumns = 6;

class Scenario {
 public:
  Scenario(const Circuit& circuit, RunValues& values) : circuit_(circuit), values_(values) {
    auto layout = Layout::Make(circuit, values.num_steps());
    EXPECT_TRUE(layout.ok()) << (layout.ok() ? "" : layout.error().message());
    layout_.emplace(std::move(*layout));
    cells_ = values.Cells(*layout_);
    CountingChannel counts;
    Transcript dry("test");
    Relations(circuit, *layout_, values, dry, counts, nullptr).ShowZeros();
    const std::uint64_t columns = std::uint64_t{1} << kLogColumns;
    const MatrixShape witness{.log_columns = kLogColumns,
                              .log_n = kLogColumns + 2,
                              .num_rows = (layout_->num_cells() + columns - 1) / columns,
                              .num_pads = 16,
                              .kind = MatrixKind::kWitness};
    plan_.emplace(BatchPlan::Make(witness, {}, counts.num_pads() + layout_->lookups().num_pads(),
                                  counts.num_triples() + layout_->lookups().num_triples(),
                                  kFewQueries)
                      .value());
  }

  std::vector<std::int32_t>& cells() { return cells_; }
  const Layout& layout() const { return *layout_; }

  // The prover's circuit, of the same numbers; the verifier's is another.
  void ProveInstead(const Circuit& circuit) { proven_ = &circuit; }

  // What the verifier says: empty when it accepts.
  std::string Run() {
    const Status counted = CountLookups(layout_->lookups(), cells_);
    if (!counted.ok()) return counted.error().message();
    BatchProver prover =
        BatchProver::Commit(*plan_, std::make_shared<IntRows>(cells_, 1U << kLogColumns), {},
                            *SeededEnv(1))
            .value();
    Transcript proving("test");
    prover.AbsorbRoots(proving);
    ProvenLookups lookups = ProveLookups(layout_->lookups(), cells_, proving, prover);
    Relations shown(proven_ ? *proven_ : circuit_, *layout_, values_, proving, prover, &values_);
    shown.ShowZeros();
    std::vector<Claim> claims = std::move(lookups.claims);
    for (Claim& claim : shown.TakeClaims()) claims.push_back(std::move(claim));
    const BatchProof proof = prover.Prove(proving, claims).value();

    Transcript verifying("test");
    BatchVerifier verifier =
        BatchVerifier::Begin(*plan_, {prover.witness_root()}, prover.companion_roots(), proof)
            .value();
    verifier.AbsorbRoots(verifying);
    auto checked = CheckLookups(layout_->lookups(), lookups.nonce, verifying, verifier);
    if (!checked.ok()) return checked.error().message();
    Relations relations(circuit_, *layout_, values_, verifying, verifier, nullptr);
    relations.ShowZeros();
    for (Claim& claim : relations.TakeClaims()) checked->push_back(std::move(claim));
    const Status verdict = verifier.Check(verifying, *checked);
    return verdict.ok() ? "" : verdict.error().message();
  }

 private:
  const Circuit& circuit_;
  const Circuit* proven_ = nullptr;
  RunValues& values_;
  std::optional<Layout> layout_;
  std::optional<BatchPlan> plan_;
  std::vector<std::int32_t> cells_;
};

// Steps of one perceptron, each on data of its own.
RunValues RunOf(const Perceptron& p, std::uint64_t num_steps) {
  RunValues values(p.circuit);
  StepInputs inputs = RandomInputs(p, 1);
  for (std::uint64_t t = 0; t < num_steps; ++t) {
    inputs.cells[p.x] = RandomInputs(p, 100 + t).cells[p.x];
    const StepValues step = circuit::RunStep(p.circuit, inputs).value();
    values.Add(step);
    inputs.cells[p.w1] = step.next[p.w1];
    inputs.cells[p.w2] = step.next[p.w2];
  }
  return values;
}

TEST(RelationsTest, HonestStepsAreProven) {
  for (const std::uint64_t steps : {1, 2, 3, 4, 7}) {
    const Perceptron p = MakePerceptron({});
    RunValues values = RunOf(p, steps);
    EXPECT_EQ(Scenario(p.circuit, values).Run(), "") << steps << " steps";
  }
}

TEST(RelationsTest, AnySizeIsProven) {
  for (const std::size_t n : {1, 2, 3, 4, 6}) {
    const Perceptron p = MakePerceptron({.batch = n, .in = 7 - n, .hidden = n, .out = 5});
    RunValues values = RunOf(p, 2);
    EXPECT_EQ(Scenario(p.circuit, values).Run(), "") << n;
  }
}

// Changed before the prover sees it: its sums are about what it committed to.
TEST(RelationsTest, EveryChangedNumberIsRejected) {
  const Perceptron p = MakePerceptron({.batch = 2, .in = 3, .hidden = 2, .out = 1});
  std::vector<StepValues> steps;
  StepInputs inputs = RandomInputs(p, 1);
  for (int t = 0; t < 2; ++t) {
    steps.push_back(circuit::RunStep(p.circuit, inputs).value());
    inputs.cells[p.w1] = steps.back().next[p.w1];
    inputs.cells[p.w2] = steps.back().next[p.w2];
  }
  std::size_t changes = 0;
  for (ValueId id = 0; id < p.circuit.values.size(); ++id) {
    const circuit::Value& value = p.circuit[id];
    if (value.kind != circuit::Value::Kind::kNumber || id == p.x) continue;
    const std::size_t size = steps[0].now[id].size();
    for (std::size_t cell = 0; cell < size; ++cell) {
      const bool is_state = value.number.is_state;
      const std::int64_t honest = is_state ? steps[0].next[id][cell] : steps[0].now[id][cell];
      for (const std::int64_t v : {honest - 1, honest + 1, value.lo, value.hi}) {
        if (v == honest || v < value.lo || v > value.hi) continue;
        std::vector<StepValues> changed = steps;
        (is_state ? changed[0].next : changed[0].now)[id][cell] = v;
        RunValues values(p.circuit);
        for (const StepValues& step : changed) values.Add(step);
        EXPECT_NE(Scenario(p.circuit, values).Run(), "") << value.name << " cell " << cell;
        ++changes;
      }
    }
  }
  EXPECT_GT(changes, 100U);
}

// What an optimiser makes of a gradient x: v' = v + x^2, D = 8 sqrt(v') + e, W' = W - round(F x /
// D), where x was multiplied by a number without axes. e stands beside a form of ones.
struct Descent {
  Circuit circuit;
  ValueId x, v, w, e, f;
};

Descent MakeDescent() {
  Descent d{};
  circuit::Builder b;
  const circuit::AxisId n = b.AddAxis("n", 3);
  const auto term = [](std::int64_t c, std::vector<circuit::Read> factors) -> circuit::Term {
    return {.coefficient = c, .factors = std::move(factors), .windows = {}};
  };
  const auto next = [&](ValueId state) {
    circuit::Read read = b.At(state);
    read.moment = circuit::Moment::kNext;
    return read;
  };
  using circuit::Carried;
  d.x = b.AddData("x", {n}, circuit::Signed(8, 8, "data"), 0);
  d.w = b.AddState("w", {n}, circuit::Signed(16, 8, ""), Carried::Role::kWeight);
  d.v = b.AddState("v", {n}, circuit::Unsigned(20, 8, ""), Carried::Role::kState);
  d.e = b.AddPublic("e", {}, 1, 9);
  d.f = b.AddPublic("f", {}, 0, 99);
  const ValueId sum = b.Divide("sum", b.AddForm("sum", {}, {.terms = {term(1, {b.At(d.x)})}}), 3,
                               circuit::Signed(8, 8, ""));
  const ValueId g = b.Round("g", b.AddForm("g", {n}, {.terms = {term(1, {b.At(d.x), b.At(sum)})}}),
                            6, circuit::Signed(9, 8, ""));
  b.DivideInto(
      d.v, b.AddForm("v.next", {n}, {.terms = {term(1, {b.At(d.v)}), term(1, {b.At(g), b.At(g)})}}),
      1);
  const ValueId after = b.AddForm("v.after", {n}, {.terms = {term(1, {next(d.v)})}});
  const ValueId root = circuit::Root(b, "root", after, circuit::Unsigned(10, 8, ""));
  const ValueId one = b.AddForm("one", {n}, {.terms = {}, .constant = 1});
  const ValueId divisor = b.AddForm(
      "divisor", {n}, {.terms = {term(8, {b.At(root)}), term(1, {b.At(one), b.At(d.e)})}});
  const ValueId dividend = b.AddForm("dividend", {n}, {.terms = {term(1, {b.At(g), b.At(d.f)})}});
  const ValueId u = circuit::Ratio(b, "u", dividend, divisor, circuit::Signed(10, 8, ""));
  b.DivideInto(d.w,
               b.AddForm("w.next", {n}, {.terms = {term(1, {b.At(d.w)}), term(-1, {b.At(u)})}}), 1);
  d.circuit = std::move(b).Finish().value();
  return d;
}

TEST(RelationsTest, RootsAndQuotientsAreProvenAndNothingElse) {
  const Descent d = MakeDescent();
  std::vector<StepValues> steps;
  StepInputs inputs{.cells = std::vector<Ints>(d.circuit.values.size())};
  inputs.cells[d.w] = {5, -900, 0};
  inputs.cells[d.v] = {0, 0, 0};
  for (const std::int64_t t : {0, 1}) {
    inputs.cells[d.x] = {90 + t, -77, 3};
    inputs.cells[d.e] = {1 + t};
    inputs.cells[d.f] = {99 - t};
    steps.push_back(circuit::RunStep(d.circuit, inputs).value());
    inputs.cells[d.w] = steps.back().next[d.w];
    inputs.cells[d.v] = steps.back().next[d.v];
  }
  const auto run = [&](const std::vector<StepValues>& of) {
    RunValues values(d.circuit);
    for (const StepValues& step : of) values.Add(step);
    return Scenario(d.circuit, values).Run();
  };
  EXPECT_EQ(run(steps), "");
  for (ValueId id = 0; id < d.circuit.values.size(); ++id) {
    const circuit::Value& value = d.circuit[id];
    if (value.kind != circuit::Value::Kind::kNumber) continue;
    for (std::size_t cell = 0; cell < steps[1].now[id].size(); ++cell) {
      std::vector<StepValues> changed = steps;
      Ints& cells = value.number.is_state ? changed[1].next[id] : changed[1].now[id];
      cells[cell] += cells[cell] == value.hi ? -1 : 1;
      EXPECT_NE(run(changed), "") << value.name << " cell " << cell;
    }
  }
}

// g = round((x y - z w + constant) u / 8), where the form in brackets has no cells of its own: that
// it is the two products is said between values alone.
struct Bracket {
  Circuit circuit;
  std::vector<ValueId> data;
};

Bracket MakeBracket(std::int64_t constant) {
  Bracket made;
  circuit::Builder b;
  const circuit::AxisId n = b.AddAxis("n", 3);
  for (const char* name : {"x", "y", "z", "w", "u"}) {
    made.data.push_back(b.AddData(name, {n}, circuit::Signed(4, 4, "data"),
                                  static_cast<std::int64_t>(made.data.size())));
  }
  const auto product = [&](std::int64_t c, ValueId left, ValueId right) -> circuit::Term {
    return {.coefficient = c, .factors = {b.At(left), b.At(right)}, .windows = {}};
  };
  const ValueId bracket = b.AddForm(
      "bracket", {n},
      {.terms = {product(1, made.data[0], made.data[1]), product(-1, made.data[2], made.data[3])},
       .constant = constant});
  b.Round("g", b.AddForm("scaled", {n}, {.terms = {product(1, bracket, made.data[4])}}), 3,
          circuit::Signed(12, 6, ""));
  made.circuit = std::move(b).Finish().value();
  return made;
}

TEST(RelationsTest, AFormOfProductsAloneIsWhatItSays) {
  const Bracket honest = MakeBracket(0);
  const Bracket false_one = MakeBracket(8);
  for (const bool lies : {false, true}) {
    const Bracket& proven = lies ? false_one : honest;
    StepInputs inputs{.cells = std::vector<Ints>(proven.circuit.values.size())};
    for (std::size_t i = 0; i < proven.data.size(); ++i) {
      inputs.cells[proven.data[i]] = {static_cast<std::int64_t>(i) + 1, -3, 2};
    }
    RunValues values(proven.circuit);
    values.Add(circuit::RunStep(proven.circuit, inputs).value());
    Scenario scenario(honest.circuit, values);
    scenario.ProveInstead(proven.circuit);
    EXPECT_EQ(scenario.Run(), lies ? "masks: a constraint between pads does not hold" : "");
  }
}

// Terms of every shape that a circuit can have, between small tensors.
class RandomCircuit {
 public:
  explicit RandomCircuit(std::uint64_t seed) : random_(seed) {
    for (int i = 0; i < 5; ++i) axes_.push_back(builder_.AddAxis(Name("axis"), 1 + Below(5)));
    for (int i = 0; i < 3; ++i) {
      sources_.push_back(
          builder_.AddData(Name("data"), Choose(), circuit::Signed(5, 3, "data"), i));
    }
    scalar_ = builder_.AddPublic("rate", {}, -3, 3);
    for (int i = 0; i < 3; ++i) {
      std::vector<circuit::AxisId> axes = Choose();
      const ValueId form = builder_.AddForm(Name("form"), axes, RandomForm(axes));
      if (i == 0) sources_.push_back(form);
      numbers.push_back(builder_.Round(Name("number"), form, 0, circuit::Signed(50, 9, "")));
    }
    auto made = std::move(builder_).Finish();
    EXPECT_TRUE(made.ok()) << (made.ok() ? "" : made.error().message());
    circuit = std::move(*made);
  }

  StepInputs Inputs() {
    StepInputs inputs;
    inputs.cells.resize(circuit.values.size());
    for (ValueId id = 0; id < circuit.values.size(); ++id) {
      const circuit::Value& value = circuit[id];
      if (value.kind == circuit::Value::Kind::kForm) continue;
      inputs.cells[id].resize(circuit.SizeOf(value.axes));
      const auto width = static_cast<std::uint64_t>(value.hi - value.lo) + 1;
      for (auto& v : inputs.cells[id]) v = value.lo + static_cast<std::int64_t>(Below(width));
    }
    return inputs;
  }

  Circuit circuit;
  std::vector<ValueId> numbers;

 private:
  std::uint64_t Below(std::uint64_t n) { return random_() % n; }
  std::string Name(const char* what) { return what + std::to_string(++count_); }
  std::vector<circuit::AxisId> Choose() {
    std::vector<circuit::AxisId> axes;
    for (const circuit::AxisId axis : axes_) {
      if (Below(2) == 0) axes.push_back(axis);
    }
    std::shuffle(axes.begin(), axes.end(), random_);
    return axes;
  }
  // A tensor of new numbers, with these axes.
  circuit::Read Fresh(std::vector<circuit::AxisId> axes) {
    std::shuffle(axes.begin(), axes.end(), random_);
    return builder_.At(builder_.AddData(Name("data"), axes, circuit::Signed(4, 3, "data"), 9));
  }
  circuit::Read Source() {
    circuit::Read read = builder_.At(sources_[Below(sources_.size())]);
    if (builder_[read.value].kind == circuit::Value::Kind::kNumber && Below(3) == 0) {
      read.limb = static_cast<int>(Below(2));
    }
    return read;
  }

  circuit::Form RandomForm(const std::vector<circuit::AxisId>& axes) {
    circuit::Form form{.terms = {}, .constant = static_cast<std::int64_t>(Below(9)) - 4};
    const std::uint64_t terms = 1 + Below(3);
    for (std::uint64_t i = 0; i < terms; ++i) {
      circuit::Term term{
          .coefficient = static_cast<std::int64_t>(Below(7)) - 3, .factors = {}, .windows = {}};
      if (Below(3) == 0) {
        AddWindow(axes, term);
      } else {
        term.factors.push_back(Source());
        if (Below(3) != 0) term.factors.push_back(Source());
      }
      if (Below(3) == 0) term.factors.push_back(builder_.At(scalar_));
      if (term.windows.empty() && Below(4) == 0) AddMask(term);
      form.terms.push_back(std::move(term));
    }
    return form;
  }

  // A public tensor over axes that a hidden factor has.
  void AddMask(circuit::Term& term) {
    std::vector<circuit::AxisId> axes;
    for (const circuit::AxisId axis : term.factors[0].axes) {
      if (Below(2) == 0) axes.push_back(axis);
    }
    if (axes.empty()) return;
    term.factors.push_back(builder_.At(builder_.AddPublic(Name("mask"), axes, 0, 1)));
  }

  // A window between an axis of the form, or one that is summed, and two of the factors.
  void AddWindow(const std::vector<circuit::AxisId>& axes, circuit::Term& term) {
    const circuit::AxisId mine =
        axes.empty() ? builder_.AddAxis(Name("axis"), 1 + Below(3)) : axes[Below(axes.size())];
    const circuit::AxisId one = builder_.AddAxis(Name("axis"), 1 + Below(6));
    const circuit::AxisId other = builder_.AddAxis(Name("axis"), 1 + Below(6));
    std::vector<circuit::AxisId> roles = {mine, one, other};
    std::shuffle(roles.begin(), roles.end(), random_);
    term.windows.push_back({.out = roles[0],
                            .kernel = roles[1],
                            .in = roles[2],
                            .stride = 1 + Below(2),
                            .dilation = 1 + Below(2),
                            .offset = static_cast<std::int64_t>(Below(4)) - 2});
    std::vector<circuit::AxisId> left = {one};
    std::vector<circuit::AxisId> right = {other};
    for (const circuit::AxisId axis : axes_) {
      if (axis != mine && Below(3) == 0) left.push_back(axis);
      if (axis != mine && Below(3) == 0) right.push_back(axis);
    }
    switch (Below(4)) {
      case 0:  // both axes of one factor
        left.push_back(other);
        term.factors = {Fresh(left)};
        break;
      case 1:  // one axis is nobody's
        term.factors = {Fresh(left)};
        break;
      case 2:
        left.push_back(other);
        right.erase(right.begin());
        term.factors = {Fresh(left), Fresh(right)};
        break;
      default:
        term.factors = {Fresh(left), Fresh(right)};
    }
  }

  std::mt19937_64 random_;
  circuit::Builder builder_;
  std::vector<circuit::AxisId> axes_;
  std::vector<ValueId> sources_;
  ValueId scalar_ = 0;
  int count_ = 0;
};

// And one number changed in each, so that a false contraction shows.
TEST(RelationsTest, TermsOfEveryShapeAreProven) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    RandomCircuit made(seed);
    RunValues values(made.circuit);
    RunValues changed(made.circuit);
    for (std::uint64_t t = 0; t < 1 + seed % 4; ++t) {
      auto step = circuit::RunStep(made.circuit, made.Inputs());
      ASSERT_TRUE(step.ok()) << step.error().message();
      values.Add(*step);
      if (t == 0) {
        Ints& cells = step->now[made.numbers[seed % made.numbers.size()]];
        ++cells[seed % cells.size()];
      }
      changed.Add(*step);
    }
    EXPECT_EQ(Scenario(made.circuit, values).Run(), "") << "seed " << seed;
    EXPECT_NE(Scenario(made.circuit, changed).Run(), "") << "seed " << seed;
  }
}

}  // namespace
}  // namespace flair::zk
