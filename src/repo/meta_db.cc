// SPDX-License-Identifier: Apache-2.0
#include "repo/meta_db.h"

namespace flair {
namespace {

// Append only: number n brings the schema from n to n + 1. docs/formats/repository.md
// describes every table.
constexpr std::string_view kSchema1 = R"sql(
CREATE TABLE config(
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE refs(
  name TEXT PRIMARY KEY,
  commit_id BLOB NOT NULL CHECK(length(commit_id) = 32)
) WITHOUT ROWID;

CREATE TABLE head(
  one INTEGER PRIMARY KEY CHECK(one = 1),
  branch TEXT,
  commit_id BLOB CHECK(commit_id IS NULL OR length(commit_id) = 32),
  CHECK((branch IS NULL) <> (commit_id IS NULL))
);
INSERT INTO head VALUES(1, 'heads/main', NULL);

CREATE TABLE staging(
  path TEXT PRIMARY KEY,
  mode INTEGER NOT NULL,
  file_id BLOB NOT NULL CHECK(length(file_id) = 32),
  size_bytes INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE stat_cache(
  path TEXT PRIMARY KEY,
  size_bytes INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL,
  ctime_ns INTEGER NOT NULL,
  inode INTEGER NOT NULL,
  device INTEGER NOT NULL,
  executable INTEGER NOT NULL,
  file_id BLOB NOT NULL CHECK(length(file_id) = 32),
  recorded_ns INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE operations(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  time_s INTEGER NOT NULL,
  kind TEXT NOT NULL,
  reason TEXT NOT NULL,
  undoes INTEGER,
  head_before TEXT,
  head_after TEXT
);
CREATE TABLE operation_refs(
  operation INTEGER NOT NULL REFERENCES operations(id) ON DELETE CASCADE,
  ref TEXT NOT NULL,
  before BLOB,
  after BLOB,
  PRIMARY KEY(operation, ref)
) WITHOUT ROWID;
-- area: 1 the staging index, 2 the files on disk.
CREATE TABLE operation_files(
  operation INTEGER NOT NULL REFERENCES operations(id) ON DELETE CASCADE,
  area INTEGER NOT NULL,
  path TEXT NOT NULL,
  before_mode INTEGER,
  before_file BLOB,
  before_size INTEGER,
  after_mode INTEGER,
  after_file BLOB,
  after_size INTEGER,
  PRIMARY KEY(operation, area, path)
) WITHOUT ROWID;

CREATE TABLE reflog(
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  ref TEXT NOT NULL,
  before BLOB,
  after BLOB,
  time_s INTEGER NOT NULL,
  operation INTEGER NOT NULL,
  reason TEXT NOT NULL
);
CREATE INDEX reflog_by_ref ON reflog(ref, sequence);

-- Every commit a ref has ever reached here: what an id prefix is looked up in.
CREATE TABLE commits(
  commit_id BLOB PRIMARY KEY CHECK(length(commit_id) = 32)
) WITHOUT ROWID;
CREATE TABLE shallow(
  commit_id BLOB PRIMARY KEY CHECK(length(commit_id) = 32)
) WITHOUT ROWID;

CREATE TABLE attachments(
  commit_id BLOB NOT NULL CHECK(length(commit_id) = 32),
  attachment_id BLOB NOT NULL CHECK(length(attachment_id) = 32),
  kind INTEGER NOT NULL,
  PRIMARY KEY(commit_id, attachment_id)
) WITHOUT ROWID;
)sql";

}  // namespace

Result<std::unique_ptr<MetaDb>> MetaDb::Open(const std::string& path) {
  FLAIR_TRY(auto db, Database::Open(path, JournalMode::kRollback));
  FLAIR_DO(db->Migrate({kSchema1}));
  return std::unique_ptr<MetaDb>(new MetaDb(std::move(db)));
}

}  // namespace flair
