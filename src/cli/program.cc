// `flair program`: the training program, as text and as the bytes that a branch pins.
// SPDX-License-Identifier: Apache-2.0
#include "program/program.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <memory>
#include <ostream>

#include "cli/program_file.h"
#include "cli/render.h"
#include "cli/session.h"
#include "program/encoding.h"
#include "program/lower.h"
#include "program/shapes.h"
#include "program/text.h"
#include "zk/relation/layout.h"

namespace flair::cli {

extern const CommandSpec kProgramCalibrate;

namespace {

constexpr const char* kFile = "program.flair";

std::uint64_t NumElementsOf(const std::vector<program::Parameter>& parameters) {
  std::uint64_t sum = 0;
  for (const program::Parameter& p : parameters) sum += program::NumElements(p.dims);
  return sum;
}

// What a program is, in numbers; what one step of it costs to prove, or why it cannot be.
json::object Describe(const program::Program& p) {
  json::object document{{"program", program::HashProgram(p).ToHex()},
                        {"batch", p.batch},
                        {"parameters", NumElementsOf(p.parameters)},
                        {"tensors", p.parameters.size() + p.buffers.size()},
                        {"nodes", p.nodes.size()}};
  const auto lowered = program::Lower(p);
  if (!lowered.ok()) {
    document["not_provable"] = lowered.error().message();
    return document;
  }
  const auto layout = zk::Layout::Make(lowered->circuit, 1);
  if (layout.ok()) {
    document["cells_per_step"] = layout->num_cells();
  } else {
    document["not_provable"] = layout.error().message();
  }
  return document;
}

void Say(std::ostream& out, const json::object& described) {
  out << "program " << described.at("program").as_string().c_str() << "\n"
      << "batches of " << described.at("batch").as_uint64() << ", "
      << Count(described.at("parameters").as_uint64(), "parameter") << " in "
      << Count(described.at("tensors").as_uint64(), "tensor") << "\n";
  if (const auto* cells = described.if_contains("cells_per_step")) {
    out << cells->as_uint64() << " cells to prove in a step\n";
  } else {
    out << "not provable: " << described.at("not_provable").as_string().c_str() << "\n";
  }
}

Run DefineShow(Options& o) {
  auto file = std::make_shared<std::string>(kFile);
  o.One("FILE", *file, "Program (default: program.flair)", Need::kOptional);
  return [file](Session& s) -> Result<ExitCode> {
    FLAIR_TRY(const program::Program p, ReadProgram(s.env(), s.Absolute(*file)));
    json::object document = Describe(p);
    Say(s.note(), document);
    s.out() << program::PrintProgram(p);
    document["text"] = program::PrintProgram(p);
    s.Document(document);
    return ExitCode::kOk;
  };
}

struct BuildArgs {
  std::string from;
  std::string to = kFile;
};

Run DefineBuild(Options& o) {
  auto args = std::make_shared<BuildArgs>();
  o.One("FILE", args->from, "Program in text form", Need::kRequired);
  o.Value("-o,--out", args->to, "Where its bytes go (default: program.flair)");
  return [args](Session& s) -> Result<ExitCode> {
    FLAIR_TRY(const program::Program p, ReadProgram(s.env(), s.Absolute(args->from)));
    // What cannot be proven is no program to pin; `show` says the same without failing.
    if (auto lowered = program::Lower(p); !lowered.ok()) {
      return std::move(lowered).error().In(s.Absolute(args->from) + ": not provable");
    }
    const std::string path = s.Absolute(args->to);
    FLAIR_DO(WriteFileAtomically(s.env(), path, program::EncodeProgram(p)));
    json::object document = Describe(p);
    Say(s.out(), document);
    document["file"] = path;
    s.Document(document);
    return ExitCode::kOk;
  };
}

const CommandSpec kShow = {.name = "show",
                           .summary = "Print a program as text",
                           .example = "flair program show program.flair",
                           .define = DefineShow};
const CommandSpec kBuild = {.name = "build",
                            .summary = "Make the bytes of a program from its text",
                            .example = "flair program build mlp.txt -o program.flair",
                            .define = DefineBuild};
const CommandSpec* const kSubcommands[] = {&kShow, &kBuild, &kProgramCalibrate};

}  // namespace

extern const CommandSpec kProgramCommand = {
    .name = "program",
    .summary = "The training program that proofs are about: show, build, calibrate",
    .example = "flair program show program.flair",
    .subcommands = kSubcommands};

}  // namespace flair::cli
