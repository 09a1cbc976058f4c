// The computing half of TreeJoin: contents are streamed, one tensor at a time.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/threads.h"
#include "crypto/blake3.h"
#include "merge/krum.h"
#include "repo/join_trees.h"
#include "repo/zip_checksums.h"

namespace flair {
namespace {

// Plain BLAKE3 of a source, block by block on every core.
Result<ContentRef> HashContent(const ByteSource& source) {
  const std::uint64_t size = source.size_bytes();
  const std::uint64_t num_blocks = BlockCount(size);
  if (num_blocks <= 1) {
    Bytes block(size);
    FLAIR_DO(source.ReadAt(0, block));
    return ContentRef{.hash = Blake3(block), .size_bytes = size};
  }
  std::vector<Digest> chaining_values(num_blocks);
  const auto hash_block = [&](std::size_t i) -> Status {
    const std::uint64_t offset = i * kBlockBytes;
    Bytes block(std::min(kBlockBytes, size - offset));
    FLAIR_DO(source.ReadAt(offset, block));
    chaining_values[i] = BlockChainingValue(block, i);
    return OkStatus();
  };
  FLAIR_DO(ParallelFor(num_blocks, hash_block));
  return ContentRef{.hash = RootOfBlocks(chaining_values), .size_bytes = size};
}

// The whole weight on one input?
std::optional<std::size_t> OnlyInput(const std::vector<std::uint32_t>& alpha) {
  std::optional<std::size_t> only;
  for (std::size_t i = 0; i < alpha.size(); ++i) {
    if (alpha[i] == 0) continue;
    if (only || alpha[i] != kAlphaOne) return std::nullopt;
    only = i;
  }
  return only;
}

}  // namespace

Result<ContentRef> BatchSink::PutContent(const ByteSource& source, const PutOptions& options) {
  return batch_.PutContent(source, options);
}

Result<FileId> BatchSink::PutFile(const File& file) {
  FLAIR_TRY(const Digest id, batch_.PutObject(ObjectKind::kFile, EncodeFile(file)));
  return FileId{id};
}

Result<ContentRef> HashSink::PutContent(const ByteSource& source, const PutOptions&) {
  return HashContent(source);
}

Result<FileId> HashSink::PutFile(const File& file) { return IdOf(file); }

Result<CombineInputs> TreeJoin::Open(const std::string& path, const TensorJob& job) const {
  CombineInputs in;
  in.name = path + ":" + job.plan.name;
  in.dtype = job.target->dtype;
  in.num_elements = job.target->num_elements();
  in.input_names = request_.input_names;
  // Equal contents are one source.
  std::map<Digest, std::shared_ptr<const ByteSource>> open;
  const auto source = [&](const TensorRef* t) -> Result<std::shared_ptr<const ByteSource>> {
    auto& known = open[t->content.hash];
    if (known == nullptr) {
      auto opened = objects_->OpenContent(t->content.hash);
      if (!opened.ok()) return std::move(opened).error().In(in.name);
      if ((*opened)->size_bytes() != t->content.size_bytes) {
        return Error(ErrorCode::kCorrupt, in.name + ": its content has another size");
      }
      known = std::move(opened).value();
    }
    return known;
  };
  FLAIR_TRY(in.target, source(job.target));
  for (std::size_t i = 0; i < job.inputs.size(); ++i) {
    FLAIR_TRY(auto input, source(job.inputs[i]));
    in.inputs.push_back(std::move(input));
    FLAIR_TRY(auto base, source(job.bases[i]));
    in.bases.push_back(std::move(base));
  }
  return in;
}

// Weighs the inputs by the distances over every tensor that will be combined.
Status TreeJoin::ChooseByKrum() {
  KrumDistances distances(request_.inputs.size());
  for (const PathJob& path : paths_) {
    for (const std::size_t t : path.tensors) {
      if (jobs_[t].plan.action != TensorAction::kCombine) continue;
      FLAIR_DO(Report(request_.progress, {.phase = "measuring",
                                          .item = jobs_[t].plan.name,
                                          .done_bytes = done_bytes_,
                                          .total_bytes = total_bytes_}));
      FLAIR_TRY(const CombineInputs in, Open(path.path, jobs_[t]));
      FLAIR_DO(distances.Add(in));
      done_bytes_ += jobs_[t].target->content.size_bytes;
    }
  }
  done_bytes_ = 0;
  MergeRule& rule = request_.rule;
  rule.alpha = KrumAlpha(distances, rule.krum_f, rule.krum_m);
  return OkStatus();
}

Result<TensorRef> TreeJoin::RunTensor(const std::string& path, const TensorJob& job,
                                      FileFormat format, JoinSink& sink) {
  switch (job.plan.action) {
    case TensorAction::kKeep:
      return *job.target;
    case TensorAction::kTake:
      return *job.inputs[job.plan.input];
    case TensorAction::kTakeBase:
      return *job.bases[job.plan.input];
    case TensorAction::kCombine:
    case TensorAction::kMaximum:
      break;
    case TensorAction::kConflict:
      FLAIR_CHECK(false) << "a conflict was run: " << path << ":" << job.plan.name;
  }
  const MergeRule& rule = request_.rule;
  if (rule.method == MergeMethod::kKrum && job.plan.action == TensorAction::kCombine) {
    // B + (W - B) is W; taking it also spares the rounding.
    const auto only = OnlyInput(rule.alpha);
    const bool as_value = job.plan.role == TensorRole::kStatistics;
    if (only && (as_value || *job.bases[*only] == *job.target)) return *job.inputs[*only];
  }
  FLAIR_DO(Report(request_.progress, {.phase = "merging",
                                      .item = job.plan.name,
                                      .done_bytes = done_bytes_,
                                      .total_bytes = total_bytes_}));
  FLAIR_TRY(CombineInputs in, Open(path, job));
  const auto merged = job.plan.action == TensorAction::kMaximum
                          ? MaximumTensor(std::move(in))
                          : CombinedTensor(std::move(in), rule, job.plan.role);
  TensorRef out = *job.target;
  FLAIR_TRY(out.content, sink.PutContent(*merged, {.element_bytes = DTypeBytes(out.dtype),
                                                   .is_float = IsFloat(out.dtype),
                                                   .base = job.target->content.hash}));
  if (HasZipChecksums(format)) {
    // Not readable from the store before the batch is committed.
    FLAIR_TRY(merged_crcs_[out.content.hash], Crc32Of(*merged));
  }
  done_bytes_ += out.content.size_bytes;
  return out;
}

Result<std::uint32_t> TreeJoin::CrcOf(const ContentRef& content) const {
  const auto known = merged_crcs_.find(content.hash);
  if (known != merged_crcs_.end()) return known->second;
  FLAIR_TRY(const auto source, objects_->OpenContent(content.hash));
  return Crc32Of(*source);
}

Result<TreeEntry> TreeJoin::RunModel(const PathJob& job, JoinSink& sink) {
  const File& original = models_[job.model]->target;
  std::map<std::string_view, TensorRef> merged;
  for (const std::size_t t : job.tensors) {
    // A tensor that the target does not have and that nobody brings.
    if (jobs_[t].target == nullptr) continue;
    FLAIR_TRY(TensorRef tensor, RunTensor(job.path, jobs_[t], original.format, sink));
    merged.emplace(jobs_[t].plan.name, std::move(tensor));
  }
  File file = original;
  for (Segment& segment : file.segments) {
    if (auto* const t = std::get_if<TensorSegment>(&segment)) t->tensor = merged.at(t->name);
  }
  if (HasZipChecksums(original.format)) {
    const auto crc_of = [this](const ContentRef& content) { return CrcOf(content); };
    FLAIR_DO(FixZipChecksums(file, original, crc_of));
  }
  TreeEntry entry = *job.entry;
  FLAIR_TRY(entry.file, sink.PutFile(file));
  return entry;
}

Result<Tree> TreeJoin::Run(JoinSink& sink) {
  FLAIR_CHECK(conflicts_.empty()) << "a join with conflicts was run";
  if (request_.rule.method == MergeMethod::kKrum && request_.both_changed == BothChanged::kMethod) {
    FLAIR_DO(ChooseByKrum());
  }
  Tree tree;
  for (const PathJob& job : paths_) {
    if (!job.entry) continue;
    if (job.tensors.empty()) {
      tree.entries.push_back(*job.entry);
      continue;
    }
    FLAIR_TRY(TreeEntry entry, RunModel(job, sink));
    tree.entries.push_back(std::move(entry));
  }
  return tree;
}

}  // namespace flair
