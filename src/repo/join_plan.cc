// The planning half of TreeJoin: from trees and file objects alone.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <set>

#include "repo/history.h"
#include "repo/join_trees.h"
#include "repo/zip_checksums.h"

namespace flair {

// The entries of one path on every side; nullptr where it is absent.
struct TreeJoin::Versions {
  std::string path;
  const TreeEntry* target = nullptr;
  std::vector<const TreeEntry*> inputs;
  std::vector<const TreeEntry*> bases;
};

namespace {

// A tree cannot hold the same path as file and as folder: seen before writing.
bool Same(const TreeEntry* a, const TreeEntry* b) {
  if (a == nullptr || b == nullptr) return a == b;
  return *a == *b;
}

bool HasTensors(const File& file) {
  return std::any_of(file.segments.begin(), file.segments.end(),
                     [](const Segment& s) { return std::holds_alternative<TensorSegment>(s); });
}

using TensorsByName = std::map<std::string_view, const TensorRef*>;

TensorsByName ByName(const File& file) {
  TensorsByName out;
  for (const Segment& s : file.segments) {
    if (const auto* t = std::get_if<TensorSegment>(&s)) out.emplace(t->name, &t->tensor);
  }
  return out;
}

const TensorRef* Find(const TensorsByName& tensors, std::string_view name) {
  const auto found = tensors.find(name);
  return found == tensors.end() ? nullptr : found->second;
}

std::vector<const BlobSegment*> Blobs(const File& file) {
  std::vector<const BlobSegment*> out;
  for (const Segment& s : file.segments) {
    if (const auto* b = std::get_if<BlobSegment>(&s)) out.push_back(b);
  }
  return out;
}

bool SameBlobs(const File& a, const File& b) {
  const auto left = Blobs(a);
  const auto right = Blobs(b);
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](const BlobSegment* x, const BlobSegment* y) { return *x == *y; });
}

bool SameInline(const File& a, const File& b) {
  const auto next = [](const File& f, std::size_t& i) -> const InlineSegment* {
    for (; i < f.segments.size(); ++i) {
      if (const auto* s = std::get_if<InlineSegment>(&f.segments[i])) return ++i, s;
    }
    return nullptr;
  };
  std::size_t i = 0;
  std::size_t j = 0;
  while (true) {
    const InlineSegment* const x = next(a, i);
    const InlineSegment* const y = next(b, j);
    if (x == nullptr || y == nullptr) return x == y;
    if (!(*x == *y)) return false;
  }
}

bool SameHeader(const TensorRef* a, const TensorRef* b) {
  if (a == nullptr || b == nullptr) return a == b;
  return a->dtype == b->dtype && a->dims == b->dims;
}

}  // namespace

void TreeJoin::AddConflict(const std::string& path, const std::string& tensor,
                           ConflictReason reason, const std::string& detail) {
  std::string text(ConflictReasonText(reason));
  if (!detail.empty()) text += ": " + detail;
  conflicts_.push_back({.path = path, .tensor = tensor, .reason = text, .kind = reason});
}

TensorPlan TreeJoin::PlanOne(const TensorSides& sides) const {
  const TensorRole role = RoleOf(request_.rule.roles, sides.name);
  if (request_.both_changed == BothChanged::kMethod) return PlanTensor(sides, request_.rule, role);

  // What one side alone changed moves whatever its role is: states are restored whole.
  TensorPlan plan = PlanTensor(sides, request_.rule, TensorRole::kTrainable);
  const bool unresolved = plan.action == TensorAction::kCombine ||
                          plan.reason == ConflictReason::kIntegersDiffer ||
                          plan.reason == ConflictReason::kNotFloat;
  if (!unresolved) return plan;
  if (request_.both_changed == BothChanged::kConflict) {
    plan.action = TensorAction::kConflict;
    plan.reason = ConflictReason::kChangedSince;
    plan.detail.clear();
  } else if (role != TensorRole::kTrainable && role != TensorRole::kFrozen) {
    plan = TensorPlan();
    plan.name = sides.name;
    plan.role = role;
  }
  return plan;
}

