// Training programs: their bytes from their text, and what follows from a run's seed.
// SPDX-License-Identifier: Apache-2.0
#include "bindings.h"
#include "program/draws.h"
#include "program/encoding.h"
#include "program/lower.h"
#include "program/shapes.h"
#include "program/text.h"

namespace flair::python {
namespace {

constexpr std::uint64_t kMaxReads = std::uint64_t{1} << 28;

// The rows of each step's batch.
std::vector<std::vector<std::uint32_t>> DrawBatches(const std::string& seed, std::uint64_t records,
                                                    std::uint64_t batch, std::uint64_t steps,
                                                    std::uint64_t first_step) {
  const Digest drawn = Unwrap(Digest::FromHex(seed));
  if (batch == 0 || batch > records || records > ~std::uint32_t{0}) {
    throw CoreError{Error(ErrorCode::kInvalidArgument,
                          "batches of " + std::to_string(batch) + " from " +
                              std::to_string(records) + " records; 1 to all of them are possible")};
  }
  if (steps > kMaxReads / batch || (steps > 0 && first_step > ~std::uint64_t{0} - (steps - 1))) {
    throw CoreError{Error(ErrorCode::kInvalidArgument, "too many steps at once")};
  }
  const nb::gil_scoped_release release;
  program::Batches batches(drawn, static_cast<std::uint32_t>(records), batch);
  std::vector<std::vector<std::uint32_t>> all;
  for (std::uint64_t i = 0; i < steps; ++i) {
    const auto rows = batches.RowsOf(first_step + i);
    all.emplace_back(rows.begin(), rows.end());
  }
  return all;
}

nb::list NamesAndDims(const auto& tensors) {
  nb::list out;
  for (const auto& t : tensors) out.append(nb::make_tuple(t.name, t.dims));
  return out;
}

// (name, dims of a record, bits, scale, classes); classes are 0 where it holds numbers.
nb::list ColumnsOf(const program::Program& p) {
  nb::list out;
  for (const program::Column& c : p.columns) {
    out.append(nb::make_tuple(c.name, c.row, c.format.bits, c.format.scale, c.classes));
  }
  return out;
}

nb::dict ToDict(const program::Program& p) {
  const Bytes bytes = program::EncodeProgram(p);
  nb::dict out;
  out["bytes"] = nb::bytes(bytes.data(), bytes.size());
  out["text"] = program::PrintProgram(p);
  out["hash"] = program::HashProgram(p).ToHex();
  out["batch"] = p.batch;
  out["columns"] = ColumnsOf(p);
  out["parameters"] = NamesAndDims(p.parameters);
  out["buffers"] = NamesAndDims(p.buffers);
  return out;
}

// `text`: in text form.
nb::dict BuildProgram(const std::string& text) {
  return ToDict(Unwrap([&]() -> Result<program::Program> {
    const nb::gil_scoped_release release;
    FLAIR_TRY(program::Program p, program::ParseProgram(text));
    // What cannot be proven is no program to pin.
    if (auto lowered = program::Lower(p); !lowered.ok()) {
      return std::move(lowered).error().In("not provable");
    }
    return p;
  }()));
}

nb::dict ReadProgram(const nb::bytes& bytes) {
  const auto* data = static_cast<const std::byte*>(bytes.data());
  return ToDict(Unwrap(program::DecodeProgram(ByteView(data, bytes.size()))));
}

}  // namespace

void BindProgram(nb::module_& m) {
  m.def("draw_batches", DrawBatches, nb::arg("seed"), nb::arg("records"), nb::arg("batch"),
        nb::arg("steps"), nb::arg("first_step"));
  m.def("build_program", BuildProgram, nb::arg("text"));
  m.def("read_program", ReadProgram, nb::arg("bytes"));
}

}  // namespace flair::python
