// A data set registered, opened again, changed and refreshed.
// SPDX-License-Identifier: Apache-2.0
#include "data/prover/registered.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "base/mem_env.h"
#include "base/path.h"
#include "data/prover/registered_testing.h"

namespace flair::data {
namespace {

using testing::HasSubstr;

TEST(RegisteredDataTest, OpeningGivesTheIntegersAndTheRootOfTheCard) {
  MemEnv env;
  PutData(env);
  const auto card = RegisterData(env, kFolder, kRequest);
  ASSERT_TRUE(card.ok()) << card.error().message();
  EXPECT_EQ(card->name, "set");
  EXPECT_EQ(card->num_records, 3U);
  EXPECT_EQ(card->generation, 0U);
  EXPECT_EQ(ToText(card->columns.at(0)), "U8 [2] as 9 bits, scale 0");
  EXPECT_EQ(ToText(card->columns.at(1)), "I16 as 3 classes");
  EXPECT_GE(NumOpenings(card->shape), 2U);
  EXPECT_EQ(ReadCard(env, kFolder).value(), *card);
  const auto held = OpenData(env, kFolder);
  ASSERT_TRUE(held.ok()) << held.error().message();
  EXPECT_EQ(held->card, *card);
  EXPECT_EQ(held->matrix.root(), card->root);
  EXPECT_EQ(held->set.rows, 3U);
  EXPECT_EQ(held->set.columns, (std::vector<circuit::Ints>{kImages, kLabels}));
  // A registered set survives a power cut.
  env.Crash();
  EXPECT_TRUE(OpenData(env, kFolder).ok());
}

TEST(RegisteredDataTest, TwoRegistrationsOfTheSameDataHaveNothingInCommon) {
  MemEnv env;
  PutData(env);
  const auto one = RegisterData(env, "/own/1", kRequest),
             two = RegisterData(env, "/own/2", kRequest);
  EXPECT_NE(one->root, two->root);
  EXPECT_EQ(one->shape, two->shape);
}

TEST(RegisteredDataTest, TheProgramsColumnsAreTaken) {
  MemEnv env;
  PutData(env);
  RegisterRequest request = kRequest;
  request.choices = {{.name = "labels", .source = "y"}, {.name = "images", .source = "x"}};
  request.wanted = {{.name = "labels", .row = {}, .classes = 5},
                    {.name = "images", .row = {1, 2}, .format = {.bits = 12, .scale = 2}}};
  const auto card = RegisterData(env, kFolder, request);
  ASSERT_TRUE(card.ok()) << card.error().message();
  EXPECT_EQ(ToText(card->columns.at(0)), "I16 as 5 classes");
  EXPECT_EQ(ToText(card->columns.at(1)), "U8 [1, 2] as 12 bits, scale 2");
  const auto held = OpenData(env, kFolder);
  ASSERT_TRUE(held.ok()) << held.error().message();
  EXPECT_EQ(held->set.columns.at(1).at(5), 1020);
  request.wanted.pop_back();
  EXPECT_THAT(RegisterData(env, "/own/2", request).error().message(),
              HasSubstr("the program reads 1 columns, and 2 are chosen"));
}

TEST(RegisteredDataTest, WhatCannotBeRegisteredLeavesNothing) {
  MemEnv env;
  PutData(env);
  const auto refused = [&](const RegisterRequest& request) {
    const auto card = RegisterData(env, kFolder, request);
    EXPECT_FALSE(card.ok());
    EXPECT_FALSE(Exists(env, kFolder));
    return card.ok() ? Error(ErrorCode::kIo, "registered") : card.error();
  };
  RegisterRequest request = kRequest;
  request.name = "no name";
  EXPECT_THAT(refused(request).message(), HasSubstr("a data set's name"));
  request = kRequest;
  request.openings = 0;
  EXPECT_EQ(refused(request).message(), "a commitment that serves no proof");
  request = kRequest;
  request.source = "/nothing";
  EXPECT_EQ(refused(request).code(), ErrorCode::kNotFound);
  // The secret, which is JSON, could not be read again.
  ASSERT_TRUE(MakeDirs(env, "/\xff").ok());
  Put(env, "/\xff/x.npy", Images());
  request.source = "/\xff";
  EXPECT_THAT(refused(request).message(), HasSubstr("no UTF-8"));
  request = kRequest;
  request.choices = {{.name = "x", .source = "x"}, {.name = "x", .source = "y"}};
  EXPECT_THAT(refused(request).message(), HasSubstr("column 'x': its name stands twice"));
}

TEST(RegisteredDataTest, ARegisteredFolderIsNotOverwritten) {
  MemEnv env;
  PutData(env);
  const auto card = RegisterData(env, kFolder, kRequest);
  const auto again = RegisterData(env, kFolder, kRequest);
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code(), ErrorCode::kAlreadyExists);
  EXPECT_EQ(ReadCard(env, kFolder).value(), *card);
  EXPECT_EQ(ReadCard(env, "/own/nothing").error().code(), ErrorCode::kNotFound);
}

TEST(RegisteredDataTest, WhatAFolderGainsLaterIsNoneOfTheData) {
  MemEnv env;
  PutData(env);
  const auto card = RegisterData(env, kFolder, kRequest);
  ASSERT_TRUE(card.ok());
  Put(env, "/d/z.npy", Npy("|u1", "(3,)", Bytes(3)));
  const auto held = OpenData(env, kFolder);
  ASSERT_TRUE(held.ok()) << held.error().message();
  EXPECT_EQ(held->card, *card);
}

TEST(RegisteredDataTest, ChangedDataAreAConflict) {
  const auto other = [](std::vector<std::int64_t> values) {
    return Npy("|u1", "(3, 2)", Elements(1, ByteOrder::kLittle, values));
  };
  const struct {
    const char* path;
    Bytes bytes;
    const char* message;
  } kCases[] = {
      {"/d/x.npy", other({0, 1, 2, 3, 250, 254}), "no longer those of 'set'"},
      {"/d/x.npy", other({1, 0, 2, 3, 250, 255}), "no longer those of 'set'"},
      {"/d/x.npy", Npy("|u1", "(3, 3)", Bytes(9)), "[3]; the program's are [2]"},
      {"/d/x.npy", Npy("<f4", "(3, 2)", Bytes(24)),
       "column 'x' is F32 [2] as 9 bits, scale 0 and was U8 [2] as 9 bits, scale 0"},
      {"/d/y.npy", Npy("<f4", "(3,)", Bytes(12)), "column 'y' holds F32"},
      {"/d/y.npy", Npy(">i2", "(3,)", Elements(2, ByteOrder::kBig, {0, 2, 3})),
       "record 2: 3 is none of 3 classes"},
  };
  for (const auto& changed : kCases) {
    MemEnv env;
    PutData(env);
    ASSERT_TRUE(RegisterData(env, kFolder, kRequest).ok());
    Put(env, changed.path, changed.bytes);
    const auto held = OpenData(env, kFolder);
    ASSERT_FALSE(held.ok()) << changed.message;
    EXPECT_EQ(held.error().code(), ErrorCode::kConflict) << held.error().message();
    EXPECT_THAT(held.error().message(), HasSubstr(changed.message));
    const auto refreshed = RefreshData(env, kFolder);
    ASSERT_FALSE(refreshed.ok());
    EXPECT_EQ(refreshed.error().code(), ErrorCode::kConflict);
    // Nothing of the kind when they are back.
    if (std::string_view(changed.path) == "/d/x.npy") {
      Put(env, "/d/x.npy", Images());
      EXPECT_TRUE(OpenData(env, kFolder).ok());
    }
  }
}

// A file of leaves is believed when it fits, and made again when it does not.
TEST(RegisteredDataTest, LeavesThatAreGoneOrOthersAreMadeAgain) {
  MemEnv env;
  PutData(env);
  const DataCard card = RegisterData(env, kFolder, kRequest).value();
  const std::string path = JoinPath(kFolder, kLeavesFile);
  const Bytes leaves = ReadFile(env, path, 1 << 20).value();
  EXPECT_EQ(leaves.size(), 6 + 32 + 32 * card.shape.n());
  Bytes other_leaf = leaves;
  other_leaf[40] ^= std::byte{1};
  Bytes other_cells = leaves;
  other_cells[6] ^= std::byte{1};
  Bytes other_version = leaves;
  other_version[4] ^= std::byte{1};
  const Bytes shorter(leaves.begin(), leaves.end() - 32);
  for (const Bytes& bytes : {other_leaf, other_cells, other_version, shorter, Bytes(), leaves}) {
    Put(env, path, bytes);
    const auto held = OpenData(env, kFolder);
    ASSERT_TRUE(held.ok()) << held.error().message();
    EXPECT_EQ(held->matrix.root(), card.root);
    EXPECT_EQ(ReadFile(env, path, 1 << 20).value(), leaves);
  }
  ASSERT_TRUE(env.RemoveFile(path).ok());
  ASSERT_TRUE(OpenData(env, kFolder).ok());
  EXPECT_EQ(ReadFile(env, path, 1 << 20).value(), leaves);
  // Those of the generation before.
  const DataCard fresh = RefreshData(env, kFolder).value();
  EXPECT_EQ(OpenData(env, kFolder).value().matrix.root(), fresh.root);
  EXPECT_NE(ReadFile(env, path, 1 << 20).value(), leaves);
}

// The leaves are right, and the cells: only the key, or the number of pads, is not theirs.
TEST(RegisteredDataTest, LeavesOfAnotherKeyAreNotBelieved) {
  MemEnv env;
  PutData(env);
  ASSERT_TRUE(RegisterData(env, kFolder, kRequest).ok());
  ASSERT_TRUE(RegisterData(env, "/own/2", kRequest).ok());
  const std::string path = JoinPath(kFolder, kSecretFile);
  const Bytes own = ReadFile(env, path, 1 << 20).value();
  Put(env, path, ReadFile(env, JoinPath("/own/2", kSecretFile), 1 << 20).value());
  const auto held = OpenData(env, kFolder);
  ASSERT_FALSE(held.ok());
  EXPECT_EQ(held.error().code(), ErrorCode::kConflict);
  Put(env, path, own);
  EXPECT_TRUE(OpenData(env, kFolder).ok());
  DataCard wider = ReadCard(env, kFolder).value();
  ++wider.shape.num_pads;
  Put(env, JoinPath(kFolder, kCardFile), ToBytes(EncodeCard(wider)));
  ASSERT_TRUE(ReadCard(env, kFolder).ok());
  EXPECT_FALSE(OpenData(env, kFolder).ok());
}

TEST(RegisteredDataTest, ADataFileThatIsGoneIsNotFound) {
  MemEnv env;
  PutData(env);
  RegisterRequest request = kRequest;
  request.source = "/d/x.npy";
  ASSERT_TRUE(RegisterData(env, kFolder, request).ok());
  ASSERT_TRUE(env.RemoveFile("/d/x.npy").ok());
  EXPECT_EQ(OpenData(env, kFolder).error().code(), ErrorCode::kNotFound);
}

TEST(RegisteredDataTest, ASecretThatIsGoneIsToBeRestored) {
  MemEnv env;
  PutData(env);
  ASSERT_TRUE(RegisterData(env, kFolder, kRequest).ok());
  ASSERT_TRUE(env.RemoveFile(JoinPath(kFolder, kSecretFile)).ok());
  const auto gone = OpenData(env, kFolder);
  EXPECT_EQ(gone.error().code(), ErrorCode::kNotFound);
  EXPECT_NE(gone.error().hint().find("restore it from its backup"), std::string::npos);
}

TEST(RegisteredDataTest, ARefreshIsAnotherRootOfANewGeneration) {
  MemEnv env;
  PutData(env);
  const auto first = RegisterData(env, kFolder, kRequest);
  const Bytes secret = env.ContentsOf(JoinPath(kFolder, kSecretFile));
  const auto second = RefreshData(env, kFolder);
  ASSERT_TRUE(second.ok()) << second.error().message();
  EXPECT_EQ(second->generation, 1U);
  EXPECT_NE(second->root, first->root);
  DataCard expected = *first;
  expected.generation = 1;
  expected.root = second->root;
  EXPECT_EQ(*second, expected);
  EXPECT_EQ(env.ContentsOf(JoinPath(kFolder, kSecretFile)), secret);
  const auto held = OpenData(env, kFolder);
  ASSERT_TRUE(held.ok());
  EXPECT_EQ(held->card, *second);
  EXPECT_EQ(RefreshData(env, kFolder)->generation, 2U);
}

TEST(RegisteredDataTest, TheSecretIsTheOwnersAlone) {
  std::string folder = testing::TempDir() + "/flair-data-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  Put(PosixEnv(), folder + "/x.npy", Images());
  RegisterRequest request = kRequest;
  request.source = folder + "/x.npy";
  const auto card = RegisterData(PosixEnv(), folder + "/set", request);
  ASSERT_TRUE(card.ok()) << card.error().message();
  struct stat info {};
  ASSERT_EQ(stat((folder + "/set/secret.json").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600U);
  EXPECT_TRUE(OpenData(PosixEnv(), folder + "/set").ok());
  ASSERT_TRUE(RefreshData(PosixEnv(), folder + "/set").ok());
  ASSERT_EQ(stat((folder + "/set/secret.json").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600U);
  ASSERT_EQ(stat((folder + "/set/leaves.bin").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600U);
  EXPECT_EQ(PosixEnv().ListDir(folder + "/set").value(),
            (std::vector<std::string>{"card.json", "leaves.bin", "secret.json"}));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace flair::data
