// HubDb: hub.db, the hub's metadata in SQLite.
//
// Place: hub/meta, over repo/sqlite.h. Journal: WAL. Invariants
//   (1) Exactly one connection writes, so that commits and checkpoints never race.
//   (2) Write() is one transaction: everything in it happens, or nothing.
//   (3) Readers see the last committed state and never block the writer.
//
// Thread safety: any thread may call Read and Write; the Database handed to the
// body must not leave it. A Read inside a Write (or the reverse) is a mistake.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "base/result.h"
#include "repo/sqlite.h"

namespace flair::hub {

class HubDb {
 public:
  // Creates or migrates the file. Errors: as Database; kUnsupported when it is newer.
  static Result<std::unique_ptr<HubDb>> Open(const std::string& path);
  ~HubDb();

  // Runs `body` between BEGIN IMMEDIATE and COMMIT; its error rolls back.
  Status Write(const std::function<Status(Database&)>& body);
  Status Read(const std::function<Status(Database&)>& body);

  // A consistent copy of the whole database at `path` (VACUUM INTO). Errors: kIo.
  Status BackUpTo(const std::string& path);

 private:
  explicit HubDb(std::string path) : path_(std::move(path)) {}

  std::string path_;
  std::mutex write_mutex_;
  std::unique_ptr<Database> writer_;
  std::mutex readers_mutex_;
  std::vector<std::unique_ptr<Database>> idle_readers_;
};

// The same for a body that gives a Result<T>.
template <typename Body>
auto Query(HubDb& hub_db, const Body& body) -> std::invoke_result_t<Body, Database&> {
  std::optional<std::invoke_result_t<Body, Database&>> out;
  const Status status = hub_db.Read([&](Database& db) -> Status {
    out.emplace(body(db));
    if (!out->ok()) return out->error();
    return OkStatus();
  });
  if (!status.ok()) return status.error();
  return std::move(*out);
}
template <typename Body>
auto Update(HubDb& hub_db, const Body& body) -> std::invoke_result_t<Body, Database&> {
  std::optional<std::invoke_result_t<Body, Database&>> out;
  const Status status = hub_db.Write([&](Database& db) -> Status {
    out.emplace(body(db));
    if (!out->ok()) return out->error();
    return OkStatus();
  });
  if (!status.ok()) return status.error();
  return std::move(*out);
}

// The schema, one migration a version (numbered SQL in migrations.cc).
const std::vector<std::string_view>& HubMigrations();

}  // namespace flair::hub
