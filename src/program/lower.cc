// SPDX-License-Identifier: Apache-2.0
#include "program/lower.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/check.h"
#include "program/graph.h"
#include "program/lower/lowering.h"
#include "program/shapes.h"

namespace flair::program {
namespace {

// Terms of all nodes together: what a chain of sums takes grows with its square.
constexpr std::size_t kMaxPieces = std::size_t{1} << 21;

}  // namespace

void Lowering::Need(NodeId id) {
  if (nodes_[id].needed) return;
  nodes_[id].needed = true;
  const GraphNode& node = g_[id];
  if (node.op == Primitive::kMaxPoolGrad) Need(PoolOf(id));
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const NodeId input = node.inputs[i];
    Need(input);
    // The derivative of a branch reads which way it went, that of a norm what it divided by.
    const bool decision =
        i == 1 &&
        (node.op == Primitive::kReluGrad || node.op == Primitive::kMaxPoolGrad ||
         node.op == Primitive::kBatchNormGrad || node.op == Primitive::kBatchNormScaleGrad);
    if (node.op == Primitive::kRelu || (decision && node.op == Primitive::kReluGrad)) {
      nodes_[input].branches = true;
    }
    if (!decision) ++nodes_[input].readers;
  }
}

void Lowering::FindNeeded() {
  for (const auto& gradient : g_.gradients) {
    if (!gradient) continue;
    Need(*gradient);
    ++nodes_[*gradient].readers;
  }
  for (const RunningUpdate& update : g_.running) Need(update.node);
}

Status Lowering::CheckSchedule() const {
  if (!std::has_single_bit(static_cast<std::uint64_t>(p_.schedule.denominator))) {
    return Error(ErrorCode::kUnsupported, "schedule: the learning rates' denominator " +
                                              std::to_string(p_.schedule.denominator) +
                                              " is no power of two");
  }
  return OkStatus();
}

// Parameters and buffers, which exist before anything is computed.
void Lowering::MakeState() {
  const auto axes_of = [&](NodeId id) {
    Axes axes;
    for (std::size_t dim = 0; dim < atoms_[id].size(); ++dim) {
      for (const std::uint64_t size : atoms_[id][dim]) {
        axes.push_back(axes_.Make(g_[id].name + "." + std::to_string(dim), size));
      }
    }
    return axes;
  };
  const auto grouped = [&](NodeId id, const Axes& axes) {
    AxesOfDims dims;
    std::size_t next = 0;
    for (const Dims& sizes : atoms_[id]) {
      dims.emplace_back();
      for (std::size_t i = 0; i < sizes.size(); ++i) dims.back().push_back(axes[next++]);
    }
    return dims;
  };
  const Format statistics = Line(ProfileLine::kStatistics);
  for (NodeId id = 0; id < g_.nodes.size(); ++id) {
    const GraphNode& node = g_[id];
    if (node.op == Primitive::kParameter) {
      circuit::Width width = circuit::Signed(32, LimbBits(), "param " + node.name + " scale");
      width.cut = kLowWeightBits;
      const Axes axes = axes_of(id);
      const circuit::ValueId w =
          b_.AddState(node.name, axes, width, circuit::Carried::Role::kWeight);
      made_.parameters.push_back(w);
      parameter_of_[w] = node.index;
      ValueOf(id) =
          ReadOf({b_.At(w), PowerOfTwo(p_.parameters[node.index].scale - 30)}, grouped(id, axes));
    } else if (node.op == Primitive::kBuffer) {
      const Axes axes = axes_of(id);
      const circuit::ValueId buffer =
          b_.AddState(node.name, axes, circuit::Signed(statistics.bits, LimbBits(), "statistics"),
                      circuit::Carried::Role::kWeight);
      made_.buffers.push_back(buffer);
      ValueOf(id) = ReadOf({b_.At(buffer), PowerOfTwo(-statistics.scale)}, grouped(id, axes));
    }
  }
}

