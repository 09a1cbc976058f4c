// SPDX-License-Identifier: Apache-2.0
#include "repo/zip_checksums.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "crypto/blake3.h"
#include "repo/graph_testing.h"
#include "repo/merge_commits.h"

namespace flair {
namespace {

enum class Style { kPlain, kDescriptor, kDescriptorWithoutSignature, kZip64 };

struct TestMember {
  std::string name;
  Bytes data;
  bool is_tensor = false;
  std::uint16_t method = 0;
};

std::uint32_t Crc(ByteView b) {
  return static_cast<std::uint32_t>(
      crc32(0, reinterpret_cast<const Bytef*>(b.data()), static_cast<uInt>(b.size())));
}

void Le16(Bytes& out, std::uint64_t v) { AppendLe(out, static_cast<std::uint16_t>(v)); }
void Le32(Bytes& out, std::uint64_t v) { AppendLe(out, static_cast<std::uint32_t>(v)); }

struct Archive {
  Bytes bytes;
  File file;  // the same, as segments
};

// A second writer of the format, so that a rewritten archive can be compared with one that
// was written with the new data from the start.
Archive Write(const std::vector<TestMember>& members, Style style) {
  Archive out;
  Bytes pending;
  const auto flush = [&] {
    if (!pending.empty()) out.file.segments.push_back(InlineSegment{pending});
    pending.clear();
  };
  const bool zip64 = style == Style::kZip64;
  const bool descriptor =
      style == Style::kDescriptor || style == Style::kDescriptorWithoutSignature;
  Bytes central;
  for (const TestMember& m : members) {
    const std::uint64_t local_at = out.bytes.size();
    const std::uint32_t crc = Crc(m.data);
    Bytes local;
    Le32(local, 0x04034b50);
    Le16(local, 45);
    Le16(local, descriptor ? 8 : 0);
    Le16(local, m.method);
    Le32(local, 0);  // time, date
    Le32(local, descriptor ? 0 : crc);
    Le32(local, descriptor ? 0 : m.data.size());
    Le32(local, descriptor ? 0 : m.data.size());
    Le16(local, m.name.size());
    Le16(local, 5);
    Append(local, AsBytes(m.name));
    Append(local, AsBytes("\x46\x42\x01\x00Z"));  // padding, as PyTorch writes it
    local.resize(30 + m.name.size() + 5);
    Append(out.bytes, local);
    Append(pending, local);

    Append(out.bytes, m.data);
    if (m.is_tensor) {
      flush();
      out.file.segments.push_back(TensorSegment{
          .name = m.name,
          .tensor = {.dtype = DType::kF32,
                     .dims = {m.data.size() / 4},
                     .content = {.hash = Blake3(m.data), .size_bytes = m.data.size()}}});
    } else {
      Append(pending, m.data);
    }
    if (descriptor) {
      Bytes d;
      if (style == Style::kDescriptor) Le32(d, 0x08074b50);
      Le32(d, crc);
      Le32(d, m.data.size());
      Le32(d, m.data.size());
      Append(out.bytes, d);
      Append(pending, d);
    }

    Le32(central, 0x02014b50);
    Le16(central, 45);
    Le16(central, 45);
    Le16(central, descriptor ? 8 : 0);
    Le16(central, m.method);
    Le32(central, 0);
    Le32(central, crc);
    Le32(central, zip64 ? 0xffff'ffff : m.data.size());
    Le32(central, zip64 ? 0xffff'ffff : m.data.size());
    Le16(central, m.name.size());
    Le16(central, zip64 ? 28 : 0);
    Le16(central, 0);
    Le16(central, 0);
    Le16(central, 0);
    Le32(central, 0);
    Le32(central, zip64 ? 0xffff'ffff : local_at);
    Append(central, AsBytes(m.name));
    if (zip64) {
      Le16(central, 1);
      Le16(central, 24);
      AppendLe64(central, m.data.size());
      AppendLe64(central, m.data.size());
      AppendLe64(central, local_at);
    }
  }
  const std::uint64_t central_at = out.bytes.size();
  Bytes end = central;
  if (zip64) {
    const std::uint64_t end64_at = central_at + central.size();
    Le32(end, 0x06064b50);
    AppendLe64(end, 44);
    Le32(end, 0);
    Le32(end, 0);
    Le32(end, 0);
    AppendLe64(end, members.size());
    AppendLe64(end, members.size());
    AppendLe64(end, central.size());
    AppendLe64(end, central_at);
    Le32(end, 0x07064b50);
    Le32(end, 0);
    AppendLe64(end, end64_at);
    Le32(end, 1);
  }
  Le32(end, 0x06054b50);
  Le32(end, 0);
  Le16(end, members.size());
  Le16(end, members.size());
  Le32(end, zip64 ? 0xffff'ffff : central.size());
  Le32(end, zip64 ? 0xffff'ffff : central_at);
  Le16(end, 0);
  Append(out.bytes, end);
  Append(pending, end);
  flush();
  out.file.format = FileFormat::kTorchZip;
  return out;
}

std::vector<TestMember> Members(const Bytes& weights) {
  return {{"model/data.pkl", ToBytes("pickle"), false, 0},
          {"model/data/0", weights, true, 0},
          {"model/data/1", F32({9, 9}).bytes, true, 0},
          {"model/version", ToBytes("3\n"), false, 8}};
}

class ZipChecksumsTest : public testing::TestWithParam<Style> {};

TEST_P(ZipChecksumsTest, ARewrittenArchiveEqualsOneWrittenAnew) {
  const Bytes before = F32({1, 2, 3}).bytes;
  const Bytes after = F32({4, 5, 6}).bytes;
  const Archive original = Write(Members(before), GetParam());
  const Archive wanted = Write(Members(after), GetParam());
  ASSERT_TRUE(CheckZipChecksums(original.file).ok());
  File file = original.file;
  for (Segment& s : file.segments) {
    auto* const t = std::get_if<TensorSegment>(&s);
    if (t != nullptr && t->name == "model/data/0") t->tensor.content.hash = Blake3(after);
  }
  const Status status =
      FixZipChecksums(file, original.file, [&](const ContentRef& c) -> Result<std::uint32_t> {
        EXPECT_EQ(c.hash, Blake3(after)) << "only the changed member is read";
        return Crc(after);
      });
  ASSERT_TRUE(status.ok()) << status.error().message();
  EXPECT_EQ(file, wanted.file);
}

INSTANTIATE_TEST_SUITE_P(Styles, ZipChecksumsTest,
                         testing::Values(Style::kPlain, Style::kDescriptor,
                                         Style::kDescriptorWithoutSignature, Style::kZip64));

TEST(ZipArchiveTest, MergedArchivesStayValid) {
  TestGraph graph;
  const auto commit = [&](const std::vector<float>& weights, std::vector<CommitId> parents) {
    const Bytes bytes = F32(weights).bytes;
    graph.PutContent(bytes);
    graph.PutContent(F32({9, 9}).bytes);
    const FileId file = graph.PutFile(Write(Members(bytes), Style::kPlain).file);
    return graph.PutCommit({{"model.pt", file}}, std::move(parents), 1);
  };
  const CommitId base = commit({0, 0, 0}, {});
  const CommitId a = commit({1, 2, 3}, {base});
  const CommitId b = commit({3, 4, 5}, {base});
  MergeOptions options;
  options.time_s = 1;
  options.message = "merge";
  const PreparedMerge merged =
      Get(PrepareMerge(graph.store(), base, {{.commit = a}, {.commit = b}}, options));
  ASSERT_TRUE(merged.ok()) << merged.conflicts[0].reason;
  EXPECT_TRUE(merged.notes.empty());
  const File wanted = Write(Members(F32({2, 3, 4}).bytes), Style::kPlain).file;
  EXPECT_EQ(Get(ReadFileObject(graph.store(), merged.tree.entries[0].file)), wanted);
  EXPECT_TRUE(RerunMerge(graph.store(), merged.commit).ok());
}

TEST(ZipArchiveTest, ABrokenArchiveIsRefusedNotMended) {
  const Archive good = Write(Members(F32({1, 2}).bytes), Style::kPlain);
  ASSERT_TRUE(CheckZipChecksums(good.file).ok());
  // The tail of the file: directory and end record, after the last tensor.
  const auto break_tail = [&](std::size_t from_end, std::uint8_t value) {
    File file = good.file;
    Bytes& tail = std::get<InlineSegment>(file.segments.back()).bytes;
    tail[tail.size() - from_end] = static_cast<std::byte>(value);
    return file;
  };
  EXPECT_FALSE(CheckZipChecksums(break_tail(22, 0)).ok()) << "end record's signature";
  EXPECT_FALSE(CheckZipChecksums(break_tail(6, 1)).ok()) << "directory's offset";
  EXPECT_FALSE(CheckZipChecksums(break_tail(3, 0x7f)).ok()) << "directory beyond the file";
  EXPECT_FALSE(CheckZipChecksums(break_tail(10, 1)).ok()) << "directory's size";
  EXPECT_FALSE(CheckZipChecksums(break_tail(2, 1)).ok()) << "a comment that is not there";
  File cut = good.file;
  cut.segments.pop_back();
  EXPECT_FALSE(CheckZipChecksums(cut).ok());
  EXPECT_FALSE(CheckZipChecksums(File{}).ok());
  auto compressed = Members(F32({1, 2}).bytes);
  compressed[1].method = 8;
  EXPECT_FALSE(CheckZipChecksums(Write(compressed, Style::kPlain).file).ok());
}

TEST(ZipArchiveTest, SourcesAreSummedBlockByBlock) {
  Bytes bytes(3 * kBlockBytes + 5);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * 7 >> 3);
  EXPECT_EQ(Get(Crc32Of(*SourceOfBytes(bytes))), Crc(bytes));
  EXPECT_EQ(Get(Crc32Of(*SourceOfBytes({}))), 0U);
}

}  // namespace
}  // namespace flair
