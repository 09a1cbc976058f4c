// Fuzzes the two parsers of a program, and what takes a program apart.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/check.h"
#include "program/encoding.h"
#include "program/evaluate.h"
#include "program/graph.h"
#include "program/lower.h"
#include "program/shapes.h"
#include "program/slack.h"
#include "program/text.h"

namespace flair::program {
namespace {

// What one input may evaluate: a program of few bytes can ask for 2^36 numbers.
constexpr std::uint64_t kMostElements = 1 << 12;
constexpr std::uint64_t kMostWindow = 1 << 8;
constexpr std::uint64_t kMostProducts = 1 << 20;

// A message may say a name, never a whole input.
constexpr std::size_t kMostMessageBytes = 1000;

void CheckMessage(const Error& e) {
  FLAIR_CHECK(!e.message().empty() && e.message().size() <= kMostMessageBytes) << e.message();
  for (const char c : e.message()) {
    FLAIR_CHECK(c >= 0x20 && c < 0x7f) << "a message with byte " << int{c};
  }
}

bool IsSmall(const Graph& graph) {
  std::uint64_t elements = 0, products = 0;
  for (const GraphNode& n : graph.nodes) {
    elements += NumElements(n.dims);
    const std::uint64_t rows = n.window.kernel[0], columns = n.window.kernel[1];
    if (elements > kMostElements || rows > kMostWindow || columns > kMostWindow) return false;
    for (const NodeId id : n.inputs) {
      products += NumElements(n.dims) * NumElements(graph[id].dims);
      products += (NumElements(n.dims) + NumElements(graph[id].dims)) * rows * columns;
    }
  }
  return products <= kMostProducts;
}

void EvaluateAtZero(const Graph& graph, const Program& program, const std::vector<Dims>& shapes) {
  RealInputs inputs;
  for (ValueId id = 0; id < program.FirstNode(); ++id) {
    std::vector<Reals>& list = id < program.FirstParameter() ? inputs.columns
                               : id < program.FirstBuffer()  ? inputs.parameters
                                                             : inputs.buffers;
    list.emplace_back(NumElements(shapes[id]), 0.0);
  }
  const std::vector<Reals> values = Evaluate(graph, inputs);
  for (std::size_t i = 0; i < values.size(); ++i) {
    FLAIR_CHECK(values[i].size() == NumElements(graph.nodes[i].dims)) << graph.nodes[i].name;
  }
}

void TakeApart(const Program& program) {
  const auto shapes = CheckProgram(program);
  FLAIR_CHECK(shapes.ok()) << "accepted, and then not";
  FLAIR_CHECK(shapes->size() == program.NumValues());
  const auto graph = BuildGraph(program, *shapes);
  if (!graph.ok()) return CheckMessage(graph.error());
  for (NodeId id = 0; id < graph->nodes.size(); ++id) {
    for (const NodeId input : (*graph)[id].inputs) FLAIR_CHECK(input < id);
  }
  for (std::size_t i = 0; i < program.parameters.size(); ++i) {
    const auto& gradient = graph->gradients[i];
    FLAIR_CHECK(!gradient || (*graph)[*gradient].dims == program.parameters[i].dims);
  }
  if (!IsSmall(*graph)) return;
  EvaluateAtZero(*graph, program, *shapes);
  for (const std::optional<Slack>& slack :
       {std::optional<Slack>(), std::optional(Slack{.beta = 9})}) {
    const auto lowered = Lower(program, slack);
    if (!lowered.ok()) CheckMessage(lowered.error());
  }
}

// What one parser accepts, the other reads too.
void ComeBack(const Program& program) {
  const auto decoded = DecodeProgram(EncodeProgram(program));
  FLAIR_CHECK(decoded.ok()) << decoded.error().message();
  FLAIR_CHECK(*decoded == program) << "other bytes";
  const std::string text = PrintProgram(program);
  if (text.size() > kMaxProgramBytes) return;
  const auto parsed = ParseProgram(text);
  FLAIR_CHECK(parsed.ok()) << parsed.error().message() << "\n" << text;
  FLAIR_CHECK(*parsed == program) << "another text";
}

void FuzzBytes(ByteView in) {
  const auto program = DecodeProgram(in);
  if (!program.ok()) return CheckMessage(program.error());
  const Bytes out = EncodeProgram(*program);
  FLAIR_CHECK(std::equal(out.begin(), out.end(), in.begin(), in.end())) << "two encodings";
  ComeBack(*program);
  TakeApart(*program);
}

void FuzzText(ByteView in) {
  const auto program = ParseProgram(AsText(in));
  if (!program.ok()) return CheckMessage(program.error());
  ComeBack(*program);
  TakeApart(*program);
}

}  // namespace
}  // namespace flair::program

// The first byte chooses the parser.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const flair::ByteView in = std::as_bytes(std::span(data, size)).subspan(1);
  if (data[0] % 2 == 0) {
    flair::program::FuzzBytes(in);
  } else {
    flair::program::FuzzText(in);
  }
  return 0;
}
