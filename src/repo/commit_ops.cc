// SPDX-License-Identifier: Apache-2.0
#include "repo/commit_ops.h"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <cmath>

#include "base/utf8.h"
#include "repo/closure.h"
#include "repo/extent.h"
#include "repo/history.h"
#include "repo/oplog.h"

namespace flair {
namespace {

Error Invalid(std::string message) {
  return Error(ErrorCode::kInvalidArgument, std::move(message));
}

Status CheckMessage(const std::string& message) {
  if (message.find_first_not_of(" \t\r\n") == std::string::npos) {
    return Invalid("the commit message is empty").WithHint("say what changed: -m MSG");
  }
  if (message.size() > kMaxMessageBytes) {
    return Invalid("the commit message has " + std::to_string(message.size()) +
                   " bytes; the limit is " + std::to_string(kMaxMessageBytes));
  }
  if (!IsValidUtf8(message)) return Invalid("the commit message is not UTF-8");
  return OkStatus();
}

Status SortAndCheck(std::vector<Metric>& metrics) {
  if (metrics.size() > kMaxMetrics) {
    return Invalid(std::to_string(metrics.size()) + " metrics; the limit is " +
                   std::to_string(kMaxMetrics));
  }
  std::sort(metrics.begin(), metrics.end(),
            [](const Metric& a, const Metric& b) { return a.name < b.name; });
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    const Metric& metric = metrics[i];
    if (metric.name.empty() || metric.name.size() > kMaxNameBytes || !IsValidUtf8(metric.name)) {
      return Invalid("metric '" + metric.name.substr(0, 100) + "' has no usable name");
    }
    if (!std::isfinite(metric.value)) return Invalid("metric '" + metric.name + "' is not finite");
    if (i > 0 && metrics[i - 1].name == metric.name) {
      return Invalid("metric '" + metric.name + "' appears twice");
    }
  }
  return OkStatus();
}

Result<std::optional<TrainingRecord>> RecordOf(const CommitRequest& request) {
  std::optional<TrainingRecord> record = request.training;
  if (!record && request.metrics.empty() && !request.num_samples && !request.data_card) {
    return record;
  }
  if (!record) record.emplace();
  if (request.num_samples) record->num_samples = *request.num_samples;
  if (record->num_samples > kMaxSamples) {
    return Error(ErrorCode::kInvalidArgument, std::to_string(record->num_samples) +
                                                  " samples are over the limit of " +
                                                  std::to_string(kMaxSamples));
  }
  if (request.data_card) record->data_card = *request.data_card;
  if (!request.metrics.empty()) record->metrics = request.metrics;
  FLAIR_DO(SortAndCheck(record->metrics));
  return record;
}

// Metrics are numbers by name and nothing else; repeated names are refused.
struct MetricsHandler {
  static constexpr std::size_t max_object_size = kMaxMetrics;
  static constexpr std::size_t max_array_size = 0;
  static constexpr std::size_t max_key_size = kMaxNameBytes;
  static constexpr std::size_t max_string_size = 0;
  using Text = boost::json::string_view;
  using Code = boost::json::error_code;

  std::vector<Metric> metrics;
  std::string key;
  int depth = 0;
  bool is_number = false;

  bool Number(double v, Code& code) {
    if (depth != 1) return Refuse(code);
    metrics.push_back({std::move(key), v});
    key.clear();
    return true;
  }
  static bool Refuse(Code& code) {
    code = boost::json::error::not_number;
    return false;
  }
  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code& code) { return ++depth == 1 || Refuse(code); }
  bool on_object_end(std::size_t, Code&) {
    --depth;
    return true;
  }
  bool on_array_begin(Code& code) { return Refuse(code); }
  bool on_array_end(std::size_t, Code& code) { return Refuse(code); }
  bool on_key_part(Text s, std::size_t, Code&) {
    key.append(s.data(), s.size());
    return true;
  }
  bool on_key(Text s, std::size_t, Code&) {
    key.append(s.data(), s.size());
    return true;
  }
  bool on_string_part(Text, std::size_t, Code& code) { return Refuse(code); }
  bool on_string(Text, std::size_t, Code& code) { return Refuse(code); }
  bool on_number_part(Text, Code&) { return true; }
  bool on_int64(std::int64_t v, Text, Code& code) { return Number(static_cast<double>(v), code); }
  bool on_uint64(std::uint64_t v, Text, Code& code) { return Number(static_cast<double>(v), code); }
  bool on_double(double v, Text, Code& code) { return Number(v, code); }
  bool on_bool(bool, Code& code) { return Refuse(code); }
  bool on_null(Code& code) { return Refuse(code); }
  bool on_comment_part(Text, Code&) { return true; }
  bool on_comment(Text, Code&) { return true; }
};

