// The pack format itself: vectors of reference/pack.py, and malformed headers and
// indexes with the exact reason why they are refused.
// SPDX-License-Identifier: Apache-2.0
#include "store/format.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <fstream>
#include <functional>
#include <sstream>

#include "base/hex.h"
#include "base/mem_env.h"
#include "crypto/blake3.h"
#include "store/object_store.h"
#include "store/pack_index.h"
#include "store/pack_writer.h"
#include "store/store_testing.h"

namespace flair {
namespace {

namespace json = boost::json;

const json::object& Vectors() {
  static const json::value vectors = [] {
    std::ifstream in(FLAIR_SOURCE_DIR "/tests/vectors/pack.json");
    std::stringstream text;
    text << in.rdbuf();
    return json::parse(text.str());
  }();
  return vectors.as_object();
}
std::string Str(const json::value& v) { return std::string(v.as_string()); }
Bytes Hex(const json::value& v) { return Must(FromHex(Str(v))); }

void WriteFile(Env& env, const std::string& path, const Bytes& bytes) {
  EXPECT_OK(WriteFileAtomically(env, path, bytes));
}

TEST(PackFormatTest, TheReferencesPackReadsBackWhole) {
  const json::value& pack = Vectors().at("packs").as_array().back();
  MemEnv env;
  Must(ObjectStore::Open(env, "/s"));
  WriteFile(env, "/s/packs/" + Str(pack.at("name")), Hex(pack.at("bytes")));
  const auto store = Must(ObjectStore::Open(env, "/s"));
  for (const json::value& object : Vectors().at("objects").as_array()) {
    const auto kind = static_cast<ObjectKind>(object.at("kind").to_number<int>());
    EXPECT_EQ(Must(store->ReadObject(kind, Must(Digest::FromHex(Str(object.at("id")))))),
              Hex(object.at("stored")));
  }
  for (const json::value& content : Vectors().at("contents").as_array()) {
    Bytes expected;
    const Bytes repeat = Hex(content.at("repeat"));
    for (auto times = content.at("times").to_number<std::uint64_t>(); times > 0; --times) {
      Append(expected, repeat);
    }
    const Digest hash = Must(Digest::FromHex(Str(content.at("hash"))));
    EXPECT_EQ(hash, Blake3(expected));
    EXPECT_TRUE(ReadAll(*store, hash) == expected) << hash.ToHex();
  }
  for (const auto& damage : Must(store->Verify())) ADD_FAILURE() << damage.what;
}

TEST(PackFormatTest, TheWriterBuildsTheReferencesPacksByteForByte) {
  for (const json::value& pack : Vectors().at("packs").as_array()) {
    MemEnv env;
    PackCache cache(env);
    Catalog catalog;
    // Printed big-endian, as a number is read.
    const std::uint64_t nonce = std::stoull(Str(pack.at("nonce")), nullptr, 16);
    PackWriter writer(env, cache, catalog, "/w", nonce, kMaxPackBytes);
    for (const json::value& record : pack.at("records").as_array()) {
      const Bytes bytes = Hex(record);
      EXPECT_OK(writer.Append(Must(ParseRecordHeader(bytes)), bytes));
    }
    const auto sealed = Must(writer.Finish());
    ASSERT_EQ(sealed.size(), 1u);
    EXPECT_EQ(sealed[0].file->name, Str(pack.at("name")));
    EXPECT_EQ(ToHex(env.ContentsOf("/w-0")), Str(pack.at("bytes")));
  }
}

TEST(PackFormatTest, EveryVectorRecordsHeaderRoundTrips) {
  for (const json::value& record :
       Vectors().at("packs").as_array().back().at("records").as_array()) {
    const Bytes bytes = Hex(record);
    Bytes again;
    AppendRecordHeader(again, Must(ParseRecordHeader(bytes)));
    EXPECT_TRUE(std::equal(again.begin(), again.end(), bytes.begin()));
  }
}

RecordHeader Block() {
  RecordHeader h;
  h.type = RecordType::kBlock;
  h.raw_bytes = 1000;
  h.payload_bytes = 1000;
  return h;
}

TEST(PackFormatTest, MalformedRecordHeadersAreRefusedForTheRightReason) {
  const auto set8 = [](std::size_t at, int value) {
    return [=](Bytes& b) { b[at] = static_cast<std::byte>(value); };
  };
  const auto set32 = [](std::size_t at, std::uint32_t value) {
    return [=](Bytes& b) { std::memcpy(b.data() + at, &value, 4); };
  };
  RecordHeader object;
  RecordHeader head;
  head.type = RecordType::kHead;
  RecordHeader plane = Block();
  plane.block_codec = BlockCodec::kPlane;
  plane.shape = {.log2_bytes = 2, .is_float = true};
  plane.payload_bytes = 500;
  RecordHeader sub = plane;
  sub.block_codec = BlockCodec::kSub;
  sub.depth = 1;
  struct Case {
    RecordHeader h;
    std::function<void(Bytes&)> damage;
    std::string words;
  };
  const std::vector<Case> cases = {
      {object, set8(0, 0), "unknown type"},
      {object, set8(0, 4), "unknown type"},
      {object, set8(1, 0), "object kind"},
      {object, set8(1, 5), "object kind"},
      {object, set8(2, 2), "object codec"},
      {object, set8(3, 1), "reserved"},
      {object, set8(40, 1), "reserved"},
      {object, set32(44, (160U << 20) + 1), "object is too long"},
      {object, set32(4, 1), "payload length"},
      {object, set8(2, 1), "payload length"},  // zstd of nothing is not smaller
      {head, set8(1, 1), "reserved"},
      {head, set8(2, 1), "reserved"},
      {head, set8(3, 1), "reserved"},
      {head, set32(44, 1U << 30), "content is too long"},
      {head, set32(42, 0x20), "head length"},  // 2 MiB, no values
      {head, set32(4, 32), "head length"},
      {Block(), set8(1, 3), "block codec"},
      {Block(), set32(44, 0), "block length"},
      {Block(), set32(44, (1U << 20) + 1), "block length"},
      {Block(), set32(40, 1U << 20), "block number"},
      {Block(), set8(2, 0x20), "element shape"},
      {Block(), set8(2, 4), "element shape"},
      {Block(), set8(2, 1), "RAW block with a shape"},
      {Block(), set8(3, 1), "RAW block with a shape or a depth"},
      {Block(), set32(4, 999), "RAW block of another length"},
      {plane, set8(3, 1), "PLANE block with a depth"},
      {plane, set32(4, 1000), "PLANE length"},
      {plane, set32(4, 15), "PLANE length"},
      {sub, set8(3, 0), "SUB depth"},
      {sub, set8(3, 9), "SUB depth"},
      {sub, set32(4, 47), "SUB length"},
      {sub, set32(4, 1000), "SUB length"},
  };
  for (const Case& c : cases) {
    Bytes bytes;
    AppendRecordHeader(bytes, c.h);
    ASSERT_EQ(bytes.size(), kRecordHeaderBytes);
    EXPECT_EQ(Must(ParseRecordHeader(bytes)), c.h) << c.words;
    c.damage(bytes);
    const auto parsed = ParseRecordHeader(bytes);
    ASSERT_FALSE(parsed.ok()) << c.words;
    EXPECT_EQ(parsed.error().code(), ErrorCode::kCorrupt);
    EXPECT_NE(parsed.error().message().find(c.words), std::string::npos)
        << parsed.error().message() << ", not " << c.words;
  }
  EXPECT_ERROR(kCorrupt, ParseRecordHeader(Bytes(47)));
}

// A pack that holds nothing but an index, with a right checksum.
Bytes PackOf(const PackIndex& index) {
  Bytes pack;
  AppendPackHeader(pack, 0);
  pack.resize(kPackHeaderBytes + 4096);
  Append(pack, EncodeIndexAndFooter(index, pack.size()));
  return pack;
}

TEST(PackFormatTest, AnIndexRoundTrips) {
  PackIndex index;
  index.objects = {{Blake3(AsBytes("o")), ObjectKind::kTree, 24, 100, 300}};
  index.heads = {{Blake3(AsBytes("h")), 124, 5 << 20}};
  index.runs = {{Blake3(AsBytes("h")), 0, 0, {}, {{400, 100}, {500, 100}}},
                {Blake3(AsBytes("h")), 2, 3, Blake3(AsBytes("b")), {{600, 100}}}};
  const Bytes pack = PackOf(index);
  const PackLayout layout = Must(ReadPackLayout(*SourceOfBytes(pack)));
  EXPECT_EQ(layout.index, index);
  EXPECT_EQ(layout.index_offset, kPackHeaderBytes + 4096);
}

TEST(PackFormatTest, MalformedIndexesAreRefusedForTheRightReason) {
  const Digest low = [] {
    Digest d;
    d.bytes[0] = std::byte{1};
    return d;
  }();
  const Digest high = [] {
    Digest d;
    d.bytes[0] = std::byte{2};
    return d;
  }();
  struct Case {
    std::string words;
    PackIndex index;
  };
  const auto object = [](const Digest& id, std::uint32_t offset, std::uint32_t length) {
    return PackIndex::Object{id, ObjectKind::kTree, offset, length, 10};
  };
  const auto run = [](const Digest& hash, std::uint32_t first,
                      std::vector<PackIndex::Place> places) {
    return PackIndex::Run{hash, first, 0, {}, std::move(places)};
  };
  std::vector<Case> cases = {
      {"objects are not sorted", {{object(high, 24, 100), object(low, 24, 100)}, {}, {}}},
      {"objects are not sorted", {{object(low, 24, 100), object(low, 24, 100)}, {}, {}}},
      {"object outside", {{object(low, 23, 100)}, {}, {}}},
      {"object outside", {{object(low, 4080, 100)}, {}, {}}},
      {"object outside", {{object(low, 24, 47)}, {}, {}}},
      {"object outside", {{object(low, 0xFFFFFFF0, 100)}, {}, {}}},
      {"heads are not sorted", {{}, {{high, 24, 0}, {low, 24, 0}}, {}}},
      {"head outside", {{}, {{low, 4100, 0}}, {}}},
      {"head outside", {{}, {{low, 24, std::uint64_t{1} << 30}}, {}}},
      {"content is too long", {{}, {{low, 24, (std::uint64_t{1} << 40) + 1}}, {}}},
      {"run of blocks", {{}, {}, {run(low, 0, {})}}},
      {"run of blocks", {{}, {}, {run(low, 0xFFFFFFFF, {{24, 100}})}}},
      {"block outside", {{}, {}, {run(low, 0, {{24, 5000}})}}},
      {"runs are not sorted", {{}, {}, {run(high, 0, {{24, 60}}), run(low, 0, {{24, 60}})}}},
      {"runs are not sorted",
       {{}, {}, {run(low, 0, {{24, 60}, {24, 60}}), run(low, 1, {{24, 60}})}}},
      {"depth and base disagree", {{}, {}, {{low, 0, 1, {}, {{24, 60}}}}}},
      {"depth and base disagree", {{}, {}, {{low, 0, 0, high, {{24, 60}}}}}},
      {"depth and base disagree", {{}, {}, {{low, 0, 9, high, {{24, 60}}}}}},
  };
  cases.push_back({"object kind", {{object(low, 24, 100)}, {}, {}}});
  cases.back().index.objects[0].kind = static_cast<ObjectKind>(9);
  cases.push_back({"object is too long", {{object(low, 24, 100)}, {}, {}}});
  cases.back().index.objects[0].raw_bytes = 0xFFFFFFFF;
  for (const Case& c : cases) {
    const Bytes pack = PackOf(c.index);
    const auto layout = ReadPackLayout(*SourceOfBytes(pack));
    ASSERT_FALSE(layout.ok()) << c.words;
    EXPECT_EQ(layout.error().code(), ErrorCode::kCorrupt);
    EXPECT_NE(layout.error().message().find(c.words), std::string::npos)
        << layout.error().message() << ", not " << c.words;
  }
}

TEST(PackFormatTest, AnotherVersionIsUnsupportedNotCorrupt) {
  Bytes pack = PackOf({});
  pack[8] = std::byte{2};
  EXPECT_ERROR(kUnsupported, ReadPackLayout(*SourceOfBytes(pack)));
  pack[0] = std::byte{'X'};
  EXPECT_ERROR(kCorrupt, ReadPackLayout(*SourceOfBytes(pack)));
}

}  // namespace
}  // namespace flair
