// Joining the trees of several commits: files three-way, model files tensor by tensor.
//
// Place: inside repo, under merge_commits.h. Two steps: Plan reads trees and file
// objects (headers) only and finds every conflict; Run computes, and hands what is new
// to a sink: an object batch, or one that only hashes (RerunMerge).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/byte_source.h"
#include "base/result.h"
#include "merge/combine.h"
#include "merge/method.h"
#include "merge/plan.h"
#include "object/file.h"
#include "object/tree.h"
#include "repo/merge_commits.h"
#include "store/object_store.h"

namespace flair {

// Takes what a join makes. Both return what the store would name it.
class JoinSink {
 public:
  virtual ~JoinSink() = default;
  virtual Result<ContentRef> PutContent(const ByteSource& source, const PutOptions& options) = 0;
  virtual Result<FileId> PutFile(const File& file) = 0;
};

// Writes into an open batch, which must outlive it.
class BatchSink final : public JoinSink {
 public:
  explicit BatchSink(ObjectBatch& batch) : batch_(batch) {}
  Result<ContentRef> PutContent(const ByteSource& source, const PutOptions& options) override;
  Result<FileId> PutFile(const File& file) override;

 private:
  ObjectBatch& batch_;
};

// Names things and forgets them.
class HashSink final : public JoinSink {
 public:
  Result<ContentRef> PutContent(const ByteSource& source, const PutOptions& options) override;
  Result<FileId> PutFile(const File& file) override;
};

// What happens where target and input both changed.
enum class BothChanged : std::uint8_t {
  kMethod,    // the rule's method decides, roles apply (merges)
  kUpdate,    // floats: W + (W_1 - B_1); statistics and counters stay (cherry-pick, subtract)
  kConflict,  // nothing is joined (revert by history)
};

struct JoinRequest {
  Tree target;
  std::vector<Tree> inputs;
  std::vector<Tree> bases;
  std::vector<std::string> input_names;
  MergeRule rule;
  BothChanged both_changed = BothChanged::kMethod;
  ProgressSink progress;
};

class TreeJoin {
 public:
  // Errors: kNotFound, kCorrupt. `objects` must outlive the join.
  static Result<TreeJoin> Plan(const ObjectStore& objects, JoinRequest request);

  const std::vector<MergeConflict>& conflicts() const { return conflicts_; }
  const std::vector<std::string>& notes() const { return notes_; }
  std::uint64_t num_kept() const { return num_kept_; }
  std::uint64_t num_taken() const { return num_taken_; }
  std::uint64_t num_combined() const { return num_combined_; }
  // With Krum's weights after Run.
  const MergeRule& rule() const { return request_.rule; }

  // REQUIRES: no conflicts; called once.
  Result<Tree> Run(JoinSink& sink);

 private:
  // A tensor of a joined file whose content is still to be found.
  struct TensorJob {
    TensorPlan plan;
    const TensorRef* target = nullptr;
    std::vector<const TensorRef*> inputs;
    std::vector<const TensorRef*> bases;
  };
  // A path to be written: an entry of some side as it is, or a joined model file.
  struct PathJob {
    std::string path;
    std::optional<TreeEntry> entry;    // absent: the path ends here
    std::vector<std::size_t> tensors;  // into jobs_; not empty: joined
    std::size_t model = 0;             // into models_, when joined
  };
  // Every version of one model file, decoded.
  struct Model {
    File target;
    std::vector<File> inputs;
    std::vector<File> bases;
  };
  struct Versions;

  TreeJoin(const ObjectStore& objects, JoinRequest request)
      : objects_(&objects), request_(std::move(request)) {}

  Status PlanPath(const std::string& path);
  Status PlanModel(const Versions& versions, Model model);
  bool PlanTensors(const Versions& versions, const Model& model, std::vector<TensorJob>& jobs);
  TensorPlan PlanOne(const TensorSides& sides) const;
  void PlanWhole(const Versions& versions);
  bool CheckRest(const Versions& versions, const Model& model);
  void AddConflict(const std::string& path, const std::string& tensor, ConflictReason reason,
                   const std::string& detail);

  Result<CombineInputs> Open(const std::string& path, const TensorJob& job) const;
  Status ChooseByKrum();
  Result<TensorRef> RunTensor(const std::string& path, const TensorJob& job, FileFormat format,
                              JoinSink& sink);
  Result<TreeEntry> RunModel(const PathJob& job, JoinSink& sink);
  Result<std::uint32_t> CrcOf(const ContentRef& content) const;

  const ObjectStore* objects_;
  JoinRequest request_;
  std::vector<PathJob> paths_;
  std::vector<std::unique_ptr<Model>> models_;
  std::vector<TensorJob> jobs_;
  std::map<Digest, std::uint32_t> merged_crcs_;  // of what Run made, for zip archives
  std::vector<MergeConflict> conflicts_;
  std::vector<std::string> notes_;
  std::uint64_t num_kept_ = 0;
  std::uint64_t num_taken_ = 0;
  std::uint64_t num_combined_ = 0;
  std::uint64_t done_bytes_ = 0;
  std::uint64_t total_bytes_ = 0;
};

}  // namespace flair