Status ListAttachment(Repository& repo, const AttachmentId& id, const Attachment& attachment) {
  FLAIR_TRY(Statement write,
            repo.db().Prepare("INSERT OR IGNORE INTO attachments VALUES(?, ?, ?)"));
  return write.Bind(1, attachment.subject.digest)
      .Bind(2, id.digest)
      .Bind(3, static_cast<std::int64_t>(attachment.kind))
      .Run();
}

// Of an attachment that claims to belong to a commit held here.
Status CheckAttachment(Repository& repo, const Attachment& attachment) {
  if (!repo.objects().HasObject(ObjectKind::kCommit, attachment.subject.digest)) {
    return Error(ErrorCode::kNotFound,
                 "commit " + attachment.subject.Short() + ", which it is about, is not here");
  }
  if (attachment.kind != AttachmentKind::kSignature) return VerifyAttachment(attachment);
  FLAIR_TRY(const Commit commit, ReadCommit(repo.objects(), attachment.subject));
  return VerifyCommitSignature(commit, attachment);
}

}  // namespace

Result<CommitId> CreateCommit(Repository& repo, const CommitRequest& request,
                              const Keypair& author) {
  FLAIR_DO(CheckMessage(request.message));
  FLAIR_TRY(auto record, RecordOf(request));
  FLAIR_TRY(const auto lock, repo.LockForWriting());
  FLAIR_DO(CheckCanStage(repo));
  FLAIR_TRY(const Head head, ReadHead(repo));
  FLAIR_TRY(const Tree tree, ReadStaging(repo));

  Commit commit;
  commit.tree = IdOf(tree);
  commit.author = author.wallet();
  const std::int64_t now_s = repo.env().NowSeconds();
  commit.time_s =
      request.time_s.value_or(static_cast<std::uint64_t>(std::max<std::int64_t>(0, now_s)));
  if (commit.time_s > kMaxTimeSeconds) return Invalid("the commit's time is beyond the year 9999");
  commit.message = request.message;
  commit.training = std::move(record);
  if (head.commit) {
    commit.parents.push_back(*head.commit);
    FLAIR_TRY(const Commit parent, ReadCommit(repo.objects(), *head.commit));
    if (parent.tree == commit.tree && request.empty == EmptyCommit::kRefuse) {
      return Invalid("nothing is staged that HEAD does not hold").WithHint("'flair add' first");
    }
  } else if (tree.entries.empty() && request.empty == EmptyCommit::kRefuse) {
    return Invalid("nothing is staged").WithHint("'flair add' first");
  }

  FLAIR_TRY(const CommitId id, StoreSignedCommit(repo, tree, commit, author));
  OperationPlan plan;
  plan.kind = "commit";
  plan.reason = commit.message.substr(0, commit.message.find('\n'));
  if (head.branch.empty()) {
    plan.head = HeadTarget{.branch = "", .commit = id};
  } else {
    plan.refs.push_back(
        {.name = head.branch, .old = head.commit, .to = id, .expect = Expect::kOld});
  }
  FLAIR_DO(Apply(repo, plan));
  return id;
}

Result<CommitId> StoreSignedCommit(Repository& repo, const Tree& tree, const Commit& commit,
                                   const Keypair& key) {
  const CommitId id = IdOf(commit);
  const Attachment signature = SignCommit(id, key, commit.time_s);
  FLAIR_TRY(const auto batch, repo.objects().Begin());
  FLAIR_DO(batch->PutObject(ObjectKind::kTree, EncodeTree(tree)));
  FLAIR_DO(batch->PutObject(ObjectKind::kCommit, EncodeCommit(commit)));
  FLAIR_DO(batch->PutObject(ObjectKind::kAttachment, EncodeAttachment(signature)));
  FLAIR_DO(batch->Commit());
  FLAIR_DO(ListAttachment(repo, IdOf(signature), signature));
  return id;
}

