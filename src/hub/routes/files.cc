// A file of a commit as raw bytes: whole, by range, or as a light copy.
// SPDX-License-Identifier: Apache-2.0
#include "hub/file_stream.h"
#include "hub/routes/common.h"
#include "repo/history.h"
#include "repo/light.h"

namespace flair::hub {
namespace {

using Body = std::variant<std::string, FileRange, StreamBody, EventBody>;

// A light copy is made on the way: no ranges, length known from headers.
Result<Response> LightCopy(const std::shared_ptr<RepoStore>& store, const CommitId& commit,
                           const std::string& path, const std::string& kind_text) {
  FLAIR_TRY(const LightKind kind, LightKindFromName(kind_text));
  FLAIR_TRY(const LightSize size, LightModelSize(store->objects(), commit, path, kind));
  Response r;
  r.headers.Set("Content-Type", "application/octet-stream");
  r.headers.Set("X-Flair-Full-Bytes", std::to_string(size.full_bytes));
  r.body = StreamBody{size.light_bytes, [=](const ByteSink& sink) {
                        return WriteLightModel(store->objects(), commit, path, kind, sink);
                      }};
  return r;
}

Result<Response> GetFile(HubContext& hub, Call& call) {
  FLAIR_TRY(const CommitId commit, CommitParameter(hub, call, "commit"));
  FLAIR_TRY(const std::shared_ptr<RepoStore> store, StoreOf(hub, call));
  const std::string& path = call.parameter("path");
  if (const std::string* light = call.request.Query("light"); light != nullptr) {
    return LightCopy(store, commit, path, *light);
  }
  FLAIR_TRY(const Tree tree, ReadCommitTree(store->objects(), commit));
  const TreeEntry* entry = tree.Find(path);
  if (entry == nullptr) {
    return Error(ErrorCode::kNotFound, "commit " + commit.Short() + " has no file '" + path + "'");
  }
  FLAIR_TRY(File file, ReadFileObject(store->objects(), entry->file));
  const auto shared = std::make_shared<const File>(std::move(file));
  Response r = RangedResponse(
      call.request, shared->size_bytes(), entry->file.ToHex(), "application/octet-stream",
      [&](ByteRange range) -> Body {
        return StreamBody{range.length_bytes, [store, shared, range](const ByteSink& sink) {
                            return StreamFile(store->objects(), *shared, range.offset,
                                              range.length_bytes, sink);
                          }};
      });
  r.headers.Set("X-Flair-Commit", commit.ToHex());
  r.headers.Set("Content-Disposition", "attachment");
  return r;
}

}  // namespace

void AddFileRoutes(Handlers& handlers) {
  handlers.Add("getFile", GetFile);
  handlers.Add("headFile", GetFile);
}

}  // namespace flair::hub
