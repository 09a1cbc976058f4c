#include "tensor/gguf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tensor/layout_testing.h"

namespace flair {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

void AppendText(Bytes& out, std::string_view text) {
  AppendLe64(out, text.size());
  Append(out, AsBytes(text));
}

struct Info {
  std::string name;
  std::vector<std::uint64_t> ggml_dims;  // innermost first
  std::uint32_t type = 0;
  std::uint64_t offset = 0;
};

struct Parts {
  std::uint32_t version = 3;
  std::uint64_t tensors = 0;  // 0: as many as there are
  std::uint64_t pairs = 0;
  Bytes metadata;
  std::vector<Info> infos;
  std::size_t alignment = 32;
  std::size_t data_bytes = 0;
};

Bytes Build(const Parts& p) {
  Bytes out = ToBytes("GGUF");
  AppendLe32(out, p.version);
  AppendLe64(out, p.tensors != 0 ? p.tensors : p.infos.size());
  AppendLe64(out, p.pairs);
  Append(out, p.metadata);
  for (const Info& info : p.infos) {
    AppendText(out, info.name);
    AppendLe32(out, static_cast<std::uint32_t>(info.ggml_dims.size()));
    for (const std::uint64_t d : info.ggml_dims) AppendLe64(out, d);
    AppendLe32(out, info.type);
    AppendLe64(out, info.offset);
  }
  out.resize((out.size() + p.alignment - 1) / p.alignment * p.alignment + p.data_bytes,
             std::byte{7});
  return out;
}

Bytes Pair(std::string_view key, std::uint32_t type, const Bytes& value) {
  Bytes out;
  AppendText(out, key);
  AppendLe32(out, type);
  Append(out, value);
  return out;
}
Bytes U32(std::uint32_t v) {
  Bytes out;
  AppendLe32(out, v);
  return out;
}

Result<FileLayout> Read(const Bytes& file) {
  const auto source = SourceOfBytes(file);
  EXPECT_TRUE(LooksLikeGguf(*source));
  return ReadGgufLayout(*source);
}

TEST(GgufTest, PlainTensorsHaveTheirDimsOutermostFirst) {
  Parts p;
  Bytes texts;
  AppendLe32(texts, 8);
  AppendLe64(texts, 2);
  AppendText(texts, "<s>");
  AppendText(texts, "");
  p.metadata = Pair("tokenizer.ggml.tokens", 9, texts);
  Append(p.metadata, Pair("general.alignment", 4, U32(64)));
  p.pairs = 2;
  p.alignment = 64;
  p.infos = {
      {"blk.0.w", {3, 2}, 0, 64}, {"norm", {4}, 30, 0}, {"q", {32}, 8, 128}, {"z", {0}, 1, 192}};
  p.data_bytes = 200;
  const Bytes file = Build(p);
  const std::uint64_t data = file.size() - 200;
  const auto layout = Read(file);
  ASSERT_TRUE(layout.ok()) << layout.error().message();
  EXPECT_EQ(layout->format, FileFormat::kGguf);
  ExpectTiles(*layout, file.size());
  EXPECT_THAT(TensorsOf(*layout), ElementsAre("BF16 norm [4] @" + std::to_string(data),
                                              "F32 blk.0.w [2,3] @" + std::to_string(data + 64),
                                              "F16 z [0] @" + std::to_string(data + 192)));
  // The quantised one, up to the next.
  EXPECT_EQ(layout->spans[5].kind, SpanKind::kBlob);
  EXPECT_EQ(layout->spans[5].offset, data + 128);
  EXPECT_EQ(layout->spans[5].size_bytes, 64);
}

TEST(GgufTest, OtherVersionsAreNoGguf) {
  for (const std::uint32_t version : {0u, 1u, 4u, 0x03000000u}) {
    EXPECT_FALSE(LooksLikeGguf(*SourceOfBytes(Build({.version = version})))) << version;
  }
  EXPECT_FALSE(LooksLikeGguf(*SourceOfBytes(ToBytes("GGUF"))));
}

TEST(GgufTest, MetadataAloneNeedNoPadding) {
  Bytes file = Build({});
  file.resize(24);
  const auto layout = Read(file);
  ASSERT_TRUE(layout.ok()) << layout.error().message();
  ExpectTiles(*layout, file.size());
}

TEST(GgufTest, LiesAreRefused) {
  constexpr std::uint64_t kHuge = ~std::uint64_t{0};
  Bytes long_array;
  AppendLe32(long_array, 10);
  AppendLe64(long_array, kHuge / 4);
  Bytes nested;
  AppendLe32(nested, 9);
  AppendLe64(nested, 1);
  Bytes endless_texts;
  AppendLe32(endless_texts, 8);
  AppendLe64(endless_texts, kHuge);
  Bytes long_text;
  AppendLe64(long_text, kHuge);
  const struct {
    Parts parts;
    const char* message;
  } kCases[] = {
      {{.tensors = kHuge}, "tensors are announced"},
      {{.tensors = 1'000'000}, "ends inside"},
      {{.pairs = kHuge}, "ends inside"},
      {{.pairs = 1, .metadata = Pair("k", 8, long_text)}, "are announced, the file has"},
      {{.pairs = 1, .metadata = Pair("k", 9, long_array)}, "ends inside an array"},
      {{.pairs = 1, .metadata = Pair("k", 9, endless_texts)}, "the file"},
      {{.pairs = 1, .metadata = Pair("k", 9, nested)}, "unknown type 9"},
      {{.pairs = 1, .metadata = Pair("k", 13, {})}, "unknown type 13"},
      {{.pairs = 1, .metadata = Pair("general.alignment", 4, U32(0))}, "no power of two"},
      {{.pairs = 1, .metadata = Pair("general.alignment", 4, U32(24))}, "no power of two"},
      {{.pairs = 1, .metadata = Pair("general.alignment", 5, U32(32))}, "no uint32"},
      {{.infos = {{"", {1}, 0, 0}}, .data_bytes = 4}, "name is empty"},
      {{.infos = {{"\xff", {1}, 0, 0}}, .data_bytes = 4}, "no UTF-8"},
      {{.infos = {{std::string(1025, 'a'), {1}, 0, 0}}, .data_bytes = 4}, "allowed are 1024"},
      {{.infos = {{"a", {1}, 0, 0}, {"a", {1}, 0, 32}}, .data_bytes = 64}, "'a' stands twice"},
      {{.infos = {{"a", {1, 1, 1, 1, 1}, 0, 0}}, .data_bytes = 4}, "5 dimensions"},
      {{.infos = {{"a", {kHuge, kHuge}, 0, 0}}, .data_bytes = 4}, "product overflows"},
      {{.infos = {{"a", {std::uint64_t{1} << 63}, 0, 0}}, .data_bytes = 4}, "product overflows"},
      {{.infos = {{"a", {2}, 0, 0}}, .data_bytes = 4}, "ends behind the file"},
      {{.infos = {{"a", {1}, 0, kHuge - 31}}, .data_bytes = 4}, "ends behind the file"},
      {{.infos = {{"a", {1}, 0, 4}}, .data_bytes = 8}, "no multiple of the alignment"},
      {{.infos = {{"a", {16}, 0, 0}, {"b", {1}, 0, 32}}, .data_bytes = 64},
       "inside the one before"},
      {{.infos = {{"a", {1}, 0, 0}, {"b", {1}, 0, 0}}, .data_bytes = 64}, "inside the one before"},
      {{.infos = {{"a", {32}, 8, 0}, {"b", {32}, 8, 0}}, .data_bytes = 64},
       "inside the one before"},
  };
  for (const auto& c : kCases) {
    const auto layout = Read(Build(c.parts));
    ASSERT_FALSE(layout.ok()) << c.message;
    EXPECT_EQ(layout.error().code(), ErrorCode::kCorrupt) << c.message;
    EXPECT_THAT(layout.error().message(), HasSubstr(c.message));
  }
}

TEST(GgufTest, EveryCutIsRefusedOrTiles) {
  Parts p;
  p.metadata = Pair("general.alignment", 4, U32(32));
  p.pairs = 1;
  p.infos = {{"a", {3, 2}, 0, 0}, {"b", {5}, 24, 32}};
  p.data_bytes = 37;
  const Bytes file = Build(p);
  ASSERT_TRUE(Read(file).ok());
  for (std::size_t n = 8; n < file.size(); ++n) {
    EXPECT_FALSE(Read(Bytes(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(n))).ok())
        << n;
  }
}

}  // namespace
}  // namespace flair
