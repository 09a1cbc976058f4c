// One cheat for each equation of a batch opening and for each message that must be absorbed: each
// passes when the verifier has forgotten that one thing, and no other.
//
// The forger and the verifier share what zk/batch states; a test of what stands there fails when
// it is changed for both.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>

#include "zk/prover/batch_testing.h"
#include "zk/prover/forger_testing.h"

namespace flair::zk {
namespace {

using testing::HasSubstr;

constexpr MatrixShape kWitness{
    .log_columns = 5, .log_n = 7, .num_rows = 11, .num_pads = 16, .kind = MatrixKind::kWitness};
constexpr MatrixShape kWeights{
    .log_columns = 4, .log_n = 6, .num_rows = 5, .num_pads = 14, .kind = MatrixKind::kWeights};
constexpr MatrixShape kState{
    .log_columns = 4, .log_n = 6, .num_rows = 8, .num_pads = 14, .kind = MatrixKind::kState};
constexpr std::uint64_t kWidth = 8;  // of the mask rows
constexpr QueryPolicy kFewQueries{.work_bits = 3, .fixed_queries = 12, .has_tail = false};
constexpr const char* kConstraint = "masks: a constraint between pads does not hold";

struct Attack {
  Script script;  // the claims of Arena when it is none
  std::uint64_t pads = 0;
  std::uint64_t triples = 0;
  Forger::Cheats cheats;
  std::set<Label> forgotten;            // by the prover
  std::optional<std::size_t> replaced;  // the matrix, once the columns are known
};

// Two groups, the second of two matrices.
class Arena {
 public:
  Arena() {
    for (const MatrixShape& shape : {kWitness, kWeights, kState}) {
      std::vector<std::uint64_t> cells = RandomCells(shape, random_);
      rows_.push_back(std::make_shared<StoredRows>(cells, shape.num_columns()));
      cells_.push_back(std::move(cells));
    }
    for (const std::size_t m : {1, 2}) {
      const MatrixShape& shape = m == 1 ? kWeights : kState;
      matrices_.push_back(CommittedMatrix::Commit(shape, rows_[m], SeedOf(m)).value());
    }
  }

  // On 8 cells of matrix m; false by `lie`.
  Claim ClaimOn(std::size_t m, Fp2 lie = {}) const {
    std::vector<Block> blocks = {
        {.coefficient = Fp2(3), .offset = 16, .point = {Fp2(5, 6), Fp2(7), Fp2(0, 8)}}};
    const Fp2 value = ValueOn(cells_[m], blocks) + lie;
    return {.matrix = m, .blocks = std::move(blocks), .value = Masked(value)};
  }
  // One on each matrix, that on matrix `lying` false.
  Script Claims(std::optional<std::size_t> lying = {}) const {
    return [this, lying](Channel&, Transcript&) {
      std::vector<Claim> claims;
      for (const std::size_t m : {0, 1, 2}) claims.push_back(ClaimOn(m, Fp2(lying == m ? 1 : 0)));
      return claims;
    };
  }

  BatchPlan Plan(const Attack& attack) const {
    return BatchPlan::Make(kWitness, {kWeights, kState}, attack.pads, attack.triples, kFewQueries)
        .value();
  }
  std::vector<const CommittedMatrix*> long_lived() const { return {&matrices_[0], &matrices_[1]}; }
  const std::shared_ptr<StoredRows>& data() const { return rows_[0]; }

  // "accepted", or why not.
  std::string Judge(const Attack& attack) {
    const Script script = attack.script ? attack.script : Claims();
    const BatchPlan plan = Plan(attack);
    Forger forger(plan, data(), long_lived(), *SeededEnv(1), attack.cheats);
    ForgetfulTranscript forgetful(attack.forgotten);
    forger.AbsorbRoots(forgetful);
    const std::vector<Claim> claims = script(forger, forgetful);
    BatchProof proof = forger.Prove(forgetful, claims);
    if (attack.replaced) forger.Replace(*attack.replaced, proof);
    mu_ = forger.draws().mu;
    Transcript transcript("test");
    return JudgeScript(plan, {forger.roots(), forger.companions(), std::move(proof)}, transcript,
                       script);
  }
  // Of the last judged.
  Fp2 mu() const { return mu_; }

