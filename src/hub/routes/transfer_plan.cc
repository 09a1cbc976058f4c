// SPDX-License-Identifier: Apache-2.0
#include "hub/routes/transfer_plan.h"

#include <set>
#include <string>
#include <unordered_set>
#include <utility>

#include "base/glob.h"
#include "object/commit.h"
#include "wire/limits.h"

namespace flair::hub {
namespace {

constexpr std::uint64_t kSealBytes = std::uint64_t{256} << 20;  // contents between two seals
constexpr std::uint32_t kHeldDepth = 64;  // how far back a have's contents are looked for

using DigestSet = std::unordered_set<Digest, DigestHash>;

// What the receiver holds, and may be named as a delta's base.
Result<DigestSet> HeldContents(const ObjectStore& objects, const wire::FetchRequest& request,
                               const std::vector<CommitId>& haves) {
  DigestSet held(request.have_contents.begin(), request.have_contents.end());
  if (request.partial || haves.empty()) return held;
  ClosureOptions options;
  options.depth = kHeldDepth;
  options.check_contents = false;
  options.absent = Absent::kList;
  FLAIR_TRY(const Closure closure, WalkClosure(objects, haves, {}, options));
  for (const ContentRef& content : closure.contents) held.insert(content.hash);
  return held;
}

Result<Closure> ClosureFor(const ObjectStore& objects, const wire::FetchRequest& request,
                           const std::vector<CommitId>& haves,
                           const AttachmentLookup& attachments) {
  ClosureOptions options;
  options.depth = request.depth;
  options.attachments = attachments;
  options.check_contents = false;  // Locate finds them or says which is absent
  if (!request.tensors_glob.empty()) {
    options.want_tensor = [glob = request.tensors_glob](std::string_view name) {
      return GlobMatch(glob, name, GlobKind::kName);
    };
  }
  FLAIR_TRY(Closure closure, WalkClosure(objects, request.wants, haves, options));
  if (!request.partial || closure.commits.empty()) return closure;
  // The new commits alone, each complete: a partial clone may lack what its haves reach.
  std::vector<CommitId> shallow = std::move(closure.shallow);
  const std::vector<CommitId> commits = closure.commits;
  options.depth = 1;
  FLAIR_TRY(closure, WalkClosure(objects, commits, {}, options));
  closure.shallow = std::move(shallow);
  return closure;
}

// Collects records in order; neighbours in a pack become one piece.
class PieceWriter {
 public:
  explicit PieceWriter(wire::FetchPlan& plan) : plan_(plan) {}

  void Add(const std::vector<RecordLocation>& records) {
    for (const RecordLocation& record : records) {
      if (!sent_.emplace(record.pack, record.offset).second) continue;
      plan_.total_bytes += record.length_bytes;
      if (!plan_.pieces.empty()) {
        wire::Piece& last = plan_.pieces.back();
        const bool fits = last.length_bytes + record.length_bytes <= wire::kPieceBytes;
        if (!last.seal && fits && last.pack == record.pack &&
            last.offset + last.length_bytes == record.offset) {
          last.length_bytes += record.length_bytes;
          continue;
        }
      }
      plan_.pieces.push_back({.pack = record.pack,
                              .offset = record.offset,
                              .length_bytes = record.length_bytes,
                              .seal = false});
    }
  }
  void Seal() {
    if (!plan_.pieces.empty()) plan_.pieces.back().seal = true;
  }

 private:
  wire::FetchPlan& plan_;
  std::set<std::pair<std::string, std::uint64_t>> sent_;
};

}  // namespace

Result<wire::FetchPlan> PlanFetch(const ObjectStore& objects, const wire::FetchRequest& request,
                                  const std::vector<CommitId>& haves,
                                  const AttachmentLookup& attachments) {
  FLAIR_TRY(Closure closure, ClosureFor(objects, request, haves, attachments));
  FLAIR_TRY(DigestSet held, HeldContents(objects, request, haves));
  if (closure.objects.size() > wire::kMaxNamed) {
    return Error(ErrorCode::kUnsupported,
                 "too many objects for one fetch: " + std::to_string(closure.objects.size()))
        .WithHint("fetch with --depth");
  }
  wire::FetchPlan plan;
  plan.objects = std::move(closure.objects);
  plan.shallow = std::move(closure.shallow);

  const auto has = [&](const Digest& hash) { return held.contains(hash); };
  PieceWriter pieces(plan);
  FLAIR_TRY(const auto object_records, objects.Locate(plan.objects, {}, has));
  pieces.Add(object_records);
  std::vector<Digest> group;
  std::uint64_t group_bytes = 0;
  const auto flush = [&]() -> Status {
    FLAIR_TRY(const auto records, objects.Locate({}, group, has));
    pieces.Add(records);
    pieces.Seal();
    held.insert(group.begin(), group.end());
    group.clear();
    group_bytes = 0;
    return OkStatus();
  };
  for (const ContentRef& content : closure.contents) {
    if (held.contains(content.hash)) continue;
    group.push_back(content.hash);
    group_bytes += content.size_bytes;
    if (group_bytes >= kSealBytes) FLAIR_DO(flush());
  }
  FLAIR_DO(flush());
  if (plan.pieces.size() > wire::kMaxPieces) {
    return Error(ErrorCode::kUnsupported, "too many records for one fetch")
        .WithHint("fetch with --depth");
  }
  return plan;
}

}  // namespace flair::hub
