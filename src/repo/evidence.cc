// SPDX-License-Identifier: Apache-2.0
#include "repo/evidence.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <memory>
#include <utility>

#include "merge/combine.h"
#include "merge/krum.h"
#include "object/file.h"
#include "repo/diff.h"
#include "repo/history.h"
#include "repo/update_sums.h"

namespace flair {
namespace {

// Path, then tensor name.
using TensorKey = std::pair<std::string, std::string>;
using TensorTable = std::map<TensorKey, TensorRef>;

class Snapshots {
 public:
  explicit Snapshots(const ObjectStore& objects) : objects_(objects) {}

  // The float tensors of a commit.
  Result<const TensorTable*> Of(const CommitId& commit) {
    const auto known = tables_.find(commit);
    if (known != tables_.end()) return &known->second;
    FLAIR_TRY(const Tree tree, ReadCommitTree(objects_, commit));
    TensorTable table;
    for (const TreeEntry& entry : tree.entries) {
      FLAIR_TRY(const File file, ReadFileObject(objects_, entry.file));
      for (const Segment& segment : file.segments) {
        const auto* const t = std::get_if<TensorSegment>(&segment);
        if (t == nullptr || !IsFloat(t->tensor.dtype)) continue;
        table.emplace(TensorKey(entry.path, t->name), t->tensor);
      }
    }
    return &tables_.emplace(commit, std::move(table)).first->second;
  }

