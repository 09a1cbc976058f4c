// Files and folders of arrays, and which of their columns a data set takes.
// SPDX-License-Identifier: Apache-2.0
#include "data/source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/mem_env.h"
#include "base/path.h"
#include "data/array_testing.h"
#include "tensor/safetensors.h"

namespace flair::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Bytes Tensors(const std::vector<SafetensorsEntry>& entries, std::size_t size) {
  Bytes file = WriteSafetensorsHeader(entries, {{"made", "by hand"}});
  file.resize(file.size() + size, std::byte{1});
  return file;
}

class SourceTest : public testing::Test {
 protected:
  SourceTest() { EXPECT_TRUE(MakeDirs(env_, "/d").ok()); }
  void Put(const std::string& name, const Bytes& bytes) {
    EXPECT_TRUE(WriteFileAtomically(env_, JoinPath("/d", name), bytes).ok());
  }
  Source Open(const std::string& path = "/d") {
    auto source = OpenSource(env_, path);
    EXPECT_TRUE(source.ok()) << source.error().message();
    return source.ok() ? std::move(*source) : Source{};
  }
  Error Refused(const std::string& path = "/d") {
    const auto source = OpenSource(env_, path);
    EXPECT_FALSE(source.ok());
    return source.ok() ? Error(ErrorCode::kIo, "it was read") : source.error();
  }
  MemEnv env_;
};

std::vector<std::string> NamesOf(const Source& source) {
  std::vector<std::string> names;
  for (const SourceColumn& column : source.columns) names.push_back(column.name);
  return names;
}

TEST_F(SourceTest, AFolderHasTheColumnsOfItsFiles) {
  Put("a.npy", Npy("|u1", "(2,)", Bytes(2)));
  Put("b.npy.gz", Gzip(Npy("<f4", "(2, 1)", Bytes(8))));
  Put("c.idx", Idx(8, {2}, Bytes(2)));
  Put("t10k-images-idx3-ubyte.gz", Gzip(Idx(8, {2, 1, 2}, Bytes(4))));
  Put("t10k-labels.idx1-ubyte", Idx(8, {2}, Bytes(2)));
  Put("w.safetensors", Tensors({{"deep.x", DType::kI16, {2, 3}}, {"y", DType::kU8, {2}}}, 14));
  Put("README", ToBytes("text"));
  Put("x.safetensors.gz", ToBytes("text"));
  const Source source = Open();
  EXPECT_THAT(NamesOf(source),
              ElementsAre("a", "b", "c", "t10k-images", "t10k-labels", "deep.x", "y"));
  EXPECT_THAT(source.left_out, ElementsAre("README", "x.safetensors.gz"));
  for (const SourceColumn& column : source.columns) {
    EXPECT_EQ(column.num_records(), 2U) << column.name;
  }
  EXPECT_TRUE(CheckRecords(source.columns).ok());
  EXPECT_EQ(source.columns[5].dtype, DType::kI16);
  std::vector<std::int64_t> read;
  EXPECT_TRUE(ForEachInteger(source.columns[5], [&](auto, auto values) -> Status {
                read.assign(values.begin(), values.end());
                return OkStatus();
              }).ok());
  EXPECT_EQ(read, std::vector<std::int64_t>(6, 257));
}

TEST_F(SourceTest, AFileIsASourceOfItsOwn) {
  Put("train-labels-idx1-ubyte.gz", Gzip(Idx(8, {3}, Bytes(3))));
  EXPECT_THAT(NamesOf(Open("/d/train-labels-idx1-ubyte.gz")), ElementsAre("train-labels"));
}

TEST_F(SourceTest, NamesOfFiles) {
  EXPECT_EQ(ColumnOfFile("train-images-idx3-ubyte.gz"), "train-images");
  EXPECT_EQ(ColumnOfFile("a.idx8-double"), "a");
  EXPECT_EQ(ColumnOfFile("a.npy.gz"), "a");
  EXPECT_EQ(ColumnOfFile("a.b.npy"), "a.b");
  for (const char* none : {"a.safetensors", ".npy", ".npy.gz", "a-idx0-ubyte", "a-idx9-ubyte",
                           "-idx3-ubyte", "a-ubyte", "a.npz", "a.csv", "npy", ""}) {
    EXPECT_EQ(ColumnOfFile(none), std::nullopt) << none;
  }
}

