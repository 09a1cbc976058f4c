// `flair show`: one commit, its signature and what it changed; or a file as it was there.
// SPDX-License-Identifier: Apache-2.0
#include <boost/json/object.hpp>
#include <memory>
#include <ostream>

#include "cli/objects_view.h"
#include "cli/render.h"
#include "object/file.h"
#include "repo/closure.h"
#include "repo/commit_ops.h"
#include "repo/history.h"
#include "repo/import_file.h"
#include "repo/refs.h"
#include "repo/staging.h"

namespace flair::cli {
namespace {

struct Shown {
  CommitId id;
  Commit commit;
  bool signature_good = false;
  std::string signature_problem;
  std::vector<AttachmentEntry> attachments;
  std::vector<PathChange> changes;
};

std::vector<PathChange> ChangesBetween(const Tree& before, const Tree& after) {
  std::vector<PathChange> out;
  for (const StagingChange& change : DiffEntries(before, after)) {
    const FileChange kind = !change.before  ? FileChange::kAdded
                            : !change.after ? FileChange::kDeleted
                                            : FileChange::kModified;
    out.push_back({change.path, kind});
  }
  return out;
}

Result<Shown> Collect(Repository& repo, const CommitId& id) {
  Shown shown;
  shown.id = id;
  const ObjectStore& objects = repo.objects();
  FLAIR_TRY(shown.commit, ReadCommit(objects, id));
  FLAIR_TRY(shown.attachments, ListAttachments(repo, id));
  std::vector<Attachment> signatures;
  for (const AttachmentEntry& e : shown.attachments) {
    if (e.kind != AttachmentKind::kSignature) continue;
    FLAIR_TRY(Attachment a, ReadAttachment(objects, e.id));
    signatures.push_back(std::move(a));
  }
  const Status verdict = VerifySignatures(id, shown.commit, signatures);
  shown.signature_good = verdict.ok();
  if (!verdict.ok()) shown.signature_problem = verdict.error().message();
  Tree before;
  // A shallow clone may lack the parent: then everything counts as added.
  if (!shown.commit.parents.empty() &&
      objects.HasObject(ObjectKind::kCommit, shown.commit.parents[0].digest)) {
    FLAIR_TRY(before, ReadCommitTree(objects, shown.commit.parents[0]));
  }
  FLAIR_TRY(const Tree after, ReadTree(objects, shown.commit.tree));
  shown.changes = ChangesBetween(before, after);
  return shown;
}

Result<ExitCode> ShowCommit(Session& s, Repository& repo, const CommitId& id) {
  FLAIR_TRY(const Shown shown, Collect(repo, id));
  FLAIR_TRY(const Decorations decorations, ReadDecorations(repo));
  s.out() << CommitText(id, shown.commit, DecorationText(decorations, id)) << "\n";
  s.out() << (shown.signature_good ? "signature: good\n"
                                   : "signature: " + Printable(shown.signature_problem) + "\n");
  json::array attachments;
  for (const AttachmentEntry& e : shown.attachments) {
    if (e.kind != AttachmentKind::kSignature) {
      s.out() << "attached: " << AttachmentKindName(e.kind) << " " << e.id.Short() << "\n";
    }
    attachments.push_back(json::object{{"id", e.id.ToHex()}, {"kind", AttachmentKindName(e.kind)}});
  }
  s.out() << "\n" << ChangesText(shown.changes, "");
  json::object document = CommitJson(id, shown.commit);
  document["signature_valid"] = shown.signature_good;
  document["attachments"] = std::move(attachments);
  document["changes"] = ChangesJson(shown.changes);
  s.Document(document);
  return shown.signature_good ? ExitCode::kOk : ExitCode::kIntegrity;
}

Result<ExitCode> ShowFile(Session& s, Repository& repo, const CommitId& id,
                          const std::string& path) {
  FLAIR_TRY(const Tree tree, ReadCommitTree(repo.objects(), id));
  const TreeEntry* entry = tree.Find(path);
  if (entry == nullptr) {
    return Error(ErrorCode::kNotFound, "commit " + id.Short() + " has no file '" + path + "'");
  }
  FLAIR_TRY(const File file, ReadFileObject(repo.objects(), entry->file));
  if (s.json()) {
    json::array tensors;
    for (const Segment& segment : file.segments) {
      const auto* t = std::get_if<TensorSegment>(&segment);
      if (t == nullptr) continue;
      json::array dims;
      for (const std::uint64_t d : t->tensor.dims) dims.push_back(d);
      tensors.push_back(json::object{{"name", t->name},
                                     {"dtype", DTypeName(t->tensor.dtype)},
                                     {"dims", std::move(dims)},
                                     {"hash", t->tensor.content.hash.ToHex()}});
    }
    s.Document(json::object{{"path", path},
                            {"format", FileFormatName(file.format)},
                            {"size_bytes", entry->size_bytes},
                            {"tensors", std::move(tensors)}});
    return ExitCode::kOk;
  }
  Status complete = CheckFileComplete(repo.objects(), entry->file);  // all of it or nothing
  if (!complete.ok()) return std::move(complete).error().In(path);
  FLAIR_DO(ExportFile(repo.objects(), file, [&s](ByteView piece) -> Status {
    s.raw_out().write(reinterpret_cast<const char*>(piece.data()),
                      static_cast<std::streamsize>(piece.size()));
    if (!s.raw_out()) return Error(ErrorCode::kIo, "stdout does not take the file's bytes");
    return OkStatus();
  }));
  return ExitCode::kOk;
}

Run Define(Options& o) {
  auto what = std::make_shared<std::string>();
  o.One("REF[:PATH]", *what, "A commit, or a file of it (default: HEAD)", Need::kOptional);
  return [what](Session& s) -> Result<ExitCode> {
    FLAIR_TRY(const auto repo, s.OpenRepo());
    const std::size_t colon = what->find(':');  // no ref and no path holds one
    FLAIR_TRY(const CommitId id, ResolveOrHead(*repo, what->substr(0, colon)));
    if (colon == std::string::npos) return ShowCommit(s, *repo, id);
    return ShowFile(s, *repo, id, what->substr(colon + 1));
  };
}

}  // namespace

extern const CommandSpec kShowCommand = {.name = "show",
                                         .summary = "Show a commit, or a file of it",
                                         .example =
                                             "flair show HEAD~1\n"
                                             "flair show @prod:README.md",
                                         .define = Define};

}  // namespace flair::cli
