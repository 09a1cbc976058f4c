// Golden vectors: every object of tests/vectors/objects.json, which
// reference/objects.py made with code that shares nothing with this module.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <fstream>
#include <sstream>

#include "base/hex.h"
#include "crypto/blake3.h"
#include "object/attachment.h"
#include "object/commit.h"
#include "object/file.h"
#include "object/receipt.h"
#include "object/tree.h"

namespace flair {
namespace {

namespace json = boost::json;

const json::object& Vectors() {
  static const json::value vectors = [] {
    std::ifstream in(FLAIR_SOURCE_DIR "/tests/vectors/objects.json");
    std::stringstream text;
    text << in.rdbuf();
    return json::parse(text.str());
  }();
  return vectors.as_object();
}

std::string Str(const json::value& v) { return std::string(v.as_string()); }
std::uint64_t Num(const json::value& v) { return v.to_number<std::uint64_t>(); }
Bytes Hex(const json::value& v) { return FromHex(Str(v)).value(); }
Digest Dig(const json::value& v) { return Digest::FromHex(Str(v)).value(); }

std::optional<Digest> MaybeDigest(const json::value& v) {
  if (v.is_null()) return std::nullopt;
  return Dig(v);
}

std::vector<UnknownField> Unknown(const json::value& list) {
  std::vector<UnknownField> out;
  for (const json::value& f : list.as_array()) {
    out.push_back({static_cast<std::uint32_t>(Num(f.at(0))), Hex(f.at(1))});
  }
  return out;
}

ContentRef Content(const json::value& v) {
  const Bytes data = Hex(v.at("data"));
  return {.hash = Blake3(data), .size_bytes = data.size()};
}

TensorRef Tensor(const json::value& v) {
  TensorRef t{
      .dtype = DTypeFromName(Str(v.at("dtype"))).value(), .dims = {}, .content = Content(v)};
  for (const json::value& d : v.at("dims").as_array()) t.dims.push_back(Num(d));
  return t;
}

File MakeFile(const json::value& v) {
  File f;
  f.format = Str(v.at("format")) == "blob" ? FileFormat::kBlob : FileFormat::kSafetensors;
  for (const json::value& s : v.at("segments").as_array()) {
    const std::string kind = Str(s.at("kind"));
    if (kind == "inline") {
      f.segments.push_back(InlineSegment{Hex(s.at("bytes"))});
    } else if (kind == "tensor") {
      f.segments.push_back(TensorSegment{.name = Str(s.at("name")), .tensor = Tensor(s)});
    } else {
      f.segments.push_back(BlobSegment{Content(s)});
    }
  }
  return f;
}

Tree MakeTree(const json::value& v) {
  Tree t;
  for (const json::value& e : v.at("entries").as_array()) {
    t.entries.push_back(
        {.path = Str(e.at("path")),
         .mode = e.at("executable").as_bool() ? FileMode::kExecutable : FileMode::kRegular,
         .file = {Dig(e.at("file"))},
         .size_bytes = Num(e.at("size"))});
  }
  return t;
}

TrainingRecord MakeTraining(const json::value& v) {
  TrainingRecord t;
  t.program = MaybeDigest(v.at("program"));
  t.first_step = Num(v.at("first_step"));
  t.num_steps = Num(v.at("num_steps"));
  t.num_samples = Num(v.at("num_samples"));
  t.data_card = MaybeDigest(v.at("data_card"));
  t.ticket = MaybeDigest(v.at("ticket"));
  t.weights_commitment = MaybeDigest(v.at("weights_commitment"));
  for (const json::value& m : v.at("metrics").as_array()) {
    t.metrics.push_back({Str(m.at(0)), m.at(1).as_double()});
  }
  t.framework = Str(v.at("framework"));
  t.unknown = Unknown(v.at("unknown"));
  return t;
}

MergeRecipe MakeRecipe(const json::value& v) {
  MergeRecipe r{.method = Str(v.at("method")), .base = {Dig(v.at("base"))}};
  for (const json::value& a : v.at("alpha").as_array()) {
    r.alpha.push_back(static_cast<std::uint32_t>(Num(a)));
  }
  for (const json::value& p : v.at("parameters").as_array()) {
    r.parameters.emplace_back(Str(p.at(0)), Str(p.at(1)));
  }
  r.unknown = Unknown(v.at("unknown"));
  return r;
}

Commit MakeCommit(const json::value& v) {
  Commit c;
  c.tree = {Dig(v.at("tree"))};
  for (const json::value& p : v.at("parents").as_array()) c.parents.push_back({Dig(p)});
  c.author = Wallet::FromBytes(Hex(v.at("author"))).value();
  c.time_s = Num(v.at("time"));
  c.message = Str(v.at("message"));
  if (!v.at("training").is_null()) c.training = MakeTraining(v.at("training"));
  if (!v.at("merge").is_null()) c.merge = MakeRecipe(v.at("merge"));
  for (const json::value& l : v.at("lineage").as_array()) {
    c.lineage.push_back({static_cast<LineageKind>(Num(l.at(0))), {Dig(l.at(1))}});
  }
  c.unknown = Unknown(v.at("unknown"));
  return c;
}

Attachment MakeAttachment(const json::value& v) {
  Attachment a;
  a.subject = {Dig(v.at("subject"))};
  for (const auto kind :
       {AttachmentKind::kSignature, AttachmentKind::kReview, AttachmentKind::kMetadata}) {
    if (AttachmentKindName(kind) == Str(v.at("kind"))) a.kind = kind;
  }
  a.payload = Hex(v.at("payload"));
  a.author = Wallet::FromBytes(Hex(v.at("author"))).value();
  a.time_s = Num(v.at("time"));
  if (a.kind != AttachmentKind::kSignature) {
    a.scheme = SignatureScheme::kRaw;
    const Bytes signature = Hex(v.at("signature"));
    std::copy(signature.begin(), signature.end(), a.signature.begin());
  }
  return a;
}

// Encoding, id, and decoding of every vector of one kind.
template <typename Make, typename Encode, typename Decode, typename Name>
void ExpectMatches(const char* kind, Make make, Encode encode, Decode decode, Name id_of) {
  const json::array& rows = Vectors().at(kind).as_array();
  ASSERT_FALSE(rows.empty()) << kind;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    SCOPED_TRACE(std::string(kind) + " " + std::to_string(i));
    const auto value = make(rows[i].at("value"));
    const Bytes encoded = Hex(rows[i].at("encoded"));
    EXPECT_EQ(ToHex(encode(value)), ToHex(encoded));
    EXPECT_EQ(id_of(value).ToHex(), Str(rows[i].at("id")));
    const auto decoded = decode(encoded);
    ASSERT_TRUE(decoded.ok()) << decoded.error().message();
    EXPECT_TRUE(*decoded == value);
  }
}

TEST(ObjectVectors, Blake3MatchesTheReference) {
  Bytes pattern(5000);
  for (std::size_t i = 0; i < pattern.size(); ++i) pattern[i] = static_cast<std::byte>(i % 251);
  for (const json::value& row : Vectors().at("blake3").as_array()) {
    const ByteView data = ByteView(pattern).first(Num(row.at("size")));
    EXPECT_EQ(Blake3(data).ToHex(), Str(row.at("hash"))) << data.size();
    EXPECT_EQ(Blake3DeriveKey("flair.test", data).ToHex(), Str(row.at("derived"))) << data.size();
  }
}

TEST(ObjectVectors, TensorsMatchTheReference) {
  ExpectMatches("tensor", Tensor, EncodeTensorRef, DecodeTensorRef,
                [](const TensorRef& t) { return IdOf(t); });
}

TEST(ObjectVectors, BlobsMatchTheReference) {
  ExpectMatches("blob", Content, EncodeContentRef, DecodeContentRef, BlobIdOf);
}

TEST(ObjectVectors, FilesMatchTheReference) {
  ExpectMatches("file", MakeFile, EncodeFile, DecodeFile, [](const File& f) { return IdOf(f); });
}

TEST(ObjectVectors, TreesMatchTheReference) {
  ExpectMatches("tree", MakeTree, EncodeTree, DecodeTree, [](const Tree& t) { return IdOf(t); });
}

TEST(ObjectVectors, CommitsMatchTheReference) {
  ExpectMatches("commit", MakeCommit, EncodeCommit, DecodeCommit,
                [](const Commit& c) { return IdOf(c); });
}

TEST(ObjectVectors, AttachmentsMatchTheReference) {
  ExpectMatches("attachment", MakeAttachment, EncodeAttachment, DecodeAttachment,
                [](const Attachment& a) { return IdOf(a); });
}

Receipt MakeReceipt(const json::value& v) {
  const auto fill = [&](const char* name, auto& into) {
    const Bytes bytes = Hex(v.at(name));
    std::ranges::copy(bytes, into.begin());
  };
  if (Num(v.at("what")) == 3) {
    Ticket t;
    fill("repo", t.repo);
    fill("wallet", t.wallet.bytes);
    t.card = Dig(v.at("card"));
    t.nonce = Dig(v.at("nonce"));
    return t;
  }
  Accepted a{.branch = Str(v.at("branch")), .on_branch = Num(v.at("what")) == 1};
  fill("repo", a.repo);
  fill("wallet", a.brought_by.bytes);
  return a;
}

TEST(ObjectVectors, ReceiptsAndSeedsMatchTheReference) {
  for (const json::value& row : Vectors().at("receipt").as_array()) {
    const Receipt receipt = MakeReceipt(row.at("value"));
    EXPECT_EQ(ToHex(EncodeReceipt(receipt)), Str(row.at("encoded")));
    EXPECT_EQ(DecodeReceipt(Hex(row.at("encoded"))).value(), receipt);
    if (const auto* ticket = std::get_if<Ticket>(&receipt)) {
      const CommitId parent{Dig(row.at("value").at("parent"))};
      EXPECT_EQ(SeedOf(*ticket, parent).ToHex(), Str(row.at("seed")));
    }
  }
}

TEST(ObjectVectors, TheStoredBytesGiveTheSameId) {
  const std::pair<const char*, ObjectKind> kKinds[] = {{"file", ObjectKind::kFile},
                                                       {"tree", ObjectKind::kTree},
                                                       {"commit", ObjectKind::kCommit},
                                                       {"attachment", ObjectKind::kAttachment}};
  for (const auto& [name, kind] : kKinds) {
    for (const json::value& row : Vectors().at(name).as_array()) {
      const auto id = ComputeObjectId(kind, Hex(row.at("encoded")));
      ASSERT_TRUE(id.ok());
      EXPECT_EQ(id->ToHex(), Str(row.at("id")));
    }
  }
}

// Every accepted byte string is the one the encoder writes. Each vector is cut,
// extended, and changed in every byte to every value.
template <typename Decode, typename Encode>
void ExpectOneEncoding(const char* kind, Decode decode, Encode encode) {
  std::size_t accepted = 0;
  const auto check = [&](const Bytes& bytes) {
    const auto value = decode(bytes);
    if (!value.ok()) return;
    ++accepted;
    ASSERT_EQ(ToHex(encode(*value)), ToHex(bytes)) << kind;
  };
  for (const json::value& row : Vectors().at(kind).as_array()) {
    const Bytes original = Hex(row.at("encoded"));
    for (std::size_t n = 0; n < original.size(); ++n) {
      check(Bytes(original.begin(), original.begin() + static_cast<std::ptrdiff_t>(n)));
    }
    Bytes longer = original;
    longer.push_back(std::byte{0});
    check(longer);
    for (std::size_t at = 0; at < original.size(); ++at) {
      Bytes changed = original;
      for (unsigned v = 0; v < 256; ++v) {
        changed[at] = static_cast<std::byte>(v);
        check(changed);
      }
    }
  }
  EXPECT_GT(accepted, 256U) << kind << ": the changes hit nothing that may vary";
}

TEST(ObjectCanonical, OneTensorHasOneEncoding) {
  ExpectOneEncoding("tensor", DecodeTensorRef, EncodeTensorRef);
}
TEST(ObjectCanonical, OneBlobHasOneEncoding) {
  ExpectOneEncoding("blob", DecodeContentRef, EncodeContentRef);
}
TEST(ObjectCanonical, OneFileHasOneEncoding) { ExpectOneEncoding("file", DecodeFile, EncodeFile); }
TEST(ObjectCanonical, OneTreeHasOneEncoding) { ExpectOneEncoding("tree", DecodeTree, EncodeTree); }
TEST(ObjectCanonical, OneCommitHasOneEncoding) {
  ExpectOneEncoding("commit", DecodeCommit, EncodeCommit);
}
TEST(ObjectCanonical, OneAttachmentHasOneEncoding) {
  ExpectOneEncoding("attachment", DecodeAttachment, EncodeAttachment);
}
TEST(ObjectCanonical, OneReceiptHasOneEncoding) {
  ExpectOneEncoding("receipt", DecodeReceipt, EncodeReceipt);
}

}  // namespace
}  // namespace flair
