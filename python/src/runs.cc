// Runs: what the recorders write.
// SPDX-License-Identifier: Apache-2.0
#include <nanobind/ndarray.h>

#include "base/path.h"
#include "bindings.h"
#include "program/encoding.h"
#include "repo/refs.h"
#include "repo/run.h"

namespace flair::python {
namespace {

using Contiguous = nb::ndarray<nb::ro, std::uint8_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Rows = nb::ndarray<nb::ro, std::uint32_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

struct Writer {
  std::unique_ptr<RunWriter> run;

  // `tensors`: (name, dtype, shape, bytes).
  void Step(std::uint64_t step, const nb::list& tensors, const Rows& rows) {
    std::vector<StepTensor> borrowed;
    std::vector<Contiguous> keep;
    for (const nb::handle item : tensors) {
      const auto entry = nb::cast<nb::tuple>(item);
      const auto dtype_name = nb::cast<std::string>(entry[1]);
      const auto dtype = DTypeFromName(dtype_name);
      if (!dtype) {
        throw CoreError{Error(ErrorCode::kInvalidArgument, "run: no dtype " + dtype_name)};
      }
      keep.push_back(nb::cast<Contiguous>(entry[3]));
      const Contiguous& bytes = keep.back();
      borrowed.push_back({.name = nb::cast<std::string>(entry[0]),
                          .dtype = *dtype,
                          .dims = nb::cast<std::vector<std::uint64_t>>(entry[2]),
                          .bytes = std::as_bytes(std::span(bytes.data(), bytes.size()))});
    }
    const std::span<const std::uint32_t> seen(rows.data(), rows.size());
    nb::gil_scoped_release release;
    Check(run->Step(step, borrowed, seen));
  }

  nb::dict Finish(const std::vector<std::pair<std::string, double>>& metrics) {
    std::vector<Metric> list;
    for (const auto& [name, value] : metrics) list.push_back({name, value});
    RunResult result;
    {
      nb::gil_scoped_release release;
      result = Unwrap(run->Finish(std::move(list)));
    }
    nb::dict out;
    out["steps"] = result.num_steps;
    out["samples"] = result.num_samples;
    out["rows"] = result.num_rows;
    out["stored_bytes"] = result.stored_bytes;
    return out;
  }
};

// `program`: its bytes, of a run that follows one; `card`, `ticket`: ids, 64 hex digits, or empty.
std::unique_ptr<Writer> BeginRun(Repo& self, const std::string& framework,
                                 const std::vector<std::pair<std::string, std::string>>& settings,
                                 const nb::bytes& program, const std::string& card,
                                 const std::string& ticket) {
  RunMeta meta;
  meta.framework = framework;
  meta.settings = settings;
  if (!card.empty()) meta.data_card = Unwrap(Digest::FromHex(card));
  if (!ticket.empty()) meta.ticket = Unwrap(Digest::FromHex(ticket));
  const ByteView bytes(static_cast<const std::byte*>(program.data()), program.size());
  if (!bytes.empty()) meta.program = program::HashProgram(Unwrap(program::DecodeProgram(bytes)));
  auto writer = std::make_unique<Writer>();
  writer->run = self.Run([&](Repository& r) -> Result<std::unique_ptr<RunWriter>> {
    FLAIR_TRY(const Head head, ReadHead(r));
    meta.parent = head.commit;
    FLAIR_TRY(auto run, RunWriter::Begin(r.env(), r.runs_dir(), meta));
    if (!bytes.empty()) {
      FLAIR_DO(WriteFileAtomically(r.env(), JoinPath(run->folder(), "program.flair"), bytes));
    }
    return run;
  });
  return writer;
}

nb::dict ReadRun(Repo& self, const std::string& id) {
  std::vector<std::vector<std::uint32_t>> rows;
  const auto run = self.Run([&](Repository& r) -> Result<std::unique_ptr<RunReader>> {
    FLAIR_TRY(const std::string folder, RunFolder(r.runs_dir(), id));
    FLAIR_TRY(auto reader, RunReader::Open(r.env(), folder));
    for (const RunReader::StepInfo& step : reader->steps()) {
      FLAIR_TRY(auto seen, reader->Rows(step));
      rows.push_back(std::move(seen));
    }
    return reader;
  });
  nb::dict out;
  out["framework"] = run->meta().framework;
  out["parent"] = HexOf(run->meta().parent);
  const auto hex = [](const std::optional<Digest>& d) {
    return d ? std::optional(d->ToHex()) : std::nullopt;
  };
  out["program"] = hex(run->meta().program);
  out["card"] = hex(run->meta().data_card);
  out["ticket"] = hex(run->meta().ticket);
  out["settings"] = run->meta().settings;
  out["finished"] = run->result().has_value();
  out["rows"] = rows;
  nb::list names;
  for (const RunReader::StepInfo& step : run->steps()) {
    nb::list of_step;
    for (const auto& [name, tensor] : step.tensors) of_step.append(name);
    names.append(of_step);
  }
  out["tensors"] = names;
  return out;
}

}  // namespace

void BindRuns(nb::module_& m, nb::class_<Repo>& repo) {
  nb::class_<Writer>(m, "RunWriter")
      .def_prop_ro("id", [](const Writer& self) { return self.run->id(); })
      .def_prop_ro("folder", [](const Writer& self) { return self.run->folder(); })
      .def("step", &Writer::Step)
      .def("finish", &Writer::Finish);
  repo.def("begin_run", BeginRun, nb::arg("framework"), nb::arg("settings"),
           nb::arg("program") = nb::bytes("", 0), nb::arg("card") = "", nb::arg("ticket") = "")
      .def("read_run", ReadRun);
}

}  // namespace flair::python
