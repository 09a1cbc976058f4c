// The bytes of a run folder: run.json and the entries of steps.bin.
//
// Place: repo, below run.cc and run_reader.cc. Format: docs/formats/run.md.
// Pure functions: no I/O.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "repo/run.h"

namespace flair {

inline constexpr std::string_view kStepsMagic = "FLRSTEP1";
inline constexpr std::uint64_t kMaxStepEntryBytes = std::uint64_t{64} << 20;
inline constexpr std::uint64_t kMaxRunJsonBytes = std::uint64_t{1} << 20;
inline constexpr const char* kRunJson = "run.json";
inline constexpr const char* kStepsBin = "steps.bin";
inline constexpr const char* kRowsBin = "rows.bin";
inline constexpr const char* kStepsFolder = "steps";

struct RunDocument {
  std::string id;
  RunMeta meta;
  std::optional<RunResult> result;  // absent: not finished
  bool operator==(const RunDocument&) const = default;
};
std::string EncodeRunDocument(const RunDocument& d);
// Errors: kCorrupt names the member; kUnsupported for another format.
Result<RunDocument> DecodeRunDocument(std::string_view text);

// length (4, LE) | body | first 8 bytes of BLAKE3(body)
Bytes EncodeStepEntry(const RunReader::StepInfo& step);
// All whole entries of steps.bin; `torn` says whether bytes of another follow, which a kill
// leaves. Errors: kCorrupt (magic, checksum of an entry that others follow, order, names).
struct StepEntries {
  std::vector<RunReader::StepInfo> steps;
  bool torn = false;
};
Result<StepEntries> DecodeStepEntries(ByteView file);

// Sorted by name. Errors: kInvalidArgument: not finite, a name twice.
Result<std::vector<Metric>> SortedMetrics(std::vector<Metric> metrics);

}  // namespace flair
