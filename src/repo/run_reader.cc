// SPDX-License-Identifier: Apache-2.0
#include "base/hex.h"
#include "base/path.h"
#include "repo/run.h"
#include "repo/run_format.h"

namespace flair {
namespace {

constexpr std::uint64_t kMaxStepsBytes = std::uint64_t{4} << 30;
constexpr std::size_t kRowBytes = 4;

class Reader final : public RunReader {
 public:
  Reader(RunDocument document, std::vector<StepInfo> steps, std::unique_ptr<ByteSource> rows,
         std::unique_ptr<ObjectStore> store)
      : document_(std::move(document)),
        steps_(std::move(steps)),
        rows_(std::move(rows)),
        store_(std::move(store)) {}

  const std::string& id() const override { return document_.id; }
  const RunMeta& meta() const override { return document_.meta; }
  const std::optional<RunResult>& result() const override { return document_.result; }
  const std::vector<StepInfo>& steps() const override { return steps_; }
  const ObjectStore& store() const override { return *store_; }

  Result<std::vector<std::uint32_t>> Rows(const StepInfo& step) const override {
    Bytes bytes(std::size_t{step.num_rows} * kRowBytes);
    FLAIR_DO(rows_->ReadAt(step.first_row * kRowBytes, bytes));
    std::vector<std::uint32_t> rows(step.num_rows);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      rows[i] = LoadLe32(ByteView(bytes).subspan(i * kRowBytes));
    }
    return rows;
  }

  Status ReadTensor(const TensorRef& tensor, MutableByteView out) const override {
    if (out.size() != tensor.content.size_bytes) {
      return Error(ErrorCode::kInvalidArgument, "a buffer of another size than the tensor");
    }
    return store_->ReadContent(tensor.content.hash, 0, out);
  }

 private:
  RunDocument document_;
  std::vector<StepInfo> steps_;
  std::unique_ptr<ByteSource> rows_;
  std::unique_ptr<ObjectStore> store_;
};

}  // namespace

Result<std::string> RunFolder(const std::string& runs_dir, std::string_view id) {
  constexpr std::size_t kIdDigits = 16;
  if (id.size() == kIdDigits && FromHex(id).ok()) return JoinPath(runs_dir, id);
  return Error(ErrorCode::kInvalidArgument,
               "'" + std::string(id.substr(0, 64)) +
                   "' is no run's id: 16 hex digits, a folder of .flair/runs");
}

Result<std::unique_ptr<RunReader>> RunReader::Open(Env& env, const std::string& folder) {
  auto text = ReadFile(env, JoinPath(folder, kRunJson), kMaxRunJsonBytes);
  if (!text.ok()) {
    if (text.error().code() != ErrorCode::kNotFound) return std::move(text).error();
    return Error(ErrorCode::kNotFound, folder + ": no run here");
  }
  auto document = DecodeRunDocument(AsText(*text));
  if (!document.ok()) return std::move(document).error().In(folder);
  FLAIR_TRY(const Bytes entries, ReadFile(env, JoinPath(folder, kStepsBin), kMaxStepsBytes));
  auto steps = DecodeStepEntries(entries);
  if (!steps.ok()) return std::move(steps).error().In(folder);
  FLAIR_TRY(auto rows, env.OpenForRead(JoinPath(folder, kRowsBin)));
  std::uint64_t num_rows = 0;
  for (const StepInfo& step : steps->steps) num_rows += step.num_rows;
  if (rows->size_bytes() / kRowBytes < num_rows) {
    return Error(ErrorCode::kCorrupt, folder + "/rows.bin: " + std::to_string(rows->size_bytes()) +
                                          " bytes for " + std::to_string(num_rows) + " rows");
  }
  if (document->result) {
    const std::uint64_t expected = steps->steps.empty() ? 0 : steps->steps.size() - 1;
    if (steps->torn || expected != document->result->num_steps ||
        num_rows != document->result->num_rows) {
      return Error(ErrorCode::kCorrupt, folder + ": a finished run whose steps are incomplete");
    }
  }
  FLAIR_TRY(auto store, ObjectStore::Open(env, JoinPath(folder, kStepsFolder)));
  return std::unique_ptr<RunReader>(std::make_unique<Reader>(
      std::move(document).value(), std::move(steps->steps), std::move(rows), std::move(store)));
}

}  // namespace flair
