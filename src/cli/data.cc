// `flair data`: private data sets, registered so that proofs can be about them.
// SPDX-License-Identifier: Apache-2.0
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <memory>
#include <ostream>

#include "base/path.h"
#include "cli/program_file.h"
#include "cli/render.h"
#include "cli/session.h"
#include "data/prover/registered.h"
#include "proof/prover/opening_book.h"
#include "trainer/refresh_data.h"

namespace flair::cli {
namespace {

struct Args {
  std::string source;
  std::string name;
  std::string columns;
  std::string program;
  std::string out;
  std::uint64_t openings = data::kDefaultOpenings;
};

Result<json::object> Describe(Session& s, const std::string& folder, const data::DataCard& card) {
  json::object document{{"card", data::CardId(card).ToHex()},
                        {"folder", folder},
                        {"document", json::parse(data::EncodeCard(card))}};
  FLAIR_TRY(const std::uint64_t left,
            proof::OpeningBook::NumLeft(s.env(), JoinPath(folder, data::kOpeningsFolder),
                                        {.shape = card.shape, .root = card.root}));
  const std::uint64_t each = zk::NumQueries(card.shape.row_length(), card.shape.n());
  document["openings_left"] = left / each;
  return document;
}

// `refreshed`: with the proof that goes from the card before to this one.
Result<ExitCode> Say(Session& s, const std::string& folder, const data::DataCard& card,
                     const trainer::RefreshedData* refreshed = nullptr) {
  FLAIR_TRY(json::object document, Describe(s, folder, card));
  s.out() << "data " << card.name << ", " << Count(card.num_records, "record") << "\n"
          << "card " << data::CardId(card).ToHex() << "\n"
          << "commitment " << card.matrix().ToHex() << "\n";
  for (const data::CardColumn& column : card.columns) {
    s.out() << "column " << Printable(column.name) << ": " << data::ToText(column) << "\n";
  }
  s.out() << "opens for " << document.at("openings_left").as_uint64() << " more chunks of proofs\n";
  if (refreshed != nullptr) {
    const proof::MatrixId& before = refreshed->claim.before;
    const std::string from = zk::MatrixDigest(before.shape, before.root).ToHex();
    s.out() << "refreshed from " << from << "\n"
            << "proof " << refreshed->proof_path << ", " << FormatBytes(refreshed->proof_bytes)
            << "\n"
            << "statement " << refreshed->statement_path << "\n";
    document["before"] = from;
    document["proof"] = refreshed->proof_path;
    document["statement"] = refreshed->statement_path;
    document["proof_bytes"] = refreshed->proof_bytes;
  }
  s.Document(document);
  return ExitCode::kOk;
}

Result<ExitCode> Register(Session& s, const Args& args) {
  data::RegisterRequest request{.name = args.name,
                                .source = s.Absolute(args.source),
                                .choices = {},
                                .wanted = {},
                                .openings = args.openings};
  std::string& path = request.source;
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  if (request.name.empty()) {
    request.name = path.substr(path.rfind('/') + 1);
  }
  if (!data::IsDataName(request.name)) {
    return ReportUsage(s, Error(ErrorCode::kInvalidArgument, std::string(data::kDataNameRule))
                              .WithHint("--name says what it is called"));
  }
  if (args.openings == 0 || args.openings > 4096) {
    return ReportUsage(s, "--openings is from 1 to 4096");
  }
  if (!args.columns.empty()) {
    auto choices = data::ParseChoices(args.columns);
    if (!choices.ok()) return ReportUsage(s, choices.error());
    request.choices = std::move(*choices);
  }
  if (!args.program.empty()) {
    FLAIR_TRY(const program::Program p, ReadProgram(s.env(), s.Absolute(args.program)));
    request.wanted = p.columns;
    if (request.choices.empty()) {
      for (const program::Column& column : p.columns) {
        request.choices.push_back({.name = column.name, .source = column.name});
      }
    }
  }
  const std::string folder = s.Absolute(args.out.empty() ? request.name + ".data" : args.out);
  FLAIR_TRY(const data::DataCard card, data::RegisterData(s.env(), folder, request));
  s.note() << "back " << JoinPath(folder, data::kSecretFile)
           << " up, and keep it secret: without it nothing can be proven about these data\n";
  return Say(s, folder, card);
}

Run DefineRegister(Options& o) {
  auto args = std::make_shared<Args>();
  o.One("SOURCE", args->source, "File or folder: .npy, IDX, .safetensors; .gz too",
        Need::kRequired);
  o.Value("--name", args->name, "What the data set is called (default: as the source)");
  o.Value("--columns", args->columns, "Columns to take: name=source,... (default: all)");
  o.Value("--program", args->program, "Program whose columns they are to be");
  o.Value("-o,--out", args->out, "Folder to make (default: NAME.data)");
  o.Value("--openings", args->openings, "Chunks of proofs that the commitment can serve");
  return [args](Session& s) { return Register(s, *args); };
}

Run DefineShow(Options& o) {
  auto folder = std::make_shared<std::string>();
  o.One("FOLDER", *folder, "Folder of the registered data set", Need::kRequired);
  return [folder](Session& s) -> Result<ExitCode> {
    FLAIR_TRY(const data::DataCard card, data::ReadCard(s.env(), s.Absolute(*folder)));
    return Say(s, s.Absolute(*folder), card);
  };
}

struct RefreshArgs {
  std::string folder;
  bool no_proof = false;
};

Result<ExitCode> Refresh(Session& s, const RefreshArgs& args) {
  const std::string folder = s.Absolute(args.folder);
  if (args.no_proof) {
    FLAIR_TRY(const data::DataCard card, trainer::RefreshDataUnproven(s.env(), folder));
    return Say(s, folder, card);
  }
  FLAIR_TRY(const Keypair key, s.LoadKeypair());
  Digest wallet;
  wallet.bytes = key.wallet().bytes;
  FLAIR_TRY(const trainer::RefreshedData made, trainer::RefreshDataProven(s.env(), folder, wallet));
  return Say(s, folder, made.card, &made);
}

Run DefineRefresh(Options& o) {
  auto args = std::make_shared<RefreshArgs>();
  o.One("FOLDER", args->folder, "Folder of the registered data set", Need::kRequired);
  o.Flag("--no-proof", args->no_proof, "Make no proof that the data are the same");
  return [args](Session& s) { return Refresh(s, *args); };
}

const CommandSpec kRegister = {
    .name = "register",
    .summary = "Commit to a data set",
    .example =
        "flair data register /usr/share/datasets/fashion-mnist --name fashion "
        "--columns images=train-images,labels=train-labels --program mlp.flair",
    .define = DefineRegister};
const CommandSpec kShow = {.name = "show",
                           .summary = "Show a data set's card",
                           .example = "flair data show fashion.data",
                           .define = DefineShow};
const CommandSpec kRefresh = {.name = "refresh",
                              .summary = "Commit to the same data anew, and prove it",
                              .example = "flair data refresh fashion.data",
                              .define = DefineRefresh};
const CommandSpec* const kSubcommands[] = {&kRegister, &kShow, &kRefresh};

}  // namespace

extern const CommandSpec kDataCommand = {
    .name = "data",
    .summary = "Private data sets that proofs are about: register, show, refresh",
    .example = "flair data show fashion.data",
    .subcommands = kSubcommands};

}  // namespace flair::cli
