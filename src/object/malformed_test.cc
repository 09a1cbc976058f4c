// Objects that must be refused: one row per rule of docs/formats/object.md, with
// the exact error kind and the words that name the rule.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <bit>
#include <functional>
#include <limits>

#include "crypto/blake3.h"
#include "object/attachment.h"
#include "object/commit.h"
#include "object/encoding.h"
#include "object/file.h"
#include "object/tree.h"

namespace flair {
namespace {

CommitId SomeCommit(std::string_view label) { return {Blake3(AsBytes(label))}; }

// A commit with the given change made before encoding: the encoder does not check.
Bytes CommitWith(const std::function<void(Commit&)>& change) {
  Commit c;
  c.tree = {Blake3(AsBytes("tree"))};
  c.parents = {SomeCommit("p")};
  c.message = "m";
  change(c);
  return EncodeCommit(c);
}

Bytes TrainedWith(const std::function<void(TrainingRecord&)>& change) {
  return CommitWith([&](Commit& c) {
    c.training.emplace();
    change(*c.training);
  });
}

Bytes MergedWith(const std::function<void(MergeRecipe&)>& change) {
  return CommitWith([&](Commit& c) {
    c.merge = MergeRecipe{.method = "fedavg", .base = SomeCommit("b")};
    change(*c.merge);
  });
}

Bytes TreeOf(const std::vector<std::string>& paths) {
  Tree t;
  for (const std::string& path : paths) t.entries.push_back({.path = path});
  return EncodeTree(t);
}

Bytes FileOf(const std::vector<Segment>& segments) {
  return EncodeFile({.format = FileFormat::kBlob, .segments = segments});
}

Segment TensorOf(std::string name, std::vector<std::uint64_t> dims, std::uint64_t size) {
  return TensorSegment{.name = std::move(name),
                       .tensor = {.dtype = DType::kF32,
                                  .dims = std::move(dims),
                                  .content = {.hash = {}, .size_bytes = size}}};
}

Bytes AttachmentWith(const std::function<void(Attachment&)>& change) {
  Attachment a;
  a.kind = AttachmentKind::kReview;
  a.scheme = SignatureScheme::kRaw;
  change(a);
  return EncodeAttachment(a);
}

struct Case {
  const char* name;
  Bytes bytes;
  ErrorCode code;
  const char* says;
};

template <typename Decode>
void ExpectRefused(const std::vector<Case>& cases, Decode decode) {
  for (const Case& c : cases) {
    const auto value = decode(c.bytes);
    ASSERT_FALSE(value.ok()) << c.name;
    EXPECT_EQ(value.error().code(), c.code) << c.name << ": " << value.error().message();
    EXPECT_NE(value.error().message().find(c.says), std::string::npos)
        << c.name << ": " << value.error().message();
  }
}

constexpr ErrorCode kCorrupt = ErrorCode::kCorrupt;
constexpr ErrorCode kUnsupported = ErrorCode::kUnsupported;

TEST(MalformedCommit, IsRefused) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double inf = std::numeric_limits<double>::infinity();
  std::vector<CommitId> many;
  for (std::size_t i = 0; i <= kMaxParents; ++i) {
    CommitId id;
    id.digest.bytes[0] = static_cast<std::byte>(i >> 8);
    id.digest.bytes[1] = static_cast<std::byte>(i);
    many.push_back(id);
  }
  std::vector<Metric> metrics;
  for (std::size_t i = 0; i <= kMaxMetrics; ++i) metrics.push_back({std::to_string(10000 + i), 0});
  CommitId low, mid, high;
  low.digest.bytes[0] = std::byte{1};
  mid.digest.bytes[0] = std::byte{2};
  high.digest.bytes[0] = std::byte{3};

