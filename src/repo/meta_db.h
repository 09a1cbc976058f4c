// MetaDb: `.flair/meta.db`, everything of a repository that moves.
//
// Refs, HEAD, reflog, operation log, staging index, stat cache, the list of
// attachments and configuration live in one SQLite file, so that an operation
// changes all of them in one transaction. Schema: docs/formats/repository.md.
//
// Thread safety: one thread at a time.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "repo/sqlite.h"

namespace flair {

class MetaDb {
 public:
  // Creates or migrates. Errors: kUnsupported when written by a newer Flair.
  static Result<std::unique_ptr<MetaDb>> Open(const std::string& path);

  Database& db() { return *db_; }

 private:
  explicit MetaDb(std::unique_ptr<Database> db) : db_(std::move(db)) {}
  std::unique_ptr<Database> db_;
};

}  // namespace flair