// Returns whether every version but the target's can be written over its layout.
bool TreeJoin::PlanTensors(const Versions& versions, const Model& model,
                           std::vector<TensorJob>& jobs) {
  const TensorsByName target = ByName(model.target);
  std::vector<TensorsByName> inputs;
  std::vector<TensorsByName> bases;
  std::set<std::string_view> names;
  const auto add = [&](const TensorsByName& tensors) {
    for (const auto& [name, tensor] : tensors) names.insert(name);
  };
  add(target);
  for (const File& f : model.inputs) add(inputs.emplace_back(ByName(f)));
  for (const File& f : model.bases) add(bases.emplace_back(ByName(f)));

  bool fits = true;
  for (const std::string_view name : names) {
    TensorSides sides;
    sides.name = name;
    sides.target = Find(target, name);
    for (const auto& t : inputs) sides.inputs.push_back(Find(t, name));
    for (const auto& t : bases) sides.bases.push_back(Find(t, name));
    sides.input_names = request_.input_names;
    TensorPlan plan = PlanOne(sides);
    if (plan.action == TensorAction::kConflict) {
      AddConflict(versions.path, plan.name, plan.reason, plan.detail);
      continue;
    }
    if (plan.action == TensorAction::kTake) {
      fits &= SameHeader(sides.inputs[plan.input], sides.target);
    }
    if (plan.action == TensorAction::kTakeBase) {
      fits &= SameHeader(sides.bases[plan.input], sides.target);
    }
    jobs.push_back({.plan = std::move(plan),
                    .target = sides.target,
                    .inputs = std::move(sides.inputs),
                    .bases = std::move(sides.bases)});
  }
  return fits;
}

// The target's bytes around the tensors serve the joined file, too, unless opaque parts
// were changed by an input.
bool TreeJoin::CheckRest(const Versions& versions, const Model& model) {
  if (HasZipChecksums(model.target.format)) {
    if (const Status status = CheckZipChecksums(model.target); !status.ok()) {
      AddConflict(versions.path, "", ConflictReason::kLayoutDiffers, status.error().message());
      return false;
    }
  }
  for (std::size_t i = 0; i < model.inputs.size(); ++i) {
    const File& input = model.inputs[i];
    const std::string who = "input " + request_.input_names[i];
    if (input.format != model.target.format) {
      AddConflict(versions.path, "", ConflictReason::kLayoutDiffers,
                  who + " has another file format than the target");
      return false;
    }
    if (!SameBlobs(input, model.target) && !SameBlobs(input, model.bases[i])) {
      AddConflict(versions.path, "", ConflictReason::kLayoutDiffers,
                  who + " changes bytes outside the tensors");
      return false;
    }
    // An archive's header differs whenever its tensors do, by their checksums.
    if (!HasZipChecksums(input.format) && !SameInline(input, model.target) &&
        !SameInline(input, model.bases[i])) {
      notes_.push_back(versions.path + ": the header of " + who + " differs; the target's is kept");
    }
  }
  return true;
}

Status TreeJoin::PlanModel(const Versions& versions, Model model) {
  // The jobs point into the files: they need their final place first.
  models_.push_back(std::make_unique<Model>(std::move(model)));
  const Model& kept = *models_.back();
  const std::size_t conflicts_before = conflicts_.size();
  std::vector<TensorJob> jobs;
  const bool fits = PlanTensors(versions, kept, jobs);
  if (conflicts_.size() > conflicts_before) return OkStatus();

  // One input, and the target is where it started: every tensor of it, then the file.
  const bool whole = request_.inputs.size() == 1 && Same(versions.bases[0], versions.target) &&
                     std::all_of(jobs.begin(), jobs.end(), [](const TensorJob& job) {
                       if (job.plan.action == TensorAction::kTake) return true;
                       const TensorRef* const other = job.inputs[0];
                       const bool equal = (job.target == nullptr || other == nullptr)
                                              ? job.target == other
                                              : *job.target == *other;
                       return job.plan.action == TensorAction::kKeep && equal;
                     });
  for (const TensorJob& job : jobs) {
    switch (job.plan.action) {
      case TensorAction::kKeep:
        ++num_kept_;
        break;
      case TensorAction::kTake:
      case TensorAction::kTakeBase:
        ++num_taken_;
        break;
      default:
        ++num_combined_;
        total_bytes_ += job.target->content.size_bytes;
    }
  }
  if (whole) {
    paths_.push_back({.path = versions.path, .entry = *versions.inputs[0], .tensors = {}});
    return OkStatus();
  }
  if (!fits) {
    AddConflict(versions.path, "", ConflictReason::kLayoutDiffers,
                "tensors were added, removed or reshaped on one side only");
    return OkStatus();
  }
  if (!CheckRest(versions, kept)) return OkStatus();
  PathJob path{
      .path = versions.path, .entry = *versions.target, .tensors = {}, .model = models_.size() - 1};
  for (TensorJob& job : jobs) {
    path.tensors.push_back(jobs_.size());
    jobs_.push_back(std::move(job));
  }
  paths_.push_back(std::move(path));
  return OkStatus();
}

