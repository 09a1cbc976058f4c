// What follows from a run's seed: the order in which training reads its records.
// SPDX-License-Identifier: Apache-2.0
#include "bindings.h"
#include "program/draws.h"

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

}  // namespace

void BindProgram(nb::module_& m) {
  m.def("draw_batches", DrawBatches, nb::arg("seed"), nb::arg("records"), nb::arg("batch"),
        nb::arg("steps"), nb::arg("first_step"));
}

}  // namespace flair::python
