// SPDX-License-Identifier: Apache-2.0
#include "repo/commit_ops.h"

#include <algorithm>
#include <cmath>

#include "repo/closure.h"
#include "repo/history.h"
#include "repo/oplog.h"
#include "repo/staging.h"

namespace flair {
namespace {

std::string FirstLine(const std::string& message) { return message.substr(0, message.find('\n')); }

// Without blank lines and spaces at the end: what an editor leaves.
std::string Tidy(std::string message) {
  while (!message.empty() && (message.back() == '\n' || message.back() == ' ' ||
                              message.back() == '\r' || message.back() == '\t')) {
    message.pop_back();
  }
  return message;
}

Status ListAttachment(Repository& repo, const AttachmentId& id, const Attachment& a) {
  FLAIR_TRY(Statement write,
            repo.db().Prepare("INSERT OR IGNORE INTO attachments VALUES(?, ?, ?)"));
  return write.Bind(1, a.subject.digest)
      .Bind(2, id.digest)
      .Bind(3, static_cast<std::int64_t>(a.kind))
      .Run();
}

// False signatures never enter the list, whichever way they came.
Status CheckAttachment(const ObjectStore& objects, const Attachment& a) {
  FLAIR_TRY(const Commit commit, ReadCommit(objects, a.subject));
  if (a.kind == AttachmentKind::kSignature) return VerifyCommitSignature(commit, a);
  return VerifyAttachment(a);
}

// A limit that a request exceeds is the caller's mistake, not damage.
Status CheckEncodable(const Commit& commit) {
  const auto decoded = DecodeCommit(EncodeCommit(commit));
  if (decoded.ok()) return OkStatus();
  return Error(ErrorCode::kInvalidArgument, decoded.error().message());
}

std::optional<TrainingRecord> TrainingOf(const CommitRequest& request) {
  if (!request.training && request.metrics.empty() && !request.num_samples && !request.data_card) {
    return std::nullopt;
  }
  TrainingRecord record = request.training.value_or(TrainingRecord{});
  if (!request.metrics.empty()) record.metrics = request.metrics;
  if (request.num_samples) record.num_samples = *request.num_samples;
  if (request.data_card) record.data_card = request.data_card;
  std::sort(record.metrics.begin(), record.metrics.end(),
            [](const Metric& a, const Metric& b) { return a.name < b.name; });
  return record;
}

}  // namespace

Result<CommitId> CreateCommit(Repository& repo, const CommitRequest& request,
                              const Keypair& author) {
  FLAIR_TRY(const auto lock, repo.LockForWriting());
  FLAIR_TRY(const Head head, ReadHead(repo));
  FLAIR_TRY(const Tree tree, ReadStaging(repo));
  Commit commit;
  commit.message = Tidy(request.message);
  if (commit.message.empty()) {
    return Error(ErrorCode::kInvalidArgument, "the message is empty")
        .WithHint("say what changed and why: flair commit -m MESSAGE");
  }
  for (const Metric& metric : request.metrics) {
    if (!std::isfinite(metric.value)) {
      return Error(ErrorCode::kInvalidArgument, "metric '" + metric.name + "' is not finite");
    }
  }
  Tree before;
  if (head.commit) {
    FLAIR_TRY(before, ReadCommitTree(repo.objects(), *head.commit));
    commit.parents.push_back(*head.commit);
  }
  if (before == tree && request.empty == EmptyCommit::kRefuse) {
    return Error(ErrorCode::kInvalidArgument, "nothing to commit: nothing was added")
        .WithHint("`flair status` shows what changed, `flair add` takes it");
  }
  commit.tree = IdOf(tree);
  commit.author = author.wallet();
  commit.time_s = request.time_s.value_or(static_cast<std::uint64_t>(repo.env().NowSeconds()));
  commit.training = TrainingOf(request);
  FLAIR_TRY(const CommitId id, StoreSignedCommit(repo, tree, commit, author));

  OperationPlan plan;
  plan.kind = "commit";
  plan.reason = "commit: " + FirstLine(commit.message);
  if (head.branch.empty()) {
    plan.head = HeadTarget{.branch = "", .commit = id};
  } else {
    plan.refs.push_back({.name = head.branch, .old = head.commit, .to = id});
  }
  FLAIR_DO(Apply(repo, plan));
  return id;
}

Result<CommitId> StoreSignedCommit(Repository& repo, const Tree& tree, const Commit& commit,
                                   const Keypair& key) {
  FLAIR_DO(CheckEncodable(commit));
  const CommitId id = IdOf(commit);
  const Attachment signature = SignCommit(id, key, commit.time_s);
  FLAIR_DO(VerifyCommitSignature(commit, signature));
  FLAIR_TRY(const auto batch, repo.objects().Begin());
  FLAIR_DO(batch->PutObject(ObjectKind::kTree, EncodeTree(tree)));
  FLAIR_DO(batch->PutObject(ObjectKind::kCommit, EncodeCommit(commit)));
  FLAIR_DO(batch->PutObject(ObjectKind::kAttachment, EncodeAttachment(signature)));
  FLAIR_DO(batch->Commit());
  FLAIR_DO(ListAttachment(repo, IdOf(signature), signature));
  return id;
}

Result<AttachmentId> AddAttachment(Repository& repo, const Attachment& attachment) {
  FLAIR_DO(CheckAttachment(repo.objects(), attachment));
  FLAIR_TRY(const auto batch, repo.objects().Begin());
  FLAIR_TRY(const Digest id,
            batch->PutObject(ObjectKind::kAttachment, EncodeAttachment(attachment)));
  FLAIR_DO(batch->Commit());
  FLAIR_DO(ListAttachment(repo, AttachmentId{id}, attachment));
  return AttachmentId{id};
}

Status RegisterAttachments(Repository& repo, const std::vector<AttachmentId>& ids) {
  for (const AttachmentId& id : ids) {
    FLAIR_TRY(const Attachment attachment, ReadAttachment(repo.objects(), id));
    FLAIR_DO(CheckAttachment(repo.objects(), attachment));
    FLAIR_DO(ListAttachment(repo, id, attachment));
  }
  return OkStatus();
}

Result<std::vector<AttachmentEntry>> ListAttachments(Repository& repo, const CommitId& commit) {
  FLAIR_TRY(Statement query, repo.db().Prepare("SELECT attachment_id, kind FROM attachments"
                                               " WHERE commit_id = ? ORDER BY attachment_id"));
  query.Bind(1, commit.digest);
  std::vector<AttachmentEntry> entries;
  while (true) {
    FLAIR_TRY(const bool row, query.Step());
    if (!row) return entries;
    FLAIR_TRY(const Digest id, query.DigestAt(0));
    entries.push_back({.id = {id}, .kind = static_cast<AttachmentKind>(query.Int(1))});
  }
}

Result<Attachment> ReadAttachment(const ObjectStore& objects, const AttachmentId& id) {
  FLAIR_TRY(const Bytes bytes, objects.ReadObject(ObjectKind::kAttachment, id.digest));
  return DecodeAttachment(bytes);
}

Status VerifyCommit(Repository& repo, const CommitId& id) {
  FLAIR_TRY(const Commit commit, ReadCommit(repo.objects(), id));
  FLAIR_TRY(const auto entries, ListAttachments(repo, id));
  std::vector<Attachment> signatures;
  for (const AttachmentEntry& entry : entries) {
    if (entry.kind != AttachmentKind::kSignature) continue;
    FLAIR_TRY(Attachment attachment, ReadAttachment(repo.objects(), entry.id));
    signatures.push_back(std::move(attachment));
  }
  FLAIR_DO(VerifySignatures(id, commit, signatures));
  return CheckTreeComplete(repo.objects(), commit.tree);
}

Status VerifySignatures(const CommitId& id, const Commit& commit,
                        const std::vector<Attachment>& signatures) {
  std::string last;
  for (const Attachment& signature : signatures) {
    Status verdict = VerifyCommitSignature(commit, signature);
    if (verdict.ok()) return verdict;
    last = verdict.error().message();
  }
  if (!last.empty()) return Error(ErrorCode::kRejected, last);
  return Error(ErrorCode::kRejected, "commit " + id.Short() + " is not signed");
}

}  // namespace flair
