// The zip format, made by hand; python/tests/test_torch_files.py has files of PyTorch.
// SPDX-License-Identifier: Apache-2.0
#include "tensor/torch_file.h"

#include <gtest/gtest.h>

#include <limits>

#include "tensor/handmade.h"
#include "tensor/layout_testing.h"

namespace flair {
namespace {

using namespace handmade;  // NOLINT: a vocabulary

constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();

// What the file holds apart from its headers, or the error.
std::string Read(const Bytes& file, std::string_view name = "m.pt") {
  const auto layout = ReadFileLayout(*SourceOfBytes(file), name);
  if (!layout.ok()) {
    EXPECT_EQ(layout.error().code(), ErrorCode::kCorrupt) << layout.error().message();
    return layout.error().message();
  }
  ExpectTiles(*layout, file.size());
  EXPECT_TRUE(layout->format == FileFormat::kTorchZip || layout->format == FileFormat::kBlob);
  return ContentsOf(*layout);
}

std::string Data(std::size_t bytes) { return std::string(bytes, 'd'); }

// One float in a storage of its own.
std::string Scalar(std::string_view key) {
  return Tensor(Storage("FloatStorage", key, 1), 0, {}, {});
}
std::string Pair(const std::string& a, const std::string& b) { return a + b + "\x86"; }

TEST(TorchFileTest, ATensorIsNamedByThePathToIt) {
  const struct {
    std::string value;
    const char* tensors;
  } kCases[] = {
      {Dict({{"w", Scalar("0")}}), "F32 w []"},
      {Scalar("0"), "F32 tensor []"},
      {Dict({{"model", Dict({{"0.weight", Scalar("0")}})}, {"epoch", Int(3)}}),
       "F32 model.0.weight []"},
      {Dict({{"optimizer", Dict({{"state", "}" + Int(7) + Dict({{"step", Scalar("0")}}) + "s"}})}}),
       "F32 optimizer.state.7.step []"},
      {List({Int(1), List({"N", Scalar("0")})}), "F32 1.1 []"},
      {Tuple({Scalar("0")}), "F32 0 []"},
      // An OrderedDict: a call, then items.
      {Call(Global("collections", "OrderedDict"), {}) + "(" + Text("w") + Scalar("0") + "u",
       "F32 w []"},
      // A module pickled whole: its attributes are the state of a call.
      {Global("my", "Net") + ")\x81" + Dict({{"_parameters", Dict({{"w", Scalar("0")}})}}) + "b",
       "F32 _parameters.w []"},
      {Dict(
           {{"w", Call(Global("torch._utils", "_rebuild_parameter"), {Scalar("0"), "\x88", "}"})}}),
       "F32 w []"},
      {Dict({{"w", Call(Global("torch._tensor", "_rebuild_from_type_v2"),
                        {Global("torch._utils", "_rebuild_tensor_v2"), Global("my", "Kind"),
                         Tuple({Storage("FloatStorage", "0", 1), Int(0), Ints({}), Ints({}), "\x89",
                                "}"}),
                         "}"})}}),
       "F32 w []"},
      // Names that stand already, and what cannot be a name.
      {Dict({{"w", Scalar("0")}, {"w", Scalar("1")}}), "F32 w []; F32 w#2 []"},
      {Dict({{"w#2", Scalar("0")}, {"w", Scalar("1")}, {"w", Scalar("2")}}),
       "F32 w#2 []; F32 w []; F32 w#3 []"},
      {Dict({{"", Scalar("0")}}), "F32 tensor []"},
      {Dict({{"\xff", Scalar("0")}, {std::string(1, '\0'), Scalar("1")}}),
       "F32 tensor []; F32 tensor#2 []"},
      {Dict({{std::string(2000, 'n'), Scalar("0")}}), "F32 tensor []"},
      {"}" + Pair("N", "N") + Scalar("0") + "s", "F32 0 []"},  // a tuple as key
  };
  for (const auto& c : kCases) {
    std::size_t n = 1;
    for (const char* p = c.tensors; *p != '\0'; ++p) n += *p == ';';
    Storages storages;
    for (std::size_t i = 0; i < n; ++i) storages.emplace_back(std::to_string(i), Data(4));
    EXPECT_EQ(Read(TorchZip(c.value, storages)), c.tensors);
  }
}

TEST(TorchFileTest, ElementsHaveTheirDTypeWhenFlairHasOne) {
  const struct {
    const char* storage;
    std::size_t bytes;
    const char* contents;  // of a tensor of two elements
  } kCases[] = {
      {"FloatStorage", 4, "F32 w [2]"},        {"DoubleStorage", 8, "F64 w [2]"},
      {"HalfStorage", 2, "F16 w [2]"},         {"BFloat16Storage", 2, "BF16 w [2]"},
      {"LongStorage", 8, "I64 w [2]"},         {"IntStorage", 4, "I32 w [2]"},
      {"ShortStorage", 2, "I16 w [2]"},        {"CharStorage", 1, "I8 w [2]"},
      {"ByteStorage", 1, "U8 w [2]"},          {"BoolStorage", 1, "BOOL w [2]"},
      {"ComplexFloatStorage", 8, "C64 w [2]"}, {"ComplexDoubleStorage", 16, "C128 w [2]"},
      {"QInt8Storage", 1, "blob 2"},           {"QInt32Storage", 4, "blob 8"},
      {"UntypedStorage", 1, "blob 2"},         {"MyStorage", 3, "blob 6"},
  };
  for (const auto& c : kCases) {
    const std::string value = Dict({{"w", Tensor(Storage(c.storage, "0", 2), 0, {2}, {1})}});
    EXPECT_EQ(Read(TorchZip(value, {{"0", Data(2 * c.bytes)}})), c.contents) << c.storage;
  }
  const std::pair<const char*, const char*> kUntyped[] = {
      {"uint16", "U16 w [2]"},
      {"float8_e5m2", "F8_E5M2 w [2]; blob 2"},
      {"bits8", "blob 4"},
  };
  for (const auto& [dtype, contents] : kUntyped) {
    const std::string value =
        Dict({{"w", Tensor3(Storage("UntypedStorage", "0", 4), 0, {2}, {1}, dtype)}});
    // The rest of a storage is short enough to stay inline, unless it is a tensor.
    const std::string_view expected = contents;
    EXPECT_EQ(Read(TorchZip(value, {{"0", Data(4)}})), expected.substr(0, expected.find("; ")));
  }
}

TEST(TorchFileTest, ViewsThatAreApartAreTensorsAndOthersTheWholeStorage) {
  const auto view = [](std::int64_t offset, const std::vector<std::int64_t>& dims,
                       const std::vector<std::int64_t>& strides) {
    return Tensor(Storage("FloatStorage", "0", 12), offset, dims, strides);
  };
  const std::vector<std::int64_t> many(33, 1);
  const struct {
    const char* what;
    std::string value;
    const char* contents;
  } kCases[] = {
      {"all of it", Dict({{"w", view(0, {3, 4}, {4, 1})}}), "F32 w [3,4]"},
      {"side by side, in another order",
       Dict({{"b", view(6, {6}, {1})}, {"a", view(0, {2, 3}, {3, 1})}}), "F32 a [2,3]; F32 b [6]"},
      {"with a hole", Dict({{"w", view(2, {2}, {1})}, {"v", view(8, {2}, {1})}}),
       "F32 w [2]; F32 v [2]"},
      {"tied", Dict({{"w", view(0, {12}, {1})}, {"tied", view(0, {12}, {1})}}), "F32 w [12]"},
      {"tied in another shape", Dict({{"w", view(0, {12}, {1})}, {"v", view(0, {3, 4}, {4, 1})}}),
       "F32 w [12]"},
      {"transposed", Dict({{"w", view(0, {4, 3}, {1, 4})}}), "F32 w [12]"},
      {"transposed, and tied",
       Dict({{"w", view(0, {3, 4}, {4, 1})}, {"t", view(0, {4, 3}, {1, 4})}}), "F32 w [12]"},
      {"a column", Dict({{"w", view(1, {3}, {4})}}), "F32 w [12]"},
      {"overlapping", Dict({{"w", view(0, {8}, {1})}, {"v", view(4, {8}, {1})}}), "F32 w [12]"},
      {"repeated by a stride of 0", Dict({{"w", view(0, {5, 12}, {0, 1})}}), "F32 w [12]"},
      {"a dim of one has any stride", Dict({{"w", view(0, {1, 12, 1}, {99, 1, kHuge})}}),
       "F32 w [1,12,1]"},
      {"a scalar at the end", Dict({{"w", view(11, {}, {})}}), "F32 w []"},
      {"none", Dict({{"w", view(0, {0, 5}, {5, 1})}}), "F32 w [0,5]; blob 48"},
      {"none, beyond the end", Dict({{"w", view(kHuge, {0}, {kHuge})}}), "F32 w [0]; blob 48"},
      {"none, and some", Dict({{"w", view(0, {12}, {1})}, {"e", view(0, {3, 0}, {1, 1})}}),
       "F32 e [3,0]; F32 w [12]"},
      {"more dims than an object holds", Dict({{"w", view(0, many, many)}}), "F32 w [12]"},
      {"of two element types",
       Dict({{"w", Tensor3(Storage("UntypedStorage", "0", 48), 0, {12}, {1}, "int32")},
             {"v", Tensor3(Storage("UntypedStorage", "0", 48), 0, {12}, {1}, "float32")}}),
       "blob 48"},
      {"beside quantised elements",
       Dict({{"w", Tensor3(Storage("UntypedStorage", "0", 48), 0, {6}, {1}, "float32")},
             {"v", Tensor3(Storage("UntypedStorage", "0", 48), 24, {24}, {1}, "qint8")}}),
       "blob 48"},
      {"of no tensor", Dict({{"w", Storage("FloatStorage", "0", 12)}}), "blob 48"},
      {"the same tensor object twice", Dict({{"w", view(0, {12}, {1}) + "q\x01"}, {"v", "h\x01"}}),
       "F32 w [12]"},
  };
  for (const auto& c : kCases) {
    EXPECT_EQ(Read(TorchZip(c.value, {{"0", Data(48)}})), c.contents) << c.what;
  }
}

TEST(TorchFileTest, BytesBehindAStorageAreKept) {
  const std::string value = Dict({{"w", Scalar("0")}});
  EXPECT_EQ(Read(TorchZip(value, {{"0", Data(7)}})), "F32 w []");
  EXPECT_EQ(Read(TorchZip(value, {{"0", Data(4 + (64 << 10))}})), "F32 w []");
  EXPECT_EQ(Read(TorchZip(value, {{"0", Data(5 + (64 << 10))}})), "F32 w []; blob 65537");
}

// What this build cannot read is content without a meaning, but no error.
TEST(TorchFileTest, WhatIsUnknownIsABlob) {
  const std::string value = Dict({{"w", Scalar("0")}});
  const auto parts = [&] { return TorchParts(value, {{"0", Data(4)}}); };
  auto big_endian = parts();
  big_endian[1].data = "big";
  auto packed_storage = parts();
  packed_storage[2].method = 8;
  auto packed_pickle = parts();
  packed_pickle[0].method = 8;
  auto no_version = parts();
  no_version.pop_back();
  auto another_folder = parts();
  another_folder.push_back({.name = "n/data.pkl", .data = WholePickle("N")});
  auto old = parts();
  old.erase(old.begin() + 1);  // byteorder is new in PyTorch 2.1

  EXPECT_EQ(Read(Zip(parts(), ZipEnd::k64)), "F32 w []");
  EXPECT_EQ(Read(Zip(old)), "F32 w []");
  EXPECT_EQ(Read(Zip(big_endian)), "blob 4");
  EXPECT_EQ(Read(Zip(packed_storage)), "blob 4");
  EXPECT_EQ(Read(Zip(packed_pickle)),
            "blob " + std::to_string(WholePickle(value).size()) + "; blob 4");
  EXPECT_EQ(Read(Zip(no_version)), "");
  EXPECT_EQ(Read(Zip(another_folder)), "");
  EXPECT_EQ(Read(TorchZip("I1\n", {{"0", Data(4)}})), "blob 4") << "an opcode of protocol 0";
  EXPECT_EQ(Read(TorchZip("Nr\xff\xff\xff\xff", {{"0", Data(4)}})), "blob 4");
  // Not of torch.save, and not named so.
  const Bytes other = Zip({{.name = "a.txt", .data = "abc"}});
  EXPECT_EQ(Read(other, "a.zip"), "blob " + std::to_string(other.size()));
}

// Each pickle would do harm, or loop, or allocate without end, if a reader believed it.
// It is data here: the tensor beside it is found, and nothing else happens.
TEST(TorchFileTest, AHostilePickleIsAFileLikeAnyOther) {
  const std::string state = Dict({{"__class__", Global("os", "system")},
                                  {"__dict__",
                                   "]q\x07h\x07"
                                   "a"}});
  const std::string module = Global("my", "Net") + ")\x81";
  const struct {
    const char* what;
    std::string value;
  } kCases[] = {
      {"os.system", Call(Global("os", "system"), {Text("touch /tmp/flair-was-here")})},
      {"posix.system by STACK_GLOBAL",
       Text("posix") + Text("system") + "\x93" + Tuple({Text("id")}) + "R"},
      {"eval", Call(Global("builtins", "eval"), {Text("__import__('os').abort()")})},
      {"builtins.exec", Call(Global("builtins", "exec"), {Text("1/0")})},
      {"getattr of a call",
       Call(Call(Global("builtins", "getattr"), {Global("os", "x"), Text("system")}),
            {Text("id")})},
      {"NEWOBJ of a process", Global("subprocess", "Popen") + Tuple({Text("id")}) + "\x81"},
      {"BUILD with a class", module + state + "b"},
      {"BUILD with itself", module + "q\x07h\x07"
                                     "b"},
      {"BUILD with slots",
       module + Pair("N", Dict({{"a", Call(Global("os", "abort"), {})}})) + "b"},
      {"BUILD of a tensor", Scalar("1") + state + "b"},
      {"a list in itself",
       "]q\x07h\x07"
       "a"},
      {"a dict in itself", "}q\x07" + Text("k") + "h\x07s"},
      {"a tuple in itself, by a list",
       "]q\x07h\x07\x85"
       "a"},
      {"a call of itself",
       "]q\x07"
       ")R"},
      {"a call with its own arguments", Global("a", "b") + "(]q\x07h\x07"
                                                           "atR"},
      {"a persistent id that holds itself",
       "]q\x07h\x07"
       "Qa"},
      {"a parameter of parameters",
       [] {
         std::string value = Scalar("1");
         for (int i = 0; i < 100; ++i) {
           value = Call(Global("torch._utils", "_rebuild_parameter"), {value});
         }
         return value;
       }()},
      {"nested deeper than any stack", std::string(200'000, ']') + std::string(199'999, 'a')},
      {"a billion laughs", "]q\x07" +
                               [] {
                                 std::string laughs;
                                 for (int i = 0; i < 64; ++i)
                                   laughs += "(h\x07h\x07h\x07h\x07h\x07h\x07h\x07h\x07lq\x07";
                                 return laughs + Tuple({}) + "0" + std::string(64, '0');
                               }()},
      {"the longest memo entry it may have",
       std::string(300, ']') + "r" + Le(250, 4) + std::string(299, '0')},
      {"arguments that are no tuple of numbers",
       Call(Global("torch._utils", "_rebuild_tensor_v2"),
            {Storage("FloatStorage", "0", 1), Text("0"), "N", "N"})},
      {"dims that hold themselves",
       Call(Global("torch._utils", "_rebuild_tensor_v2"), {Storage("FloatStorage", "0", 1), Int(0),
                                                           "]q\x07h\x07"
                                                           "a\x85",
                                                           Ints({1})})},
      {"fewer strides than dims", Tensor(Storage("FloatStorage", "0", 1), 0, {1, 1}, {1})},
      {"more dims than PyTorch has",
       Tensor(Storage("FloatStorage", "0", 1), 0, std::vector<std::int64_t>(65, 1),
              std::vector<std::int64_t>(65, 1))},
      {"a tensor without arguments", Call(Global("torch._utils", "_rebuild_tensor_v2"), {})},
      {"a tensor of nothing", Tensor("N", 0, {1}, {1})},
      {"a tensor of a wrong id", Tensor(Text("0") + "Q", 0, {1}, {1})},
      {"a storage of text elements", Tensor(Tuple({Text("storage"), Global("torch", "FloatStorage"),
                                                   Text("0"), Text("cpu"), Text("1")}) +
                                                "Q",
                                            0, {1}, {1})},
      {"a storage with a long key",
       Tensor(Storage("FloatStorage", std::string(5000, 'k'), 1), 0, {1}, {1})},
      {"a storage of another module", Tensor(Tuple({Text("storage"), Global("os", "FloatStorage"),
                                                    Text("0"), Text("cpu"), Int(1)}) +
                                                 "Q",
                                             0, {1}, {1})},
      {"a dtype that is a call",
       Call(Global("torch._utils", "_rebuild_tensor_v3"),
            {Storage("FloatStorage", "0", 1), Int(0), Ints({1}), Ints({1}), "\x89", "}",
             Call(Global("os", "abort"), {}), "N"})},
  };
  for (const auto& c : kCases) {
    const Bytes file =
        TorchZip(Dict({{"w", Scalar("1")}, {"x", c.value}}), {{"0", Data(4)}, {"1", Data(4)}});
    EXPECT_EQ(Read(file), "blob 4; F32 w []") << c.what;
  }
}

TEST(TorchFileTest, AFileThatContradictsItselfIsRefusedWithTheReason) {
  const auto of = [](std::int64_t elements, std::int64_t offset,
                     const std::vector<std::int64_t>& dims,
                     const std::vector<std::int64_t>& strides) {
    return Dict({{"w", Tensor(Storage("FloatStorage", "0", elements), offset, dims, strides)}});
  };
  const Storages four = {{"0", Data(16)}};
  const struct {
    std::string value;
    Storages storages;
    const char* message;
  } kCases[] = {
      {of(4, 0, {4}, {1}), {}, "storage '0' has no member"},
      {of(4, 0, {4}, {1}), {{"1", Data(16)}}, "storage '0' has no member"},
      {of(4, 0, {4}, {1}), {{"0", Data(15)}}, "storage '0' of 16 bytes; its member at byte "},
      {Dict({{"w", Storage("FloatStorage", "0", 5)}}), four, "storage '0' of 20 bytes"},
      {of(-1, 0, {0}, {1}), four, "storage '0' has -1 elements"},
      {of(kHuge, 0, {4}, {1}), four, "storage '0' has 9223372036854775807 elements"},
      {of(kHuge / 4, 0, {4}, {1}), four, "storage '0' of 9223372036854775804 bytes"},
      {of(4, 0, {5}, {1}), four, "tensor 'w' reaches beyond the 16 bytes of storage '0'"},
      {of(4, 1, {4}, {1}), four, "reaches beyond"},
      {of(4, 4, {}, {}), four, "reaches beyond"},
      {of(4, kHuge, {1}, {1}), four, "reaches beyond"},
      {of(4, 0, {2, 2}, {3, 1}), four, "reaches beyond"},
      {of(4, 0, {2}, {kHuge}), four, "reaches beyond"},
      {of(4, 0, {3}, {kHuge}), four, "reaches beyond"},
      {of(4, 0, {3, 3}, {kHuge / 2, kHuge / 2}), four, "reaches beyond"},
      {of(4, 0, {kHuge / 8}, {1}), four, "reaches beyond"},
      {of(4, 0, {kHuge}, {1}), four, "shape that overflows 64 bits"},
      {of(4, 0, {kHuge, kHuge}, {0, 0}), four, "shape that overflows 64 bits"},
      {of(4, 0, {0, kHuge, kHuge}, {1, 1, 1}), four, "shape that overflows 64 bits"},
      {of(4, -1, {4}, {1}), four, "tensor 'w' begins at element -1"},
      {of(4, 0, {-4}, {1}), four, "tensor 'w' has a dimension of -4"},
      {of(4, 0, {std::numeric_limits<std::int64_t>::min()}, {1}), four,
       "dimension of -9223372036854775808"},
      {of(4, 0, {4}, {-1}), four, "tensor 'w' has a stride of -1"},
      {Dict({{"w", Tensor3(Storage("UntypedStorage", "0", 15), 0, {2}, {1}, "int64")}}), four,
       "reaches beyond the 15 bytes"},
      {Dict({{"w", Storage("FloatStorage", "0", 4)}, {"v", Storage("FloatStorage", "0", 3)}}), four,
       "storage '0' is described twice, differently"},
      {Dict({{"w", Storage("FloatStorage", "0", 4)}, {"v", Storage("HalfStorage", "0", 4)}}), four,
       "described twice, differently"},
      {Dict({{"w", Storage("FloatStorage", "0", 4, {Tuple({Text("0"), Int(-1), Int(4)})})}}), four,
       "storage '0': a view of it has no place"},
      {"X\xff\xff\xff\x7f", four, "m/data.pkl: pickle: it ends inside the opcode at byte 2"},
      {"\x8e" + std::string(8, '\xff'), four, "it ends inside the opcode at byte 2"},
      {"\x95" + std::string(8, '\xff'), four, "it ends inside its frame at byte 2"},
      {"h\x07", four, "memo entry 7 was never put at byte 2"},
      {"", four, "nothing on the stack"},
      {std::string(4, '\x85'), four, "nothing on the stack"},
  };
  for (const auto& c : kCases) {
    const std::string said = Read(TorchZip(c.value, c.storages));
    EXPECT_NE(said.find(c.message), std::string::npos) << said << "\nexpected: " << c.message;
    EXPECT_TRUE(said.starts_with("torch file: ")) << said;
  }
  auto twice = TorchParts(of(4, 0, {4}, {1}), four);
  twice.push_back(twice[2]);
  EXPECT_EQ(Read(Zip(twice)), "torch file: zip archive: member 'm/data/0' stands twice");
}

TEST(TorchFileTest, ABrokenArchiveIsAnErrorOnlyWhenItSaysWhatItIs) {
  Bytes file = TorchZip(Dict({{"w", Scalar("0")}}), {{"0", Data(4)}});
  file.pop_back();
  EXPECT_NE(Read(file, "model.bin").find("torch file: zip archive"), std::string::npos);
  Bytes other = Zip({{.name = "a.txt", .data = "abc"}});
  other.pop_back();
  EXPECT_EQ(Read(other, "a.zip"), "blob " + std::to_string(other.size()));
  EXPECT_NE(Read(other, "a.pt").find("torch file: zip archive"), std::string::npos);
}

TEST(TorchFileTest, EveryCutAndEveryChangedByteTilesOrIsRefused) {
  const Bytes file =
      TorchZip(Dict({{"a", Tensor(Storage("FloatStorage", "0", 2), 0, {2}, {1})},
                     {"b", Tensor(Storage("HalfStorage", "1", 2), 1, {1, 1}, {1, 1})}}),
               {{"0", Data(8)}, {"1", Data(4)}});
  for (std::size_t n = 0; n < file.size(); ++n) {
    Read(Bytes(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(n)));
  }
  for (std::size_t i = 0; i < file.size(); ++i) {
    for (const int flip : {0x01, 0x80, 0xff}) {
      Bytes changed = file;
      changed[i] ^= static_cast<std::byte>(flip);
      Read(changed);
    }
  }
}

}  // namespace
}  // namespace flair