Status Lowering::LowerColumn(NodeId id) {
  const Column& column = p_.columns[g_[id].index];
  // A batch of one has no axis to the graph; to the data set it has.
  AxesOfDims dims = {p_.batch == 1 ? Axes{} : Axes{*batch_}};
  for (std::size_t dim = 1; dim < atoms_[id].size(); ++dim) {
    dims.emplace_back();
    for (const std::uint64_t size : atoms_[id][dim]) {
      dims.back().push_back(axes_.Make(column.name + "." + std::to_string(dim), size));
    }
  }
  Axes axes = Flat(dims);
  if (p_.batch == 1) axes.insert(axes.begin(), *batch_);
  const circuit::ValueId number = b_.AddData(
      column.name, axes, circuit::Signed(column.format.bits, LimbBits(), "data " + column.name),
      g_[id].index);
  made_.columns[g_[id].index] = number;
  ValueOf(id) = ReadOf({b_.At(number), PowerOfTwo(-column.format.scale)}, std::move(dims));
  return OkStatus();
}

Status Lowering::LowerNode(NodeId id) {
  switch (g_[id].op) {
    case Primitive::kLabel:
    case Primitive::kParameter:
    case Primitive::kBuffer:
    case Primitive::kMask:
      return OkStatus();
    case Primitive::kColumn:
      return LowerColumn(id);
    case Primitive::kConstant:
      return LowerConstant(id);
    case Primitive::kMatmul:
      return LowerMatmul(id);
    case Primitive::kAdd:
      return LowerAdd(id);
    case Primitive::kMul:
      return LowerMul(id);
    case Primitive::kAffine:
      return LowerAffine(id);
    case Primitive::kSum:
      return LowerSum(id);
    case Primitive::kRelu:
      return LowerRelu(id);
    case Primitive::kReluGrad:
      return LowerReluGrad(id);
    case Primitive::kReshape:
      return LowerReshape(id);
    case Primitive::kPermute:
      return LowerPermute(id);
    case Primitive::kExpand:
      return LowerExpand(id);
    case Primitive::kSlice:
      return LowerSlice(id);
    case Primitive::kPlace:
      return LowerPlace(id);
    case Primitive::kConcat:
      return LowerConcat(id);
    case Primitive::kConv:
      return LowerConv(id);
    case Primitive::kConvDataGrad:
      return LowerConvDataGrad(id);
    case Primitive::kConvWeightGrad:
      return LowerConvWeightGrad(id);
    case Primitive::kBatchNorm:
      return LowerBatchNorm(id);
    case Primitive::kBatchNormGrad:
      return LowerBatchNormGrad(id);
    case Primitive::kBatchNormScaleGrad:
      return LowerBatchNormScaleGrad(id);
    case Primitive::kInverseRoot:
      return LowerInverseRoot(id);
    case Primitive::kMaxPool:
      return LowerMaxPool(id);
    case Primitive::kMaxPoolGrad:
      return LowerMaxPoolGrad(id);
    case Primitive::kAvgPool:
      return LowerAvgPool(id);
    case Primitive::kAvgPoolGrad:
      return LowerAvgPoolGrad(id);
    case Primitive::kCrossEntropyGrad:
      return LowerCrossEntropyGrad(id);
    default:
      return Unsupported(id, "this build has no circuit for its operator");
  }
}

// A value that branches is rounded; one that several read is made once, in few bits.
Status Lowering::Settle(NodeId id) {
  const Expression& e = ValueOf(id);
  if (nodes_[id].branches && !nodes_[id].positive) {
    if (e.is_constant()) return Unsupported(id, "relu of a constant");
    return Round(id);
  }
  if (nodes_[id].readers < 2 || e.is_constant() || AsOneRead(e)) return OkStatus();
  FLAIR_DO(Factor(id));
  return OkStatus();
}

