// SPDX-License-Identifier: Apache-2.0
#include "proof/refresh_file.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

#include "crypto/ed25519.h"
#include "data/strict_json.h"
#include "proof/matrix_json.h"
#include "zk/batch/soundness.h"
#include "zk/verifier/refresh_verifier.h"

namespace flair::proof {
namespace {

namespace json = boost::json;
using data::StrictObject;

constexpr std::uint64_t kFormat = 1;
constexpr std::size_t kMaxBytes = std::size_t{1} << 22;  // two cards fit
constexpr std::string_view kBegin = "{\"format\":1,\"kind\":\"refresh\"";

MatrixId MatrixOf(const data::DataCard& card) { return {.shape = card.shape, .root = card.root}; }

Result<data::DataCard> CardOf(const StrictObject& o, const char* name) {
  auto card = data::DecodeCard(json::serialize(*o.Find(name)) + "\n");
  if (!card.ok()) return std::move(card).error().In(name);
  return card;
}

json::value EndJson(const RefreshClaim& claim, std::size_t end) {
  if (claim.cards) return json::parse(data::EncodeCard((*claim.cards)[end]));
  return MatrixJson(end == 0 ? claim.before : claim.after);
}

Result<RefreshClaim> Decode(std::string_view text) {
  FLAIR_TRY(const json::value document, data::ParseStrict(text, kMaxBytes));
  FLAIR_TRY(const StrictObject o, StrictObject::Of(document, ""));
  FLAIR_DO(o.CheckFormat(kFormat));
  FLAIR_DO(o.HasOnly({"format", "kind", "wallet", "of", "before", "after"}));
  FLAIR_TRY(const std::string kind, o.Text("kind"));
  if (kind != "refresh") return o.Wrong("'kind' must be \"refresh\"");
  RefreshClaim claim;
  FLAIR_TRY(const std::string address, o.Text("wallet"));
  const auto wallet = Wallet::FromBase58(address);
  if (!wallet.ok()) return o.Wrong("'wallet' is no address");
  claim.wallet.bytes = wallet->bytes;
  FLAIR_TRY(const std::string of, o.Text("of"));
  const auto kind_of = zk::MatrixKindNamed(of);
  if (!kind_of || !zk::KeptWithItsSeed(*kind_of)) {
    return o.Wrong("'of' must be \"weights\", \"state\" or \"data\"");
  }
  if (*kind_of == zk::MatrixKind::kData) {
    FLAIR_TRY(data::DataCard before, CardOf(o, "before"));
    FLAIR_TRY(data::DataCard after, CardOf(o, "after"));
    claim = RefreshClaimOf(claim.wallet, std::move(before), std::move(after));
  } else {
    FLAIR_TRY(claim.before, proof::MatrixOf(*o.Find("before"), "before", *kind_of));
    FLAIR_TRY(claim.after, proof::MatrixOf(*o.Find("after"), "after", *kind_of));
  }
  FLAIR_DO(data::CheckSpelling(text, EncodeRefresh(claim)));
  return claim;
}

}  // namespace

bool IsRefreshStatement(std::string_view text) { return text.starts_with(kBegin); }

RefreshClaim RefreshClaimOf(const Digest& wallet, data::DataCard before, data::DataCard after) {
  const MatrixId from = MatrixOf(before), to = MatrixOf(after);
  return {.wallet = wallet,
          .before = from,
          .after = to,
          .cards = {{std::move(before), std::move(after)}}};
}

std::string EncodeRefresh(const RefreshClaim& claim) {
  Wallet wallet;
  wallet.bytes = claim.wallet.bytes;
  return json::serialize(json::object{{"format", kFormat},
                                      {"kind", "refresh"},
                                      {"wallet", wallet.ToBase58()},
                                      {"of", zk::MatrixKindName(claim.before.shape.kind)},
                                      {"before", EndJson(claim, 0)},
                                      {"after", EndJson(claim, 1)}}) +
         "\n";
}

Result<RefreshClaim> DecodeRefresh(std::string_view text) {
  auto claim = Decode(text);
  if (!claim.ok()) return std::move(claim).error().In("statement");
  return claim;
}

Result<zk::RefreshPlan> PlanOfRefresh(const RefreshClaim& claim) {
  zk::RefreshStatement statement{
      .wallet = claim.wallet, .matrices = {claim.before, claim.after}, .reading = std::nullopt};
  if (claim.cards) {
    const auto& [before, after] = *claim.cards;
    if (claim.before != MatrixOf(before) || claim.after != MatrixOf(after)) {
      return Error(ErrorCode::kInvalidArgument, "a card of another matrix");
    }
    // SOUNDNESS: two readings of the same cells are two data sets.
    // Test: RefreshedCardsTest.CardsThatReadOtherwiseAreRejected.
    FLAIR_DO(data::CheckReadAlike(before, after));
    statement.reading = data::ReadingOf(before);
  }
  return zk::RefreshPlan::Make(statement);
}

Result<double> VerifyRefresh(const RefreshClaim& claim, ByteView proof) {
  FLAIR_TRY(const zk::RefreshPlan plan, PlanOfRefresh(claim));
  FLAIR_DO(zk::VerifyRefresh(plan, proof));
  return zk::TotalOf(zk::SoundnessTerms(plan.batch())).bits();
}

}  // namespace flair::proof