 private:
  std::mt19937_64 random_{1};
  std::vector<std::vector<std::uint64_t>> cells_;
  std::vector<std::shared_ptr<StoredRows>> rows_;
  std::vector<CommittedMatrix> matrices_;
  Fp2 mu_;
};

// Rounds that agree with a false sum, whatever the cells say.
void Carry(const Forger::Round& round) { round.at[1] = round.sum - round.at[0]; }

// The value of matrix m takes all that is missing.
std::function<void(Forger::LastValues&)> MoveTo(std::size_t m) {
  return
      [m](Forger::LastValues& last) { last.values[m] += last.missing * last.weights[m].Inverse(); };
}

// What z(X) is on H stays; its degree is one too many, and still fits a row of the code.
std::vector<Fp2> HighDegree() {
  std::vector<Fp2> row(kWidth + kWitness.num_pads + 1);
  row[kWidth + kWitness.num_pads] = Fp2(9);
  row[kWitness.num_pads] = -Fp2(9);
  return row;
}
void AddTo(std::vector<Fp2>& row, const std::vector<Fp2>& added, Fp2 factor) {
  row.resize(std::max(row.size(), added.size()));
  AddScaled(row, added, factor);
}

// Adds to the pad at a place, in its row as well.
void ChangePad(Forger::Masks& masks, std::uint64_t place, Fp2 added) {
  masks.pads[place] += added;
  std::vector<Fp2> on_roots(kWidth);
  on_roots[place % kWidth] = added;
  AddTo(masks.rows[place / kWidth], InterpolateOnRoots(on_roots), Fp2(1));
}

TEST(ForgerTest, WithoutACheatItIsTheProver) {
  Arena arena;
  const Attack none{
      .script = {}, .pads = 2, .triples = 1, .cheats = {}, .forgotten = {}, .replaced = {}};
  const Script script = [&](Channel& channel, Transcript& transcript) {
    channel.Pass(transcript, Label::kClaimValue, {Fp2(1), Fp2(2)});
    channel.PassProduct(transcript, Label::kLookupMessage, Fp2(3), Fp2(4));
    return arena.Claims()(channel, transcript);
  };
  const BatchPlan plan = arena.Plan(none);
  Forger forger(plan, arena.data(), arena.long_lived(), *SeededEnv(1), {});
  BatchProver prover =
      BatchProver::Commit(plan, arena.data(), arena.long_lived(), *SeededEnv(1)).value();
  EXPECT_EQ(forger.roots()[0], prover.witness_root());
  EXPECT_EQ(forger.companions(), prover.companion_roots());
  const auto prove = [&](auto& by) {
    ForgetfulTranscript transcript({});
    by.AbsorbRoots(transcript);
    const std::vector<Claim> claims = script(by, transcript);
    return by.Prove(transcript, claims);
  };
  const BatchProof forged = prove(forger);
  const BatchProof honest = prove(prover).value();
  EXPECT_EQ(forged.masked, honest.masked);
  EXPECT_EQ(forged.mask.low_degree, honest.mask.low_degree);
  EXPECT_EQ(forged.mask.linear, honest.mask.linear);
  EXPECT_EQ(forged.mask.quadratic, honest.mask.quadratic);
  EXPECT_EQ(forged.nonce, honest.nonce);
  for (std::size_t g = 0; g < honest.groups.size(); ++g) {
    EXPECT_EQ(forged.groups[g].combined_row, honest.groups[g].combined_row);
    for (std::size_t m = 0; m < honest.groups[g].matrices.size(); ++m) {
      EXPECT_EQ(forged.groups[g].matrices[m].columns, honest.groups[g].matrices[m].columns);
      EXPECT_EQ(forged.groups[g].matrices[m].path, honest.groups[g].matrices[m].path);
    }
  }
  EXPECT_EQ(arena.Judge({}), "accepted");
}

// --- equations -------------------------------------------------------------------------------

// A false claim carried through the rounds and onto the value of a matrix: nothing but the group's
// combined row ties that to committed cells.
TEST(ForgerTest, AFalseClaimMovedOntoAMatrixIsRejected) {
  Arena arena;
  for (const std::size_t m : {0, 1, 2}) {
    for (const auto& unstated : {std::set<std::string_view>{}, {"group"}}) {
      Attack attack;
      attack.script = arena.Claims(m);
      attack.cheats.round = Carry;
      attack.cheats.values = MoveTo(m);
      attack.cheats.unstated = unstated;
      EXPECT_EQ(arena.Judge(attack), kConstraint) << m;
    }
  }
}

TEST(ForgerTest, AFalseClaimThatTheRoundsLeaveOverIsRejected) {
  Arena arena;
  for (const auto& unstated : {std::set<std::string_view>{}, {"last"}}) {
    Attack attack;
    attack.script = arena.Claims(1);
    attack.cheats.round = Carry;
    attack.cheats.unstated = unstated;
    EXPECT_EQ(arena.Judge(attack), kConstraint);
  }
}

TEST(ForgerTest, AFalseClaimThatTheRoundsIgnoreIsRejected) {
  Arena arena;
  for (const auto& unstated : {std::set<std::string_view>{}, {"round"}}) {
    Attack attack;
    attack.script = arena.Claims(1);
    attack.cheats.unstated = unstated;
    EXPECT_EQ(arena.Judge(attack), kConstraint);
  }
}

// Were lambda constant.
TEST(ForgerTest, TwoFalseClaimsThatCancelAreRejected) {
  Arena arena;
  Attack attack;
  attack.script = [&](Channel&, Transcript&) {
    return std::vector{arena.ClaimOn(0, Fp2(1)), arena.ClaimOn(1), arena.ClaimOn(2, -Fp2(1))};
  };
  EXPECT_EQ(arena.Judge(attack), kConstraint);
}

// Were mu constant: two constraints are false by 1 and by -1.
TEST(ForgerTest, TwoFalseConstraintsThatCancelAreRejected) {
  Arena arena;
  Attack attack;
  attack.pads = 2;
  attack.script = [&](Channel& channel, Transcript& transcript) {
    const auto sent = channel.Pass(transcript, Label::kClaimValue, {Fp2(5), Fp2(5)});
    channel.RequireZero(sent[0].masked - Masked(Fp2(6)));
    channel.RequireZero(sent[1].masked - Masked(Fp2(4)));
    return arena.Claims()(channel, transcript);
  };
  EXPECT_EQ(arena.Judge(attack), kConstraint);
}

// Were epsilon constant: what a value lacks is put on another, claimed of nothing.
TEST(ForgerTest, TwoFalseValuesThatCancelAreRejected) {
  Arena arena;
  const struct {
    const char* what;
    std::size_t lying;
    std::function<void(Forger::LastValues&)> values;
  } kCheats[] = {
      {"two matrices of a group", 1,
       [](Forger::LastValues& last) {
         const Fp2 added = last.missing * (last.weights[1] - last.weights[2]).Inverse();
         last.values[1] += added;
         last.values[2] -= added;
       }},
      {"the witness and its mask rows", 0,
       [](Forger::LastValues& last) {
         const Fp2 added = last.missing * last.weights[0].Inverse();
         last.values[0] += added;
         last.values.back() -= added;
       }},
      {"the witness and its blinding row", 0,
       [](Forger::LastValues& last) {
         const Fp2 added = last.missing * last.weights[0].Inverse();
         last.values[0] += added;
         last.blinders[0] -= added;
       }},
  };
  for (const auto& [what, lying, values] : kCheats) {
    Attack attack;
    attack.script = arena.Claims(lying);
    attack.cheats.round = Carry;
    attack.cheats.values = values;
    EXPECT_EQ(arena.Judge(attack), kConstraint) << what;
  }
}

// Were gamma constant.
TEST(ForgerTest, TwoMaskRowsOfHighDegreeThatCancelAreRejected) {
  Arena arena;
  Attack attack;
  attack.cheats.masks = [](Forger::Masks& masks) {
    AddTo(masks.rows[0], HighDegree(), Fp2(1));
    AddTo(masks.rows[1], HighDegree(), -Fp2(1));
  };
  EXPECT_EQ(arena.Judge(attack), "masks: a row is of too high a degree");
}

// Were gamma' constant: two products are false by 7 and by -7.
TEST(ForgerTest, TwoFalseTriplesThatCancelAreRejected) {
  Arena arena;
  Attack attack;
  attack.triples = kWidth + 1;  // the last in the second row, where the first is in its own
  const MaskShape mask = arena.Plan(attack).mask();
  ASSERT_EQ(mask.width(), kWidth);
  attack.script = [&](Channel& channel, Transcript& transcript) {
    for (std::uint64_t i = 0; i <= kWidth; ++i) {
      const auto sent = channel.PassProduct(transcript, Label::kLookupMessage, Fp2(5), Fp2(6));
      const Fp2 lie = i == 0 ? Fp2(7) : i == kWidth ? -Fp2(7) : Fp2();
      channel.RequireZero(sent.product.masked - Masked(Fp2(30) + lie));
    }
    return arena.Claims()(channel, transcript);
  };
  attack.cheats.masks = [&](Forger::Masks& masks) {
    ChangePad(masks, mask.ZOf(0), Fp2(7));
    ChangePad(masks, mask.ZOf(kWidth), -Fp2(7));
  };
  EXPECT_EQ(arena.Judge(attack), "masks: a triple is no product");
}

// Four values for mu that are known beforehand.
class SmallMu final : public Transcript {
 public:
  SmallMu() : Transcript("test") {}
  static Fp2 Of(std::size_t number) { return {Fp(1 + number / 2), Fp(1 + number % 2)}; }

