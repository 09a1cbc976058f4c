#include "tensor/keras_file.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <random>

#include "tensor/handmade.h"
#include "tensor/hdf5_handmade.h"
#include "tensor/hdf5_walk.h"

namespace flair {
namespace {

using handmade::MakeOldHdf5;
using handmade::OldHdf5;
using handmade::Zip;
using handmade::ZipPart;

std::string FileText(const std::string& name) {
  std::ifstream file(FLAIR_SOURCE_DIR "/tests/vectors/hdf5/" + name, std::ios::binary);
  EXPECT_TRUE(file) << name;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

Result<FileLayout> Read(const Bytes& file, std::string_view name = "m") {
  return ReadFileLayout(*SourceOfBytes(file), name);
}

std::string Weights() { return std::string(AsText(MakeOldHdf5())); }

// One line for each span: h(eader), b(lob) or t(ensor), offset, size, name. Fails unless the spans
// tile the file.
std::vector<std::string> Spans(const FileLayout& layout, const Bytes& file) {
  std::vector<std::string> out;
  std::uint64_t at = 0;
  for (const FileSpan& span : layout.spans) {
    EXPECT_EQ(span.offset, at);
    at += span.size_bytes;
    const char* const kind = span.kind == SpanKind::kInline ? "h" : "b";
    out.push_back((span.kind == SpanKind::kTensor ? "t" : kind) +
                  (" " + std::to_string(span.offset)) + " " + std::to_string(span.size_bytes) +
                  (span.name.empty() ? "" : " " + span.name));
  }
  EXPECT_EQ(at, file.size());
  return out;
}

std::vector<std::string> TensorNames(const FileLayout& layout) {
  std::vector<std::string> out;
  for (const FileSpan& span : layout.spans) {
    if (span.kind == SpanKind::kTensor) out.push_back(span.name);
  }
  return out;
}

TEST(KerasFileTest, AnHdf5FileIsCutAlongItsTensorsWhateverItsName) {
  const Bytes file = MakeOldHdf5();
  for (const char* name : {"m.h5", "m.weights.h5", "m.keras", "m", "m.txt"}) {
    const auto layout = Read(file, name);
    ASSERT_TRUE(layout.ok()) << layout.error().message();
    EXPECT_EQ(layout->format, FileFormat::kHdf5);
    EXPECT_EQ(Spans(*layout, file),
              (std::vector<std::string>{"h 0 552", "t 552 24 a", "t 576 16 b"}));
    EXPECT_EQ(layout->spans[1].dtype, DType::kF32);
    EXPECT_EQ(layout->spans[1].dims, (std::vector<std::uint64_t>{2, 3}));
  }
}

TEST(KerasFileTest, LargeGapsAreContentsAndATailBehindTheEndIsKept) {
  Bytes file = MakeOldHdf5();
  file.resize(file.size() + (64 << 10) + 1);
  EXPECT_EQ(Spans(*Read(file), file),
            (std::vector<std::string>{"h 0 552", "t 552 24 a", "t 576 16 b", "b 592 65537"}));
}

TEST(KerasFileTest, TensorsWithoutElementsStandFirst) {
  Bytes file = MakeOldHdf5();
  file[OldHdf5::kSpaceB + 8] = std::byte{0};
  EXPECT_EQ(Spans(*Read(file), file),
            (std::vector<std::string>{"t 0 0 b", "h 0 552", "t 552 24 a", "h 576 16"}));
}

TEST(KerasFileTest, AnHdf5FileThatIsNotUnderstoodIsOneBlob) {
  const Bytes dense = ToBytes(FileText("dense.h5"));
  EXPECT_EQ(Read(dense)->format, FileFormat::kHdf5);
  EXPECT_EQ(Spans(*Read(dense), dense),
            (std::vector<std::string>{"b 0 " + std::to_string(dense.size())}));
  const Bytes others = ToBytes(FileText("others.h5"));  // no tensor in it
  EXPECT_EQ(Spans(*Read(others), others),
            (std::vector<std::string>{"b 0 " + std::to_string(others.size())}));
}

TEST(KerasFileTest, TheWeightsInAnArchiveAreCutAlongTheirTensors) {
  const std::vector<ZipPart> parts = {{.name = "metadata.json", .data = "{}"},
                                      {.name = "config.json", .data = "{\"a\": 1}"},
                                      {.name = "model.weights.h5", .data = Weights()}};
  const Bytes file = Zip(parts);
  // 30 bytes of local header, the name, the data.
  const std::uint64_t weights = (30 + 13 + 2) + (30 + 11 + 8) + (30 + 16);
  for (const char* name : {"m.keras", "m.zip", "m"}) {
    const auto layout = Read(file, name);
    ASSERT_TRUE(layout.ok()) << layout.error().message();
    EXPECT_EQ(layout->format, FileFormat::kKeras);
    EXPECT_EQ(Spans(*layout, file),
              (std::vector<std::string>{"h 0 " + std::to_string(weights + 552),
                                        "t " + std::to_string(weights + 552) + " 24 a",
                                        "t " + std::to_string(weights + 576) + " 16 b",
                                        "h " + std::to_string(weights + 592) + " " +
                                            std::to_string(file.size() - weights - 592)}));
  }
}

// From keras.Model.save; what h5py finds in its member: make_hdf5.py.
TEST(KerasFileTest, ReadsWhatKerasWrites) {
  const Bytes file = ToBytes(FileText("model.keras"));
  const auto layout = Read(file, "model.keras");
  ASSERT_TRUE(layout.ok()) << layout.error().message();
  EXPECT_EQ(layout->format, FileFormat::kKeras);
  (void)Spans(*layout, file);
  EXPECT_EQ(TensorNames(*layout),
            (std::vector<std::string>{
                "layers/dense/vars/0", "layers/dense/vars/1", "layers/batch_normalization/vars/0",
                "layers/batch_normalization/vars/1", "layers/batch_normalization/vars/2",
                "layers/batch_normalization/vars/3"}));
}

TEST(KerasFileTest, OtherMembersAreInlineWhenSmallAndContentsWhenNot) {
  const std::string large((1 << 20) + 1, 'x');
  const Bytes file = Zip({{.name = "config.json", .data = "{}"},
                          {.name = "assets/large", .data = large},
                          {.name = "assets/packed", .data = "abc", .method = 8},
                          {.name = "other.weights.h5", .data = Weights()},
                          {.name = "model.weights.h5", .data = Weights()}});
  const auto layout = Read(file);
  ASSERT_TRUE(layout.ok()) << layout.error().message();
  const auto spans = Spans(*layout, file);
  ASSERT_EQ(spans.size(), 8u);
  EXPECT_EQ(spans[1], "b 85 1048577");
  EXPECT_EQ(spans[3].substr(0, 2), "b ");
  EXPECT_EQ(TensorNames(*layout), (std::vector<std::string>{"a", "b"}));
}

TEST(KerasFileTest, WeightsThatAreNotStoredOrNotHdf5AreNoTensors) {
  const ZipPart config{.name = "config.json", .data = "{}"};
  const Bytes packed = Zip({config, {.name = "model.weights.h5", .data = Weights(), .method = 8}});
  EXPECT_EQ(Read(packed)->format, FileFormat::kKeras);
  EXPECT_EQ(Spans(*Read(packed), packed).size(), 3u);
  EXPECT_TRUE(TensorNames(*Read(packed)).empty());
  const Bytes text = Zip({config, {.name = "model.weights.h5", .data = "text"}});
  EXPECT_EQ(Read(text)->format, FileFormat::kKeras);
  EXPECT_TRUE(TensorNames(*Read(text)).empty());
  const Bytes dense = Zip({config, {.name = "model.weights.h5", .data = FileText("dense.h5")}});
  EXPECT_EQ(Read(dense)->format, FileFormat::kKeras);
  EXPECT_EQ(Spans(*Read(dense), dense)[1].substr(0, 2), "b ");
}

TEST(KerasFileTest, WhatIsKerasIsToldByItsMembersOrItsName) {
  const ZipPart config{.name = "config.json", .data = "{}"};
  const ZipPart weights{.name = "model.weights.h5", .data = Weights()};
  const struct {
    std::vector<ZipPart> parts;
    const char* name;
    FileFormat format;
  } kCases[] = {
      {{config, weights}, "m.zip", FileFormat::kKeras},
      {{weights}, "m.zip", FileFormat::kBlob},
      {{config}, "m.zip", FileFormat::kBlob},
      {{weights}, "m.keras", FileFormat::kKeras},
      {{config}, "m.keras", FileFormat::kKeras},
      {{config, {.name = "sub/model.weights.h5", .data = Weights()}}, "m.zip", FileFormat::kBlob},
  };
  for (const auto& c : kCases) {
    const auto layout = Read(Zip(c.parts), c.name);
    ASSERT_TRUE(layout.ok()) << layout.error().message();
    EXPECT_EQ(layout->format, c.format) << c.name << ", " << c.parts.size() << " members";
  }
}

TEST(KerasFileTest, ABrokenFileIsRefusedAndABrokenArchiveOfAnotherNameIsABlob) {
  Bytes weights = MakeOldHdf5();
  weights[OldHdf5::kNode] = std::byte{'x'};
  const auto hdf5 = Read(weights);
  ASSERT_FALSE(hdf5.ok());
  EXPECT_EQ(hdf5.error().code(), ErrorCode::kCorrupt);
  EXPECT_EQ(hdf5.error().message(), "hdf5 file: no symbol table node at byte 256");

  const auto member =
      Read(Zip({{.name = "config.json", .data = "{}"},
                {.name = "model.weights.h5", .data = std::string(AsText(weights))}}));
  ASSERT_FALSE(member.ok());
  EXPECT_EQ(member.error().code(), ErrorCode::kCorrupt);
  EXPECT_EQ(member.error().message(),
            "keras file: model.weights.h5, from byte 89: hdf5 file: no symbol table node at "
            "byte 256");

  Bytes archive =
      Zip({{.name = "config.json", .data = "{}"}, {.name = "model.weights.h5", .data = Weights()}});
  archive.pop_back();
  EXPECT_EQ(Read(archive, "m.zip")->format, FileFormat::kBlob);
  const auto named = Read(archive, "m.keras");
  ASSERT_FALSE(named.ok());
  EXPECT_EQ(named.error().code(), ErrorCode::kCorrupt) << named.error().message();
}

TEST(KerasFileTest, ANameAloneMakesNoModel) {
  for (const char* name : {"m.keras", "m.h5", "m.weights.h5"}) {
    EXPECT_EQ(Read(ToBytes("notes"), name)->format, FileFormat::kBlob);
    EXPECT_EQ(Read({}, name)->format, FileFormat::kBlob);
  }
}

TEST(KerasFileTest, WhateverTheBytesAreTheSpansTileTheFile) {
  std::mt19937 random(20);
  for (const char* name : {"model.keras", "earliest.h5", "latest.h5"}) {
    const Bytes truth = ToBytes(FileText(name));
    for (int round = 0; round < 500; ++round) {
      Bytes file = truth;
      for (int k = 0; k < 3; ++k) file[random() % file.size()] = static_cast<std::byte>(random());
      const auto layout = Read(file, name);
      if (layout.ok()) {
        (void)Spans(*layout, file);
      } else {
        EXPECT_EQ(layout.error().code(), ErrorCode::kCorrupt) << layout.error().message();
      }
    }
  }
}

TEST(KerasFileTest, EveryCutOfAnArchiveTilesOrIsRefused) {
  const Bytes whole = ToBytes(FileText("model.keras"));
  for (std::size_t n = 0; n < whole.size(); n += n < 100 ? 1 : 11) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n));
    const auto layout = Read(cut, "m.keras");
    if (layout.ok()) {
      (void)Spans(*layout, cut);
      EXPECT_LT(n, 4u);  // before it is an archive
    } else {
      EXPECT_EQ(layout.error().code(), ErrorCode::kCorrupt);
    }
  }
}

}  // namespace
}  // namespace flair