Result<std::vector<Metric>> ParseMetrics(std::string_view text) {
  constexpr std::size_t kMaxMetricsBytes = std::size_t{1} << 20;
  if (text.size() > kMaxMetricsBytes) return Invalid("metrics: longer than 1 MiB");
  boost::json::basic_parser<MetricsHandler> parser(boost::json::parse_options{});
  boost::json::error_code code;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), code);
  const bool trailing = text.find_first_not_of(" \t\r\n", used) != std::string_view::npos;
  if (code || !parser.done() || trailing) {
    return Invalid("metrics: an object of numbers is expected, {\"accuracy\": 0.93}; byte " +
                   std::to_string(used) + " is something else");
  }
  std::vector<Metric> metrics = std::move(parser.handler().metrics);
  if (text[text.find_first_not_of(" \t\r\n")] != '{') {
    return Invalid("metrics: an object of numbers is expected, {\"accuracy\": 0.93}");
  }
  FLAIR_DO(SortAndCheck(metrics));
  return metrics;
}

Status RegisterAttachments(Repository& repo, const std::vector<AttachmentId>& ids) {
  if (ids.empty()) return OkStatus();
  FLAIR_TRY(Transaction transaction, Transaction::Begin(repo.db()));
  for (const AttachmentId& id : ids) {
    FLAIR_TRY(const Attachment attachment, ReadAttachment(repo.objects(), id));
    Status checked = CheckAttachment(repo, attachment);
    if (!checked.ok()) return std::move(checked).error().In("attachment " + id.Short());
    FLAIR_DO(ListAttachment(repo, id, attachment));
  }
  return transaction.Commit();
}

Result<std::vector<AttachmentEntry>> ListAttachments(Repository& repo, const CommitId& commit) {
  FLAIR_TRY(Statement query,
            repo.db().Prepare("SELECT attachment_id, kind FROM attachments WHERE commit_id = ?"
                              " ORDER BY kind, attachment_id"));
  query.Bind(1, commit.digest);
  std::vector<AttachmentEntry> entries;
  for (;;) {
    FLAIR_TRY(const bool row, query.Step());
    if (!row) return entries;
    FLAIR_TRY(const Digest id, query.DigestAt(0));
    entries.push_back({AttachmentId{id}, static_cast<AttachmentKind>(query.Int(1))});
  }
}

Result<Attachment> ReadAttachment(const ObjectStore& objects, const AttachmentId& id) {
  FLAIR_TRY(const Bytes bytes, objects.ReadObject(ObjectKind::kAttachment, id.digest));
  auto attachment = DecodeAttachment(bytes);
  if (!attachment.ok()) return std::move(attachment).error().In("attachment " + id.Short());
  return attachment;
}

Status VerifyCommit(Repository& repo, const CommitId& id) {
  FLAIR_TRY(const Commit commit, ReadCommit(repo.objects(), id));
  FLAIR_TRY(const std::vector<AttachmentEntry> entries, ListAttachments(repo, id));
  std::vector<Attachment> signatures;
  for (const AttachmentEntry& entry : entries) {
    if (entry.kind != AttachmentKind::kSignature) continue;
    FLAIR_TRY(Attachment signature, ReadAttachment(repo.objects(), entry.id));
    signatures.push_back(std::move(signature));
  }
  FLAIR_DO(VerifySignatures(id, commit, signatures));
  Status complete = CheckTreeComplete(repo.objects(), commit.tree);
  if (!complete.ok()) return std::move(complete).error().In("commit " + id.Short());
  return OkStatus();
}

Status VerifySignatures(const CommitId& id, const Commit& commit,
                        const std::vector<Attachment>& signatures) {
  std::optional<Error> why;
  for (const Attachment& signature : signatures) {
    if (signature.kind != AttachmentKind::kSignature || signature.subject != id) continue;
    Status verdict = VerifyCommitSignature(commit, signature);
    if (verdict.ok()) return OkStatus();
    if (!why) why = std::move(verdict).error();
  }
  if (why) return std::move(*why).In("commit " + id.Short());
  return Error(ErrorCode::kRejected, "commit " + id.Short() + " has no signature of its author");
}

}  // namespace flair
