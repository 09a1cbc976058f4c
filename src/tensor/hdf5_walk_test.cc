#include "tensor/hdf5_walk.h"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <iterator>
#include <random>
#include <set>

#include "base/utf8.h"
#include "tensor/hdf5_handmade.h"

namespace flair {
namespace {

using handmade::MakeNewHdf5;
using handmade::MakeOldHdf5;
using handmade::NewHdf5;
using handmade::OldHdf5;

constexpr std::uint64_t kHuge = ~std::uint64_t{0} - 7;

Result<std::vector<Hdf5Tensor>> Find(const Bytes& file) {
  return FindHdf5Tensors(*SourceOfBytes(file));
}

// As make_hdf5.py writes them: path, dtype, dims, offset.
std::string Describe(const std::vector<Hdf5Tensor>& tensors) {
  std::string out;
  for (const Hdf5Tensor& t : tensors) {
    out += t.path + " " + std::string(DTypeName(t.elements.dtype)) + " [";
    for (std::size_t i = 0; i < t.elements.dims.size(); ++i) {
      out += (i > 0 ? "," : "") + std::to_string(t.elements.dims[i]);
    }
    out += "] " + std::to_string(t.elements.offset) + "\n";
  }
  return out;
}

std::string FileText(const std::string& name) {
  std::ifstream file(FLAIR_SOURCE_DIR "/tests/vectors/hdf5/" + name, std::ios::binary);
  EXPECT_TRUE(file) << name;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void Put(Bytes& file, std::size_t at, std::uint64_t value, std::size_t width) {
  for (std::size_t i = 0; i < width; ++i) file[at + i] = static_cast<std::byte>(value >> (8 * i));
}

// Vectors: tests/vectors/hdf5/make_hdf5.py, from libhdf5.
TEST(Hdf5WalkTest, FindsWhatLibhdf5Finds) {
  for (const char* name : {"earliest", "v108", "latest", "others", "deep_tree"}) {
    const auto tensors = Find(ToBytes(FileText(std::string(name) + ".h5")));
    ASSERT_TRUE(tensors.ok()) << name << ": " << tensors.error().message();
    EXPECT_EQ(Describe(*tensors), FileText(std::string(name) + ".txt")) << name;
  }
}

TEST(Hdf5WalkTest, FindsTheTensorsOfBothHandmadeFiles) {
  EXPECT_EQ(Describe(*Find(MakeOldHdf5())), "a F32 [2,3] 552\nb I64 [2] 576\n");
  EXPECT_EQ(Describe(*Find(MakeNewHdf5())), "a F32 [2,3] 287\nb I64 [2] 311\n");
}

TEST(Hdf5WalkTest, LinksInAFractalHeapAreNotRead) {
  const auto tensors = Find(ToBytes(FileText("dense.h5")));
  ASSERT_FALSE(tensors.ok());
  EXPECT_EQ(tensors.error().code(), ErrorCode::kUnsupported) << tensors.error().message();
}

struct Lie {
  std::size_t at;
  std::uint64_t value;
  std::size_t width;
  const char* message;
  ErrorCode code = ErrorCode::kCorrupt;
};

void ExpectRefused(const Bytes& truth, const std::vector<Lie>& lies) {
  for (const Lie& lie : lies) {
    Bytes file = truth;
    Put(file, lie.at, lie.value, lie.width);
    const auto tensors = Find(file);
    ASSERT_FALSE(tensors.ok()) << lie.message << ", at " << lie.at;
    EXPECT_EQ(tensors.error().code(), lie.code) << tensors.error().message();
    EXPECT_NE(tensors.error().message().find(lie.message), std::string::npos)
        << tensors.error().message() << "\nexpected: " << lie.message;
  }
}

TEST(Hdf5WalkTest, EveryLieOfAnOldFileIsRefusedWithTheRuleItBreaks) {
  using At = OldHdf5;
  constexpr ErrorCode kUnsupported = ErrorCode::kUnsupported;
  ExpectRefused(
      MakeOldHdf5(),
      {
          {0, 'x', 1, "no signature"},
          {8, 4, 1, "version 4", kUnsupported},
          {13, 4, 1, "addresses of 4", kUnsupported},
          {14, 2, 1, "lengths of 2 bytes", kUnsupported},
          {24, 512, 8, "addresses that begin at byte 512", kUnsupported},
          {40, At::kEnd + 1, 8, "the file has 592 bytes of 593"},
          {40, kHuge, 8, "the file has 592 bytes of"},
          {40, At::kEnd - 1, 8, "dataset 'b' at byte 576 reaches beyond the file's end, byte 591"},
          {40, 100, 8, "beyond the file's end, byte 100"},
          {48, 96, 8, "a file driver", kUnsupported},
          {64, ~std::uint64_t{0}, 8, "the object header has no address"},
          {64, kHuge, 8, "the object header at byte 18446744073709551608 reaches beyond"},
          {64, At::kTree, 8, "no object header at byte 136"},
          {64, 0, 8, "the object header at byte 0 shares bytes"},
          {At::kRoot + 8, 25, 4, "shares bytes"},
          {At::kRoot + 8, 0xffff'fff0, 4, "reaches beyond"},
          {At::kRoot + 18, 17, 2, "a message at byte 120 leaves its header"},
          {At::kRoot + 18, 8, 2, "a message at byte 120 is cut short"},
          {At::kSymbolTable, kHuge, 8, "the B-tree node"},
          {At::kSymbolTable, At::kHeap, 8, "the B-tree node at byte 200 shares bytes"},
          {At::kSymbolTable, At::kDataA, 8, "no B-tree node of a group at byte 552"},
          {At::kSymbolTable + 8, kHuge, 8, "the local heap"},
          {At::kSymbolTable + 8, At::kTree, 8, "no local heap at byte 136"},
          {At::kTree + 4, 1, 1, "no B-tree node of a group"},
          {At::kTree + 5, 1, 1, "no B-tree node of a group at byte 256"},
          {At::kTree + 6, 2, 2, "shares bytes"},
          {At::kTree + 6, 0xffff, 2, "reaches beyond"},
          {At::kTree + 32, kHuge, 8, "the symbol table node"},
          {At::kTree + 32, At::kTree, 8, "the symbol table node at byte 136 shares bytes"},
          {At::kTree + 32, At::kDataA, 8, "no symbol table node at byte 552"},
          {At::kHeap + 8, kHuge, 8, "the local heap's names"},
          {At::kHeap + 8, 25, 8, "shares bytes"},
          {At::kHeap + 24, kHuge, 8, "the local heap's names"},
          {At::kHeap + 24, At::kHeap, 8, "the local heap's names at byte 200 shares bytes"},
          {At::kNode + 6, 3, 2, "the name of the link at byte 344 leaves its heap"},
          {At::kNode + 6, 0xffff, 2, "reaches beyond"},
          {At::kNode + 8, 24, 8, "the name of the link at byte 264 leaves its heap"},
          {At::kNode + 8, kHuge, 8, "leaves its heap"},
          {At::kNode + 8, 0, 8, "the link at byte 264 has no usable name"},
          {At::kNode + 8, 16, 8, "the name 'b' stands twice"},
          {At::kNames + 8, 'b', 1, "the name 'b' stands twice"},
          {At::kNames + 8, '/', 1, "no usable name"},
          {At::kNames + 16, 0x6262626262626262, 8, "leaves its heap"},
          {At::kNode + 16, kHuge, 8, "the object header"},
          {At::kNode + 16, At::kNode, 8, "the object header at byte 256 shares bytes"},
          {At::kA + 8, 97, 4, "shares bytes"},
          {At::kSpaceA + 8, std::uint64_t{1} << 63, 8, "the shape at byte 368 overflows"},
          {At::kSpaceA + 8, std::uint64_t{1} << 32, 8, "need 51539607552 bytes"},
          {At::kSpaceA + 8, 3, 8, "need 36 bytes, the layout at byte 432 has 24"},
          {At::kSpaceA + 1, 3, 1, "a message at byte 368 is cut short"},
          {At::kTypeA - 6, 16, 2, "a message at byte 400 is cut short"},
          {At::kLayoutA + 2, kHuge, 8, "dataset 'a'"},
          {At::kLayoutA + 2, At::kEnd - 8, 8, "dataset 'a' at byte 584 reaches beyond"},
          {At::kLayoutA + 2, At::kDataB, 8, "dataset 'a' at byte 576 reaches beyond"},
          {At::kLayoutA + 2, At::kDataB - 16, 8, "dataset 'b' at byte 576 shares bytes"},
          {At::kLayoutA + 2, At::kA, 8, "dataset 'a' at byte 344 shares bytes"},
          {At::kLayoutA + 2, 0, 8, "dataset 'a' at byte 0 shares bytes"},
          {At::kLayoutB + 2, At::kDataA, 8, "dataset 'b' at byte 552 shares bytes"},
      });
}

TEST(Hdf5WalkTest, EveryLieOfANewFileIsRefusedWithTheRuleItBreaks) {
  using At = NewHdf5;
  constexpr ErrorCode kUnsupported = ErrorCode::kUnsupported;
  ExpectRefused(MakeNewHdf5(),
                {
                    {9, 4, 1, "addresses of 4", kUnsupported},
                    {12, 1, 8, "addresses that begin at byte 1", kUnsupported},
                    {28, At::kEnd + 1, 8, "the file has 327 bytes of 328"},
                    {36, kHuge, 8, "the object header"},
                    {At::kRoot + 4, 3, 1, "an object header of another version", kUnsupported},
                    {At::kRoot + 5, 3, 1, "reaches beyond"},
                    {At::kRoot + 5, 4, 1, "leaves its header"},
                    {At::kRoot + 6, 57, 1, "a message at byte 97 leaves its header"},
                    {At::kRoot + 6, 255, 1, "a message at byte 121 leaves its header"},
                    {At::kLinkA - 4, 0x0101'0000'0c02, 6, "a message at byte 81 is cut short"},
                    {At::kLinkInfo + 2, 64, 8, "in a fractal heap", kUnsupported},
                    {At::kLinkA, 2, 1, "a link of another version", kUnsupported},
                    {At::kLinkA + 2, 0, 1, "has no usable name"},
                    {At::kLinkA + 2, 2, 1, "a message at byte 81 is cut short"},
                    {At::kLinkA + 1, 3, 1, "is cut short"},
                    {At::kLinkA + 3, 'b', 1, "the name 'b' stands twice"},
                    {At::kLinkA + 3, '/', 1, "has no usable name"},
                    {At::kLinkA + 4, kHuge, 8, "the object header"},
                    {At::kLinkA + 4, At::kA + 1, 8, "no object header at byte 142"},
                    {At::kContinuation, kHuge, 8, "the object header"},
                    {At::kContinuation, At::kRoot, 8, "the object header at byte 48 shares bytes"},
                    {At::kContinuation, At::kA, 8, "no block of an object header at byte 141"},
                    {At::kContinuation + 8, 7, 8, "a header's block at byte 117 is too small"},
                    {At::kContinuation + 8, kHuge, 8, "reaches beyond"},
                    {At::kContinuation + 8, 25, 8, "shares bytes"},
                    {At::kLinkB - 4, 0x10, 1, "a message at byte 125 is cut short"},
                    {At::kLinkB - 3, 13, 2, "a message at byte 125 leaves its header"},
                    {At::kSpaceA + 1, 3, 1, "a message at byte 152 is cut short"},
                    {At::kSpaceA + 12, std::uint64_t{1} << 63, 8, "overflows"},
                    {At::kLayoutA - 3, 17, 2, "a message at byte 200 is cut short"},
                    {At::kLayoutA + 2, At::kDataB, 8, "reaches beyond"},
                    {At::kLayoutA + 2, At::kBlock, 8, "dataset 'a' at byte 117 shares bytes"},
                });
}

// What is well formed and no tensor leaves the other dataset alone.
TEST(Hdf5WalkTest, WhatIsNoTensorIsLeftOut) {
  using At = OldHdf5;
  const struct {
    std::size_t at;
    std::uint64_t value;
    std::size_t width;
    const char* what;
  } kCases[] = {
      {At::kSpaceA, 3, 1, "another version of dataspace"},
      {At::kSpaceA + 1, 33, 1, "more dimensions than HDF5 has"},
      {At::kTypeA, 0x13, 1, "text"},
      {At::kTypeA + 1, 0x21, 1, "big endian"},
      {At::kTypeA + 2, 30, 1, "another sign bit"},
      {At::kTypeA + 4, 5, 4, "five bytes"},
      {At::kTypeA + 8, 1, 2, "bits that begin later"},
      {At::kTypeA + 10, 31, 2, "31 bits"},
      {At::kTypeA + 12, 22, 1, "another place of the exponent"},
      {At::kTypeA + 13, 7, 1, "another exponent"},
      {At::kTypeA + 14, 1, 1, "another place of the mantissa"},
      {At::kTypeA + 16, 126, 4, "another bias"},
      {At::kLayoutA, 2, 1, "an old layout"},
      {At::kLayoutA, 5, 1, "a layout of the future"},
      {At::kLayoutA + 1, 0, 1, "compact"},
      {At::kLayoutA + 1, 2, 1, "chunked"},
      {At::kLayoutA + 2, ~std::uint64_t{0}, 8, "never written"},
      {At::kSpaceA - 4, 2, 1, "a shared dataspace"},
      {At::kTypeA - 4, 2, 1, "a shared datatype"},
      {At::kTypeA - 8, 0, 2, "no datatype"},
      {At::kNode + 8 + 16, 2, 4, "a soft link"},
      {At::kNames + 8, 0xff, 1, "a name that is not UTF-8"},
      {At::kNode + 16, At::kRoot, 8, "a link back to the root"},
  };
  for (const auto& c : kCases) {
    Bytes file = MakeOldHdf5();
    Put(file, c.at, c.value, c.width);
    const auto tensors = Find(file);
    ASSERT_TRUE(tensors.ok()) << c.what << ": " << tensors.error().message();
    EXPECT_EQ(Describe(*tensors), "b I64 [2] 576\n") << c.what;
  }
}

TEST(Hdf5WalkTest, ALayoutMayHaveMoreBytesThanItsElements) {
  Bytes file = MakeOldHdf5();
  Put(file, OldHdf5::kSpaceA + 16, 2, 8);
  EXPECT_EQ(Find(file)->front().elements.size_bytes, 16u);
}

TEST(Hdf5WalkTest, OfTwoNamesForOneObjectTheFirstCounts) {
  Bytes file = MakeOldHdf5();
  Put(file, OldHdf5::kNode + 56, OldHdf5::kA, 8);
  EXPECT_EQ(Describe(*Find(file)), "a F32 [2,3] 552\n");
}

TEST(Hdf5WalkTest, BytesBehindTheEndBelongToNobody) {
  Bytes file = MakeOldHdf5();
  file.resize(file.size() + 100);
  EXPECT_EQ(Find(file)->size(), 2u);
}

TEST(Hdf5WalkTest, ADatasetMayNotRunIntoOneThatWasFoundBefore) {
  Bytes file = MakeOldHdf5();
  Put(file, OldHdf5::kLayoutA + 2, OldHdf5::kDataB - 8, 8);
  Put(file, OldHdf5::kLayoutB + 2, OldHdf5::kDataB - 16, 8);
  const auto tensors = Find(file);
  ASSERT_FALSE(tensors.ok());
  EXPECT_EQ(tensors.error().message(),
            "hdf5 file: dataset 'b' at byte 560 shares bytes with another part of the file");
}

TEST(Hdf5WalkTest, ARootThatIsADatasetHasNoName) {
  Bytes file = MakeOldHdf5();
  Put(file, 64, OldHdf5::kA, 8);
  EXPECT_TRUE(Find(file)->empty());
}

TEST(Hdf5WalkTest, TheLevelsOfATreeFallByOne) {
  Bytes file = MakeOldHdf5();
  const std::size_t leaf = file.size();
  handmade::AppendText(file, "TREE", 64);
  Put(file, 40, file.size(), 8);
  Put(file, OldHdf5::kTree + 32, leaf, 8);
  Put(file, OldHdf5::kTree + 5, 1, 1);
  ASSERT_TRUE(Find(file).ok()) << Find(file).error().message();
  EXPECT_TRUE(Find(file)->empty());
  Put(file, OldHdf5::kTree + 5, 2, 1);
  const auto tensors = Find(file);
  ASSERT_FALSE(tensors.ok());
  EXPECT_EQ(tensors.error().message(),
            "hdf5 file: the B-tree node at byte 592 is of level 0, not 1");
}

// --- Files built object by object.

struct Builder {
  Bytes file;

  Builder() {
    handmade::AppendText(file, "\x89HDF\r\n\x1a\n\x02\x08\x08", 20);
    file.resize(48, std::byte{0});
    Put(file, 20, ~std::uint64_t{0}, 8);
  }
  std::size_t Add(const std::vector<handmade::Message>& messages) {
    const std::size_t at = file.size();
    handmade::AppendHeader1(file, messages);
    return at;
  }
  std::size_t AddGroup(const std::vector<std::pair<std::string, std::size_t>>& links) {
    std::vector<handmade::Message> messages;
    for (const auto& [name, address] : links) {
      Bytes body;
      handmade::AppendNumber(body, 0x0101 | std::uint64_t{name.size()} << 16, 4);
      Append(body, AsBytes(name));
      handmade::AppendNumber(body, address, 8);
      messages.push_back({6, std::move(body)});
    }
    return Add(messages);
  }
  Bytes Finish(std::size_t root) {
    Put(file, 28, file.size(), 8);
    Put(file, 36, root, 8);
    return file;
  }
};

// One dataset "x" of two F32, or of what `type` says, with further messages.
Bytes OneDataset(const std::vector<handmade::Message>& more, const Bytes& type) {
  Builder b;
  b.file.resize(64);  // the elements at byte 48
  std::vector<handmade::Message> messages = {
      {1, handmade::Space1({2})}, {3, type}, {8, handmade::Layout(48, 8)}};
  messages.insert(messages.end(), more.begin(), more.end());
  const std::size_t x = b.Add(messages);
  return b.Finish(b.AddGroup({{"x", x}}));
}

TEST(Hdf5WalkTest, FiltersAndExternalFilesMakeNoTensor) {
  EXPECT_EQ(Find(OneDataset({}, handmade::TypeF32()))->size(), 1u);
  EXPECT_EQ(Find(OneDataset({{4, Bytes(8)}}, handmade::TypeF32()))->size(), 1u);
  EXPECT_TRUE(Find(OneDataset({{7, Bytes(8)}}, handmade::TypeF32()))->empty());
  EXPECT_TRUE(Find(OneDataset({{11, Bytes(8)}}, handmade::TypeF32()))->empty());
}

// The attribute dtype, text in the global heap at byte 64, behind an object of 5 bytes.
Bytes OpaqueWithAttribute(std::string_view value, std::uint64_t value_bytes) {
  Bytes type;  // opaque, two bytes each
  handmade::AppendNumber(type, 0x15, 4);
  handmade::AppendNumber(type, 2, 4);
  Bytes attribute;
  handmade::AppendNumber(attribute, 0x0008'0010'0006'0001, 8);
  handmade::AppendText(attribute, "dtype", 8);
  handmade::AppendNumber(attribute, 0x119, 4);
  handmade::AppendNumber(attribute, 16, 12);
  handmade::AppendNumber(attribute, 1, 8);  // scalar
  handmade::AppendNumber(attribute, value_bytes, 4);
  handmade::AppendNumber(attribute, 64, 8);
  handmade::AppendNumber(attribute, 2, 4);

  Builder b;
  b.file.resize(64);
  handmade::AppendText(b.file, "GCOL\x01", 8);
  handmade::AppendNumber(b.file, 16 + 24 + 24 + 16, 8);
  for (const auto& [index, text] : {std::pair{1, std::string_view("hello")}, {2, value}}) {
    handmade::AppendNumber(b.file, static_cast<std::uint64_t>(index), 8);
    handmade::AppendNumber(b.file, text.size(), 8);
    handmade::AppendText(b.file, text, 8);
  }
  b.file.resize(b.file.size() + 16);
  const std::size_t x =
      b.Add({{1, handmade::Space1({2})}, {3, type}, {8, handmade::Layout(48, 4)}, {12, attribute}});
  return b.Finish(b.AddGroup({{"x", x}}));
}

TEST(Hdf5WalkTest, Bfloat16IsOpaqueBytesWithAnAttribute) {
  const Bytes truth = OpaqueWithAttribute("bfloat16", 8);
  ASSERT_TRUE(Find(truth).ok()) << Find(truth).error().message();
  EXPECT_EQ(Describe(*Find(truth)), "x BF16 [2] 48\n");
  EXPECT_TRUE(Find(OpaqueWithAttribute("bfloat17", 8))->empty());
  EXPECT_TRUE(Find(OpaqueWithAttribute("bfloat1", 7))->empty());
  EXPECT_TRUE(Find(OpaqueWithAttribute("bfloat16", 7))->empty());

  const auto attribute = static_cast<std::size_t>(AsText(truth).find("dtype")) - 8;
  Bytes shared = truth;
  Put(shared, attribute - 4, 2, 1);
  EXPECT_TRUE(Find(shared)->empty());
  ExpectRefused(truth, {
                           {attribute + 2, 0xffff, 2, "is cut short"},
                           {attribute + 4, 0xffff, 2, "is cut short"},
                           {attribute + 44, kHuge, 8, "the global heap"},
                           {attribute + 44, 48, 8, "no global heap at byte 48"},
                           {attribute + 44, 0, 8, "shares bytes"},
                           {attribute + 52, 3, 4, "the global heap at byte 64 has no object 3"},
                           {attribute + 52, 0, 4, "has no object 0"},
                           {64, 'g', 1, "no global heap"},
                           {72, 15, 8, "no global heap"},
                           {72, kHuge, 8, "reaches beyond"},
                           {72, 88, 8, "shares bytes"},
                           {88, kHuge, 8, "has no object 2"},
                       });
}

TEST(Hdf5WalkTest, ALinkMayTellHowItsNameIsEncoded) {
  Builder b;
  b.file.resize(64);
  const std::size_t x =
      b.Add({{1, handmade::Space1({2})}, {3, handmade::TypeF32()}, {8, handmade::Layout(48, 8)}});
  Bytes link;  // version 1, with kind, creation order and encoding
  handmade::AppendNumber(link, 0x1c01, 3);
  handmade::AppendNumber(link, 7, 8);
  handmade::AppendNumber(link, 1, 1);
  handmade::AppendNumber(link, 2, 1);
  Append(link, AsBytes("\xc3\xa9"));
  handmade::AppendNumber(link, x, 8);
  EXPECT_EQ(Describe(*Find(b.Finish(b.Add({{6, link}})))), "\xc3\xa9 F32 [2] 48\n");
}

TEST(Hdf5WalkTest, NamesThatAreTooLongAreLeftOut) {
  for (const std::size_t n : {1022, 1023}) {
    Builder b;
    const std::size_t x =
        b.Add({{1, handmade::Space1({0})}, {3, handmade::TypeF32()}, {8, handmade::Layout(0, 0)}});
    const std::size_t inner = b.AddGroup({{std::string(n, 'x'), x}});
    EXPECT_EQ(Find(b.Finish(b.AddGroup({{"g", inner}})))->size(), n == 1022 ? 1u : 0u);
  }
}

TEST(Hdf5WalkTest, MoreObjectsThanTheLimitAreNotRead) {
  for (const std::size_t n : {kMaxHdf5Objects - 1, kMaxHdf5Objects}) {
    Builder b;
    std::vector<std::pair<std::string, std::size_t>> links;
    for (std::size_t i = 0; i < n; ++i) links.emplace_back(std::to_string(i), b.Add({}));
    const auto tensors = Find(b.Finish(b.AddGroup(links)));
    ASSERT_EQ(tensors.ok(), n < kMaxHdf5Objects);
    if (!tensors.ok()) {
      EXPECT_EQ(tensors.error().code(), ErrorCode::kUnsupported) << tensors.error().message();
    }
  }
}

TEST(Hdf5WalkTest, MoreBytesOfNamesThanTheLimitAreNotRead) {
  for (const std::size_t n : {10'000, 34'000}) {
    Builder b;
    std::vector<std::pair<std::string, std::size_t>> links;
    for (std::size_t i = 0; i < n; ++i) {
      links.emplace_back(std::to_string(i), b.Add({{1, handmade::Space1({0})},
                                                   {3, handmade::TypeF32()},
                                                   {8, handmade::Layout(0, 0)}}));
    }
    const std::size_t inner = b.AddGroup(links);
    const auto tensors = Find(b.Finish(b.AddGroup({{std::string(1000, 'g'), inner}})));
    ASSERT_EQ(tensors.ok(), n == 10'000) << n;
    if (!tensors.ok()) {
      EXPECT_EQ(tensors.error().code(), ErrorCode::kUnsupported) << tensors.error().message();
    }
  }
}

// A chain of groups, each with one link named "g" to the next; the last holds none.
Bytes Chain(std::size_t depth) {
  Bytes file;
  handmade::AppendText(file, "\x89HDF\r\n\x1a\n\x02\x08\x08", 12);
  constexpr std::size_t kHeaderBytes = 7 + 4 + 12 + 4;
  for (const std::uint64_t v : {std::uint64_t{0}, ~std::uint64_t{0},
                                std::uint64_t{48 + kHeaderBytes * depth + 11}, std::uint64_t{48}}) {
    handmade::AppendNumber(file, v, 8);
  }
  handmade::AppendNumber(file, 0, 4);
  for (std::size_t i = 0; i < depth; ++i) {
    handmade::AppendHeader2(file, {{6, handmade::LinkTo("g", file.size() + kHeaderBytes)}});
  }
  handmade::AppendHeader2(file, {});
  return file;
}

TEST(Hdf5WalkTest, GroupsAreReadToALimitOfDepth) {
  EXPECT_TRUE(Find(Chain(kMaxHdf5Depth)).ok());
  const auto deeper = Find(Chain(kMaxHdf5Depth + 1));
  ASSERT_FALSE(deeper.ok());
  EXPECT_EQ(deeper.error().code(), ErrorCode::kUnsupported) << deeper.error().message();
}

TEST(Hdf5WalkTest, AHeaderThatIsTooLargeIsNotRead) {
  Bytes file = MakeOldHdf5();
  const std::uint64_t size = kMaxHdf5HeaderBytes + 8;
  Put(file, 64, file.size(), 8);
  handmade::AppendNumber(file, 1, 8);
  handmade::AppendNumber(file, size, 8);
  file.resize(file.size() + size);
  Put(file, 40, file.size(), 8);
  const auto tensors = Find(file);
  ASSERT_FALSE(tensors.ok());
  EXPECT_EQ(tensors.error().code(), ErrorCode::kUnsupported) << tensors.error().message();
}

// More bytes of file than memory holds: what is not there cannot be asked for.
class SparseFile final : public ByteSource {
 public:
  explicit SparseFile(Bytes head) : head_(std::move(head)) {}
  std::uint64_t size_bytes() const override { return std::uint64_t{1} << 50; }
  Status ReadAt(std::uint64_t offset, MutableByteView out) const override {
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = offset + i < head_.size() ? head_[offset + i] : std::byte{0};
    }
    return OkStatus();
  }

 private:
  Bytes head_;
};

TEST(Hdf5WalkTest, AHeapLargerThanTheLimitIsNotRead) {
  Bytes head = MakeOldHdf5();
  Put(head, 40, std::uint64_t{1} << 50, 8);
  Put(head, OldHdf5::kHeap + 24, std::uint64_t{1} << 40, 8);
  // The second is too large only together with what was read before.
  for (const std::uint64_t size : {std::uint64_t{1} << 40, kMaxHdf5StructureBytes - 64}) {
    Put(head, OldHdf5::kHeap + 8, size, 8);
    const auto tensors = FindHdf5Tensors(SparseFile(head));
    ASSERT_FALSE(tensors.ok());
    EXPECT_EQ(tensors.error().code(), ErrorCode::kUnsupported) << tensors.error().message();
  }
}

// --- Whatever the bytes are, what is found keeps the promises of the header.

void ExpectSoundOrError(const Bytes& file) {
  const auto tensors = Find(file);
  if (!tensors.ok()) {
    EXPECT_TRUE(tensors.error().code() == ErrorCode::kCorrupt ||
                tensors.error().code() == ErrorCode::kUnsupported)
        << tensors.error().message();
    return;
  }
  std::uint64_t at = 0;
  std::set<std::string_view> paths;
  for (const Hdf5Tensor& t : *tensors) {
    ASSERT_GE(t.elements.offset, at);
    ASSERT_LE(t.elements.offset, file.size());
    ASSERT_LE(t.elements.size_bytes, file.size() - t.elements.offset);
    at = t.elements.offset + t.elements.size_bytes;
    std::uint64_t size_bytes = DTypeBytes(t.elements.dtype);
    for (const std::uint64_t d : t.elements.dims) size_bytes *= d;
    ASSERT_EQ(t.elements.size_bytes, size_bytes);
    ASSERT_TRUE(paths.insert(t.path).second) << t.path;
    ASSERT_TRUE(!t.path.empty() && t.path.size() <= 1024 && IsValidUtf8(t.path));
  }
}

TEST(Hdf5WalkTest, EveryCutIsRefused) {
  for (const Bytes& file : {MakeOldHdf5(), MakeNewHdf5(), ToBytes(FileText("earliest.h5")),
                            ToBytes(FileText("latest.h5"))}) {
    const std::size_t step = file.size() > 1000 ? 7 : 1;
    for (std::size_t n = 0; n < file.size(); n += step) {
      const Bytes cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(n));
      const auto tensors = Find(cut);
      ASSERT_FALSE(tensors.ok()) << n;
      EXPECT_EQ(tensors.error().code(), ErrorCode::kCorrupt) << tensors.error().message();
    }
  }
}

TEST(Hdf5WalkTest, EveryByteMayBeAnotherInEachOfItsBits) {
  for (const Bytes& truth : {MakeOldHdf5(), MakeNewHdf5()}) {
    Bytes file = truth;
    for (std::size_t at = 8; at < file.size(); ++at) {
      for (unsigned bit = 0; bit < 8; ++bit) {
        file[at] = truth[at] ^ static_cast<std::byte>(1u << bit);
        ExpectSoundOrError(file);
      }
      for (const int value : {0x00, 0x01, 0x7f, 0xff}) {
        file[at] = static_cast<std::byte>(value);
        ExpectSoundOrError(file);
      }
      file[at] = truth[at];
    }
  }
}

TEST(Hdf5WalkTest, ManyBytesMayBeAnything) {
  std::mt19937 random(20);
  for (const char* name : {"earliest.h5", "latest.h5", "others.h5", "deep_tree.h5"}) {
    const Bytes truth = ToBytes(FileText(name));
    for (int round = 0; round < 1000; ++round) {
      Bytes file = truth;
      for (int k = 0; k < 4; ++k) {
        const std::size_t at = 9 + random() % (file.size() - 17);
        // Small numbers and addresses do more harm than noise.
        const std::uint64_t value = round % 2 == 0 ? random() % file.size() : random();
        Put(file, at, value, 1 + random() % 8);
      }
      ExpectSoundOrError(file);
    }
  }
}

}  // namespace
}  // namespace flair
