// SPDX-License-Identifier: Apache-2.0
#include "proof/statement_file.h"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <cmath>
#include <utility>

#include "crypto/ed25519.h"
#include "data/strict_json.h"
#include "program/encoding.h"
#include "program/text.h"
#include "proof/matrix_json.h"

namespace flair::proof {
namespace {

namespace json = boost::json;
using data::StrictObject;

constexpr std::uint64_t kFormat = 1;

json::object EndJson(const RunEnd& end) {
  json::object object{{"weights", MatrixJson(end.weights)}};
  if (end.state) object["state"] = MatrixJson(*end.state);
  return object;
}

json::object SlackJson(const program::Slack& slack) {
  return {{"tau", slack.tau},     {"rho", slack.rho},     {"rho_first", slack.rho_first},
          {"kappa", slack.kappa}, {"sigma", slack.sigma}, {"beta", slack.beta}};
}

// Boost reads reals some units off: this one is read where it stands in the text. A quote within a
// string is escaped, so the first such key is one; that it is the right one, the spelling says.
Result<double> Real(const StrictObject& o, std::string_view name, std::string_view text) {
  const std::string key = "\"" + std::string(name) + "\":";
  const std::size_t at = text.find(key);
  const json::value* value = o.Find(name);
  double real = 0;
  if (value != nullptr && value->is_double() && at != std::string_view::npos) {
    const char* begin = text.data() + at + key.size();
    const auto [end, failed] = std::from_chars(begin, text.data() + text.size(), real);
    if (failed == std::errc() && end != begin && !std::signbit(real)) return real;
  }
  return o.Wrong("'" + std::string(name) + "' must be a number with an exponent, 0 or more");
}

Result<program::Slack> SlackOf(const json::value& value, std::string_view text) {
  FLAIR_TRY(const StrictObject o, StrictObject::Of(value, "slack"));
  FLAIR_DO(o.HasOnly({"tau", "rho", "rho_first", "kappa", "sigma", "beta"}));
  program::Slack slack;
  FLAIR_TRY(const std::int64_t tau, o.Int("tau", -100, 100));
  slack.tau = static_cast<int>(tau);
  FLAIR_TRY(slack.rho, Real(o, "rho", text));
  FLAIR_TRY(slack.rho_first, Real(o, "rho_first", text));
  FLAIR_TRY(const std::uint64_t kappa, o.Uint("kappa", 1000));
  slack.kappa = static_cast<std::uint32_t>(kappa);
  FLAIR_TRY(slack.sigma, Real(o, "sigma", text));
  FLAIR_TRY(slack.beta, o.Uint("beta", std::uint64_t{1} << 40));
  return slack;
}

Result<RunEnd> EndOf(const StrictObject& document, std::string_view name) {
  const std::string where(name);
  const json::value* value = document.Find(name);
  if (value == nullptr) return document.Wrong("'" + where + "' is missing");
  FLAIR_TRY(const StrictObject o, StrictObject::Of(*value, where));
  const json::value* weights = o.Find("weights");
  if (weights == nullptr) return o.Wrong("'weights' is missing");
  RunEnd end;
  FLAIR_TRY(end.weights, MatrixOf(*weights, where + " weights", zk::MatrixKind::kWeights));
  if (const json::value* state = o.Find("state")) {
    FLAIR_DO(o.HasOnly({"weights", "state"}));
    FLAIR_TRY(end.state, MatrixOf(*state, where + " state", zk::MatrixKind::kState));
  } else {
    FLAIR_DO(o.HasOnly({"weights"}));
  }
  return end;
}

Result<RunStatement> Decode(std::string_view text) {
  FLAIR_TRY(const json::value document, data::ParseStrict(text, kMaxStatementBytes));
  FLAIR_TRY(const StrictObject o, StrictObject::Of(document, ""));
  FLAIR_DO(o.CheckFormat(kFormat));
  RunStatement statement;
  RunClaim& claim = statement.claim;
  FLAIR_TRY(claim.program, o.Hash("program"));
  FLAIR_TRY(const std::string program, o.Text("program_text"));
  FLAIR_TRY(statement.program, program::ParseProgram(program));
  if (program::HashProgram(statement.program) != claim.program) {
    return o.Wrong("'program' is not the hash of 'program_text'");
  }
  FLAIR_DO(o.Knows({"format", "program", "program_text", "card", "seed", "wallet", "first_step",
                    "steps", "slack", "before", "after"}));
  if (const json::value* slack = o.Find("slack")) {
    FLAIR_TRY(claim.slack, SlackOf(*slack, text));
  }
  if (const json::value* card = o.Find("card")) {
    FLAIR_TRY(statement.card, data::DecodeCard(json::serialize(*card) + "\n"));
    FLAIR_DO(data::CheckServes(*statement.card, statement.program));
    claim.data = DataClaimOf(*statement.card);
  }
  FLAIR_TRY(claim.seed, o.Hash("seed"));
  FLAIR_TRY(const std::string address, o.Text("wallet"));
  const auto wallet = Wallet::FromBase58(address);
  if (!wallet.ok()) return o.Wrong("'wallet' is no address");
  claim.wallet.bytes = wallet->bytes;
  FLAIR_TRY(claim.first_step, o.Uint("first_step", kMaxSteps));
  FLAIR_TRY(claim.num_steps, o.Uint("steps", kMaxSteps));
  FLAIR_TRY(claim.before, EndOf(o, "before"));
  FLAIR_TRY(claim.after, EndOf(o, "after"));
  FLAIR_DO(data::CheckSpelling(text, EncodeStatement(statement)));
  return statement;
}

}  // namespace

DataClaim DataClaimOf(const data::DataCard& card) {
  return {.card = data::CardId(card),
          .num_records = card.num_records,
          .columns = data::DataColumnsOf(card),
          .matrix = {.shape = card.shape, .root = card.root}};
}

std::string EncodeStatement(const RunStatement& statement) {
  const RunClaim& claim = statement.claim;
  json::object document{{"format", kFormat},
                        {"program", claim.program.ToHex()},
                        {"program_text", program::PrintProgram(statement.program)}};
  if (statement.card) document["card"] = json::parse(data::EncodeCard(*statement.card));
  Wallet wallet;
  wallet.bytes = claim.wallet.bytes;
  document["seed"] = claim.seed.ToHex();
  document["wallet"] = wallet.ToBase58();
  document["first_step"] = claim.first_step;
  document["steps"] = claim.num_steps;
  if (claim.slack) document["slack"] = SlackJson(*claim.slack);
  document["before"] = EndJson(claim.before);
  document["after"] = EndJson(claim.after);
  return json::serialize(document) + "\n";
}

Result<RunStatement> DecodeStatement(std::string_view text) {
  auto statement = Decode(text);
  if (!statement.ok()) return std::move(statement).error().In("statement");
  return statement;
}

}  // namespace flair::proof
