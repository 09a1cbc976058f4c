// SPDX-License-Identifier: Apache-2.0
#include "object/receipt.h"

#include <algorithm>
#include <span>

#include "crypto/sha256.h"
#include "object/encoding.h"

namespace flair {
namespace {

constexpr std::uint32_t kWhat = 1;
constexpr std::uint32_t kRepo = 2;
constexpr std::uint32_t kBranch = 3;
constexpr std::uint32_t kWallet = 4;
constexpr std::uint32_t kCard = 5;
constexpr std::uint32_t kNonce = 6;
constexpr std::array kAcceptedFields = {kWhat, kRepo, kBranch, kWallet};
constexpr std::array kTicketFields = {kWhat, kRepo, kWallet, kCard, kNonce};

constexpr std::uint64_t kOnBranch = 1;
constexpr std::uint64_t kAsProposal = 2;
constexpr std::uint64_t kTicket = 3;

template <std::size_t N>
Result<std::array<std::byte, N>> Exactly(const MessageDecoder& m, std::uint32_t number) {
  FLAIR_TRY(const ByteView bytes, m.Raw(number));
  if (bytes.size() != N) {
    return Error(ErrorCode::kCorrupt, "field " + std::to_string(number) + " has " +
                                          std::to_string(bytes.size()) + " bytes, not " +
                                          std::to_string(N));
  }
  std::array<std::byte, N> out;
  std::ranges::copy(bytes, out.begin());
  return out;
}

// No field but these.
Result<MessageDecoder> ParseWhole(ByteView payload, std::span<const std::uint32_t> fields) {
  FLAIR_TRY(MessageDecoder m, MessageDecoder::Parse(payload, fields));
  if (m.unknown().empty()) return m;
  return Error(ErrorCode::kCorrupt,
               "field " + std::to_string(m.unknown().front().number) + " is not known");
}

Result<Wallet> WalletAt(const MessageDecoder& m, std::uint32_t number) {
  FLAIR_TRY(const Digest bytes, m.TakeDigest(number));
  Wallet wallet;
  wallet.bytes = bytes.bytes;
  return wallet;
}

Result<Receipt> DecodeFields(ByteView payload) {
  constexpr std::array kAnyFields = {kWhat, kRepo, kBranch, kWallet, kCard, kNonce};
  FLAIR_TRY(const MessageDecoder any, MessageDecoder::Parse(payload, kAnyFields));
  FLAIR_TRY(const std::uint64_t what, any.Uint(kWhat));
  if (what == kOnBranch || what == kAsProposal) {
    FLAIR_TRY(const MessageDecoder m, ParseWhole(payload, kAcceptedFields));
    Accepted a;
    a.on_branch = what == kOnBranch;
    FLAIR_TRY(a.repo, Exactly<16>(m, kRepo));
    FLAIR_TRY(a.branch, m.Text(kBranch));
    FLAIR_TRY(a.brought_by, WalletAt(m, kWallet));
    return Receipt(std::move(a));
  }
  if (what != kTicket) {
    return Error(ErrorCode::kUnsupported,
                 "receipt " + std::to_string(what) + " is not known to this version of flair");
  }
  FLAIR_TRY(const MessageDecoder m, ParseWhole(payload, kTicketFields));
  Ticket t;
  FLAIR_TRY(t.repo, Exactly<16>(m, kRepo));
  FLAIR_TRY(t.wallet, WalletAt(m, kWallet));
  FLAIR_TRY(t.card, m.TakeDigest(kCard));
  FLAIR_TRY(t.nonce, m.TakeDigest(kNonce));
  return Receipt(t);
}

}  // namespace

Bytes EncodeReceipt(const Receipt& receipt) {
  MessageEncoder m;
  if (const auto* a = std::get_if<Accepted>(&receipt)) {
    m.Uint(kWhat, a->on_branch ? kOnBranch : kAsProposal);
    m.Raw(kRepo, a->repo);
    m.Text(kBranch, a->branch);
    m.Raw(kWallet, a->brought_by.view());
    return m.Take();
  }
  const Ticket& t = std::get<Ticket>(receipt);
  m.Uint(kWhat, kTicket);
  m.Raw(kRepo, t.repo);
  m.Raw(kWallet, t.wallet.view());
  m.Raw(kCard, t.card.view());
  m.Raw(kNonce, t.nonce.view());
  return m.Take();
}

Result<Receipt> DecodeReceipt(ByteView payload) {
  auto r = DecodeFields(payload);
  if (!r.ok()) return std::move(r).error().In("receipt");
  return r;
}

Result<Ticket> TicketOf(const Attachment& a, const Wallet& hub) {
  const auto wrong = [](const std::string& what) {
    return Error(ErrorCode::kRejected, "ticket: " + what);
  };
  if (a.kind != AttachmentKind::kReceipt) {
    return wrong("the attachment is a " + std::string(AttachmentKindName(a.kind)));
  }
  if (a.author != hub) {
    return wrong("it is of " + a.author.ToBase58() + ", the hub is " + hub.ToBase58());
  }
  FLAIR_DO(VerifyAttachment(a));
  FLAIR_TRY(const Receipt receipt, DecodeReceipt(a.payload));
  const auto* ticket = std::get_if<Ticket>(&receipt);
  if (ticket == nullptr) return wrong("the hub says that it accepted a commit, no more");
  return *ticket;
}

Digest SeedOf(const Ticket& ticket, const CommitId& parent) {
  Bytes message;
  Append(message, AsBytes("flair.seed.v1"));
  Append(message, ticket.nonce.view());
  Append(message, parent.digest.view());
  Append(message, ticket.card.view());
  Append(message, ticket.wallet.view());
  return Sha256(message);
}

}  // namespace flair
