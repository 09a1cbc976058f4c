// Writing a run. Steps are gathered to packs of some MiB: contents become durable first,
// then their rows, then the entries that name both, so that a kill leaves whole steps.
// SPDX-License-Identifier: Apache-2.0
#include "repo/run.h"

#include <algorithm>
#include <map>
#include <unordered_set>

#include "base/hex.h"
#include "base/path.h"
#include "repo/import_file.h"
#include "repo/run_format.h"

namespace flair {
namespace {

// A group ends at whichever comes first; what a kill may lose.
constexpr std::uint64_t kGroupBytes = std::uint64_t{16} << 20;
constexpr std::size_t kGroupSteps = 16;
constexpr std::size_t kIdBytes = 8;

Error Invalid(std::string what) { return Error(ErrorCode::kInvalidArgument, std::move(what)); }

Status CheckTensor(const StepTensor& t) {
  if (t.name.empty() || t.name.size() > kMaxTensorNameBytes) {
    return Invalid("run: a tensor needs a name of 1 to 1024 bytes");
  }
  if (t.dims.size() > kMaxDims) return Invalid("run: tensor '" + t.name + "' has too many dims");
  std::uint64_t size = DTypeBytes(t.dtype);
  for (const std::uint64_t dim : t.dims) {
    if (__builtin_mul_overflow(size, dim, &size)) {
      return Invalid("run: the shape of tensor '" + t.name + "' overflows");
    }
  }
  if (size != t.bytes.size()) {
    return Invalid("run: tensor '" + t.name + "' holds " + std::to_string(t.bytes.size()) +
                   " bytes, its shape says " + std::to_string(size));
  }
  return OkStatus();
}

class Writer final : public RunWriter {
 public:
  Writer(Env& env, std::string folder, RunDocument document)
      : env_(env), folder_(std::move(folder)), document_(std::move(document)) {}

  Status Open() {
    FLAIR_TRY(store_, ObjectStore::Open(env_, JoinPath(folder_, kStepsFolder)));
    FLAIR_TRY(steps_, env_.OpenForWrite(JoinPath(folder_, kStepsBin), WriteMode::kCreateNew));
    FLAIR_TRY(rows_, env_.OpenForWrite(JoinPath(folder_, kRowsBin), WriteMode::kCreateNew));
    FLAIR_DO(steps_->Append(AsBytes(kStepsMagic)));
    FLAIR_DO(steps_->Sync());
    FLAIR_DO(WriteDocument());
    return env_.SyncDir(folder_);
  }

  const std::string& id() const override { return document_.id; }
  const std::string& folder() const override { return folder_; }

  Status Step(std::uint64_t step, std::span<const StepTensor> tensors,
              std::span<const std::uint32_t> rows) override {
    if (document_.result) return Invalid("run: it is finished");
    if (last_step_ && step <= *last_step_) {
      return Invalid("run: step " + std::to_string(step) + " after step " +
                     std::to_string(*last_step_));
    }
    if (rows.size() > UINT32_MAX) return Invalid("run: too many rows in a step");
    std::map<std::string_view, const StepTensor*> by_name;
    for (const StepTensor& t : tensors) {
      FLAIR_DO(CheckTensor(t));
      if (!by_name.emplace(t.name, &t).second) {
        return Invalid("run: tensor '" + t.name + "' twice in a step");
      }
    }
    if (!batch_) {
      FLAIR_TRY(batch_, store_->Begin());
    }
    RunReader::StepInfo info;
    info.step = step;
    info.first_row = num_rows_;
    info.num_rows = static_cast<std::uint32_t>(rows.size());
    for (const auto& [name, tensor] : by_name) {
      FLAIR_TRY(TensorRef ref, Put(*tensor));
      info.tensors.emplace_back(std::string(name), std::move(ref));
    }
    Append(entries_, EncodeStepEntry(info));
    for (const std::uint32_t row : rows) {
      AppendLe32(row_bytes_, row);
      seen_.insert(row);
    }
    num_rows_ += rows.size();
    num_calls_ += 1;
    last_step_ = step;
    if (++group_steps_ >= kGroupSteps || group_bytes_ >= kGroupBytes) return Seal();
    return OkStatus();
  }