Result<Lowered> Lowering::Run() && {
  FLAIR_DO(CheckSchedule());
  FindNeeded();
  FindGauges();
  made_.columns.resize(p_.columns.size());
  made_.schedule = p_.schedule;
  made_.rates = Rates(p_.schedule);
  made_.batch = p_.batch;
  made_.bounds = slack_;
  batch_ = axes_.Make("batch", p_.batch);
  MakeState();
  rate_ = b_.AddPublic("learning rate", {}, 0, p_.schedule.LargestNumerator());
  made_.publics.push_back({.value = *rate_, .kind = PublicInput::Kind::kLearningRate});
  std::size_t num_pieces = 0;
  for (NodeId id = 0; id < g_.nodes.size(); ++id) {
    if (!nodes_[id].needed) continue;
    Status lowered = LowerNode(id);
    const bool valued = g_[id].op != Primitive::kLabel && g_[id].op != Primitive::kMask;
    if (lowered.ok() && valued) lowered = Settle(id);
    num_pieces += ValueOf(id).pieces.size();
    if (num_pieces > kMaxPieces) return Unsupported(id, "sums of sums have too many terms");
    // What came after the builder's first error says nothing.
    if (b_.error()) return *b_.error();
    FLAIR_DO(std::move(lowered));
  }
  FLAIR_DO(LowerBuffers());
  FLAIR_DO(LowerOptimiser());
  FLAIR_DO(LowerSlack());
  FLAIR_TRY(made_.circuit, std::move(b_).Finish());
  return std::move(made_);
}

namespace {

// max_pool(relu(x)) as relu(max_pool(x)): equal values and gradients, and a quarter of the signs.
// Where something else reads the relu, it stays.
Program WithPoolsFirst(Program program) {
  std::vector<unsigned> readers(program.NumValues());
  for (const Node& node : program.nodes) {
    for (const ValueId input : node.inputs) ++readers[input];
  }
  ++readers[program.loss];
  for (Node& pool : program.nodes) {
    if (static_cast<OpCode>(pool.op.code) != OpCode::kMaxPool) continue;
    const ValueId input = pool.inputs[0];
    if (input < program.FirstNode() || readers[input] != 1) continue;
    Node& relu = program.nodes[input - program.FirstNode()];
    if (static_cast<OpCode>(relu.op.code) != OpCode::kRelu) continue;
    std::swap(relu.op, pool.op);
    std::swap(relu.name, pool.name);
    std::swap(relu.activation, pool.activation);
    std::swap(relu.gradient, pool.gradient);
  }
  return program;
}

std::string Now(const Format& format) {
  return ", now " + std::to_string(format.bits) + " bits at scale " + std::to_string(format.scale);
}

// Is `name` that of a part of `whole`, or `whole` itself?
bool IsPart(std::string_view name, std::string_view whole) {
  return name.starts_with(whole) && (name.size() == whole.size() || name[whole.size()] == '.');
}

// Which line of the profile to change where an error names a value: "'NODE.part': why".
Error WithLine(Error error, const StepGraph& step) {
  const std::string& text = error.message();
  const std::size_t end = text.find('\'', 1);
  if (!error.hint().empty() || !text.starts_with('\'') || end == std::string::npos) return error;
  const std::string_view name = std::string_view(text).substr(1, end - 1);
  const GraphNode* of = nullptr;
  for (const GraphNode& node : step.graph.nodes) {
    if (node.source < 0 || !IsPart(name, node.name)) continue;
    if (of == nullptr || node.name.size() > of->name.size()) of = &node;
  }
  const auto common = [&](ProfileLine line) {
    return step.program.profile[static_cast<std::size_t>(line)];
  };
  if (of != nullptr) {
    const Node& source = step.program.nodes[static_cast<std::size_t>(of->source)];
    const ProfileLine line = of->is_gradient ? ProfileLine::kGradient : ProfileLine::kActivation;
    const auto& own = of->is_gradient ? source.gradient : source.activation;
    return std::move(error).WithHint("change its line 'profile " + source.name + " " +
                                     std::string(InfoOf(line).name) + "'" +
                                     Now(own.value_or(common(line))));
  }
  for (const Parameter& p : step.program.parameters) {
    if (!IsPart(name, p.name)) continue;
    return std::move(error).WithHint(
        "change the line 'profile gradient'" + Now(common(ProfileLine::kGradient)) +
        ", or the gradient line of a node that reads '" + p.name + "'");
  }
  return error;
}

}  // namespace

