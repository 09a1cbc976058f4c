#include "tensor/onnx.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tensor/layout_testing.h"

namespace flair {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string Varint(std::uint64_t v) {
  std::string out;
  for (; v >= 0x80; v >>= 7) out += static_cast<char>(v | 0x80);
  return out + static_cast<char>(v);
}
std::string Number(std::uint64_t field, std::uint64_t v) { return Varint(field << 3) + Varint(v); }
std::string Message(std::uint64_t field, const std::string& bytes) {
  return Varint(field << 3 | 2) + Varint(bytes.size()) + bytes;
}
std::string Tensor(const std::string& name, std::uint64_t type,
                   const std::vector<std::uint64_t>& dims, const std::string& data,
                   std::uint64_t data_field = 9) {
  std::string out;
  for (const std::uint64_t d : dims) out += Number(1, d);
  return out + Number(2, type) + Message(8, name) + Message(data_field, data);
}
std::string Model(const std::vector<std::string>& initializers) {
  std::string graph = Message(1, "a node") + Message(2, "g");
  for (const std::string& t : initializers) graph += Message(5, t);
  return Number(1, 10) + Message(7, graph) + Message(8, Number(2, 21));
}

Result<FileLayout> Read(const std::string& file) {
  return ReadOnnxLayout(*SourceOfBytes(AsBytes(file)));
}

TEST(OnnxTest, InitializersWithPlainElementsAreTensors) {
  const std::string packed_dims = Message(1, Varint(2) + Varint(300)) + Number(2, 10) +
                                  Message(8, "packed") + Message(9, std::string(1200, 'p'));
  const std::string file =
      Model({Tensor("w", 1, {2, 1}, "01234567"), packed_dims, Tensor("scalar", 7, {}, "01234567"),
             Tensor("floats", 1, {1}, "0123", 4), Tensor("doubles", 11, {1}, "01234567", 10),
             Tensor("empty", 1, {0, 5}, "")});
  const auto layout = Read(file);
  ASSERT_TRUE(layout.ok()) << layout.error().message();
  EXPECT_EQ(layout->format, FileFormat::kOnnx);
  ExpectTiles(*layout, file.size());
  std::vector<std::string> names;
  for (const std::string& t : TensorsOf(*layout)) names.push_back(t.substr(0, t.find(" @")));
  EXPECT_THAT(names, ElementsAre("F32 w [2,1]", "F16 packed [2,300]", "I64 scalar []",
                                 "F32 floats [1]", "F64 doubles [1]", "F32 empty [0,5]"));
}

TEST(OnnxTest, WhatIsNotPlainIsNoTensor) {
  const std::string file = Model({
      Tensor("text", 8, {1}, "x"),              // strings
      Tensor("int4", 22, {2}, "x"),             // two elements in a byte
      Tensor("", 1, {1}, "0123"),               // nobody can refer to it
      Tensor("int32_data", 6, {1}, "\x05", 5),  // varints
      Tensor("mixed", 7, {1}, "01234567", 4),   // float_data of an int64
      Number(1, 4) + Number(2, 1) + Message(8, "elsewhere") + Message(13, "location"),
  });
  const auto layout = Read(file);
  ASSERT_TRUE(layout.ok()) << layout.error().message();
  ExpectTiles(*layout, file.size());
  EXPECT_THAT(TensorsOf(*layout), IsEmpty());
}

TEST(OnnxTest, LiesAreRefused) {
  std::vector<std::uint64_t> many_dims(33, 1);
  const struct {
    std::string file;
    const char* message;
  } kCases[] = {
      {"version https://git-lfs.github.com/spec/v1\n", "wire type 6"},
      {std::string(1, '\0'), "number 0"},
      {Number(1, 10).substr(0, 1), "ends inside"},
      {Varint(1 << 3) + std::string(10, '\xff') + "\x01", "more than 64 bits"},
      {Varint(1 << 3) + std::string(9, '\xff') + "\x02", "more than 64 bits"},
      {Varint(7 << 3 | 2) + Varint(~std::uint64_t{0}), "field 7 ends behind"},
      {Varint(7 << 3 | 2) + Varint(5) + "ab", "field 7 ends behind"},
      {Message(7, Varint(5 << 3 | 2) + Varint(9)), "field 5 ends behind"},
      {Message(7, Varint(5 << 3 | 2) + Varint(9)) + std::string(20, 'x'), "field 5 ends behind"},
      {Model({Varint(9 << 3 | 2) + Varint(4) + "ab"}), "field 9 ends behind"},
      {Model({Varint(1 << 3 | 2) + Varint(1) + "\x80" + Message(8, "w")}), "behind its list"},
      {Model({Tensor("a", 1, {2}, "0123")}), "need 8 bytes, it has 4"},
      {Model({Tensor("a", 1, {1}, "0123"), Tensor("a", 1, {1}, "0123")}), "'a' stands twice"},
      {Model({Tensor("a", 1, {1}, "0123") + Message(9, "4567")}), "elements twice"},
      {Model({Tensor("a", 1, {std::uint64_t{1} << 63}, "0123")}), "negative dimension"},
      {Model({Tensor("a", 1, {std::uint64_t{1} << 62, 16}, "0123")}), "product overflows"},
      {Model({Tensor("a", 1, many_dims, "0123")}), "more than 32 dimensions"},
      {Model({Tensor(std::string(1025, 'n'), 1, {1}, "0123")}), "allowed are 1024"},
      {Model({Tensor("\xff", 1, {1}, "0123")}), "no UTF-8"},
  };
  for (const auto& c : kCases) {
    const auto layout = Read(c.file);
    ASSERT_FALSE(layout.ok()) << c.message;
    EXPECT_EQ(layout.error().code(), ErrorCode::kCorrupt) << c.message;
    EXPECT_THAT(layout.error().message(), HasSubstr(c.message));
  }
}

TEST(OnnxTest, EveryCutIsRefusedOrTiles) {
  const std::string file = Model({Tensor("w", 1, {2, 1}, "01234567"), Tensor("v", 2, {3}, "abc")});
  for (std::size_t n = 0; n < file.size(); ++n) {
    const auto layout = Read(file.substr(0, n));
    if (layout.ok()) ExpectTiles(*layout, n);
  }
}

}  // namespace
}  // namespace flair