 private:
  const ObjectStore& objects_;
  std::map<CommitId, TensorTable> tables_;
};

struct Side {
  const TensorTable* base = nullptr;
  const TensorTable* tip = nullptr;
};

const TensorRef* Find(const TensorTable& table, const TensorKey& key) {
  const auto found = table.find(key);
  return found == table.end() ? nullptr : &found->second;
}

bool SameHeader(const TensorRef& a, const TensorRef& b) {
  return a.dtype == b.dtype && a.dims == b.dims;
}

// Does `side` have every tensor of `own`, in the same shape, before and after?
bool Fits(const Side& side, const Side& own) {
  for (const auto& [key, tip] : *own.tip) {
    const TensorRef* const base = Find(*own.base, key);
    if (base == nullptr || !SameHeader(*base, tip)) continue;
    const TensorRef* const their_base = Find(*side.base, key);
    const TensorRef* const their_tip = Find(*side.tip, key);
    if (their_base == nullptr || their_tip == nullptr) return false;
    if (!SameHeader(*their_base, tip) || !SameHeader(*their_tip, tip)) return false;
  }
  return true;
}

std::optional<double> CosineOf(double dot, double a_squared, double b_squared) {
  if (!(a_squared > 0) || !(b_squared > 0)) return std::nullopt;
  return std::clamp(dot / (std::sqrt(a_squared) * std::sqrt(b_squared)), -1.0, 1.0);
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

class Collector {
 public:
  Collector(const ObjectStore& objects, const Side& own, std::vector<Side> others,
            const ProgressSink& progress)
      : objects_(objects),
        own_(own),
        others_(std::move(others)),
        progress_(progress),
        distances_(others_.size() + 1) {}

  Result<UpdateEvidence> Run() {
    for (const auto& [key, tip] : *own_.tip) {
      const TensorRef* const base = Find(*own_.base, key);
      if (base == nullptr || !SameHeader(*base, tip)) continue;
      FLAIR_DO(Report(
          progress_,
          {.phase = "measuring", .item = key.second, .done_bytes = done_bytes_, .total_bytes = 0}));
      FLAIR_DO(Tensor(key, *base, tip));
    }
    evidence_.update_norm = std::sqrt(total_.update);
    evidence_.base_norm = std::sqrt(total_.base);
    evidence_.max_abs = total_.max_abs;
    evidence_.cosine = Cosine(total_);
    evidence_.num_compared = others_.size();
    Compare();
    return std::move(evidence_);
  }

 private:
  std::optional<double> Cosine(const UpdateSums& sums) const {
    return others_.empty() ? CosineOf(sums.tip_dot_base, sums.tip, sums.base)
                           : CosineOf(sums.update_dot_mean, sums.update, sums.mean);
  }

  Status Tensor(const TensorKey& key, const TensorRef& base, const TensorRef& tip) {
    CombineInputs in;
    in.name = key.first + ":" + key.second;
    in.dtype = tip.dtype;
    in.num_elements = tip.num_elements();
    bool any_changed = base.content != tip.content;
    std::map<Digest, std::shared_ptr<const ByteSource>> open;
    const auto source = [&](const TensorRef& t) -> Result<std::shared_ptr<const ByteSource>> {
      auto& known = open[t.content.hash];
      if (known == nullptr) {
        FLAIR_TRY(known, objects_.OpenContent(t.content.hash));
        if (known->size_bytes() != t.content.size_bytes) {
          return Error(ErrorCode::kCorrupt, in.name + ": its content has another size");
        }
      }
      return known;
    };
    const auto add = [&](const TensorRef& from, const TensorRef& to) -> Status {
      FLAIR_TRY(auto before, source(from));
      FLAIR_TRY(auto after, source(to));
      in.bases.push_back(std::move(before));
      in.inputs.push_back(std::move(after));
      return OkStatus();
    };
    for (const Side& side : others_) {
      any_changed |= Find(*side.base, key)->content != Find(*side.tip, key)->content;
    }
    if (!any_changed || in.num_elements == 0) return OkStatus();
    FLAIR_DO(add(base, tip));
    for (const Side& side : others_) FLAIR_DO(add(*Find(*side.base, key), *Find(*side.tip, key)));
    in.target = in.bases[0];

    FLAIR_TRY(const UpdateSums sums, SumUpdate(in));
    total_.Add(sums);
    evidence_.num_elements += in.num_elements;
    evidence_.num_changed += sums.num_changed;
    evidence_.num_nan += sums.num_nan;
    evidence_.num_inf += sums.num_inf;
    evidence_.tensors.push_back({.path = key.first,
                                 .tensor = key.second,
                                 .num_elements = in.num_elements,
                                 .num_changed = sums.num_changed,
                                 .num_nan = sums.num_nan,
                                 .num_inf = sums.num_inf,
                                 .update_norm = std::sqrt(sums.update),
                                 .base_norm = std::sqrt(sums.base),
                                 .cosine = Cosine(sums)});
    done_bytes_ += tip.content.size_bytes;
    if (others_.empty() || !comparable_) return OkStatus();
    const Status status = distances_.Add(in);
    if (status.ok()) return OkStatus();
    if (status.error().code() != ErrorCode::kConflict) return status;
    // NaN or infinity somewhere: there are no distances.
    comparable_ = false;
    return OkStatus();
  }

  // This update (index 0) among the others.
  void Compare() {
    if (others_.empty() || !comparable_) return;
    std::vector<double> norms;
    for (std::size_t i = 1; i <= others_.size(); ++i) {
      norms.push_back(std::sqrt(distances_.squared_norm(i)));
    }
    const double typical = Median(norms);
    if (typical > 0) evidence_.norm_ratio = std::sqrt(distances_.squared_norm(0)) / typical;
    if (others_.size() < 2) return;
    const auto f = static_cast<std::uint32_t>((others_.size() - 2) / 2);
    const std::vector<double> scores = KrumScores(distances_, f);
    evidence_.krum_score = scores[0];
    evidence_.krum_median = Median(scores);
    evidence_.krum_rank = static_cast<std::size_t>(
        std::count_if(scores.begin(), scores.end(), [&](double s) { return s < scores[0]; }));
  }

  const ObjectStore& objects_;
  Side own_;
  std::vector<Side> others_;
  const ProgressSink& progress_;
  KrumDistances distances_;
  bool comparable_ = true;
  UpdateSums total_;
  UpdateEvidence evidence_;
  std::uint64_t done_bytes_ = 0;
};

// What a reviewer must know about shapes and names before any number.
Result<std::vector<std::string>> LayoutChanges(const ObjectStore& objects, const CommitId& base,
                                               const CommitId& tip) {
  FLAIR_TRY(const Tree before, ReadCommitTree(objects, base));
  FLAIR_TRY(const Tree after, ReadCommitTree(objects, tip));
  FLAIR_TRY(const auto diffs, DiffTrees(objects, before, after, {}));
  std::vector<std::string> lines;
  for (const FileDiff& file : diffs) {
    for (const TensorDiff& t : file.tensors) {
      if (t.kind == ChangeKind::kChanged || t.kind == ChangeKind::kSame) continue;
      std::string line = file.path + ": " + t.name + " ";
      line += ChangeKindName(t.kind);
      if (t.before) line += (t.after ? ", from " : ", was ") + DescribeTensor(*t.before);
      if (t.after) line += (t.before ? " to " : ", ") + DescribeTensor(*t.after);
      lines.push_back(std::move(line));
    }
  }
  return lines;
}

}  // namespace

Result<UpdateEvidence> CollectEvidence(const ObjectStore& objects, const CommitId& base,
                                       const CommitId& tip, const std::vector<OtherUpdate>& others,
                                       const ProgressSink& progress) {
  Snapshots snapshots(objects);
  Side own;
  FLAIR_TRY(own.base, snapshots.Of(base));
  FLAIR_TRY(own.tip, snapshots.Of(tip));
  std::vector<Side> comparable;
  for (const OtherUpdate& other : others) {
    Side side;
    FLAIR_TRY(side.base, snapshots.Of(other.base));
    FLAIR_TRY(side.tip, snapshots.Of(other.tip));
    if (Fits(side, own)) comparable.push_back(side);
  }
  FLAIR_TRY(std::vector<std::string> layout, LayoutChanges(objects, base, tip));
  FLAIR_TRY(UpdateEvidence evidence,
            Collector(objects, own, std::move(comparable), progress).Run());
  evidence.layout = std::move(layout);
  return evidence;
}

}  // namespace flair
