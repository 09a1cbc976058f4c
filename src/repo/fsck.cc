// SPDX-License-Identifier: Apache-2.0
#include "repo/fsck.h"

#include "base/glob.h"
#include "object/attachment.h"
#include "repo/closure.h"
#include "repo/commit_ops.h"
#include "repo/config.h"
#include "repo/extent.h"
#include "repo/merge_commits.h"
#include "repo/refs.h"

namespace flair {
namespace {

// A part that fails to be read is a problem of the repository, not of the check.
void Note(FsckReport& report, const std::string& where, const Error& error) {
  report.problems.push_back(where + ": " + error.message());
}

Result<std::vector<CommitId>> CheckRefs(Repository& repo, FsckReport& report) {
  std::vector<CommitId> tips;
  FLAIR_TRY(const std::vector<Ref> refs, ListRefs(repo));
  const auto add = [&](const std::string& name, const CommitId& commit) {
    if (repo.objects().HasObject(ObjectKind::kCommit, commit.digest)) {
      tips.push_back(commit);
    } else {
      report.problems.push_back("ref " + name + ": commit " + commit.Short() + " is absent");
    }
  };
  for (const Ref& ref : refs) {
    if (const Status valid = CheckRefName(ref.name); !valid.ok()) {
      Note(report, "ref", valid.error());
    }
    add(ref.name, ref.commit);
  }
  FLAIR_TRY(const Head head, ReadHead(repo));
  if (head.commit && head.branch.empty()) add("HEAD", *head.commit);
  return tips;
}

void CheckSignature(Repository& repo, const CommitId& id, FsckReport& report) {
  const auto commit = ReadCommit(repo.objects(), id);
  if (!commit.ok()) return Note(report, "commit " + id.Short(), commit.error());
  const auto listed = ListAttachments(repo, id);
  if (!listed.ok()) return Note(report, "commit " + id.Short(), listed.error());
  std::vector<Attachment> signatures;
  for (const AttachmentEntry& entry : *listed) {
    auto attachment = ReadAttachment(repo.objects(), entry.id);
    if (!attachment.ok()) {
      Note(report, "attachment " + entry.id.Short(), attachment.error());
      continue;
    }
    if (attachment->kind == AttachmentKind::kSignature) {
      signatures.push_back(std::move(*attachment));
    } else if (const Status verdict = VerifyAttachment(*attachment); !verdict.ok()) {
      Note(report, "attachment " + entry.id.Short(), verdict.error());
    }
  }
  const Status verdict = VerifySignatures(id, *commit, signatures);
  if (!verdict.ok()) report.problems.push_back(verdict.error().message());
}

// The tree of a merge must be what its parents and its recipe give.
Status CheckMerge(Repository& repo, const CommitId& id, FsckReport& report) {
  const auto commit = ReadCommit(repo.objects(), id);
  if (!commit.ok() || !commit->merge || commit->parents.size() < 2) return OkStatus();
  const Status same = RerunMerge(repo.objects(), *commit);
  if (!same.ok() && same.error().code() == ErrorCode::kCancelled) return same;
  if (!same.ok() && same.error().code() == ErrorCode::kNotFound) {
    ++report.num_merges_skipped;  // what should be here and is not was named already
    return OkStatus();
  }
  ++report.num_merges;
  if (!same.ok()) Note(report, "merge " + id.Short(), same.error());
  return OkStatus();
}

// What a clone left out on purpose is not missing.
Result<ClosureOptions> WhatShouldBeHere(Repository& repo) {
  ClosureOptions options;
  options.absent = Absent::kList;
  options.attachments = [&repo](const CommitId& id) -> Result<std::vector<AttachmentId>> {
    FLAIR_TRY(const auto listed, ListAttachments(repo, id));
    std::vector<AttachmentId> ids;
    for (const AttachmentEntry& entry : listed) ids.push_back(entry.id);
    return ids;
  };
  FLAIR_TRY(const CloneExtent extent, ReadExtent(repo));
  if (!extent.light.empty()) options.check_contents = false;
  if (extent.partial()) {
    options.want_tensor = [glob = extent.tensors_glob](std::string_view name) {
      return GlobMatch(glob, name, GlobKind::kName);
    };
  }
  return options;
}

}  // namespace

Result<FsckReport> Fsck(Repository& repo, const ProgressSink& progress, FsckMerges merges) {
  FsckReport report;
  FLAIR_DO(Report(progress, {.phase = "verifying", .item = "packs"}));
  FLAIR_TRY(const auto damages, repo.objects().Verify());
  for (const auto& damage : damages) report.problems.push_back(damage.what);

  FLAIR_TRY(const std::vector<CommitId> tips, CheckRefs(repo, report));
  FLAIR_TRY(const ClosureOptions options, WhatShouldBeHere(repo));
  FLAIR_DO(Report(progress, {.phase = "verifying", .item = "history"}));
  FLAIR_TRY(const std::vector<CommitId> shallow, ShallowCommits(repo));
  auto closure = WalkClosure(repo.objects(), tips, {}, options);
  if (!closure.ok()) {
    Note(report, "history", closure.error());
    return report;
  }
  std::unordered_set<Digest, DigestHash> beyond;  // parents a shallow clone does not hold
  for (const CommitId& id : shallow) {
    FLAIR_TRY(const Commit commit, ReadCommit(repo.objects(), id));
    for (const CommitId& parent : commit.parents) beyond.insert(parent.digest);
  }
  for (const auto& [kind, id] : closure->absent_objects) {
    if (kind == ObjectKind::kCommit && beyond.contains(id)) continue;
    report.problems.push_back(std::string(ObjectKindName(kind)) + " " + id.ToHex() + " is absent");
  }
  for (const ContentRef& content : closure->absent_contents) {
    report.problems.push_back("content " + content.hash.ToHex() + " (" +
                              std::to_string(content.size_bytes) + " bytes) is absent");
  }
  for (const CommitId& id : closure->commits) {
    FLAIR_DO(Report(progress, {.phase = "verifying", .item = "signatures"}));
    if (repo.objects().HasObject(ObjectKind::kCommit, id.digest)) {
      CheckSignature(repo, id, report);
    }
  }
  if (merges == FsckMerges::kRunAgain) {
    for (const CommitId& id : closure->commits) {
      FLAIR_DO(Report(progress, {.phase = "merging again", .item = id.Short()}));
      FLAIR_DO(CheckMerge(repo, id, report));
    }
  }
  report.num_commits = closure->commits.size();
  report.num_objects = closure->objects.size();
  report.num_contents = closure->contents.size();
  return report;
}

}  // namespace flair