// A path that is no model on every side, and that some input changed.
void TreeJoin::PlanWhole(const Versions& versions) {
  const auto use = [&](const TreeEntry* entry) {
    PathJob job{.path = versions.path, .entry = std::nullopt, .tensors = {}};
    if (entry != nullptr) job.entry = *entry;
    paths_.push_back(std::move(job));
  };
  const TreeEntry* agreed = nullptr;
  bool any = false;
  bool joined = true;
  for (std::size_t i = 0; i < versions.inputs.size(); ++i) {
    const TreeEntry* const input = versions.inputs[i];
    if (Same(input, versions.bases[i]) || Same(input, versions.target)) continue;
    joined &= Same(versions.bases[i], versions.target);
    joined &= !any || Same(input, agreed);
    agreed = input;
    any = true;
  }
  if (joined) return use(agreed);
  if (request_.both_changed == BothChanged::kMethod) {
    switch (request_.rule.method) {
      case MergeMethod::kOurs:
        return use(versions.target);
      case MergeMethod::kTheirs:
        return use(versions.inputs[0]);
      case MergeMethod::kBase:
        return use(versions.bases[0]);
      default:
        break;
    }
  }
  AddConflict(versions.path, "",
              request_.both_changed == BothChanged::kConflict ? ConflictReason::kChangedSince
                                                              : ConflictReason::kFileDiffers,
              "");
}

Status TreeJoin::PlanPath(const std::string& path) {
  Versions versions;
  versions.path = path;
  versions.target = request_.target.Find(path);
  bool any_new = false;
  bool everywhere = versions.target != nullptr;
  for (std::size_t i = 0; i < request_.inputs.size(); ++i) {
    versions.inputs.push_back(request_.inputs[i].Find(path));
    versions.bases.push_back(request_.bases[i].Find(path));
    everywhere &= versions.inputs[i] != nullptr && versions.bases[i] != nullptr;
    any_new |=
        !Same(versions.inputs[i], versions.bases[i]) && !Same(versions.inputs[i], versions.target);
  }
  if (!any_new) {
    if (versions.target != nullptr) {
      paths_.push_back({.path = path, .entry = *versions.target, .tensors = {}});
    }
    return OkStatus();
  }
  if (everywhere) {
    Model model;
    FLAIR_TRY(model.target, ReadFileObject(*objects_, versions.target->file));
    bool models = HasTensors(model.target);
    for (std::size_t i = 0; models && i < versions.inputs.size(); ++i) {
      FLAIR_TRY(File input, ReadFileObject(*objects_, versions.inputs[i]->file));
      FLAIR_TRY(File base, ReadFileObject(*objects_, versions.bases[i]->file));
      models = HasTensors(input) && HasTensors(base);
      model.inputs.push_back(std::move(input));
      model.bases.push_back(std::move(base));
    }
    if (models) return PlanModel(versions, std::move(model));
  }
  PlanWhole(versions);
  return OkStatus();
}

Result<TreeJoin> TreeJoin::Plan(const ObjectStore& objects, JoinRequest request) {
  TreeJoin join(objects, std::move(request));
  std::set<std::string> paths;
  const auto add = [&](const Tree& tree) {
    for (const TreeEntry& entry : tree.entries) paths.insert(entry.path);
  };
  add(join.request_.target);
  for (const Tree& tree : join.request_.inputs) add(tree);
  for (const Tree& tree : join.request_.bases) add(tree);
  for (const std::string& path : paths) FLAIR_DO(join.PlanPath(path));
  return join;
}

}  // namespace flair
