// `program_judge KIND` answers questions from standard input, one a line, for the tests that
// compare this build with other implementations:
//
//   bytes    a program in hex; "accepted HASH" or "refused: why"
//   values   {"program": TEXT, "columns", "parameters", "buffers": lists of flat lists, "seed":
//            HEX, "step"}; {"nodes": by name, "gradients": of the parameters, or null,
//            "buffers": behind the step}, or {"error": why}
//   steps    what StepsOf() is asked, and its answer or {"error": why}
//   circuit  what LoweredOf() is asked: the circuit as CircuitDigestJson() has it, or
//            {"refused": why}; circuits: the digest of that, or "refused: why"
//
// `program_judge vectors` prints tests/vectors/steps.json.
// SPDX-License-Identifier: Apache-2.0
#include <boost/json.hpp>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "base/hex.h"
#include "program/circuit_digest_testing.h"
#include "program/encoding.h"
#include "program/evaluate.h"
#include "program/shapes.h"
#include "program/steps_testing.h"
#include "program/text.h"

namespace flair::program {
namespace {

std::string JudgeBytes(const std::string& line) {
  const auto bytes = FromHex(line);
  if (!bytes.ok()) return "not hex";
  const auto program = DecodeProgram(*bytes);
  if (!program.ok()) return "refused: " + program.error().message();
  return "accepted " + HashProgram(*program).ToHex();
}

std::vector<Reals> ListsOf(const json::value& v) { return json::value_to<std::vector<Reals>>(v); }

Result<json::object> Values(const json::value& question) {
  FLAIR_TRY(const Program program, ParseProgram(question.at("program").as_string()));
  FLAIR_TRY(const std::vector<Dims> shapes, CheckProgram(program));
  FLAIR_TRY(const Graph graph, BuildGraph(program, shapes));
  RealInputs inputs{.columns = ListsOf(question.at("columns")),
                    .parameters = ListsOf(question.at("parameters")),
                    .buffers = ListsOf(question.at("buffers")),
                    .step = question.at("step").to_number<std::uint64_t>()};
  FLAIR_TRY(inputs.seed, Digest::FromHex(question.at("seed").as_string()));
  ValueId id = 0;
  for (const auto* const lists : {&inputs.columns, &inputs.parameters, &inputs.buffers}) {
    for (const Reals& list : *lists) {
      if (id == program.FirstNode() || list.size() != NumElements(shapes[id])) {
        return Error(ErrorCode::kInvalidArgument, "input " + std::to_string(id));
      }
      ++id;
    }
  }
  const std::vector<Reals> values = Evaluate(graph, inputs);
  // A node that came apart has its own name on its last part.
  json::object nodes;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const GraphNode& node = graph.nodes[i];
    if (!node.is_gradient && node.source >= 0) nodes[node.name] = json::value_from(values[i]);
  }
  json::array gradients;
  for (const auto& gradient : graph.gradients) {
    gradients.push_back(gradient ? json::value_from(values[*gradient]) : json::value());
  }
  return json::object{{"nodes", std::move(nodes)},
                      {"gradients", std::move(gradients)},
                      {"buffers", json::value_from(UpdatedBuffers(graph, inputs, values))}};
}

std::string JudgeValues(const std::string& line) {
  const auto values = Values(json::parse(line));
  if (values.ok()) return json::serialize(*values);
  return json::serialize(json::object{{"error", values.error().message()}});
}

std::string JudgeSteps(const std::string& line) {
  const auto steps = StepsOf(json::parse(line));
  if (steps.ok()) return json::serialize(*steps);
  return json::serialize(json::object{{"error", steps.error().message()}});
}

std::string JudgeCircuit(const std::string& line) {
  const auto lowered = LoweredOf(json::parse(line));
  if (lowered.ok()) return json::serialize(CircuitDigestJson(*lowered));
  return json::serialize(json::object{{"refused", lowered.error().message()}});
}

std::string JudgeCircuits(const std::string& line) {
  const auto lowered = LoweredOf(json::parse(line));
  return lowered.ok() ? CircuitDigest(*lowered) : "refused: " + lowered.error().message();
}

int PrintVectors() {
  const char* before = "[\n";
  for (const json::value& vector : MakeStepVectors()) {
    std::cout << before << json::serialize(vector);
    before = ",\n";
  }
  std::cout << "\n]\n";
  return 0;
}

struct Kind {
  std::string_view name;
  std::string (*judge)(const std::string& line);
};
constexpr Kind kKinds[] = {{"bytes", JudgeBytes},
                           {"values", JudgeValues},
                           {"steps", JudgeSteps},
                           {"circuit", JudgeCircuit},
                           {"circuits", JudgeCircuits}};

int Main(const std::vector<std::string_view>& arguments) {
  if (arguments.size() == 1 && arguments[0] == "vectors") return PrintVectors();
  for (const auto& [name, judge] : kKinds) {
    if (arguments.size() != 1 || arguments[0] != name) continue;
    for (std::string line; std::getline(std::cin, line);) std::cout << judge(line) << "\n";
    return 0;
  }
  std::cerr << "usage: program_judge bytes|values|steps|circuit|circuits|vectors\n";
  return 2;
}

}  // namespace
}  // namespace flair::program

int main(int count, char** arguments) {
  return flair::program::Main({arguments + 1, arguments + count});
}
