// SPDX-License-Identifier: Apache-2.0
#include "repo/diff.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/glob.h"
#include "repo/history.h"

namespace flair {
namespace {

using TensorsByName = std::map<std::string_view, const TensorRef*>;

TensorsByName ByName(const std::optional<File>& file) {
  TensorsByName out;
  if (!file) return out;
  for (const Segment& s : file->segments) {
    if (const auto* t = std::get_if<TensorSegment>(&s)) out.emplace(t->name, &t->tensor);
  }
  return out;
}

// Everything but the tensors, in order.
std::vector<const Segment*> Rest(const std::optional<File>& file) {
  std::vector<const Segment*> out;
  if (!file) return out;
  for (const Segment& s : file->segments) {
    if (!std::holds_alternative<TensorSegment>(s)) out.push_back(&s);
  }
  return out;
}

bool SameRest(const std::optional<File>& a, const std::optional<File>& b) {
  const auto left = Rest(a);
  const auto right = Rest(b);
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](const Segment* x, const Segment* y) { return *x == *y; });
}

ChangeKind KindOf(const TensorRef* before, const TensorRef* after) {
  if (before == nullptr) return ChangeKind::kAdded;
  if (after == nullptr) return ChangeKind::kRemoved;
  if (before->dtype != after->dtype || before->dims != after->dims) return ChangeKind::kReshaped;
  return before->content == after->content ? ChangeKind::kSame : ChangeKind::kChanged;
}

bool HasStats(DType t) { return t != DType::kC64 && t != DType::kC128; }

class Differ {
 public:
  Differ(const ObjectStore& objects, const DiffOptions& options)
      : objects_(objects), options_(options) {}

  // nullopt: nothing to list.
  Result<std::optional<FileDiff>> Path(const std::string& path, const TreeEntry* before,
                                       const TreeEntry* after) {
    FileDiff diff;
    diff.path = path;
    if (before != nullptr) diff.before = *before;
    if (after != nullptr) diff.after = *after;
    diff.kind = before == nullptr   ? ChangeKind::kAdded
                : after == nullptr  ? ChangeKind::kRemoved
                : *before == *after ? ChangeKind::kSame
                                    : ChangeKind::kChanged;
    if (diff.kind == ChangeKind::kSame && !options_.include_same) {
      return std::optional<FileDiff>();
    }
    std::optional<File> old_file;
    std::optional<File> new_file;
    if (before != nullptr) {
      FLAIR_TRY(old_file, ReadFileObject(objects_, before->file));
    }
    if (after != nullptr) {
      FLAIR_TRY(new_file, ReadFileObject(objects_, after->file));
    }
    diff.rest_changed = !SameRest(old_file, new_file);
    FLAIR_DO(Tensors(ByName(old_file), ByName(new_file), diff));
    // With a glob, only files that hold a tensor of that name are of interest.
    if (!options_.tensors_glob.empty() && diff.tensors.empty()) return std::optional<FileDiff>();
    return std::optional(std::move(diff));
  }

 private:
  Status Tensors(const TensorsByName& before, const TensorsByName& after, FileDiff& diff) {
    std::set<std::string_view> names;
    for (const auto& [name, tensor] : before) names.insert(name);
    for (const auto& [name, tensor] : after) names.insert(name);
    for (const std::string_view name : names) {
      if (!options_.tensors_glob.empty() &&
          !GlobMatch(options_.tensors_glob, name, GlobKind::kName)) {
        continue;
      }
      const auto old_at = before.find(name);
      const auto new_at = after.find(name);
      const TensorRef* const old_tensor = old_at == before.end() ? nullptr : old_at->second;
      const TensorRef* const new_tensor = new_at == after.end() ? nullptr : new_at->second;
      TensorDiff tensor;
      tensor.name = name;
      tensor.kind = KindOf(old_tensor, new_tensor);
      if (tensor.kind == ChangeKind::kSame && !options_.include_same) continue;
      if (old_tensor != nullptr) tensor.before = *old_tensor;
      if (new_tensor != nullptr) tensor.after = *new_tensor;
      if (options_.detail != DiffDetail::kNames && tensor.kind == ChangeKind::kChanged &&
          HasStats(new_tensor->dtype)) {
        FLAIR_DO(Report(
            options_.progress,
            {.phase = "comparing", .item = name, .done_bytes = done_bytes_, .total_bytes = 0}));
        const std::size_t bins =
            options_.detail == DiffDetail::kHistogram ? options_.histogram_bins : 0;
        auto stats = CompareTensors(objects_, *old_tensor, *new_tensor, bins);
        if (!stats.ok()) return std::move(stats).error().In(diff.path + ":" + tensor.name);
        tensor.stats = std::move(stats).value();
        done_bytes_ += new_tensor->content.size_bytes;
      }
      diff.tensors.push_back(std::move(tensor));
    }
    return OkStatus();
  }

  const ObjectStore& objects_;
  const DiffOptions& options_;
  std::uint64_t done_bytes_ = 0;
};

}  // namespace

std::string_view ChangeKindName(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::kSame:
      return "same";
    case ChangeKind::kAdded:
      return "added";
    case ChangeKind::kRemoved:
      return "removed";
    case ChangeKind::kReshaped:
      return "reshaped";
    case ChangeKind::kChanged:
      return "changed";
  }
  return "unknown";
}

Result<std::vector<FileDiff>> DiffTrees(const ObjectStore& objects, const Tree& before,
                                        const Tree& after, const DiffOptions& options) {
  std::set<std::string> paths;
  for (const TreeEntry& entry : before.entries) paths.insert(entry.path);
  for (const TreeEntry& entry : after.entries) paths.insert(entry.path);
  Differ differ(objects, options);
  std::vector<FileDiff> out;
  for (const std::string& path : paths) {
    FLAIR_TRY(auto diff, differ.Path(path, before.Find(path), after.Find(path)));
    if (diff) out.push_back(*std::move(diff));
  }
  return out;
}

}  // namespace flair