  Result<RunResult> Finish(std::vector<Metric> metrics) override {
    if (document_.result) return Invalid("run: it is finished");
    RunResult result;
    FLAIR_TRY(result.metrics, SortedMetrics(std::move(metrics)));
    FLAIR_DO(Seal());
    FLAIR_DO(steps_->Close());
    FLAIR_DO(rows_->Close());
    // The last call is the state after the last update.
    result.num_steps = num_calls_ == 0 ? 0 : num_calls_ - 1;
    result.num_samples = seen_.size();
    result.num_rows = num_rows_;
    result.stored_bytes = store_->StoredBytes();
    document_.result = result;
    FLAIR_DO(WriteDocument());
    return result;
  }

 private:
  Result<TensorRef> Put(const StepTensor& t) {
    PutOptions options = PutOptionsFor(t.dtype);
    const auto before = sealed_.find(t.name);
    if (before != sealed_.end()) options.base = before->second;
    FLAIR_TRY(const ContentRef content, batch_->PutContent(*SourceOfBytes(t.bytes), options));
    const auto previous = latest_.find(t.name);
    if (previous == latest_.end() || previous->second != content.hash) {
      latest_[t.name] = content.hash;
      group_bytes_ += t.bytes.size();
    }
    return TensorRef{.dtype = t.dtype, .dims = t.dims, .content = content};
  }

  Status Seal() {
    if (!batch_) return OkStatus();
    FLAIR_DO(batch_->Commit());
    batch_.reset();
    FLAIR_DO(rows_->Append(row_bytes_));
    FLAIR_DO(rows_->Sync());
    FLAIR_DO(steps_->Append(entries_));
    FLAIR_DO(steps_->Sync());
    row_bytes_.clear();
    entries_.clear();
    group_steps_ = 0;
    group_bytes_ = 0;
    sealed_ = latest_;
    return OkStatus();
  }

  Status WriteDocument() {
    return WriteFileAtomically(env_, JoinPath(folder_, kRunJson),
                               AsBytes(EncodeRunDocument(document_)));
  }

  Env& env_;
  std::string folder_;
  RunDocument document_;
  std::unique_ptr<ObjectStore> store_;
  std::unique_ptr<WritableFile> steps_;
  std::unique_ptr<WritableFile> rows_;
  std::unique_ptr<ObjectBatch> batch_;
  std::map<std::string, Digest, std::less<>> latest_;  // by tensor, of the last step
  std::map<std::string, Digest, std::less<>> sealed_;  // the same, of the last durable step
  std::unordered_set<std::uint32_t> seen_;
  std::optional<std::uint64_t> last_step_;
  std::uint64_t num_rows_ = 0;
  std::uint64_t num_calls_ = 0;
  Bytes entries_;
  Bytes row_bytes_;
  std::size_t group_steps_ = 0;
  std::uint64_t group_bytes_ = 0;
};

}  // namespace

Result<std::unique_ptr<RunWriter>> RunWriter::Begin(Env& env, const std::string& runs_dir,
                                                    const RunMeta& meta) {
  std::array<std::byte, kIdBytes> random;
  env.RandomBytes(random);
  RunDocument document{.id = ToHex(random), .meta = meta, .result = std::nullopt};
  const std::string folder = JoinPath(runs_dir, document.id);
  FLAIR_DO(MakeDirs(env, folder));
  auto writer = std::make_unique<Writer>(env, folder, std::move(document));
  FLAIR_DO(writer->Open());
  return std::unique_ptr<RunWriter>(std::move(writer));
}

Result<TrainingRecord> TrainingRecordOf(const RunReader& run) {
  if (!run.result()) {
    return Invalid("run " + run.id() + " is not finished").WithHint("end the recording first");
  }
  const RunMeta& meta = run.meta();
  TrainingRecord record;
  record.program = meta.program;
  record.first_step = meta.first_step;
  record.num_steps = run.result()->num_steps;
  record.num_samples = run.result()->num_samples;
  record.data_card = meta.data_card;
  record.ticket = meta.ticket;
  record.metrics = run.result()->metrics;
  record.framework = meta.framework;
  return record;
}

Result<std::vector<std::string>> ListRuns(Env& env, const std::string& runs_dir) {
  if (!Exists(env, runs_dir)) return std::vector<std::string>();
  FLAIR_TRY(const std::vector<std::string> names, env.ListDir(runs_dir));
  std::vector<std::string> ids;
  for (const std::string& name : names) {
    if (Exists(env, JoinPath(JoinPath(runs_dir, name), kRunJson))) ids.push_back(name);
  }
  return ids;
}

}  // namespace flair
