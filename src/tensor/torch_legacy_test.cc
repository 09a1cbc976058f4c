// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tensor/handmade.h"
#include "tensor/layout_testing.h"
#include "tensor/torch_file.h"

namespace flair {
namespace {

using namespace handmade;  // NOLINT: a vocabulary

std::string Read(std::string_view file) {
  const auto layout = ReadFileLayout(*SourceOfBytes(AsBytes(file)), "m.pt");
  if (!layout.ok()) {
    EXPECT_EQ(layout.error().code(), ErrorCode::kCorrupt) << layout.error().message();
    return layout.error().message();
  }
  ExpectTiles(*layout, file.size());
  return ContentsOf(*layout);
}

// Floats [2] and a half: 8 and 2 bytes.
std::string TwoTensors() {
  return Dict({{"a", Tensor(LegacyStorage("FloatStorage", "111", 2), 0, {2}, {1})},
               {"b", Tensor(LegacyStorage("HalfStorage", "22", 1), 0, {}, {})}});
}

TEST(TorchLegacyTest, StoragesFollowInTheOrderOfTheirKeys) {
  EXPECT_EQ(Read(TorchLegacy(TwoTensors(), {{"111", 2, "dddddddd"}, {"22", 1, "dd"}})),
            "F32 a [2]; F16 b []");
  EXPECT_EQ(Read(TorchLegacy(TwoTensors(), {{"22", 1, "dd"}, {"111", 2, "dddddddd"}})),
            "F16 b []; F32 a [2]");
  EXPECT_EQ(Read(TorchLegacy("N", {})), "");
}

TEST(TorchLegacyTest, AViewOfAStorageBeginsWhereItsRootSays) {
  const std::string view = Tuple({Text("222"), Int(2), Int(2)});
  const std::string value =
      Dict({{"w", Tensor(LegacyStorage("FloatStorage", "1", 4, view), 1, {1}, {1})}});
  const auto layout = ReadFileLayout(
      *SourceOfBytes(AsBytes(TorchLegacy(value, {{"1", 4, std::string(16, 'd')}}))), "m.pt");
  ASSERT_TRUE(layout.ok());
  const std::vector<std::string> tensors = TensorsOf(*layout);
  ASSERT_EQ(tensors.size(), 1);
  const std::size_t begin = TorchLegacy(value, {{"1", 4, ""}}).size();
  EXPECT_EQ(tensors[0], "F32 w [1] @" + std::to_string(begin + 12));
}

TEST(TorchLegacyTest, WhatIsUnknownIsABlob) {
  const std::vector<LegacyPart> storages = {{"111", 2, "dddddddd"}, {"22", 1, "dd"}};
  const std::string whole = TorchLegacy(TwoTensors(), storages);
  EXPECT_EQ(Read(whole + "tail"), "F32 a [2]; F16 b []; blob 4");
  EXPECT_EQ(Read(TorchLegacy(TwoTensors(), storages, "\x89")), "blob 26") << "big-endian";
  EXPECT_EQ(Read(TorchLegacy(TwoTensors(), storages, "\x88", 1002)),
            "blob " + std::to_string(whole.size()));
  const std::string opcode = TorchLegacy("I1\n", {});
  EXPECT_EQ(Read(opcode), "blob " + std::to_string(opcode.size()));
  // Where the next storage begins is not known.
  const std::string strange =
      Dict({{"x", Tensor(LegacyStorage("MyStorage", "0", 2), 0, {2}, {1})}, {"y", TwoTensors()}});
  EXPECT_EQ(Read(TorchLegacy(strange, {{"111", 2, "dddddddd"}, {"0", 2, "??"}, {"22", 1, "dd"}})),
            "F32 y.a [2]; blob 20");
}

TEST(TorchLegacyTest, AFileThatContradictsItselfIsRefusedWithTheReason) {
  const struct {
    std::string file;
    const char* message;
  } kCases[] = {
      {TorchLegacy(TwoTensors(), {{"111", 3, "dddddddddddd"}, {"22", 1, "dd"}}),
       "has 3 elements, the pickle says 2"},
      {TorchLegacy(TwoTensors(), {{"111", ~std::uint64_t{0}, "dddddddd"}, {"22", 1, "dd"}}),
       "has 18446744073709551615 elements, the pickle says 2"},
      {TorchLegacy(TwoTensors(), {{"111", 2, "dddddddd"}, {"22", 1, "d"}}),
       "the file ends inside storage '22'"},
      {TorchLegacy(TwoTensors(), {{"111", 2, "dddddddd"}}), "fewer keys than storages"},
      {TorchLegacy(TwoTensors(), {{"111", 2, "dddddddd"}, {"22", 1, "dd"}, {"3", 1, "d"}}),
       "more keys than storages"},
      {TorchLegacy(TwoTensors(), {{"111", 2, "dddddddd"}, {"111", 2, "dddddddd"}}),
       "key '111' stands twice or names no storage"},
      {TorchLegacy(TwoTensors(), {{"x", 2, "dddddddd"}, {"22", 1, "dd"}}),
       "key 'x' stands twice or names no storage"},
      {TorchLegacy(Dict({{"w", Tensor(LegacyStorage("FloatStorage", "0", 1), 0, {2}, {1})}}),
                   {{"0", 1, "dddd"}}),
       "tensor 'w' reaches beyond the 4 bytes"},
      {TorchLegacy(Dict({{"w", Tensor(LegacyStorage("FloatStorage", "0", 1'000'000'000'000), 0, {1},
                                      {1})}}),
                   {{"0", 1'000'000'000'000, "dddd"}}),
       "the file ends inside storage '0'"},
      {TorchLegacy(Dict({{"w", Tensor(LegacyStorage("FloatStorage", "0", 1,
                                                    Tuple({Text("1"), Int(1), Int(1)})),
                                      0, {1}, {1})}}),
                   {{"0", 1, "dddd"}}),
       "tensor 'w' reaches beyond the 4 bytes"},
      {TorchLegacy("X\xff\xff\xff\x7f", {}), "ends inside the opcode"},
      {TorchLegacy("h\x07", {}), "memo entry 7 was never put"},
  };
  for (const auto& c : kCases) {
    const std::string said = Read(c.file);
    EXPECT_NE(said.find(c.message), std::string::npos) << said << "\nexpected: " << c.message;
    EXPECT_TRUE(said.starts_with("torch file: ")) << said;
  }
}

TEST(TorchLegacyTest, EveryCutAndEveryChangedByteTilesOrIsRefused) {
  const std::string file = TorchLegacy(TwoTensors(), {{"111", 2, "dddddddd"}, {"22", 1, "dd"}});
  for (std::size_t n = 0; n < file.size(); ++n) Read(file.substr(0, n));
  for (std::size_t i = 0; i < file.size(); ++i) {
    for (const int flip : {0x01, 0x80, 0xff}) {
      std::string changed = file;
      changed[i] = static_cast<char>(changed[i] ^ flip);
      Read(changed);
    }
  }
}

}  // namespace
}  // namespace flair
