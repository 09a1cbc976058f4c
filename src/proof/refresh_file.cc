// SPDX-License-Identifier: Apache-2.0
#include "proof/refresh_file.h"

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
constexpr std::size_t kMaxBytes = std::size_t{1} << 16;
constexpr std::string_view kBegin = "{\"format\":1,\"kind\":\"refresh\"";

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
  const zk::MatrixKind matrix_kind = *kind_of;
  FLAIR_TRY(claim.before, MatrixOf(*o.Find("before"), "before", matrix_kind));
  FLAIR_TRY(claim.after, MatrixOf(*o.Find("after"), "after", matrix_kind));
  FLAIR_DO(data::CheckSpelling(text, EncodeRefresh(claim)));
  return claim;
}

}  // namespace

bool IsRefreshStatement(std::string_view text) { return text.starts_with(kBegin); }

std::string EncodeRefresh(const RefreshClaim& claim) {
  Wallet wallet;
  wallet.bytes = claim.wallet.bytes;
  return json::serialize(json::object{{"format", kFormat},
                                      {"kind", "refresh"},
                                      {"wallet", wallet.ToBase58()},
                                      {"of", zk::MatrixKindName(claim.before.shape.kind)},
                                      {"before", MatrixJson(claim.before)},
                                      {"after", MatrixJson(claim.after)}}) +
         "\n";
}

Result<RefreshClaim> DecodeRefresh(std::string_view text) {
  auto claim = Decode(text);
  if (!claim.ok()) return std::move(claim).error().In("statement");
  return claim;
}

Result<double> VerifyRefresh(const RefreshClaim& claim, ByteView proof) {
  FLAIR_TRY(
      const zk::RefreshPlan plan,
      zk::RefreshPlan::Make({.wallet = claim.wallet, .matrices = {claim.before, claim.after}}));
  FLAIR_DO(zk::VerifyRefresh(plan, proof));
  return zk::TotalOf(zk::SoundnessTerms(plan.batch())).bits();
}

}  // namespace flair::proof
