#include "tensor/safetensors.h"

#include <gtest/gtest.h>

namespace flair {
namespace {

Bytes FileWith(std::string header, std::size_t data_bytes) {
  Bytes out;
  AppendLe64(out, header.size());
  Append(out, AsBytes(header));
  out.resize(out.size() + data_bytes, std::byte{7});
  return out;
}

Result<FileLayout> Read(const Bytes& file) { return ReadSafetensorsLayout(*SourceOfBytes(file)); }

TEST(SafetensorsTest, SpansCoverTheFileInTheOrderOfTheirOffsets) {
  const Bytes file = FileWith(
      R"({"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]},"a":{"dtype":"F16","shape":[2,1],"data_offsets":[0,4]},)"
      R"("empty":{"dtype":"F32","shape":[0,9],"data_offsets":[12,12]},"__metadata__":{"format":"pt"}})",
      12);
  const auto layout = Read(file);
  ASSERT_TRUE(layout.ok()) << layout.error().message();
  ASSERT_EQ(layout->spans.size(), 4);
  EXPECT_EQ(layout->spans[1].name, "a");
  EXPECT_EQ(layout->spans[2].name, "b");
  EXPECT_EQ(layout->spans[3].name, "empty");
  std::uint64_t at = 0;
  for (const FileSpan& span : layout->spans) {
    EXPECT_EQ(span.offset, at);
    at += span.size_bytes;
  }
  EXPECT_EQ(at, file.size());
}

TEST(SafetensorsTest, ALyingHeaderIsRefusedWithTheRuleItBreaks) {
  const struct {
    const char* header;
    std::size_t data_bytes;
    ErrorCode code;
    const char* message;
  } kCases[] = {
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]})", 4, ErrorCode::kCorrupt,
       "no JSON object"},
      {R"([1])", 0, ErrorCode::kCorrupt, "no JSON object"},
      {R"({"a":1})", 0, ErrorCode::kCorrupt, "is no object"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
       8, ErrorCode::kCorrupt, "stands twice"},
      {R"({"a":{"dtype":"F32","dtype":"F16","shape":[1],"data_offsets":[0,4]}})", 4,
       ErrorCode::kCorrupt, "repeated key 'dtype'"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}})", 4, ErrorCode::kCorrupt,
       "unexpected"},
      {R"({"a":{"dtype":"F32","data_offsets":[0,4]}})", 4, ErrorCode::kCorrupt,
       "needs dtype, shape"},
      {R"({"a":{"dtype":"F99","shape":[1],"data_offsets":[0,4]}})", 4, ErrorCode::kUnsupported,
       "unknown dtype 'F99'"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4, ErrorCode::kCorrupt,
       "need 8 bytes, data_offsets span 4"},
      {R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4, ErrorCode::kCorrupt,
       "non-negative integer"},
      {R"({"a":{"dtype":"F32","shape":[9223372036854775808,2],"data_offsets":[0,0]}})", 0,
       ErrorCode::kCorrupt, "overflows"},
      {R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", 0,
       ErrorCode::kCorrupt, "overflows"},
      {R"({"a":{"dtype":"F32","shape":[0,4294967296,4294967296],"data_offsets":[0,0]}})", 0,
       ErrorCode::kCorrupt, "overflows"},
      {R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[4,0]}})", 4, ErrorCode::kCorrupt,
       "run backwards"},
      {R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}})",
       6, ErrorCode::kCorrupt, "inside the one before it"},
      {R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[6,10]}})",
       10, ErrorCode::kCorrupt, "behind a hole"},
      {R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})", 3, ErrorCode::kCorrupt,
       "ends inside tensor 'a'"},
      {R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})", 5, ErrorCode::kCorrupt,
       "1 bytes behind the last"},
      {R"({"":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})", 0, ErrorCode::kCorrupt,
       "name has 0 bytes"},
      {R"({"a\u0000":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})", 0, ErrorCode::kCorrupt,
       "contains a NUL"},
      {R"({"__metadata__":{"a":1}})", 0, ErrorCode::kCorrupt, "is no text"},
      {R"({"__metadata__":{},"__metadata__":{}})", 0, ErrorCode::kCorrupt, "stands twice"},
  };
  for (const auto& c : kCases) {
    const auto layout = Read(FileWith(c.header, c.data_bytes));
    ASSERT_FALSE(layout.ok()) << c.header;
    EXPECT_EQ(layout.error().code(), c.code) << c.header;
    EXPECT_NE(layout.error().message().find(c.message), std::string::npos)
        << c.header << "\n"
        << layout.error().message();
  }
}

TEST(SafetensorsTest, HugeAndCutLengthsAreRefusedBeforeTheyAllocate) {
  Bytes file;
  AppendLe64(file, ~std::uint64_t{0});
  EXPECT_EQ(Read(file).error().code(), ErrorCode::kCorrupt);
  file.clear();
  AppendLe64(file, 50'000'000);
  EXPECT_NE(Read(file).error().message().find("ends inside the header"), std::string::npos);
  EXPECT_FALSE(Read(Bytes(3)).ok());
}

TEST(SafetensorsTest, TheWriterWritesWhatTheReaderReads) {
  const std::vector<SafetensorsEntry> tensors = {{"w \"q\"\\", DType::kBF16, {3, 2}},
                                                 {"s", DType::kF32, {}}};
  Bytes file = WriteSafetensorsHeader(tensors, {{"format", "pt"}});
  EXPECT_EQ(file.size() % 8, 0);
  file.resize(file.size() + 12 + 4);
  const auto layout = Read(file);
  ASSERT_TRUE(layout.ok()) << layout.error().message();
  EXPECT_EQ(layout->spans[1].name, tensors[0].name);
  EXPECT_EQ(layout->spans[1].dims, tensors[0].dims);
  EXPECT_EQ(layout->spans[2].dtype, DType::kF32);
}

TEST(FileLayoutTest, AFileOfNoKnownFormatIsOneBlobAndAnEmptyOneIsNothing) {
  const Bytes text = ToBytes("hello");
  const auto layout = ReadFileLayout(*SourceOfBytes(text), "README.md");
  ASSERT_TRUE(layout.ok());
  ASSERT_EQ(layout->spans.size(), 1);
  EXPECT_EQ(layout->spans[0].kind, SpanKind::kBlob);
  EXPECT_TRUE(ReadFileLayout(*SourceOfBytes({}), "x")->spans.empty());
}

}  // namespace
}  // namespace flair
