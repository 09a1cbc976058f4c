// `flair verify`: is this a proof of what the statement says?
// SPDX-License-Identifier: Apache-2.0
#include <boost/json/object.hpp>
#include <memory>
#include <ostream>

#include "cli/render.h"
#include "cli/session.h"
#include "cli/slack_text.h"
#include "crypto/ed25519.h"
#include "program/text.h"
#include "proof/refresh_file.h"
#include "proof/statement_file.h"
#include "proof/verify_run.h"

namespace flair::cli {
namespace {

constexpr std::uint64_t kMaxProofBytes = std::uint64_t{16} << 30;

struct Args {
  std::string proof;
  std::string statement;
};

std::string DigestText(const proof::MatrixId& matrix) {
  return zk::MatrixDigest(matrix.shape, matrix.root).ToHex();
}

// What the optimiser remembers, and what of the run's bounds is used up.
json::value StateJson(const proof::RunEnd& end) {
  if (!end.state) return nullptr;
  return json::string(DigestText(*end.state));
}

std::string StateText(const proof::RunClaim& claim) {
  return (claim.before.state ? "from " + DigestText(*claim.before.state) : "from zero") +
         (claim.after.state ? " to " + DigestText(*claim.after.state) : ", not passed on");
}

void Say(std::ostream& out, const proof::RunStatement& statement, const program::Lowered& lowered,
         const proof::RunVerdict& verdict) {
  const proof::RunClaim& claim = statement.claim;
  Wallet wallet;
  wallet.bytes = claim.wallet.bytes;
  out << "proven: " << Count(claim.num_steps, "step") << " of training, from step "
      << claim.first_step << "\n"
      << "program    " << claim.program.ToHex() << "\n"
      << "trains     " << program::SummaryOf(statement.program) << "\n";
  if (statement.card) {
    out << "data       " << statement.card->matrix().ToHex() << " (" << statement.card->name << ", "
        << Count(statement.card->num_records, "record") << ", batches of "
        << statement.program.batch << ")\n"
        << "card       " << claim.data->card.ToHex() << "\n";
  }
  out << "seed       " << claim.seed.ToHex() << "\n"
      << "from       " << DigestText(claim.before.weights) << "\n"
      << "to         " << DigestText(claim.after.weights) << "\n"
      << "state      " << StateText(claim) << "\n"
      << "by         " << wallet.ToBase58() << "\n"
      << "slack      " << SlackText(claim.slack) << "\n";
  if (!lowered.gauges.empty()) {
    out << "gauge      " << GaugeText(statement.program, lowered.gauges) << "\n";
  }
  out << "soundness  " << FormatNumber(verdict.soundness_bits) << " bits in "
      << Count(verdict.num_chunks, "chunk") << "\n";
}

json::object AsJson(const proof::RunStatement& statement, const program::Lowered& lowered,
                    const proof::RunVerdict& verdict, double seconds) {
  const proof::RunClaim& claim = statement.claim;
  Wallet wallet;
  wallet.bytes = claim.wallet.bytes;
  json::object document{{"valid", true},
                        {"program", claim.program.ToHex()},
                        {"seed", claim.seed.ToHex()},
                        {"first_step", claim.first_step},
                        {"steps", claim.num_steps},
                        {"before", DigestText(claim.before.weights)},
                        {"after", DigestText(claim.after.weights)},
                        {"state_before", StateJson(claim.before)},
                        {"state_after", StateJson(claim.after)},
                        {"wallet", wallet.ToBase58()},
                        {"trains", program::SummaryOf(statement.program)},
                        {"slack", SlackJson(claim.slack)},
                        {"soundness_bits", verdict.soundness_bits},
                        {"chunks", verdict.num_chunks},
                        {"seconds", seconds}};
  if (!lowered.gauges.empty()) {
    document["gauge"] = GaugeJson(statement.program, lowered.gauges);
  }
  if (statement.card) {
    document["data"] = statement.card->matrix().ToHex();
    document["card"] = claim.data->card.ToHex();
    document["records"] = statement.card->num_records;
  }
  return document;
}

// What is no proof says so by its path.
Error OfFile(Error error, const std::string& path) {
  const bool is_bytes =
      error.code() == ErrorCode::kCorrupt || error.code() == ErrorCode::kUnsupported;
  return is_bytes ? std::move(error).In(path) : error;
}

// Two commitments to the same weights, state or data.
Result<ExitCode> VerifyRefreshed(Session& s, const Args& args, std::string_view text) {
  auto claim = proof::DecodeRefresh(text);
  if (!claim.ok()) return std::move(claim).error().In(args.statement);
  FLAIR_TRY(const Bytes bytes, ReadFile(s.env(), s.Absolute(args.proof), kMaxProofBytes));
  const std::int64_t begun = s.env().MonotonicNs();
  const auto checked = proof::VerifyRefresh(*claim, bytes);
  if (!checked.ok()) return OfFile(checked.error(), args.proof);
  const double bits = *checked;
  const double seconds = 1e-9 * static_cast<double>(s.env().MonotonicNs() - begun);
  Wallet wallet;
  wallet.bytes = claim->wallet.bytes;
  const std::string of(zk::MatrixKindName(claim->before.shape.kind));
  json::object document{{"valid", true},
                        {"kind", "refresh"},
                        {"of", of},
                        {"before", DigestText(claim->before)},
                        {"after", DigestText(claim->after)},
                        {"wallet", wallet.ToBase58()},
                        {"soundness_bits", bits},
                        {"seconds", seconds}};
  s.out() << "proven: two commitments to the same " << of << "\n"
          << "from       " << DigestText(claim->before) << "\n"
          << "to         " << DigestText(claim->after) << "\n";
  if (claim->cards) {
    const auto& [before, after] = *claim->cards;
    s.out() << "data       " << before.name << ", " << Count(before.num_records, "record")
            << ", of both cards\n"
            << "from card  " << data::CardId(before).ToHex() << "\n"
            << "to card    " << data::CardId(after).ToHex() << "\n";
    document["card_before"] = data::CardId(before).ToHex();
    document["card_after"] = data::CardId(after).ToHex();
    document["records"] = before.num_records;
  }
  s.out() << "by         " << wallet.ToBase58() << "\n"
          << "soundness  " << FormatNumber(bits) << " bits\n";
  s.Document(document);
  return ExitCode::kOk;
}

Result<ExitCode> Verify(Session& s, const Args& args) {
  FLAIR_TRY(const Bytes text,
            ReadFile(s.env(), s.Absolute(args.statement), proof::kMaxStatementBytes));
  if (proof::IsRefreshStatement(AsText(text))) return VerifyRefreshed(s, args, AsText(text));
  auto statement = proof::DecodeStatement(AsText(text));
  if (!statement.ok()) return std::move(statement).error().In(args.statement);
  const std::string proof_path = s.Absolute(args.proof);
  {  // before it is read whole
    FLAIR_TRY(const auto file, s.env().OpenForRead(proof_path));
    if (Status whole = proof::CheckLengths(*file); !whole.ok())
      return OfFile(whole.error(), args.proof);
  }
  FLAIR_TRY(const Bytes bytes, ReadFile(s.env(), proof_path, kMaxProofBytes));
  FLAIR_TRY(const program::Lowered lowered,
            program::Lower(statement->program, statement->claim.slack));
  const std::int64_t begun = s.env().MonotonicNs();
  const ProgressSink sink = s.Progress();
  const auto verdict = proof::VerifyRun(
      lowered, statement->claim, bytes, [&](std::uint64_t chunk, std::uint64_t of) {
        const std::string item = "chunk " + std::to_string(chunk + 1) + " of " + std::to_string(of);
        return Report(sink, {.phase = "verifying", .item = item});
      });
  if (!verdict.ok()) return OfFile(verdict.error(), args.proof);
  const double seconds = 1e-9 * static_cast<double>(s.env().MonotonicNs() - begun);
  Say(s.out(), *statement, lowered, *verdict);
  s.Document(AsJson(*statement, lowered, *verdict, seconds));
  return ExitCode::kOk;
}

Run Define(Options& o) {
  auto args = std::make_shared<Args>();
  o.One("PROOF", args->proof, "File with a run's proof", Need::kRequired);
  o.Value("--statement", args->statement, "What must be proven: a statement file");
  return [args](Session& s) -> Result<ExitCode> {
    if (args->statement.empty()) {
      return ReportUsage(s, "what must be proven?", "name the statement with --statement");
    }
    return Verify(s, *args);
  };
}

}  // namespace

extern const CommandSpec kVerifyCommand = {
    .name = "verify",
    .summary = "Check a proof against its statement",
    .example = "flair verify round3.proof --statement round3.statement.json",
    .define = Define};

}  // namespace flair::cli
