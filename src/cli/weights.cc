// `flair weights`: commitments to weights that somebody holds.
// SPDX-License-Identifier: Apache-2.0
#include <boost/json/object.hpp>
#include <memory>
#include <ostream>

#include "base/path.h"
#include "cli/program_file.h"
#include "cli/render.h"
#include "cli/session.h"
#include "trainer/refresh_weights.h"

namespace flair::cli {
namespace {

struct Args {
  std::string weights;
  std::string program;
  std::string seed;
  std::string out;
};

std::string DigestText(const proof::MatrixId& matrix) {
  return zk::MatrixDigest(matrix.shape, matrix.root).ToHex();
}

Result<ExitCode> Refresh(Session& s, const Args& args) {
  FLAIR_TRY(const Keypair key, s.LoadKeypair());
  trainer::RefreshRequest request{.program = {},
                                  .weights = s.Absolute(args.weights),
                                  .seed = s.Absolute(args.seed),
                                  .folder = s.Absolute(args.out),
                                  .wallet = {}};
  request.wallet.bytes = key.wallet().bytes;
  FLAIR_TRY(request.program, ReadProgram(s.env(), s.Absolute(args.program)));
  FLAIR_TRY(const trainer::RefreshedWeights made, trainer::RefreshWeights(s.env(), request));
  const std::string proof = JoinPath(request.folder, trainer::kRefreshProof);
  const std::string statement = JoinPath(request.folder, trainer::kRefreshStatement);
  s.note() << "keep " << JoinPath(request.folder, "weights.seed")
           << " with the weights: it is the new commitment's\n";
  s.out() << "from " << DigestText(made.claim.before) << "\n"
          << "to " << DigestText(made.claim.after) << "\n"
          << "proof " << proof << ", " << FormatBytes(made.proof_bytes) << "\n"
          << "statement " << statement << "\n";
  s.Document(json::object{{"folder", request.folder},
                          {"before", DigestText(made.claim.before)},
                          {"after", DigestText(made.claim.after)},
                          {"proof", proof},
                          {"statement", statement},
                          {"proof_bytes", made.proof_bytes}});
  return ExitCode::kOk;
}

Run DefineRefresh(Options& o) {
  auto args = std::make_shared<Args>();
  o.One("MODEL", args->weights, "Weights as training wrote them", Need::kRequired);
  o.Value("--program", args->program, "Program whose tensors they are");
  o.Value("--seed-file", args->seed, "Seed of the old commitment: a run's weights.seed");
  o.Value("-o,--out", args->out, "Folder to make: the new seed, the proof, its statement");
  return [args](Session& s) -> Result<ExitCode> {
    if (args->program.empty()) return ReportUsage(s, "--program is missing");
    if (args->seed.empty()) return ReportUsage(s, "--seed-file is missing");
    if (args->out.empty()) return ReportUsage(s, "--out is missing");
    return Refresh(s, *args);
  };
}

const CommandSpec kRefresh = {.name = "refresh",
                              .summary = "Commit to the same weights anew, and prove it",
                              .example =
                                  "flair weights refresh trained.safetensors --program mlp.flair "
                                  "--seed-file runs/3f2a90c1d4e5b687/weights.seed -o refreshed",
                              .define = DefineRefresh};
const CommandSpec* const kSubcommands[] = {&kRefresh};

}  // namespace

extern const CommandSpec kWeightsCommand = {
    .name = "weights",
    .summary = "Commitments to weights: refresh",
    .example =
        "flair weights refresh trained.safetensors --program mlp.flair "
        "--seed-file runs/3f2a90c1d4e5b687/weights.seed -o refreshed",
    .subcommands = kSubcommands};

}  // namespace flair::cli
