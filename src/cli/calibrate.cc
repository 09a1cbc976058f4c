// `flair program calibrate`: the numeric profile that a pilot's values ask for.
// SPDX-License-Identifier: Apache-2.0
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdio>
#include <memory>
#include <optional>
#include <ostream>

#include "cli/program_file.h"
#include "cli/render.h"
#include "cli/session.h"
#include "data/prover/registered.h"
#include "program/encoding.h"
#include "program/text.h"
#include "trainer/calibrate_program.h"

namespace flair::cli {
namespace {

struct Args {
  std::string program;
  std::string data;
  std::string weights;
  std::string seed = std::string(64, '0');
  std::string out;
  std::uint64_t steps = 1;
  std::uint64_t first_step = 0;
  std::uint64_t chunk = 0;
  std::uint64_t headroom = program::Headroom{}.values;
  std::uint64_t gradient_headroom = program::Headroom{}.gradients;
  std::uint64_t bits = 0;
};

std::string Real(double v) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", v);
  return text;
}

bool IsOfParameter(const program::FormatChoice& choice) {
  return choice.name.starts_with("param ");
}

std::string FormatText(const program::FormatChoice& choice, const program::Format& format) {
  if (IsOfParameter(choice)) return std::to_string(30 - format.scale);
  return std::to_string(format.bits) + " " + std::to_string(format.scale);
}

void SayChoices(std::ostream& out, const trainer::CalibratedProgram& made) {
  std::vector<std::vector<std::string>> rows = {
      {"line", "seen", "before", "after", "bits left", "limbs", "cells"}};
  for (const program::FormatChoice& choice : made.chosen.choices) {
    if (IsOfParameter(choice) && choice.before == choice.after) continue;
    std::vector<std::string> row = {Printable(choice.name), Real(choice.seen),
                                    FormatText(choice, choice.before),
                                    FormatText(choice, choice.after)};
    const auto left = made.bits_left.find(choice.name);
    row.push_back(left == made.bits_left.end() ? "-" : std::to_string(left->second));
    const auto cost = made.after.lines.find(choice.name);
    const bool costs = cost != made.after.lines.end();
    row.push_back(costs ? std::to_string(cost->second.limbs) : "-");
    row.push_back(costs ? std::to_string(cost->second.cells) : "-");
    rows.push_back(std::move(row));
  }
  out << Table(rows);
}

void SayCosts(std::ostream& out, const trainer::CalibratedProgram& made) {
  const auto limb = [](const program::Program& p) {
    return +p.profile[static_cast<std::size_t>(program::ProfileLine::kLimb)].bits;
  };
  out << "limb " << limb(made.chosen.program) << "\n"
      << "table rows " << (made.before ? std::to_string(made.before->table_rows) : "-") << " -> "
      << made.after.table_rows << "\n"
      << "cells of a step " << (made.before ? std::to_string(made.before->cells) : "not provable")
      << " -> " << made.after.cells << "\n";
  if (made.recorded) {
    out << "recorded runs are not provable: " << Printable(made.recorded->message()) << "\n";
  }
}

json::array ChoicesAsJson(const trainer::CalibratedProgram& made) {
  json::array lines;
  const auto format = [](const program::Format& f) {
    return json::object{{"bits", f.bits}, {"scale", f.scale}};
  };
  for (const program::FormatChoice& choice : made.chosen.choices) {
    json::object line{{"line", choice.name},
                      {"seen", choice.seen},
                      {"before", format(choice.before)},
                      {"after", format(choice.after)}};
    if (const auto left = made.bits_left.find(choice.name); left != made.bits_left.end()) {
      line["bits_left"] = left->second;
    }
    if (const auto cost = made.after.lines.find(choice.name); cost != made.after.lines.end()) {
      line["limbs"] = cost->second.limbs;
      line["cells"] = cost->second.cells;
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

Result<ExitCode> Calibrate(Session& s, const Args& args) {
  trainer::CalibrateRequest request{.weights = s.Absolute(args.weights),
                                    .first_step = args.first_step,
                                    .steps = args.steps,
                                    .steps_per_chunk = args.chunk};
  request.headroom = {.values = static_cast<unsigned>(args.headroom),
                      .gradients = static_cast<unsigned>(args.gradient_headroom),
                      .bits = static_cast<unsigned>(args.bits)};
  FLAIR_TRY(request.seed, Digest::FromHex(args.seed));
  const std::string path = s.Absolute(args.program);
  FLAIR_TRY(request.program, ReadProgram(s.env(), path));
  std::optional<data::HeldData> held;
  if (!request.program.columns.empty()) {
    if (args.data.empty()) {
      return Error(ErrorCode::kInvalidArgument, "the program reads data, and --data is missing")
          .WithHint("`flair data register` makes the folder to name there");
    }
    FLAIR_TRY(held, data::OpenData(s.env(), s.Absolute(args.data)));
    FLAIR_DO(data::CheckServes(held->card, request.program));
  }
  const ProgressSink sink = s.Progress();
  const trainer::CalibrateHooks hooks{
      .progress = [&](std::string_view phase, std::uint64_t done, std::uint64_t of) {
        const std::string item = "step " + std::to_string(done) + " of " + std::to_string(of);
        return Report(sink, {.phase = phase, .item = item});
      }};
  const program::DataSet no_data;
  FLAIR_TRY(const trainer::CalibratedProgram made,
            trainer::CalibrateProgram(s.env(), request, held ? held->set : no_data, hooks));
  const program::Program& p = made.chosen.program;
  SayChoices(s.out(), made);
  SayCosts(s.out(), made);
  json::object document{{"program", program::HashProgram(p).ToHex()},
                        {"lines", ChoicesAsJson(made)},
                        {"table_rows", made.after.table_rows},
                        {"cells_per_step", made.after.cells}};
  if (made.before) {
    document["table_rows_before"] = made.before->table_rows;
    document["cells_per_step_before"] = made.before->cells;
  }
  if (made.recorded) document["recorded_not_provable"] = made.recorded->message();
  if (!args.out.empty()) {
    const std::string out = s.Absolute(args.out);
    const std::string text = program::PrintProgram(p);
    FLAIR_TRY(const bool is_text, IsProgramText(s.env(), path));
    FLAIR_DO(WriteFileAtomically(
        s.env(), out,
        is_text ? Bytes(AsBytes(text).begin(), AsBytes(text).end()) : program::EncodeProgram(p)));
    s.out() << "program " << program::HashProgram(p).ToHex() << "\n";
    document["file"] = out;
  }
  s.Document(document);
  return ExitCode::kOk;
}

Run Define(Options& o) {
  auto args = std::make_shared<Args>();
  o.One("FILE", args->program, "Program, text or bytes", Need::kRequired);
  o.Value("--data", args->data, "Folder of the registered data set");
  o.Value("--weights", args->weights, "Model file that the pilot begins with");
  o.Value("--steps", args->steps, "Steps of the pilot (default: 1)");
  o.Value("--first-step", args->first_step, "Where schedule and epochs begin (default: 0)");
  o.Value("--seed", args->seed, "64 hex digits, of the pilot's batches (default: zeros)");
  o.Value("--headroom", args->headroom, "Bits above the largest value (default: 2)");
  o.Value("--gradient-headroom", args->gradient_headroom, "The same of gradients (default: 4)");
  o.Value("--bits", args->bits,
          "Bits of activations and gradients (default: the program's, or more)");
  o.Value("--chunk", args->chunk, "Choose `limb` for proofs of so many steps (default: as it is)");
  o.Value("-o,--out", args->out, "Where the program goes (default: nothing is written)");
  return [args](Session& s) -> Result<ExitCode> {
    if (args->weights.empty()) return ReportUsage(s, "--weights is missing");
    if (!Digest::FromHex(args->seed).ok()) return ReportUsage(s, "--seed takes 64 hex digits");
    if (args->steps == 0) return ReportUsage(s, "--steps is 1 or more");
    if (std::max(args->headroom, args->gradient_headroom) > program::kMaxHeadroom) {
      return ReportUsage(s, "head-room is from 0 to 20 bits");
    }
    if (args->bits != 0 && (args->bits < program::kLeastBits || args->bits > program::kMostBits)) {
      return ReportUsage(s, "--bits is from 4 to 30");
    }
    return Calibrate(s, *args);
  };
}

}  // namespace

extern const CommandSpec kProgramCalibrate = {
    .name = "calibrate",
    .summary = "Choose a program's formats from a pilot run",
    .example =
        "flair program calibrate mlp.txt --data fashion.data --weights mlp.safetensors "
        "--steps 20 -o mlp.txt",
    .define = Define};

}  // namespace flair::cli
