// A run: what `record` and `train` write and proofs read, a folder of its own.
//
// `.flair/runs/ID/`: run.json (what ran), steps/ (an object store: every tensor of
// every step, each encoded against the step before), steps.bin (which content is
// which step's tensor), rows.bin (the rows each step saw, u32 LE, step-major).
// Format: docs/formats/run.md.
//
// Invariants
//   (1) Steps ascend; a run killed in between holds a prefix of whole steps.
//   (2) run.json says "finished" only after everything else is durable.
//
// Thread safety: one thread at a time per writer; a reader's methods from any.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/env.h"
#include "object/commit.h"
#include "object/content.h"
#include "store/object_store.h"

namespace flair {

struct RunMeta {
  std::string framework;  // "pytorch 2.15.0"
  std::optional<Digest> program;
  std::optional<CommitId> parent;
  std::optional<Digest> data_card;
  std::optional<Digest> ticket;
  std::uint64_t first_step = 0;                               // t0
  std::vector<std::pair<std::string, std::string>> settings;  // free text: optimizer, lr, ...
  bool operator==(const RunMeta&) const = default;
};

// What is known at the end.
struct RunResult {
  std::uint64_t num_steps = 0;
  std::uint64_t num_samples = 0;  // distinct rows
  std::uint64_t num_rows = 0;     // rows in all, with repetition
  std::vector<Metric> metrics;
  std::uint64_t stored_bytes = 0;
  bool operator==(const RunResult&) const = default;
};

// Borrowed: the bytes must live until Step returns.
struct StepTensor {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<std::uint64_t> dims;
  ByteView bytes;  // little-endian, row-major
};

// The folder of run `id` under `runs_dir`. Errors: kInvalidArgument for anything but an id, so
// that no other folder can be named.
Result<std::string> RunFolder(const std::string& runs_dir, std::string_view id);

class RunWriter {
 public:
  // Makes `runs_dir`/ID with a new random id (16 hex).
  static Result<std::unique_ptr<RunWriter>> Begin(Env& env, const std::string& runs_dir,
                                                  const RunMeta& meta);
  virtual ~RunWriter() = default;  // without Finish the run stays unfinished, readable

  virtual const std::string& id() const = 0;
  virtual const std::string& folder() const = 0;
  // REQUIRES: `step` is larger than the last one. Step t's tensors are the state before
  // the update t; the last call (no rows) holds the final state. A tensor equal to the
  // last step's costs nothing. Errors: kInvalidArgument (order, size, duplicate name).
  virtual Status Step(std::uint64_t step, std::span<const StepTensor> tensors,
                      std::span<const std::uint32_t> rows) = 0;
  virtual Result<RunResult> Finish(std::vector<Metric> metrics) = 0;
};

class RunReader {
 public:
  // Errors: kNotFound, kCorrupt, kUnsupported.
  static Result<std::unique_ptr<RunReader>> Open(Env& env, const std::string& folder);
  virtual ~RunReader() = default;

  struct StepInfo {
    std::uint64_t step = 0;
    std::uint64_t first_row = 0;  // index into rows.bin
    std::uint32_t num_rows = 0;
    std::vector<std::pair<std::string, TensorRef>> tensors;  // ascending by name
  };
  virtual const std::string& id() const = 0;
  virtual const RunMeta& meta() const = 0;
  // Absent while the run is not finished.
  virtual const std::optional<RunResult>& result() const = 0;
  virtual const std::vector<StepInfo>& steps() const = 0;
  virtual Result<std::vector<std::uint32_t>> Rows(const StepInfo& step) const = 0;
  virtual Status ReadTensor(const TensorRef& tensor, MutableByteView out) const = 0;
  virtual const ObjectStore& store() const = 0;
};

// The run's part of a commit: framework, steps, samples, card, ticket, program, metrics.
// Errors: kInvalidArgument when the run is not finished.
Result<TrainingRecord> TrainingRecordOf(const RunReader& run);

// Ids of the runs in a folder, sorted.
Result<std::vector<std::string>> ListRuns(Env& env, const std::string& runs_dir);

}  // namespace flair
