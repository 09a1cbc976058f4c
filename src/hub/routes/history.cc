// Commits, trees, tensors, diffs and attachments over HTTP.
// SPDX-License-Identifier: Apache-2.0
#include "repo/history.h"

#include <cmath>

#include "base/hex.h"
#include "hub/branch_policy.h"
#include "hub/meta/refs.h"
#include "hub/routes/common.h"
#include "object/attachment.h"
#include "repo/diff.h"

namespace flair::hub {
namespace {

constexpr std::size_t kMaxStatsTensors = 4096;

json::object TrainingJson(const TrainingRecord& t) {
  json::object metrics;
  for (const Metric& m : t.metrics) metrics[m.name] = m.value;
  return {{"first_step", t.first_step},
          {"steps", t.num_steps},
          {"samples", t.num_samples},
          {"framework", t.framework},
          {"metrics", std::move(metrics)}};
}

json::object RecipeJson(const MergeRecipe& m) {
  json::array alpha;
  for (const std::uint32_t a : m.alpha) alpha.push_back(static_cast<double>(a) / (1 << 24));
  json::object parameters;
  for (const auto& [key, value] : m.parameters) parameters[key] = value;
  return {{"method", m.method},
          {"base", m.base.ToHex()},
          {"weights", std::move(alpha)},
          {"parameters", std::move(parameters)}};
}

std::string_view LineageText(LineageKind kind) {
  switch (kind) {
    case LineageKind::kRevertHistory:
      return "revert-history";
    case LineageKind::kRevertSubtract:
      return "revert-subtract";
    case LineageKind::kCherryPick:
      return "cherry-pick";
  }
  return "unknown";
}

json::object CommitJson(const CommitId& id, const Commit& c) {
  json::array parents;
  for (const CommitId& p : c.parents) parents.emplace_back(p.ToHex());
  json::object out{{"id", id.ToHex()},
                   {"tree", c.tree.ToHex()},
                   {"parents", std::move(parents)},
                   {"author", c.author.ToBase58()},
                   {"time", TimeText(static_cast<std::int64_t>(c.time_s))},
                   {"message", c.message}};
  if (c.training) out["training"] = TrainingJson(*c.training);
  if (c.merge) out["merge"] = RecipeJson(*c.merge);
  json::array lineage;
  for (const Lineage& l : c.lineage) {
    lineage.push_back(
        json::object{{"kind", std::string(LineageText(l.kind))}, {"commit", l.commit.ToHex()}});
  }
  if (!lineage.empty()) out["lineage"] = std::move(lineage);
  return out;
}

Result<Response> GetCommits(HubContext& hub, Call& call) {
  FLAIR_TRY(const std::int64_t limit, NumberQuery(call.request, "limit", 50, 1000));
  const std::string* ref = call.request.Query("ref");
  const std::string name = ref != nullptr ? *ref : call.repo->default_branch;
  auto resolved = Query(hub.db, [&](Database& db) -> Result<std::optional<CommitId>> {
    if (ref == nullptr) return ReadRef(db, call.repo->id, "heads/" + name);
    FLAIR_TRY(const CommitId id, ResolveCommit(db, call.repo->id, name));
    return std::optional(id);
  });
  FLAIR_TRY(const std::optional<CommitId> tip, std::move(resolved));
  json::array out;
  if (tip && limit > 0) {
    FLAIR_TRY(const auto store, StoreOf(hub, call));
    History history(store->objects());
    const std::vector<CommitId> tips = {*tip};
    FLAIR_TRY(const std::vector<LogEntry> log, history.Log(tips, static_cast<std::size_t>(limit)));
    for (const LogEntry& entry : log) out.push_back(CommitJson(entry.id, entry.commit));
  }
  return JsonResponse(json::object{{"commits", std::move(out)}});
}

Result<Response> GetCommit(HubContext& hub, Call& call) {
  FLAIR_TRY(const CommitId id, CommitParameter(hub, call, "commit"));
  FLAIR_TRY(const auto store, StoreOf(hub, call));
  FLAIR_TRY(const Commit commit, ReadCommit(store->objects(), id));
  json::object out = CommitJson(id, commit);
  out["body"] = ToHex(EncodeCommit(commit));
  return JsonResponse(out);
}

Result<Response> GetTree(HubContext& hub, Call& call) {
  FLAIR_TRY(const CommitId id, CommitParameter(hub, call, "commit"));
  FLAIR_TRY(const auto store, StoreOf(hub, call));
  FLAIR_TRY(const Tree tree, ReadCommitTree(store->objects(), id));
  json::array entries;
  for (const TreeEntry& e : tree.entries) {
    entries.push_back(json::object{{"path", e.path},
                                   {"file", e.file.ToHex()},
                                   {"size_bytes", e.size_bytes},
                                   {"executable", e.mode == FileMode::kExecutable}});
  }
  return JsonResponse(json::object{{"commit", id.ToHex()}, {"entries", std::move(entries)}});
}

json::array Dims(const TensorRef& t) {
  json::array dims;
  for (const std::uint64_t d : t.dims) dims.emplace_back(d);
  return dims;
}

json::object TensorJson(const TensorRef& t) {
  return {{"dtype", std::string(DTypeName(t.dtype))},
          {"shape", Dims(t)},
          {"size_bytes", t.content.size_bytes},
          {"hash", t.content.hash.ToHex()}};
}

Result<Response> GetTensors(HubContext& hub, Call& call) {
  FLAIR_TRY(const CommitId id, CommitParameter(hub, call, "commit"));
  FLAIR_TRY(const auto store, StoreOf(hub, call));
  FLAIR_TRY(const Tree tree, ReadCommitTree(store->objects(), id));
  json::array out;
  for (const TreeEntry& e : tree.entries) {
    FLAIR_TRY(const File file, ReadFileObject(store->objects(), e.file));
    for (const Segment& segment : file.segments) {
      const auto* t = std::get_if<TensorSegment>(&segment);
      if (t == nullptr) continue;
      json::object o = TensorJson(t->tensor);
      o["path"] = e.path;
      o["name"] = t->name;
      out.push_back(std::move(o));
    }
  }
  return JsonResponse(json::object{{"commit", id.ToHex()}, {"tensors", std::move(out)}});
}

json::value Finite(double v) { return std::isfinite(v) ? json::value(v) : json::value(nullptr); }

json::object DiffJson(const TensorDiff& t) {
  json::object o{{"name", t.name}, {"kind", std::string(ChangeKindName(t.kind))}};
  if (t.before) o["before"] = TensorJson(*t.before);
  if (t.after) o["after"] = TensorJson(*t.after);
  if (!t.stats) return o;
  const TensorStats& s = *t.stats;
  o["stats"] = json::object{{"elements", s.num_elements},
                            {"changed", s.num_changed},
                            {"changed_share", s.changed_share()},
                            {"nan", s.num_nan},
                            {"inf", s.num_inf},
                            {"l2_before", Finite(s.l2_before)},
                            {"l2_after", Finite(s.l2_after)},
                            {"l2_delta", Finite(s.l2_delta)},
                            {"cosine", Finite(s.cosine)},
                            {"max_abs_delta", Finite(s.max_abs_delta)}};
  return o;
}

Result<Response> GetDiff(HubContext& hub, Call& call) {
  FLAIR_TRY(const CommitId a, CommitParameter(hub, call, "a"));
  FLAIR_TRY(const CommitId b, CommitParameter(hub, call, "b"));
  FLAIR_TRY(const auto store, StoreOf(hub, call));
  FLAIR_TRY(const Tree before, ReadCommitTree(store->objects(), a));
  FLAIR_TRY(const Tree after, ReadCommitTree(store->objects(), b));
  DiffOptions options;
  if (const std::string* glob = call.request.Query("tensors")) options.tensors_glob = *glob;
  if (const std::string* stats = call.request.Query("stats"); stats != nullptr && *stats == "1") {
    // Statistics read contents: bound what one request may ask for.
    FLAIR_TRY(const auto names, DiffTrees(store->objects(), before, after, options));
    std::size_t num_changed = 0;
    for (const FileDiff& f : names) num_changed += f.tensors.size();
    if (num_changed > kMaxStatsTensors) {
      return Error(ErrorCode::kUnsupported, std::to_string(num_changed) +
                                                " tensors changed; statistics are made for up to " +
                                                std::to_string(kMaxStatsTensors))
          .WithHint("narrow it: ?tensors=GLOB");
    }
    options.detail = DiffDetail::kStats;
  }
  FLAIR_TRY(const std::vector<FileDiff> diff, DiffTrees(store->objects(), before, after, options));
  json::array files;
  for (const FileDiff& f : diff) {
    json::array tensors;
    for (const TensorDiff& t : f.tensors) tensors.push_back(DiffJson(t));
    files.push_back(json::object{{"path", f.path},
                                 {"kind", std::string(ChangeKindName(f.kind))},
                                 {"rest_changed", f.rest_changed},
                                 {"tensors", std::move(tensors)}});
  }
  return JsonResponse(
      json::object{{"before", a.ToHex()}, {"after", b.ToHex()}, {"files", std::move(files)}});
}

Result<Response> GetAttachments(HubContext& hub, Call& call) {
  FLAIR_TRY(const CommitId id, CommitParameter(hub, call, "commit"));
  auto listed = Query(hub.db, [&](Database& db) -> Result<std::vector<AttachmentRow>> {
    return ListAttachments(db, call.repo->id, id);
  });
  FLAIR_TRY(const std::vector<AttachmentRow> rows, std::move(listed));
  FLAIR_TRY(const auto store, StoreOf(hub, call));
  json::array out;
  for (const AttachmentRow& row : rows) {
    FLAIR_TRY(const Bytes bytes,
              store->objects().ReadObject(ObjectKind::kAttachment, row.id.digest));
    FLAIR_TRY(const Attachment a, DecodeAttachment(bytes));
    json::object o{{"id", row.id.ToHex()},
                   {"kind", std::string(AttachmentKindName(a.kind))},
                   {"author", a.author.ToBase58()},
                   {"time", TimeText(static_cast<std::int64_t>(a.time_s))},
                   {"size_bytes", bytes.size()}};
    constexpr std::size_t kInlined = 16 * 1024;
    if (bytes.size() <= kInlined) o["bytes"] = ToHex(bytes);
    out.push_back(std::move(o));
  }
  return JsonResponse(json::object{{"commit", id.ToHex()}, {"attachments", std::move(out)}});
}

Result<Response> GetPolicy(HubContext& hub, Call& call) {
  const std::string* asked = call.request.Query("branch");
  const std::string branch = asked != nullptr ? *asked : call.repo->default_branch;
  FLAIR_TRY(const BranchPolicy policy, PolicyOfBranch(hub, *call.repo, branch));
  if (asked != nullptr && !policy.tip) {
    return Error(ErrorCode::kNotFound, "no branch '" + branch + "'");
  }
  const BranchRule rule = policy.policy.RuleFor(branch);
  json::array push;
  for (const PolicyRole role : rule.push.value) {
    push.emplace_back(role == PolicyRole::kOwner        ? "owner"
                      : role == PolicyRole::kMaintainer ? "maintainer"
                                                        : "contributor");
  }
  json::object out{{"branch", branch},
                   {"text", policy.text},
                   {"push", std::move(push)},
                   {"reviews", rule.reviews.value},
                   {"min_samples", policy.policy.min_samples.value},
                   {"min_contributions", policy.policy.min_contributions.value}};
  out["commit"] = policy.tip ? json::value(policy.tip->ToHex()) : json::value(nullptr);
  out["methods"] = policy.policy.merge_methods
                       ? json::value(wire::ToArray(policy.policy.merge_methods->value))
                       : json::value(nullptr);
  return JsonResponse(out);
}

}  // namespace

void AddHistoryRoutes(Handlers& handlers) {
  handlers.Add("listCommits", GetCommits);
  handlers.Add("getCommit", GetCommit);
  handlers.Add("getTree", GetTree);
  handlers.Add("getTensors", GetTensors);
  handlers.Add("getDiff", GetDiff);
  handlers.Add("listAttachments", GetAttachments);
  handlers.Add("getPolicy", GetPolicy);
}

}  // namespace flair::hub