 private:
  Digest Step(std::uint8_t tag, Label label, ByteView message) const override {
    Digest step = Transcript::Step(tag, label, message);
    if (tag == 2 && label == Label::kMaskChallenge) {
      step.bytes[0] = (step.bytes[0] & std::byte{1}) == std::byte{0} ? std::byte{1} : std::byte{2};
      std::fill(step.bytes.begin() + 1, step.bytes.begin() + 8, std::byte{0});
    }
    return step;
  }
};

// B2 off the code: a quarter of its columns for each mu, each making up for a false constraint at
// that mu; the nonce is sought until all columns are of one quarter. Only that the mask rows count
// in a row which is sent before mu makes the prover guess, and be wrong three times in four.
TEST(ForgerTest, AnotherB2ForEachMuIsRejected) {
  constexpr QueryPolicy kFewer{.work_bits = 0, .fixed_queries = 4, .has_tail = false};
  constexpr std::size_t kQuarters = 4;
  Arena arena;
  const BatchPlan plan = BatchPlan::Make(kWitness, {}, 1, 0, kFewer).value();
  const std::uint64_t b2 = plan.mask().pad_rows() + 1;
  const Fp2 inverse_width(Fp(kWidth).Inverse());
  // A sum over H of mu, as a constant.
  const auto made_up = [&](std::size_t number) { return SmallMu::Of(number) * inverse_width; };
  const Script script = [&](Channel& channel, Transcript& transcript) {
    const auto sent = channel.Pass(transcript, Label::kClaimValue, {Fp2(5)});
    channel.RequireZero(sent[0].masked - Masked(Fp2(6)));
    return std::vector{arena.ClaimOn(0)};
  };
  int rejected = 0;
  for (std::size_t guess = 0; guess < kQuarters; ++guess) {
    std::size_t drawn = 0;
    Forger::Cheats cheats;
    cheats.masks = [&](Forger::Masks& masks) { masks.rows[b2][0] += made_up(guess); };
    cheats.witness = [&](ColumnTable::Columns& columns) {
      const std::uint64_t row = plan.first_mask_row() + 2 * b2;
      for (std::size_t j = 0; j < columns.size(); ++j) {
        const Fp2 added = made_up(j % kQuarters) - made_up(guess);
        columns[j][row] += added.a;
        columns[j][row + 1] += added.b;
      }
    };
    cheats.messages = [&](const MaskDraws& draws, MaskMessages& messages) {
      while (SmallMu::Of(drawn) != draws.mu) ++drawn;
      messages.linear[0] += made_up(drawn) - made_up(guess);
    };
    cheats.nonce = [&](const Transcript& transcript) {
      for (std::uint64_t nonce = 0;; ++nonce) {
        Transcript ahead = transcript;
        (void)ahead.CheckWork(Label::kQueryWork, 0, nonce);
        const auto columns = DrawColumns(plan, 0, ahead);
        if (std::all_of(columns.begin(), columns.end(),
                        [&](std::uint64_t j) { return j % kQuarters == drawn; })) {
          return nonce;
        }
      }
    };
    Forger forger(plan, arena.data(), {}, *SeededEnv(1), cheats);
    SmallMu transcript;
    forger.AbsorbRoots(transcript);
    const std::vector<Claim> claims = script(forger, transcript);
    BatchProof proof = forger.Prove(transcript, claims);
    SmallMu verifiers;
    const std::string said =
        JudgeScript(plan, {forger.roots(), {}, std::move(proof)}, verifiers, script);
    if (drawn == guess) {
      EXPECT_EQ(said, "accepted") << "the cheat does not work at all";
    } else {
      EXPECT_THAT(said, HasSubstr("contradicts the combined row"));
      ++rejected;
    }
  }
  EXPECT_GE(rejected, 2);
}

// A block 2^nu cells further on is, to who does not look, where it would be without them.
TEST(ForgerTest, AClaimBeyondItsMatrixIsNotReadAsOneInside) {
  Arena arena;
  Attack attack;
  attack.script = [&](Channel&, Transcript&) {
    Claim claim = arena.ClaimOn(0);
    claim.blocks[0].offset += std::uint64_t{1} << arena.Plan(attack).num_variables(0);
    return std::vector{claim};
  };
  EXPECT_THAT(arena.Judge(attack), HasSubstr("cells outside of matrix 0"));
}

// --- messages that the next challenge must depend on -------------------------------------------

// The first round is chosen to be what its challenge makes right.
TEST(ForgerTest, ARoundChosenAfterItsChallengeIsRejected) {
  Arena arena;
  Attack attack;
  attack.script = arena.Claims(0);
  attack.forgotten = {Label::kSumcheckMessage};
  attack.cheats.round = [](const Forger::Round& round) {
    if (round.number > 0) return;
    const Fp2 r = round.challenge;
    const auto at = [&](Fp2 g0, Fp2 g1, Fp2 g2) {
      return AtQuadratic(Masked(g0), Masked(g1), Masked(g2), r).known();
    };
    const Fp2 honest = at(round.at[0], round.at[1], round.at[2]);
    round.at[1] = round.sum - round.at[0];
    const Fp2 rest = honest - at(round.at[0], round.at[1], Fp2());
    round.at[2] = rest * at(Fp2(), Fp2(), Fp2(1)).Inverse();
  };
  EXPECT_EQ(arena.Judge(attack), kConstraint);
}

// Attack 26: a false value, and another that makes up for it under the epsilons that follow.
TEST(ForgerTest, ValuesChosenAfterEpsilonAreRejected) {
  Arena arena;
  const std::function<void(Forger::LastValues&, Fp2)> kOthers[] = {
      [](Forger::LastValues& last, Fp2 lie) {
        last.blinders[0] -= last.epsilons.by_matrix[0] * lie;
      },
      [](Forger::LastValues& last, Fp2 lie) {
        last.values.back() -= last.epsilons.by_matrix[0] * lie * last.epsilons.mask.Inverse();
      }};
  for (const auto& other : kOthers) {
    Attack attack;
    attack.script = arena.Claims(0);
    attack.forgotten = {Label::kClaimValue};
    attack.cheats.round = Carry;
    attack.cheats.values = [&](Forger::LastValues& last) {
      const Fp2 lie = last.missing * last.weights[0].Inverse();
      last.values[0] += lie;
      other(last, lie);
    };
    EXPECT_EQ(arena.Judge(attack), kConstraint);
  }
}

// Two false constraints that cancel under mu, by a value that is chosen for it.
TEST(ForgerTest, ValuesChosenAfterMuAreRejected) {
  Arena arena;
  for (const bool products : {false, true}) {
    Fp2 second(30);
    Attack attack;
    attack.pads = products ? 0 : 2;
    attack.triples = products ? 2 : 0;
    attack.forgotten = {Label::kLookupMessage};
    attack.script = [&](Channel& channel, Transcript& transcript) {
      for (const Fp2 value : {Fp2(31), second}) {
        const auto sent =
            products ? channel.PassProduct(transcript, Label::kLookupMessage, Fp2(1), value).product
                     : channel.Pass(transcript, Label::kLookupMessage, {value})[0];
        channel.RequireZero(sent.masked - Masked(Fp2(30)));
      }
      return arena.Claims()(channel, transcript);
    };
    EXPECT_EQ(arena.Judge(attack), kConstraint);
    const Fp2 mu = arena.mu();
    second -= mu.Inverse();
    EXPECT_EQ(arena.Judge(attack), kConstraint) << products;
    EXPECT_EQ(arena.mu(), mu) << "the cheat does not work at all";
  }
}

// The row need only be right where it is looked at.
TEST(ForgerTest, ACombinedRowChosenAfterTheColumnsIsRejected) {
  Arena arena;
  Attack attack;
  attack.script = arena.Claims(0);
  attack.forgotten = {Label::kCombinedRow};
  attack.cheats.round = Carry;
  attack.cheats.values = MoveTo(0);
  attack.cheats.late_rows = true;
  EXPECT_NE(arena.Judge(attack), "accepted");
}

TEST(ForgerTest, MaskMessagesChosenAfterTheColumnsAreRejected) {
  Arena arena;
  Attack attack;
  attack.pads = 1;
  attack.triples = 1;
  attack.forgotten = {Label::kMaskMessage};
  Fp2 lie;
  attack.script = [&](Channel& channel, Transcript& transcript) {
    const auto sent = channel.Pass(transcript, Label::kClaimValue, {Fp2(5)})[0];
    channel.RequireZero(sent.masked - Masked(Fp2(5) + lie));
    const auto both = channel.PassProduct(transcript, Label::kLookupMessage, Fp2(5), Fp2(6));
    channel.RequireZero(both.product.masked - both.product.masked);
    return arena.Claims()(channel, transcript);
  };
  const MaskShape mask = arena.Plan(attack).mask();
  EXPECT_EQ(arena.Judge({.script = attack.script,
                         .pads = 1,
                         .triples = 1,
                         .cheats = {},
                         .forgotten = {},
                         .replaced = {}}),
            "accepted");

  // q_d: a false constraint.
  lie = Fp2(7);
  attack.cheats.late_messages = [&](const MaskDraws&, const Forger::Columns& columns, Fp2 target,
                                    MaskMessages& messages) {
    const auto sum_over_roots = [&](const std::vector<Fp2>& polynomial) {
      Fp2 sum;
      for (std::size_t i = 0; i < polynomial.size(); i += kWidth) sum += polynomial[i];
      return sum * Fp(kWidth);
    };
    const std::vector<Fp2> nowhere = VanishingAt(columns.points);
    const Fp2 missing = target - sum_over_roots(messages.linear);
    AddScaled(messages.linear, nowhere, missing * sum_over_roots(nowhere).Inverse());
  };
  EXPECT_NE(arena.Judge(attack), "accepted") << "q_d";
  lie = Fp2();

  // q_q: a false triple.
  attack.cheats.masks = [&](Forger::Masks& masks) { ChangePad(masks, mask.ZOf(0), Fp2(7)); };
  attack.cheats.late_messages = [&](const MaskDraws& draws, const Forger::Columns& columns, Fp2,
                                    MaskMessages& messages) {
    std::vector<Fp2> values;
    for (std::size_t i = 0; i < columns.points.size(); ++i) {
      const std::vector<Fp2>& rows = columns.mask_rows[i];
      const auto part = [&](std::uint64_t p) { return rows[mask.linear_rows() + p]; };
      const Fp2 triple = draws.triple_gammas[0] * (part(2) - part(0) * part(1));
      const Fp vanishing = columns.points[i].Pow(kWidth) - Fp(1);
      values.push_back((rows[mask.pad_rows() + 2] + triple) * vanishing.Inverse());
    }
    messages.quadratic = Interpolate(columns.points, values);
    messages.quadratic.resize(mask.quadratic_size());
  };
  EXPECT_NE(arena.Judge(attack), "accepted") << "q_q";

  // u_z: a row of high degree.
  attack.cheats.masks = [](Forger::Masks& masks) { AddTo(masks.rows[0], HighDegree(), Fp2(1)); };
  attack.cheats.late_messages = [&](const MaskDraws& draws, const Forger::Columns& columns, Fp2,
                                    MaskMessages& messages) {
    std::vector<Fp2> values;
    for (const std::vector<Fp2>& rows : columns.mask_rows) {
      values.push_back(rows[mask.pad_rows()]);
      for (std::uint64_t k = 0; k < mask.pad_rows(); ++k) {
        values.back() += draws.gammas[k] * rows[k];
      }
    }
    messages.low_degree = Interpolate(columns.points, values);
    messages.low_degree.resize(mask.low_degree_size());
  };
  EXPECT_NE(arena.Judge(attack), "accepted") << "u_z";
}

// Each matrix is another one but for the columns that are opened.
TEST(ForgerTest, ARootChosenAfterTheColumnsIsRejected) {
  Arena arena;
  const Label kLabels[] = {Label::kWitnessRoot, Label::kCommitment, Label::kCommitment,
                           Label::kCompanionRoot};
  for (std::size_t m = 0; m < std::size(kLabels); ++m) {
    Attack attack;
    attack.forgotten = {kLabels[m]};
    attack.replaced = m;
    EXPECT_NE(arena.Judge(attack), "accepted") << m;
  }
}

TEST(ForgerTest, ANonceWithoutWorkIsRejected) {
  Arena arena;
  Attack attack;
  attack.cheats.nonce = [](const Transcript& transcript) {
    for (std::uint64_t nonce = 0;; ++nonce) {
      Transcript ahead = transcript;
      if (!ahead.CheckWork(Label::kQueryWork, kFewQueries.work_bits, nonce)) return nonce;
    }
  };
  EXPECT_EQ(arena.Judge(attack), "the nonce has no work behind it");
}

// --- pads --------------------------------------------------------------------------------------

// A pad that hides two values shows their difference; one that no message hides shows a value.
TEST(ForgerTest, NoPadServesTwice) {
  Arena arena;
  Attack sizes;
  sizes.pads = 3;
  sizes.triples = 2;
  const BatchPlan plan = arena.Plan(sizes);
  const auto pads_of = [&](Channel& channel) {
    Transcript transcript("test");
    std::vector<std::uint64_t> pads;
    const auto add = [&](const Secret& secret) {
      EXPECT_EQ(secret.masked.terms().size(), 1U);
      pads.push_back(secret.masked.terms()[0].pad);
    };
    for (int i = 0; i < 2; ++i) {
      const auto sent = channel.PassProduct(transcript, Label::kLookupMessage, Fp2(1), Fp2(1));
      add(sent.a);
      add(sent.b);
      pads.push_back(sent.product.masked.terms().back().pad);
    }
    for (const Secret& s : channel.Pass(transcript, Label::kClaimValue, {Fp2(1), Fp2(1)})) add(s);
    add(channel.Pass(transcript, Label::kClaimValue, {Fp2(1)})[0]);
    return pads;
  };
  BatchProver prover =
      BatchProver::Commit(plan, arena.data(), arena.long_lived(), *SeededEnv(1)).value();
  BatchProof empty;
  empty.masked.resize(plan.mask().num_pads() + 2 * plan.mask().num_triples());
  for (const BatchPlan::Group& group : plan.groups()) {
    empty.groups.emplace_back().combined_row.resize(plan.matrices()[group.members[0]].row_length());
  }
  auto verifier =
      BatchVerifier::Begin(plan, std::vector<Digest>(3), std::vector<Digest>(1), empty).value();
  const std::vector<std::uint64_t> used = pads_of(prover);
  EXPECT_EQ(pads_of(verifier), used);
  EXPECT_EQ(std::set<std::uint64_t>(used.begin(), used.end()).size(), 9U);
}

}  // namespace
}  // namespace flair::zk
