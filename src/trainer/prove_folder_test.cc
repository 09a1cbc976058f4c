// Runs proven from their folders: what goes on, and what is refused before any work.
// SPDX-License-Identifier: Apache-2.0
#include "trainer/prove_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include "base/mem_env.h"
#include "base/path.h"
#include "data/array_testing.h"
#include "program/encoding.h"
#include "program/lower_testing.h"
#include "proof/prover/opening_book.h"
#include "proof/verify_run.h"
#include "repo/run.h"

namespace flair::trainer {
namespace {

using testing::HasSubstr;

constexpr std::string_view kProgram = R"(flair program 1
batch 3
data x [4] bits 12 scale 8
label y classes 3
param w1 [5, 4]
param w2 [3, 5] scale 1
h = linear(x, w1)
a = relu(h)
z = linear(a, w2)
l = cross_entropy(z, y)
loss l
optimiser sgd()
schedule 3/16
profile limb 12
profile logit 12 7
profile activation 18 12
profile gradient 24 23
)";

Digest FilledWith(int byte) {
  Digest digest;
  digest.bytes.fill(static_cast<std::byte>(byte));
  return digest;
}

// A run of five steps on twelve registered records.
class ProveFolderTest : public testing::Test {
 protected:
  ProveFolderTest() : training_(program::Prepared(kProgram)) {
    EXPECT_TRUE(MakeDirs(env_, "/d").ok());
    std::vector<float> x;
    std::vector<std::int64_t> y;
    for (int i = 0; i < 48; ++i) x.push_back(0.25F * static_cast<float>(i % 7));
    for (int i = 0; i < 12; ++i) y.push_back(i % 3);
    const Bytes labels = data::Elements(1, data::ByteOrder::kLittle, y);
    EXPECT_TRUE(
        WriteFileAtomically(env_, "/d/x.npy", data::Npy("<f4", "(12, 4)", data::Floats(x))).ok());
    EXPECT_TRUE(WriteFileAtomically(env_, "/d/y.npy", data::Npy("|u1", "(12,)", labels)).ok());
    const auto card = data::RegisterData(
        env_, "/set.data",
        {.name = "set", .source = "/d", .choices = {}, .wanted = training_.program.columns});
    EXPECT_TRUE(card.ok()) << card.error().message();
    const ExactRun run{.program = training_.program,
                       .data = "/set.data",
                       .data_card = data::CardId(*card),
                       .seed = FilledWith(4),
                       .first_step = 0,
                       .steps = 5,
                       .start = IntegersOf(training_.lowered, training_.state)};
    const auto held = data::OpenData(env_, "/set.data");
    EXPECT_TRUE(held.ok());
    const auto trained = TrainExact(env_, "/runs", run, training_.lowered, held->set, {});
    EXPECT_TRUE(trained.ok()) << trained.error().message();
    folder_ = trained->folder;
  }

  Result<ProvenFolder> Prove(std::uint64_t steps_per_chunk, int wallet = 7) {
    ProveFolderHooks hooks;
    hooks.progress = [&](const proof::ProveProgress& p) {
      stages_ += std::string(p.stage) + "\n";
      return p.chunk == stop_at_ && p.stage == "lookups"
                 ? Status(Error(ErrorCode::kCancelled, "stopped"))
                 : OkStatus();
    };
    hooks.plan = [&](const proof::ChunkPlan& plan, std::uint64_t) {
      plan_ = plan;
      return OkStatus();
    };
    stages_.clear();
    return ProveFolder(env_,
                       {.folder = folder_,
                        .wallet = FilledWith(wallet),
                        .proof_path = proof_path_,
                        .memory_bytes = memory_bytes_,
                        .steps_per_chunk = steps_per_chunk,
                        .recorded = std::nullopt},
                       hooks);
  }
  // Six recorded states, the weights of the start in all of them, but for `cell` of the last.
  std::string Record(float cell) {
    const auto writer = RunWriter::Begin(env_, "/recorded", {.framework = "pytorch 2"}).value();
    const std::vector<ModelTensor> tensors = TensorsOf(training_.program);
    const ModelIntegers start = IntegersOf(training_.lowered, training_.state);
    program::Batches batches(FilledWith(4), 12, 3);
    for (std::uint64_t step = 0; step <= 5; ++step) {
      std::vector<Bytes> bytes;
      for (std::size_t i = 0; i < tensors.size(); ++i) {
        std::vector<float> values;
        for (const std::int64_t v : start[i]) {
          values.push_back(std::ldexp(static_cast<float>(v), -tensors[i].scale));
        }
        if (step == 5 && i == 0) values[13] = cell;
        bytes.push_back(data::Floats(values));
      }
      std::vector<StepTensor> written;
      for (std::size_t i = 0; i < tensors.size(); ++i) {
        written.push_back({.name = tensors[i].name, .dims = tensors[i].dims, .bytes = bytes[i]});
      }
      const auto rows = step < 5 ? batches.RowsOf(step) : std::span<const std::uint32_t>();
      EXPECT_TRUE(writer->Step(step, written, rows).ok());
    }
    EXPECT_TRUE(writer->Finish({}).ok());
    return writer->folder();
  }
  Result<ProvenFolder> ProveRecorded(const std::string& folder, int seed) {
    ProveFolderHooks hooks;
    hooks.progress = [&](const proof::ProveProgress& p) {
      stages_ += std::string(p.stage) + "\n";
      return OkStatus();
    };
    return ProveFolder(
        env_,
        {.folder = folder,
         .wallet = FilledWith(7),
         .memory_bytes = memory_bytes_,
         .steps_per_chunk = 1,
         .recorded = RecordedRequest{.program = training_.program,
                                     .data = "/set.data",
                                     .seed = FilledWith(seed),
                                     .slack = program::DefaultSlack(training_.program)}},
        hooks);
  }
  void ExpectProven(const Result<ProvenFolder>& proven, std::uint64_t num_chunks) {
    ASSERT_TRUE(proven.ok()) << proven.error().message();
    const auto verdict =
        proof::VerifyRun(training_.lowered, proven->statement.claim, proven->proof);
    ASSERT_TRUE(verdict.ok()) << verdict.error().message();
    EXPECT_EQ(verdict->num_chunks, num_chunks);
  }

