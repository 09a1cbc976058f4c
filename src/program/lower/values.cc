// What an expression becomes: a read, a form, a number.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "program/lower/lowering.h"
#include "program/shapes.h"

namespace flair::program {

using circuit::Form;
using circuit::Read;

Error Lowering::TooWide(NodeId id) const {
  return Error(ErrorCode::kInvalidArgument,
               "node '" + g_[id].name + "': its factors pass 62 bits in one unit");
}

Error Lowering::Unsupported(NodeId id, const std::string& why) const {
  return Error(ErrorCode::kUnsupported, "node '" + g_[id].name + "': " + why);
}

Lowering::NodeFormat Lowering::FormatOf(NodeId id) const {
  const GraphNode& node = g_[id];
  const auto line = node.is_gradient ? ProfileLine::kGradient : ProfileLine::kActivation;
  const std::string name(InfoOf(line).name);
  if (node.source >= 0) {
    const Node& source = p_.nodes[static_cast<std::size_t>(node.source)];
    const auto& own = node.is_gradient ? source.gradient : source.activation;
    if (own) return {*own, source.name + " " + name};
  }
  return {Line(line), name};
}

Result<Lowering::Scaled> Lowering::AddScaled(const std::string& name, const Expression& e,
                                             int scale) {
  auto integers = AsIntegers(e, scale);
  if (!integers) {
    return Error(ErrorCode::kInvalidArgument,
                 "'" + name + "': its factors pass 62 bits in one unit");
  }
  return Scaled{b_.AddForm(name + ".exact", Flat(e.dims), std::move(integers->form)),
                integers->divisor};
}

std::optional<Operand> Lowering::AsOneRead(const Expression& e) const {
  if (e.pieces.size() != 1 || !e.constant.is_zero()) return std::nullopt;
  const Piece& piece = e.pieces[0];
  if (piece.factors.size() != 1 || !piece.windows.empty()) return std::nullopt;
  const Axes own = Flat(e.dims);
  for (const AxisId axis : piece.factors[0].axes) {
    if (std::find(own.begin(), own.end(), axis) == own.end()) return std::nullopt;  // summed
  }
  return Operand{piece.factors[0], piece.unit};
}

Expression Lowering::ReadOf(const Operand& operand, AxesOfDims dims) {
  return {.dims = std::move(dims), .pieces = {{.unit = operand.unit, .factors = {operand.read}}}};
}

void Lowering::Become(NodeId id, circuit::ValueId value, Unit unit) {
  Expression& e = ValueOf(id);
  e = ReadOf({b_.At(value), unit}, std::move(e.dims));
}

Status Lowering::MakeForm(NodeId id) {
  const Expression& e = ValueOf(id);
  auto units = AsUnits(e);
  if (!units) return TooWide(id);
  Become(id, b_.AddForm(g_[id].name, Flat(e.dims), std::move(units->form)), units->unit);
  return OkStatus();
}

Result<Operand> Lowering::Whole(NodeId id) {
  if (const auto one = AsOneRead(ValueOf(id))) return *one;
  FLAIR_DO(MakeForm(id));
  return *AsOneRead(ValueOf(id));
}

Status Lowering::Round(NodeId id) {
  const NodeFormat format = FormatOf(id);
  const std::string& name = g_[id].name;
  FLAIR_TRY(const Scaled x, AddScaled(name, ValueOf(id), format.format.scale));
  const Unit unit = PowerOfTwo(-format.format.scale);
  if (nodes_[id].branches) {
    const auto branch =
        b_.DivideSigned(name, x.form, x.divisor,
                        circuit::Signable(format.format.bits, LimbBits(), format.line), Zone());
    NoteSign(id, branch.positive, branch.deviation);
    Become(id, branch.value, unit);
  } else {
    Become(id,
           b_.Divide(name, x.form, x.divisor,
                     circuit::Signed(format.format.bits, LimbBits(), format.line)),
           unit);
  }
  made_.rounded.push_back(
      {.value = ValueOf(id).pieces[0].factors[0].value, .node = id, .scale = format.format.scale});
  return OkStatus();
}

circuit::ValueId Lowering::MiddleOf(std::uint32_t parameter) {
  if (const auto made = middles_.find(parameter); made != middles_.end()) return made->second;
  return middles_[parameter] = MiddleOfCell(made_.parameters[parameter], kLowWeightBits);
}

circuit::ValueId Lowering::MiddleOfCell(circuit::ValueId number, unsigned cut) {
  const circuit::Number& cells = b_[number].number;
  Form form{.terms = {}, .constant = 1 - (2 * (cells.bias >> cut))};
  unsigned below = 0;
  for (std::size_t limb = 0; limb < cells.limb_bits.size(); below += cells.limb_bits[limb++]) {
    if (below < cut) continue;
    Read read = b_.At(number);
    read.limb = static_cast<int>(limb);
    form.terms.push_back(
        {.coefficient = std::int64_t{2} << (below - cut), .factors = {read}, .windows = {}});
  }
  return b_.AddForm(b_[number].name + ".middle", b_[number].axes, std::move(form));
}

Result<Operand> Lowering::Factor(NodeId id) {
  const NodeFormat format = FormatOf(id);
  const std::int64_t most = std::int64_t{1} << format.format.bits;  // twice the format's range
  if (auto one = AsOneRead(ValueOf(id))) {
    const auto parameter = parameter_of_.find(one->read.value);
    if (parameter != parameter_of_.end()) {
      one->read.value = MiddleOf(parameter->second);
      one->unit = Times(one->unit, PowerOfTwo(static_cast<int>(kLowWeightBits) - 1));
      return *one;
    }
    const circuit::Value& value = b_[one->read.value];
    if (value.kind == circuit::Value::Kind::kNumber) return *one;
    if (value.lo >= -most && value.hi <= most) return *one;
  } else {
    auto units = AsUnits(ValueOf(id));
    if (!units) return TooWide(id);
    const Axes axes = Flat(ValueOf(id).dims);
    const auto extent = b_.ExtentOf(axes, units->form);
    if (extent.fits && extent.lo >= -most && extent.hi <= most) return Whole(id);
  }
  FLAIR_DO(Round(id));
  return *AsOneRead(ValueOf(id));
}

Result<Operand> Lowering::FactorAlongAll(NodeId id) {
  FLAIR_TRY(const Operand operand, Factor(id));
  const Axes axes = Flat(ValueOf(id).dims);
  if (operand.read.axes.size() == axes.size()) return operand;
  const circuit::ValueId repeated =
      b_.AddForm(g_[id].name + ".repeated", axes,
                 {.terms = {{.coefficient = 1, .factors = {operand.read}, .windows = {}}}});
  return Operand{b_.At(repeated), operand.unit};
}

AxesOfDims Lowering::MakeAxes(NodeId id, const std::set<AxisId>& taken) {
  std::set<AxisId> used = taken;
  AxesOfDims dims;
  for (const Dims& sizes : atoms_[id]) {
    Axes axes;
    for (const std::uint64_t size : sizes) {
      axes.push_back(axes_.OfSize(size, used));
      used.insert(axes.back());
    }
    dims.push_back(std::move(axes));
  }
  return dims;
}

Axes Lowering::NewAxis(std::uint64_t size, std::set<AxisId>& used) {
  if (size == 1) return {};
  const AxisId axis = axes_.OfSize(size, used);
  used.insert(axis);
  return {axis};
}

AxisId Lowering::AxisOr1(const Axes& axes, std::set<AxisId>& used) {
  if (!axes.empty()) return axes[0];
  const AxisId one = axes_.OfSize(1, used);
  used.insert(one);
  return one;
}

}  // namespace flair::program