  ExpectRefused(
      {
          {"nothing", {}, kCorrupt, "field 1 is missing"},
          {"too many parents", CommitWith([&](Commit& c) { c.parents = many; }), kCorrupt,
           "more than 256 parents"},
          {"first parent again", CommitWith([&](Commit& c) {
             c.parents = {mid, low, mid};
           }),
           kCorrupt, "repeats"},
          {"another parent twice", CommitWith([&](Commit& c) {
             c.parents = {low, mid, mid};
           }),
           kCorrupt, "out of order or repeats"},
          {"parents out of order", CommitWith([&](Commit& c) {
             c.parents = {low, high, mid};
           }),
           kCorrupt, "out of order"},
          {"after the year 9999", CommitWith([](Commit& c) { c.time_s = kMaxTimeSeconds + 1; }),
           kCorrupt, "9999"},
          {"a message that is not UTF-8", CommitWith([](Commit& c) { c.message = "\xff"; }),
           kCorrupt, "not UTF-8"},
          {"a message too long",
           CommitWith([](Commit& c) { c.message.assign(kMaxMessageBytes + 1, 'x'); }), kCorrupt,
           "the limit is 65536"},
          {"an unknown field below 64", CommitWith([](Commit& c) {
             c.unknown = {{63, {}}};
           }),
           kCorrupt, "field 63 is not known"},
          {"more than a MiB", CommitWith([](Commit& c) {
             c.unknown = {{64, Bytes(kMaxCommitBytes)}};
           }),
           kCorrupt, "the limit is 1048576"},
          {"samples that would block every merge",
           TrainedWith([](TrainingRecord& t) { t.num_samples = kMaxSamples + 1; }), kCorrupt,
           "over the limit of 4294967296"},
          {"a metric that is NaN", TrainedWith([&](TrainingRecord& t) {
             t.metrics = {{"a", nan}};
           }),
           kCorrupt, "metric \"a\" is not finite"},
          {"a metric that is infinite", TrainedWith([&](TrainingRecord& t) {
             t.metrics = {{"a", -inf}};
           }),
           kCorrupt, "not finite"},
          {"a metric without a name", TrainedWith([](TrainingRecord& t) {
             t.metrics = {{"", 1}};
           }),
           kCorrupt, "without a name"},
          {"a metric's name that is not UTF-8", TrainedWith([](TrainingRecord& t) {
             t.metrics = {{"\xc3", 1}};
           }),
           kCorrupt, "not UTF-8"},
          {"a metric's name too long", TrainedWith([](TrainingRecord& t) {
             t.metrics = {{std::string(257, 'x'), 1}};
           }),
           kCorrupt, "the limit is 256"},
          {"a metric twice", TrainedWith([](TrainingRecord& t) {
             t.metrics = {{"a", 1}, {"a", 2}};
           }),
           kCorrupt, "out of order or repeats"},
          {"metrics out of order", TrainedWith([](TrainingRecord& t) {
             t.metrics = {{"b", 1}, {"a", 2}};
           }),
           kCorrupt, "out of order"},
          {"too many metrics", TrainedWith([&](TrainingRecord& t) { t.metrics = metrics; }),
           kCorrupt, "more than 1024 metrics"},
          {"an unknown field in the training record", TrainedWith([](TrainingRecord& t) {
             t.unknown = {{10, {}}};
           }),
           kCorrupt, "training: byte 0: field 10 is not known"},
          {"a merge without a method", MergedWith([](MergeRecipe& r) { r.method = ""; }), kCorrupt,
           "method"},
          {"more weights than other parents", MergedWith([](MergeRecipe& r) {
             r.alpha = {1, 2};
           }),
           kCorrupt, "2 weights for 1 parents"},
          {"parameters out of order", MergedWith([](MergeRecipe& r) {
             r.parameters = {{"b", ""}, {"a", ""}};
           }),
           kCorrupt, "out of order"},
          {"a parameter too long", MergedWith([](MergeRecipe& r) {
             r.parameters = {{"b", std::string(4097, 'x')}};
           }),
           kCorrupt, "the limit is 4096"},
          {"a lineage of a later version", CommitWith([](Commit& c) {
             c.lineage = {{static_cast<LineageKind>(4), {}}};
           }),
           kUnsupported, "lineage kind 4"},
          {"a lineage too long", CommitWith([](Commit& c) { c.lineage.resize(kMaxLineage + 1); }),
           kCorrupt, "more than 256 lineage"},
      },
      DecodeCommit);
}

TEST(MalformedCommit, TheLimitsThemselvesAreAccepted) {
  const Bytes bytes = CommitWith([](Commit& c) {
    c.parents.clear();
    for (std::size_t i = 0; i < kMaxParents; ++i) {
      c.parents.emplace_back();
      c.parents.back().digest.bytes[0] = static_cast<std::byte>(i);
    }
    c.message.assign(kMaxMessageBytes, 'x');
    c.time_s = kMaxTimeSeconds;
    c.training.emplace();
    for (std::size_t i = 0; i < kMaxMetrics; ++i) {
      c.training->metrics.push_back({std::to_string(10000 + i), 0});
    }
  });
  const auto c = DecodeCommit(bytes);
  ASSERT_TRUE(c.ok()) << c.error().message();
  EXPECT_EQ(EncodeCommit(*c), bytes);
}

TEST(MalformedTree, IsRefused) {
  Tree mode;
  mode.entries = {{.path = "a", .mode = static_cast<FileMode>(3)}};
  Tree crowd;
  for (std::size_t i = 0; i <= kMaxTreeEntries; ++i) {
    crowd.entries.push_back({.path = std::to_string(1'000'000 + i)});
  }
  ExpectRefused(
      {
          {"an absolute path", TreeOf({"/etc/passwd"}), kCorrupt, "entry 0"},
          {"a path upwards", TreeOf({"a/../../b"}), kCorrupt, "path"},
          {"an empty path", TreeOf({""}), kCorrupt, "path"},
          {"the repository's own folder", TreeOf({".flair/meta.db"}), kCorrupt, "path"},
          {"the same in capitals", TreeOf({"x/.FLAIR/y"}), kCorrupt, "path"},
          {"a backslash", TreeOf({"a\\b"}), kCorrupt, "path"},
          {"a NUL", TreeOf({std::string("a\0b", 3)}), kCorrupt, "path"},
          {"not UTF-8", TreeOf({"\xff"}), kCorrupt, "path"},
          {"a part too long", TreeOf({std::string(256, 'x')}), kCorrupt, "path"},
          {"out of order", TreeOf({"b", "a"}), kCorrupt, "out of order or repeated"},
          {"a path twice", TreeOf({"a", "a"}), kCorrupt, "out of order or repeated"},
          {"names that differ by case", TreeOf({"Model", "model"}), kCorrupt, "case"},
          {"folders that differ by case", TreeOf({"A/x", "a/y"}), kCorrupt, "case"},
          {"a file that is a folder", TreeOf({"a", "a/b"}), kCorrupt, "a file and a folder"},
          {"the same with a name between", TreeOf({"a", "a.b", "a/b"}), kCorrupt,
           "a file and a folder"},
          {"an unknown mode", EncodeTree(mode), kCorrupt, "mode 3"},
          {"too many entries", EncodeTree(crowd), kCorrupt, "more than 100000 entries"},
      },
      DecodeTree);
}

TEST(MalformedFile, IsRefused) {
  File alien;
  alien.format = static_cast<FileFormat>(kMaxFileFormat + 1);
  const auto with_size = [](std::uint64_t size) {
    return BlobSegment{{.hash = {}, .size_bytes = size}};
  };
  MessageEncoder kind9;
  kind9.Uint(1, 1);
  kind9.Raw(2, Bytes{std::byte{9}, std::byte{0}});
  TensorSegment bad_dtype{.name = "t", .tensor = {.dtype = static_cast<DType>(kMaxDType + 1)}};

  const Bytes half(kMaxInlineBytes / 2 + 1);
  ExpectRefused(
      {
          {"a format of a later version", EncodeFile(alien), kUnsupported, "file format 9"},
          {"a tensor twice", FileOf({TensorOf("w", {1}, 4), TensorOf("w", {1}, 4)}), kCorrupt,
           "\"w\" appears twice"},
          {"a tensor without a name", FileOf({TensorOf("", {1}, 4)}), kCorrupt, "without a name"},
          {"a tensor's name too long",
           FileOf({TensorOf(std::string(kMaxTensorNameBytes + 1, 'n'), {1}, 4)}), kCorrupt,
           "the limit is 1024"},
          {"a tensor's name that is not UTF-8", FileOf({TensorOf("\xed\xa0\x80", {1}, 4)}),
           kCorrupt, "not UTF-8"},
          {"a shape and a size that differ", FileOf({TensorOf("w", {2, 3}, 20)}), kCorrupt,
           "needs 24 bytes, it has 20"},
          {"a shape that overflows", FileOf({TensorOf("w", {std::uint64_t{1} << 62, 2}, 0)}),
           kCorrupt, "overflows"},
          {"a shape that overflows beside a zero",
           FileOf({TensorOf("w", {0, std::uint64_t{1} << 62, 2}, 0)}), kCorrupt, "overflows"},
          {"too many dims", FileOf({TensorOf("w", std::vector<std::uint64_t>(33, 1), 4)}), kCorrupt,
           "more than 32 dims"},
          {"an unknown dtype", FileOf({bad_dtype}), kCorrupt, "dtype 18"},
          {"an unknown segment", kind9.Take(), kCorrupt, "segment kind 9"},
          {"sizes that overflow", FileOf({with_size(~std::uint64_t{0}), with_size(1)}), kCorrupt,
           "overflows 64 bits"},
          {"too many inline bytes", FileOf({InlineSegment{half}, InlineSegment{half}}), kCorrupt,
           "inline bytes"},
      },
      DecodeFile);
}

TEST(MalformedAttachment, IsRefused) {
  const auto signature = [](const std::function<void(Attachment&)>& change) {
    return AttachmentWith([&](Attachment& a) {
      a.kind = AttachmentKind::kSignature;
      a.scheme.reset();
      a.payload = Bytes(65, std::byte{1});
      change(a);
    });
  };
  ASSERT_TRUE(DecodeAttachment(signature([](Attachment&) {})).ok());
  ExpectRefused(
      {
          {"nothing", {}, kCorrupt, "field 1 is missing"},
          {"a kind of a later version",
           AttachmentWith([](Attachment& a) { a.kind = static_cast<AttachmentKind>(9); }),
           kUnsupported, "kind 9"},
          {"a review without a signature", AttachmentWith([](Attachment& a) { a.scheme.reset(); }),
           kCorrupt, "field 2 is missing"},
          {"a scheme of a later version",
           AttachmentWith([](Attachment& a) { a.scheme = static_cast<SignatureScheme>(3); }),
           kUnsupported, "scheme 3"},
          {"a commit signature that is signed",
           signature([](Attachment& a) { a.scheme = SignatureScheme::kRaw; }), kCorrupt,
           "not signed itself"},
          {"a commit signature that is cut", signature([](Attachment& a) { a.payload.pop_back(); }),
           kCorrupt, "has 65 bytes, this has 64"},
          {"after the year 9999",
           AttachmentWith([](Attachment& a) { a.time_s = kMaxTimeSeconds + 1; }), kCorrupt, "9999"},
          {"too large",
           AttachmentWith([](Attachment& a) { a.payload = Bytes(kMaxAttachmentBytes); }), kCorrupt,
           "the limit is 16777216"},
      },
      DecodeAttachment);
}

TEST(MalformedObject, AKindThatDoesNotExistHasNoId) {
  EXPECT_EQ(ComputeObjectId(static_cast<ObjectKind>(9), {}).error().code(), kCorrupt);
  EXPECT_EQ(ComputeObjectId(ObjectKind::kAttachment, {}).error().code(), kCorrupt);
}

}  // namespace
}  // namespace flair