  program::Training training_;
  MemEnv env_;
  std::string folder_;
  std::string stages_;
  std::uint64_t stop_at_ = 100;  // chunk
  std::uint64_t memory_bytes_ = std::uint64_t{4} << 30;
  std::string proof_path_ = "/out.proof";
  proof::ChunkPlan plan_;
};

TEST_F(ProveFolderTest, KeptChunksSayHowManyStepsTheOthersTake) {
  stop_at_ = 1;
  EXPECT_FALSE(Prove(2).ok());
  stop_at_ = 100;
  const Bytes kept = env_.ContentsOf(folder_ + "/chunks/steps-0.chunk");
  for (const std::uint64_t other : {1, 3, 100}) {
    const auto refused = Prove(other);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code(), ErrorCode::kConflict);
    EXPECT_EQ(refused.error().message(),
              "kept chunks have 2 steps: --chunk 2 goes on, or delete chunks and border.seed of "
              "the run and prove anew");
    EXPECT_EQ(stages_, "") << "refused before any work";
    EXPECT_EQ(env_.ContentsOf(folder_ + "/chunks/steps-0.chunk"), kept);
  }
  // Without an option all five steps would fit in one chunk.
  ExpectProven(Prove(0), 3);
  EXPECT_EQ(env_.ContentsOf(folder_ + "/chunks/steps-0.chunk"), kept);
}

TEST_F(ProveFolderTest, TheDataCountAndTheLimitHoldsForAnyChunks) {
  const data::DataCard card = data::ReadCard(env_, "/set.data").value();
  ExpectProven(Prove(2), 3);
  EXPECT_EQ(plan_.data_bytes, data::OpenBytes(card));
  EXPECT_GE(plan_.data_bytes,
            8 * (48 + 12 + card.shape.num_rows * card.shape.num_columns()) + 64 * card.shape.n());
  ASSERT_TRUE(RemoveTree(env_, folder_ + "/chunks").ok());
  ASSERT_TRUE(env_.RemoveFile(folder_ + "/border.seed").ok());
  // Enough for the proof, if the data were nothing.
  memory_bytes_ = plan_.memory_bytes - 1;
  for (const std::uint64_t steps : {2, 5}) {
    const auto refused = Prove(steps);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code(), ErrorCode::kNoSpace);
    EXPECT_THAT(refused.error().message(), HasSubstr("chunks of " + std::to_string(steps)));
    EXPECT_THAT(refused.error().message(), HasSubstr("of it for the data"));
    EXPECT_EQ(stages_, "");
  }
  ExpectProven(Prove(0), 5);
  memory_bytes_ = plan_.data_bytes;
  EXPECT_THAT(Prove(0).error().message(), HasSubstr("one step needs"));
}

TEST_F(ProveFolderTest, ADiskThatIsTooSmallIsSaidBeforeTheWork) {
  const auto proven = Prove(2);
  ExpectProven(proven, 3);
  const auto estimate =
      proof::ProofBytes(training_.lowered, 2, data::ReadCard(env_, "/set.data").value().shape)
          .value();
  EXPECT_NEAR(static_cast<double>(estimate), static_cast<double>(proven->proof.size()) / 3,
              static_cast<double>(estimate) / 3);
  // Kept chunks take no more; the whole proof is still to be written.
  ASSERT_TRUE(env_.RemoveFile(folder_ + "/chunks/steps-4.chunk").ok());
  env_.SetFreeSpaceBytes(4 * estimate - 1);
  const auto refused = Prove(2);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), ErrorCode::kNoSpace);
  EXPECT_EQ(stages_, "");
  env_.SetFreeSpaceBytes(4 * estimate);
  EXPECT_NE(Prove(2).error().code(), ErrorCode::kNoSpace) << "a border is used up";
}