Result<StepGraph> StepGraphOf(const Program& program) {
  FLAIR_DO(CheckProgram(program));
  StepGraph step{.program = WithPoolsFirst(program), .graph = {}};
  FLAIR_TRY(const std::vector<Dims> shapes, CheckProgram(step.program));
  FLAIR_TRY(step.graph, BuildGraph(step.program, shapes));
  return step;
}

Result<Lowered> Lower(const Program& unordered, const std::optional<Slack>& slack) {
  FLAIR_TRY(const StepGraph step, StepGraphOf(unordered));
  FLAIR_TRY(Atoms atoms, CutIntoAxes(step.graph));
  auto made = Lowering(step.program, step.graph, std::move(atoms), slack).Run();
  if (!made.ok()) return WithLine(std::move(made).error(), step);
  Lowered lowered = std::move(*made);
  if (slack) {
    lowered.program = std::make_shared<const Program>(step.program);
    lowered.graph = std::make_shared<const Graph>(step.graph);
  }
  return lowered;
}

std::int64_t DecayFactor(const Lowered& lowered, std::int64_t numerator) {
  const int shift = 62 - static_cast<int>(kDecayScale) +
                    std::countr_zero(static_cast<std::uint64_t>(lowered.schedule.denominator));
  const Int128 factor = (Int128{numerator} * lowered.decay + (Int128{1} << (shift - 1))) >> shift;
  return static_cast<std::int64_t>(std::min(factor, Int128{kMaxRationalTerm}));
}

std::uint64_t NumDecisions(const Lowered& lowered) {
  std::uint64_t decisions = 0;
  for (const TiedSign& tie : lowered.ties) {
    decisions += lowered.circuit.SizeOf(lowered.circuit[tie.positive].axes);
  }
  for (const TiedChoice& choice : lowered.choices) {
    decisions += lowered.circuit.SizeOf(lowered.circuit[choice.selector].axes);
  }
  return decisions;
}

circuit::Ints CellsOf(const Lowered& lowered, const PublicInput& input, const Seed& seed,
                      std::uint64_t step) {
  const std::size_t count = lowered.circuit.SizeOf(lowered.circuit[input.value].axes);
  switch (input.kind) {
    case PublicInput::Kind::kLearningRate:
      return {lowered.rates.NumeratorAt(step)};
    case PublicInput::Kind::kGradientShare:
      return {lowered.dampening.den - (step == 0 ? 0 : lowered.dampening.num)};
    case PublicInput::Kind::kDecay:
      return {DecayFactor(lowered, lowered.rates.NumeratorAt(step))};
    case PublicInput::Kind::kAdamFactor:
      return {lowered.adam->FactorAt(lowered.rates.NumeratorAt(step), step)};
    case PublicInput::Kind::kAdamEpsilon:
      return {lowered.adam->EpsilonAt(step)};
    case PublicInput::Kind::kSlackShare:
      return {step < kFirstSteps ? lowered.slack->share_first : lowered.slack->share};
    case PublicInput::Kind::kMask:
      return DrawMask(seed, step, input.index, input.drop, count);
    case PublicInput::Kind::kPlaces: {
      circuit::Ints places(count);
      for (std::size_t i = 0; i < count; ++i) places[i] = static_cast<std::int64_t>(i);
      return places;
    }
  }
  FLAIR_CHECK(false) << "a public of no kind";
  return {};
}

}  // namespace flair::program
