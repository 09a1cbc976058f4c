#include "tensor/zip_walk.h"

#include <gtest/gtest.h>

#include <functional>

#include "tensor/handmade.h"

namespace flair {
namespace {

using handmade::Descriptor;
using handmade::Zip;
using handmade::ZipEnd;

Result<std::vector<ZipMember>> Read(const Bytes& file) {
  return ReadZipDirectory(*SourceOfBytes(file));
}

TEST(ZipWalkTest, FindsTheDataOfEveryMemberHoweverItsSizesAreWritten) {
  const std::vector<handmade::ZipPart> parts = {
      {.name = "plain", .data = "abc"},
      {.name = "empty", .data = ""},
      {.name = "bare", .data = "de", .descriptor = Descriptor::kBare},
      {.name = "signed", .data = "f", .descriptor = Descriptor::kSigned},
      {.name = "wide", .data = "gh", .descriptor = Descriptor::kSigned64},
      {.name = "in64", .data = "ijk", .sizes_in_64 = true},
      {.name = "both", .data = "l", .descriptor = Descriptor::kSigned64, .sizes_in_64 = true},
      {.name = "packed", .data = "m", .method = 8},
  };
  for (const ZipEnd end : {ZipEnd::k32, ZipEnd::k64}) {
    const Bytes file = Zip(parts, end);
    const auto members = Read(file);
    ASSERT_TRUE(members.ok()) << members.error().message();
    ASSERT_EQ(members->size(), parts.size());
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const ZipMember& m = (*members)[i];
      EXPECT_EQ(m.name, parts[i].name);
      EXPECT_EQ(m.method, parts[i].method);
      EXPECT_EQ(m.crc32, handmade::kSomeCrc);
      EXPECT_EQ(AsText(ByteView(file).subspan(m.data_offset, m.stored_bytes)), parts[i].data);
      EXPECT_EQ(m.header_offset, i == 0 ? 0 : (*members)[i - 1].end_offset) << m.name;
    }
  }
}

TEST(ZipWalkTest, AnArchiveMayBeEmptyAndMayHaveAComment) {
  EXPECT_TRUE(Read(Zip({}))->empty());
  Bytes file = Zip({{.name = "a", .data = "abc"}});
  file[file.size() - 2] = std::byte{2};
  Append(file, AsBytes("hi"));
  ASSERT_TRUE(Read(file).ok()) << Read(file).error().message();
}

void Put(Bytes& file, std::size_t at, std::uint64_t value, std::size_t width) {
  for (std::size_t i = 0; i < width; ++i) file[at + i] = static_cast<std::byte>(value >> (8 * i));
}

// Members "a" (xyz) and "b" (uv): where the parts of the archive lie.
constexpr std::size_t kB = 34, kEntryA = 67, kEntryB = 114, kEnd = 161;

TEST(ZipWalkTest, EveryLieIsRefusedWithTheRuleItBreaks) {
  const struct {
    std::function<void(Bytes&)> lie;
    const char* message;
    ErrorCode code = ErrorCode::kCorrupt;
  } kCases[] = {
      {[](Bytes& f) { f.resize(100); }, "no end record"},
      {[](Bytes& f) { f.resize(10); }, "no end record"},
      {[](Bytes& f) { f.push_back({}); }, "at byte 161 does not end at the file's end"},
      {[](Bytes& f) { Put(f, kEnd + 20, 5, 2); }, "does not end at the file's end"},
      {[](Bytes& f) { Put(f, kEnd + 8, 0x00030003, 4); }, "2 entries; its end record says 3"},
      {[](Bytes& f) { Put(f, kEnd + 8, 0x00010001, 4); }, "more entries"},
      {[](Bytes& f) { Put(f, kEnd + 16, 66, 4); }, "does not end at its end record"},
      {[](Bytes& f) { Put(f, kEnd + 12, 95, 4); }, "does not end at its end record"},
      {[](Bytes& f) { Put(f, kEnd + 12, 1000, 4); }, "does not end at its end record"},
      {[](Bytes& f) { Put(f, kEntryA, 0, 1); }, "no directory entry at byte 67"},
      {[](Bytes& f) { Put(f, kEntryB + 30, 1, 2); }, "ends inside its entry at byte 114"},
      {[](Bytes& f) { Put(f, kEntryA + 46, 0, 1); }, "no usable name"},
      {[](Bytes& f) { Put(f, kEntryA + 42, 1, 4); }, "'a': no local header at byte 1"},
      {[](Bytes& f) { Put(f, kEntryA + 42, 60, 4); }, "'a': its header at byte 60 lies in"},
      {[](Bytes& f) { Put(f, kEntryA + 42, 0xfffffff0, 4); }, "lies in the directory"},
      {[](Bytes& f) { Put(f, kEntryB + 42, 0, 4); }, "'b': the local header at byte 0 has another"},
      {[](Bytes& f) { Put(f, 30, 'q', 1); }, "another name"},
      {[](Bytes& f) { Put(f, 8, 8, 2); }, "another method"},
      {[](Bytes& f) { Put(f, 6, 8, 2); }, "another set of flags"},
      {[](Bytes& f) { Put(f, 14, 1, 4); }, "another checksum"},
      {[](Bytes& f) { Put(f, 18, 2, 4); }, "another size"},
      {[](Bytes& f) { Put(f, 22, 2, 4); }, "another size"},
      {[](Bytes& f) { Put(f, 18, 0xffffffff, 4); }, "'a': its zip64 sizes are missing"},
      {[](Bytes& f) { Put(f, kEntryA + 20, 0xffffffff, 4); }, "zip64 sizes are missing"},
      {[](Bytes& f) { Put(f, kEntryA + 24, 9, 4); }, "its two sizes differ"},
      {[](Bytes& f) { Put(f, 28, 1, 2); }, "'a' and 'b' share byte 34"},
      {[](Bytes& f) {
         for (const std::size_t at : {18, 22, 87, 91}) Put(f, at, 5, 4);
       },
       "'a' and 'b' share byte 34"},
      {[](Bytes& f) {
         for (const std::size_t at : {18, 22, 87, 91}) Put(f, at, 40, 4);
       },
       "'a': its data at byte 31 reach into the directory"},
      {[](Bytes& f) { Put(f, kB + 28, 9, 2); }, "'b': its data"},
      {[](Bytes& f) {
         Put(f, kB + 30, 'a', 1);
         Put(f, kEntryB + 46, 'a', 1);
       },
       "'a' stands twice"},
      {[](Bytes& f) {
         Put(f, 6, 8, 2);
         Put(f, kEntryA + 8, 8, 2);
       },
       "the descriptor at byte 34 is not the directory's"},
      {[](Bytes& f) { Put(f, kEntryA + 8, 1, 2); }, "'a' is encrypted", ErrorCode::kUnsupported},
      {[](Bytes& f) { Put(f, kEnd + 4, 1, 2); }, "several disks", ErrorCode::kUnsupported},
      {[](Bytes& f) { Put(f, kEnd + 8, 1, 2); }, "several disks", ErrorCode::kUnsupported},
      {[](Bytes& f) { Put(f, kEntryA + 34, 1, 2); }, "several disks", ErrorCode::kUnsupported},
  };
  for (const auto& c : kCases) {
    Bytes file = Zip({{.name = "a", .data = "xyz"}, {.name = "b", .data = "uv"}});
    ASSERT_EQ(file.size(), kEnd + 22);
    c.lie(file);
    const auto members = Read(file);
    ASSERT_FALSE(members.ok()) << c.message;
    EXPECT_EQ(members.error().code(), c.code) << c.message;
    EXPECT_NE(members.error().message().find(c.message), std::string::npos)
        << members.error().message() << "\nexpected: " << c.message;
  }
}

TEST(ZipWalkTest, TheZip64EndMustAgreeAndStandWhereItBelongs) {
  constexpr std::size_t kRecord = 79, kLocator = kRecord + 56;  // behind one entry of 47 at 32
  const struct {
    std::size_t at;
    std::uint64_t value;
    std::size_t width;
    const char* message;
    ErrorCode code = ErrorCode::kCorrupt;
  } kCases[] = {
      {kRecord, 0, 1, "no zip64 end record at byte 79"},
      {kRecord + 4, 45, 8, "no zip64 end record"},
      {kRecord + 40, 46, 8, "the two end records differ"},
      {kRecord + 48, 1, 8, "the two end records differ"},
      {kLocator + 8, 78, 8, "not in front of its locator"},
      {kLocator + 8, ~std::uint64_t{0}, 8, "not in front of its locator"},
      {kLocator + 16, 2, 4, "several disks", ErrorCode::kUnsupported},
      {kRecord + 24, 2, 8, "several disks", ErrorCode::kUnsupported},
  };
  for (const auto& c : kCases) {
    Bytes file = Zip({{.name = "a", .data = "x"}}, ZipEnd::k64);
    ASSERT_TRUE(Read(file).ok());
    Put(file, c.at, c.value, c.width);
    const auto members = Read(file);
    ASSERT_FALSE(members.ok()) << c.message;
    EXPECT_EQ(members.error().code(), c.code) << c.message;
    EXPECT_NE(members.error().message().find(c.message), std::string::npos)
        << members.error().message() << "\nexpected: " << c.message;
  }
}

TEST(ZipWalkTest, MoreMembersThanTheLimitAreNotRead) {
  Bytes file = Zip({{.name = "a", .data = "x"}}, ZipEnd::k64);
  Put(file, 79 + 24, kMaxZipMembers + 1, 8);
  Put(file, 79 + 32, kMaxZipMembers + 1, 8);
  Put(file, file.size() - 22 + 8, 0xffffffff, 4);
  const auto members = Read(file);
  ASSERT_FALSE(members.ok());
  EXPECT_EQ(members.error().code(), ErrorCode::kUnsupported) << members.error().message();
}

TEST(ZipWalkTest, EveryCutIsRefused) {
  const Bytes file = Zip({{.name = "a", .data = "xyz"}, {.name = "b", .data = "uv"}}, ZipEnd::k64);
  for (std::size_t n = 0; n < file.size(); ++n) {
    EXPECT_FALSE(Read(Bytes(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(n))).ok())
        << n;
  }
}

}  // namespace
}  // namespace flair