TEST_F(SourceTest, WhatCannotBeOpenedIsNamed) {
  EXPECT_EQ(Refused("/nothing").code(), ErrorCode::kNotFound);
  EXPECT_THAT(Refused().message(), HasSubstr("/d: no data that Flair reads"));
  Put("notes.txt", ToBytes("text"));
  EXPECT_THAT(Refused("/d/notes.txt").message(), HasSubstr("no data that Flair reads"));
  Put("a.npy", Npy("|u1", "(3,)", Bytes(2)));
  EXPECT_THAT(Refused().message(), HasSubstr("a.npy: NPY: 2 bytes behind"));
  Put("a.npy", Npy("|u1", "(2,)", Bytes(2)));
  Put("a.idx", Idx(8, {2}, Bytes(2)));
  EXPECT_EQ(Refused().message(), "column 'a' is in a.idx and in a.npy");
  Put("a.idx", Idx(8, {1}, Bytes(2)));
  EXPECT_EQ(Refused().code(), ErrorCode::kCorrupt);
  Put("a.idx.gz", ToBytes("no gzip at all"));
  EXPECT_THAT(Refused("/d/a.idx.gz").message(), HasSubstr("a.idx.gz: gzip: incorrect header"));
}

TEST_F(SourceTest, ABrokenSafetensorsFileIsNamed) {
  const Bytes whole = Tensors({{"x", DType::kU8, {4}}}, 4);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    Put("w.safetensors", Bytes(whole.begin(), whole.begin() + size));
    EXPECT_THAT(Refused().message(), HasSubstr("w.safetensors: ")) << size;
  }
  Bytes claims = Elements(8, ByteOrder::kLittle, {std::int64_t{1} << 40});
  claims.resize(20, std::byte{'{'});
  Put("w.safetensors", claims);
  EXPECT_THAT(Refused().message(), HasSubstr("w.safetensors: "));
}

TEST_F(SourceTest, ChoicesTakeColumnsUnderNames) {
  const auto choices = ParseChoices("x=train-images,labels").value();
  ASSERT_EQ(choices.size(), 2U);
  EXPECT_EQ(choices[0].name + "<" + choices[0].source, "x<train-images");
  EXPECT_EQ(choices[1].name + "<" + choices[1].source, "labels<labels");
  EXPECT_EQ(ParseChoices("x=a=b")->front().source, "a=b");
  for (const char* wrong : {"", ",", "x,", "=a", "x=", "a b", "x=a,,y"}) {
    const auto read = ParseChoices(wrong);
    ASSERT_FALSE(read.ok()) << wrong;
    EXPECT_EQ(read.error().code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(read.error().message(), HasSubstr("does not choose a column"));
  }
  Put("labels.npy", Npy("|u1", "(2,)", Bytes(2)));
  Put("train-images.npy", Npy("|u1", "(3, 1)", Bytes(3)));
  const auto chosen = Choose(Open(), choices);
  ASSERT_TRUE(chosen.ok());
  EXPECT_EQ((*chosen)[0].name, "x");
  EXPECT_EQ((*chosen)[0].file, "train-images.npy");
  EXPECT_EQ(CheckRecords(*chosen).error().message(), "column 'labels' has 2 records, 'x' 3");
  const auto none = Choose(Open(), {{.name = "z", .source = "z"}});
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(none.error().message(), "no column 'z'; there are labels, train-images");
}

// Debian's dataset-fashion-mnist (tools/dev/packages/python.txt).
TEST(FashionMnistTest, TheRealFilesAreRead) {
  const std::string folder = "/usr/share/datasets/fashion-mnist";
  if (!Exists(PosixEnv(), folder)) GTEST_SKIP() << folder << " is not installed";
  const auto source = OpenSource(PosixEnv(), folder);
  ASSERT_TRUE(source.ok()) << source.error().message();
  EXPECT_THAT(NamesOf(*source),
              ElementsAre("t10k-images", "t10k-labels", "train-images", "train-labels"));
  EXPECT_THAT(source->columns[0].dims, ElementsAre(10000, 28, 28));
  EXPECT_THAT(source->columns[2].dims, ElementsAre(60000, 28, 28));
  std::vector<std::uint64_t> counts(10);
  EXPECT_TRUE(ForEachInteger(source->columns[3], [&](auto, auto values) -> Status {
                for (const std::int64_t v : values) ++counts.at(static_cast<std::size_t>(v));
                return OkStatus();
              }).ok());
  EXPECT_EQ(counts, std::vector<std::uint64_t>(10, 6000));
}

}  // namespace
}  // namespace flair::data
