// Receipts: one encoding each, tickets that only their hub makes, seeds that every part decides.
// SPDX-License-Identifier: Apache-2.0
#include "object/receipt.h"

#include <gtest/gtest.h>

#include <set>

#include "base/hex.h"
#include "object/encoding.h"

namespace flair {
namespace {

template <typename T>
T Filled(int byte) {
  T out;
  out.bytes.fill(static_cast<std::byte>(byte));
  return out;
}

Keypair Key(int byte) {
  std::array<std::byte, 32> seed;
  seed.fill(static_cast<std::byte>(byte));
  return Keypair::FromSeed(seed);
}

Ticket SomeTicket() {
  Ticket t{.wallet = Filled<Wallet>(2), .card = Filled<Digest>(3), .nonce = Filled<Digest>(4)};
  t.repo.fill(std::byte{1});
  return t;
}

Attachment Signed(const Receipt& receipt, const Keypair& hub) {
  Attachment a;
  a.subject.digest = Filled<Digest>(9);
  a.kind = AttachmentKind::kReceipt;
  a.payload = EncodeReceipt(receipt);
  SignAttachment(a, hub);
  return a;
}

TEST(Receipt, SurvivesStorageInOneEncoding) {
  for (const bool on_branch : {false, true}) {
    Accepted a{.branch = "main", .brought_by = Filled<Wallet>(5), .on_branch = on_branch};
    a.repo.fill(std::byte{6});
    EXPECT_EQ(DecodeReceipt(EncodeReceipt(a)).value(), Receipt(a));
  }
  EXPECT_EQ(DecodeReceipt(EncodeReceipt(SomeTicket())).value(), Receipt(SomeTicket()));
}

TEST(Receipt, RefusesMalformedPayloads) {
  MessageEncoder short_repo;
  short_repo.Uint(1, 3);
  short_repo.Raw(2, Bytes(15));
  MessageEncoder branch;  // on a ticket
  branch.Uint(1, 3);
  branch.Raw(2, Bytes(16));
  branch.Text(3, "main");
  MessageEncoder card;  // on what was accepted
  card.Uint(1, 1);
  card.Raw(2, Bytes(16));
  card.Text(3, "main");
  card.Raw(4, Bytes(32));
  card.Raw(5, Bytes(32));
  Bytes cut = EncodeReceipt(SomeTicket());
  cut.pop_back();
  const struct {
    const char* name;
    Bytes payload;
    ErrorCode code;
  } kCases[] = {
      {"nothing", {}, ErrorCode::kCorrupt},
      {"a receipt of a later version", FromHex("010104").value(), ErrorCode::kUnsupported},
      {"a repository of 15 bytes", short_repo.Take(), ErrorCode::kCorrupt},
      {"a branch on a ticket", branch.Take(), ErrorCode::kCorrupt},
      {"a card on what was accepted", card.Take(), ErrorCode::kCorrupt},
      {"a nonce that is cut", cut, ErrorCode::kCorrupt},
  };
  for (const auto& c : kCases) {
    const auto r = DecodeReceipt(c.payload);
    ASSERT_FALSE(r.ok()) << c.name;
    EXPECT_EQ(r.error().code(), c.code) << c.name << ": " << r.error().message();
  }
}

TEST(Ticket, IsWhatItsHubSignedAndNothingElse) {
  const Keypair hub = Key(1);
  const Attachment good = Signed(SomeTicket(), hub);
  EXPECT_EQ(TicketOf(good, hub.wallet()).value(), SomeTicket());

  Attachment changed = good;
  changed.payload.back() ^= std::byte{1};
  Attachment moved = good;
  moved.subject.digest = Filled<Digest>(8);
  Attachment kind = good;
  kind.kind = AttachmentKind::kMetadata;
  SignAttachment(kind, hub);
  const struct {
    const char* name;
    Attachment attachment;
    const char* says;
  } kCases[] = {
      {"another wallet's", Signed(SomeTicket(), Key(2)), "the hub is"},
      {"a nonce of one's own", changed, "signature"},
      {"another parent", moved, "signature"},
      {"another kind", kind, "metadata"},
      {"a receipt of what was accepted", Signed(Accepted{.branch = "main"}, hub), "accepted"},
  };
  for (const auto& c : kCases) {
    const auto r = TicketOf(c.attachment, hub.wallet());
    ASSERT_FALSE(r.ok()) << c.name;
    EXPECT_EQ(r.error().code(), ErrorCode::kRejected) << c.name;
    EXPECT_NE(r.error().message().find(c.says), std::string::npos) << r.error().message();
  }
}

TEST(Ticket, EveryPartDecidesTheSeed) {
  const CommitId parent{Filled<Digest>(9)};
  std::set<Digest> seeds = {SeedOf(SomeTicket(), parent)};
  seeds.insert(SeedOf(SomeTicket(), CommitId{Filled<Digest>(8)}));
  Ticket other = SomeTicket();
  other.wallet = Filled<Wallet>(7);
  seeds.insert(SeedOf(other, parent));
  other = SomeTicket();
  other.card = Filled<Digest>(7);
  seeds.insert(SeedOf(other, parent));
  other = SomeTicket();
  other.nonce = Filled<Digest>(7);
  seeds.insert(SeedOf(other, parent));
  EXPECT_EQ(seeds.size(), 5U);
  // hashlib.sha256(b"flair.seed.v1" + b"\4" * 32 + b"\11" * 32 + b"\3" * 32 + b"\2" * 32)
  EXPECT_EQ(SeedOf(SomeTicket(), parent).ToHex(),
            "2154b9f535c50af7a40c91e069a1642d93261c3aa018c0257d3ad133d7c22d1a");
}

}  // namespace
}  // namespace flair
