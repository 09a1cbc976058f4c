// SPDX-License-Identifier: Apache-2.0
#include "trainer/model_tensors.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <string_view>
#include <utility>

#include "base/path.h"
#include "circuit/cell_text.h"
#include "program/fixed_point.h"
#include "program/shapes.h"
#include "tensor/convert.h"
#include "tensor/layout.h"
#include "tensor/safetensors.h"

namespace flair::trainer {
namespace {

using circuit::Ints;

constexpr std::uint64_t kMaxTensorBytes = std::uint64_t{1} << 36;
constexpr std::uint64_t kElementsAtOnce = 4096;

Error Wrong(const std::string& what) { return {ErrorCode::kInvalidArgument, what}; }

std::string ShortText(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.9g", value);
  return text;
}

}  // namespace

std::vector<ModelTensor> TensorsOf(const program::Program& program) {
  std::vector<ModelTensor> tensors;
  for (const program::Parameter& p : program.parameters) {
    const std::int64_t end = std::int64_t{1} << 31;
    tensors.push_back({.name = p.name,
                       .dims = p.dims,
                       .scale = 30 - p.scale,
                       .lo = -end,
                       .hi = end - 1,
                       .line = "param " + p.name + " scale"});
  }
  const program::Format statistics =
      program.profile[static_cast<std::size_t>(program::ProfileLine::kStatistics)];
  for (const program::Buffer& b : program.buffers) {
    tensors.push_back({.name = b.name,
                       .dims = b.dims,
                       .scale = statistics.scale,
                       .lo = statistics.lo(),
                       .hi = statistics.hi(),
                       .line = "statistics"});
  }
  return tensors;
}

Result<Ints> IntegersOf(const ModelTensor& tensor, DType dtype, ByteView bytes) {
  const auto wrong = [&](const std::string& what) {
    return Wrong("tensor '" + tensor.name + "': " + what);
  };
  if (!IsFloat(dtype)) return wrong(std::string(DTypeName(dtype)) + " is no float");
  const std::uint64_t size = program::NumElements(tensor.dims);
  const std::uint64_t element = DTypeBytes(dtype);
  if (bytes.size() != size * element) {
    return wrong(std::to_string(bytes.size()) + " bytes are not " + program::ToText(tensor.dims) +
                 " of " + std::string(DTypeName(dtype)));
  }
  Ints integers(size);
  std::vector<double> values(kElementsAtOnce);
  for (std::uint64_t first = 0; first < size; first += kElementsAtOnce) {
    const std::uint64_t count = std::min(kElementsAtOnce, size - first);
    LoadAsDouble(dtype, bytes.subspan(first * element, count * element),
                 std::span(values).first(count));
    for (std::uint64_t i = 0; i < count; ++i) {
      const double rounded = program::RoundHalfUp(values[i], tensor.scale);
      if (std::isnan(values[i])) {
        return wrong(circuit::CellText(tensor.dims, first + i) + " is NaN");
      }
      if (!(rounded >= static_cast<double>(tensor.lo) &&
            rounded <= static_cast<double>(tensor.hi))) {
        return wrong(circuit::CellText(tensor.dims, first + i) + " is " + ShortText(values[i]) +
                     ", outside of [" +
                     ShortText(std::ldexp(static_cast<double>(tensor.lo), -tensor.scale)) + ", " +
                     ShortText(std::ldexp(static_cast<double>(tensor.hi), -tensor.scale)) +
                     "]; the profile's line is '" + tensor.line + "'");
      }
      integers[first + i] = static_cast<std::int64_t>(rounded);
    }
  }
  return integers;
}

Bytes DoublesOf(const ModelTensor& tensor, const Ints& integers) {
  std::vector<double> values(integers.size());
  const double unit = std::ldexp(1.0, -tensor.scale);  // a power of two: products are exact
  for (std::size_t i = 0; i < integers.size(); ++i) {
    values[i] = static_cast<double>(integers[i]) * unit;
  }
  Bytes bytes(8 * values.size());
  StoreFromDouble(DType::kF64, values, bytes);
  return bytes;
}

Result<ModelIntegers> ReadModel(Env& env, const std::string& path,
                                const program::Program& program) {
  FLAIR_TRY(const auto file, env.OpenForRead(path));
  auto read = ReadFileLayout(*file, path);
  if (!read.ok()) return std::move(read).error().In(path);
  const FileLayout layout = std::move(*read);
  const std::vector<ModelTensor> tensors = TensorsOf(program);
  std::map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < tensors.size(); ++i) places[tensors[i].name] = i;
  ModelIntegers integers(tensors.size());
  std::vector<bool> found(tensors.size());
  for (const FileSpan& span : layout.spans) {
    if (span.kind != SpanKind::kTensor) continue;
    const auto place = places.find(span.name);
    if (place == places.end()) {
      if (!IsFloat(span.dtype)) continue;
      return Wrong(path + ": the program has no tensor '" + span.name + "'");
    }
    const ModelTensor& tensor = tensors[place->second];
    if (span.dims != tensor.dims) {
      return Wrong(path + ": tensor '" + span.name + "' is " + program::ToText(span.dims) +
                   "; the program's is " + program::ToText(tensor.dims));
    }
    if (span.size_bytes > kMaxTensorBytes) {
      return Wrong(path + ": tensor '" + span.name + "' is too large");
    }
    Bytes bytes(span.size_bytes);
    FLAIR_DO(file->ReadAt(span.offset, bytes));
    auto own = IntegersOf(tensor, span.dtype, bytes);
    if (!own.ok()) return std::move(own).error().In(path);
    integers[place->second] = std::move(*own);
    found[place->second] = true;
  }
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (!found[i]) return Wrong(path + ": no tensor '" + tensors[i].name + "'");
  }
  return integers;
}

Status WriteModel(Env& env, const std::string& path, const program::Program& program,
                  const ModelIntegers& integers) {
  const std::vector<ModelTensor> tensors = TensorsOf(program);
  std::vector<SafetensorsEntry> entries;
  for (const ModelTensor& t : tensors) {
    entries.push_back({.name = t.name, .dtype = DType::kF64, .dims = t.dims});
  }
  Bytes bytes = WriteSafetensorsHeader(entries, {});
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    Append(bytes, DoublesOf(tensors[i], integers[i]));
  }
  return WriteFileAtomically(env, path, bytes);
}

Result<program::TrainingState> StartFrom(const program::Lowered& lowered,
                                         const ModelIntegers& integers) {
  const auto buffers = integers.begin() + static_cast<std::ptrdiff_t>(lowered.parameters.size());
  return program::StartOf(lowered, {integers.begin(), buffers}, {buffers, integers.end()});
}

ModelIntegers IntegersOf(const program::Lowered& lowered, const program::TrainingState& state) {
  std::map<circuit::ValueId, std::size_t> places;
  for (std::size_t i = 0; i < lowered.circuit.carried.size(); ++i) {
    places[lowered.circuit.carried[i].number] = i;
  }
  ModelIntegers integers;
  for (const auto* const ids : {&lowered.parameters, &lowered.buffers}) {
    for (const circuit::ValueId id : *ids) integers.push_back(state.carried[places[id]]);
  }
  return integers;
}

}  // namespace flair::trainer