TEST_F(ProveFolderTest, AProofThatCouldNotBeWrittenIsNotBegun) {
  proof_path_ = "/none/out.proof";
  const auto refused = Prove(5);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message(), HasSubstr("there is no folder /none"));
  EXPECT_EQ(stages_, "");
  EXPECT_FALSE(Exists(env_, folder_ + "/border.seed"));
}

TEST_F(ProveFolderTest, KeptChunksOfAnotherRunAreRefusedAndStay) {
  ExpectProven(Prove(5), 1);
  const Bytes kept = env_.ContentsOf(folder_ + "/chunks/steps-0.chunk");
  const auto refused = Prove(5, 8);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message(), "kept chunks are of another wallet");
  EXPECT_THAT(refused.error().hint(), HasSubstr("border.seed"));
  EXPECT_EQ(env_.ContentsOf(folder_ + "/chunks/steps-0.chunk"), kept);
}

TEST_F(ProveFolderTest, ABorderThatIsUsedUpIsNamedBeforeTheProof) {
  ExpectProven(Prove(2), 3);
  ASSERT_TRUE(env_.RemoveFile(folder_ + "/chunks/steps-0.chunk").ok());
  const auto refused = Prove(2);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message(), HasSubstr("the weights' commitment at step 2 has shown"));
  EXPECT_THAT(refused.error().hint(), HasSubstr("kept chunks of this run are gone"));
  EXPECT_THAT(stages_, Not(HasSubstr("commitment\n"))) << "no proof was begun";
  // What the hint says.
  ASSERT_TRUE(RemoveTree(env_, folder_ + "/chunks").ok());
  ASSERT_TRUE(env_.RemoveFile(folder_ + "/border.seed").ok());
  ExpectProven(Prove(1), 5);
}

TEST_F(ProveFolderTest, AnEndThatIsUsedUpIsRefusedBeforeTheTraining) {
  Result<ProvenFolder> proven = Prove(5);
  for (int i = 0; i < 32 && proven.ok(); ++i) {
    ASSERT_TRUE(RemoveTree(env_, folder_ + "/chunks").ok());
    ASSERT_TRUE(env_.RemoveFile(folder_ + "/border.seed").ok());
    proven = Prove(5);
  }
  ASSERT_FALSE(proven.ok());
  EXPECT_EQ(proven.error().code(), ErrorCode::kConflict);
  EXPECT_THAT(proven.error().message(), HasSubstr("the weights' commitment at step 0 has shown"));
  EXPECT_THAT(proven.error().hint(), HasSubstr("flair weights refresh"));
  EXPECT_THAT(stages_, Not(HasSubstr("training\n")));
}

TEST_F(ProveFolderTest, ARecordedValueThatIsNoneIsFoundBeforeTheFirstProof) {
  const auto refused = ProveRecorded(Record(std::numeric_limits<float>::quiet_NaN()), 4);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message(), "step 5: tensor 'w1': [3, 1] is NaN");
  EXPECT_EQ(stages_, "");
}

TEST_F(ProveFolderTest, ASecondProverAndARecordedRunWithoutAProgramAreToldWhatToDo) {
  folder_ = Record(0.25F);
  const auto recorded = Prove(1);
  ASSERT_FALSE(recorded.ok());
  EXPECT_EQ(recorded.error().hint(),
            "--program FILE --data FOLDER --seed HEX prove a recorded run");
  const auto book = proof::OpeningBook::Open(env_, "/set.data/openings");
  ASSERT_TRUE(book.ok());
  const auto second = ProveRecorded(folder_, 4);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().message(), "another flair prove is using /set.data");
}

TEST_F(ProveFolderTest, ARecordedLoopThatWasAnotherSaysWhatToLookAt) {
  const std::string folder = Record(0.25F);
  const auto other_seed = ProveRecorded(folder, 5);
  ASSERT_FALSE(other_seed.ok());
  EXPECT_THAT(other_seed.error().message(), HasSubstr("step 0 read other rows"));
  EXPECT_THAT(other_seed.error().hint(), HasSubstr("are --seed and --data those"));
  // Weights that stay are not what the learning rate gives.
  const auto other_rate = ProveRecorded(folder, 4);
  ASSERT_FALSE(other_rate.ok());
  EXPECT_THAT(other_rate.error().message(),
              testing::MatchesRegex("step 0: w[12] is not what the program's step gives: "
                                    "\\[[0-9], [0-9]\\] is [0-9.]+ off, and tau allows [0-9.e-]+"));
  EXPECT_THAT(other_rate.error().hint(), testing::StartsWith("are optimiser and schedule"));
}

}  // namespace
}  // namespace flair::trainer
