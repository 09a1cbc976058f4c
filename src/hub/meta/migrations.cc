// The schema of hub.db, one numbered step a version. A step that has shipped never
// changes: later versions append.
// SPDX-License-Identifier: Apache-2.0
#include "hub/meta/hub_db.h"

namespace flair::hub {
namespace {

constexpr std::string_view k1 = R"sql(
CREATE TABLE wallets (
  wallet TEXT PRIMARY KEY,
  handle TEXT UNIQUE,
  created_s INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE nonces (
  nonce TEXT PRIMARY KEY,
  wallet TEXT NOT NULL,
  scopes INTEGER NOT NULL,
  text TEXT NOT NULL,
  expires_s INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX nonces_by_wallet ON nonces(wallet);
CREATE INDEX nonces_by_expiry ON nonces(expires_s);

CREATE TABLE sessions (
  token_sha256 BLOB PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  wallet TEXT NOT NULL,
  is_deploy INTEGER NOT NULL,
  name TEXT NOT NULL,
  scopes INTEGER NOT NULL,
  repo_id TEXT NOT NULL,
  created_s INTEGER NOT NULL,
  expires_s INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX sessions_by_wallet ON sessions(wallet);

CREATE TABLE repos (
  id TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  name TEXT NOT NULL,
  is_private INTEGER NOT NULL,
  description TEXT NOT NULL,
  default_branch TEXT NOT NULL,
  created_s INTEGER NOT NULL,
  last_proposal INTEGER NOT NULL DEFAULT 0,
  UNIQUE (owner, name)
) WITHOUT ROWID;

CREATE TABLE members (
  repo_id TEXT NOT NULL REFERENCES repos(id) ON DELETE CASCADE,
  wallet TEXT NOT NULL,
  role INTEGER NOT NULL,
  PRIMARY KEY (repo_id, wallet)
) WITHOUT ROWID;
CREATE INDEX members_by_wallet ON members(wallet);

CREATE TABLE refs (
  repo_id TEXT NOT NULL REFERENCES repos(id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  commit_id BLOB NOT NULL,
  PRIMARY KEY (repo_id, name)
) WITHOUT ROWID;

CREATE TABLE reflog (
  number INTEGER PRIMARY KEY,
  repo_id TEXT NOT NULL REFERENCES repos(id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  old_commit BLOB,
  new_commit BLOB,
  actor TEXT NOT NULL,
  reason TEXT NOT NULL,
  time_s INTEGER NOT NULL
);
CREATE INDEX reflog_by_ref ON reflog(repo_id, name);

CREATE TABLE commits (
  repo_id TEXT NOT NULL REFERENCES repos(id) ON DELETE CASCADE,
  commit_id BLOB NOT NULL,
  accepted_s INTEGER NOT NULL,
  PRIMARY KEY (repo_id, commit_id)
) WITHOUT ROWID;

CREATE TABLE attachments (
  repo_id TEXT NOT NULL REFERENCES repos(id) ON DELETE CASCADE,
  commit_id BLOB NOT NULL,
  attachment BLOB NOT NULL,
  kind INTEGER NOT NULL,
  PRIMARY KEY (repo_id, commit_id, attachment)
) WITHOUT ROWID;

CREATE TABLE pushes (
  id TEXT PRIMARY KEY,
  repo_id TEXT NOT NULL REFERENCES repos(id) ON DELETE CASCADE,
  wallet TEXT NOT NULL,
  target TEXT NOT NULL,
  source_branch TEXT NOT NULL,
  tip BLOB NOT NULL,
  state TEXT NOT NULL,
  body TEXT NOT NULL,
  created_s INTEGER NOT NULL,
  updated_s INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX pushes_by_repo ON pushes(repo_id, wallet);

CREATE TABLE proposals (
  repo_id TEXT NOT NULL REFERENCES repos(id) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  author TEXT NOT NULL,
  source_branch TEXT NOT NULL,
  target TEXT NOT NULL,
  tip BLOB NOT NULL,
  base BLOB,
  title TEXT NOT NULL,
  state TEXT NOT NULL,
  evidence TEXT NOT NULL,
  checks TEXT NOT NULL,
  merged_commit BLOB,
  created_s INTEGER NOT NULL,
  updated_s INTEGER NOT NULL,
  PRIMARY KEY (repo_id, number)
) WITHOUT ROWID;
CREATE UNIQUE INDEX one_open_proposal ON proposals(repo_id, author, source_branch, target)
  WHERE state = 'open';

CREATE TABLE reviews (
  number INTEGER PRIMARY KEY,
  repo_id TEXT NOT NULL,
  proposal INTEGER NOT NULL,
  attachment BLOB NOT NULL,
  commit_id BLOB NOT NULL,
  reviewer TEXT NOT NULL,
  verdict INTEGER NOT NULL,
  message TEXT NOT NULL,
  time_s INTEGER NOT NULL,
  UNIQUE (repo_id, proposal, attachment),
  FOREIGN KEY (repo_id, proposal) REFERENCES proposals(repo_id, number) ON DELETE CASCADE
);

CREATE TABLE comments (
  number INTEGER PRIMARY KEY,
  repo_id TEXT NOT NULL,
  proposal INTEGER NOT NULL,
  author TEXT NOT NULL,
  text TEXT NOT NULL,
  time_s INTEGER NOT NULL,
  FOREIGN KEY (repo_id, proposal) REFERENCES proposals(repo_id, number) ON DELETE CASCADE
);
CREATE INDEX comments_by_proposal ON comments(repo_id, proposal);

CREATE TABLE merges (
  id TEXT PRIMARY KEY,
  repo_id TEXT NOT NULL REFERENCES repos(id) ON DELETE CASCADE,
  branch TEXT NOT NULL,
  actor TEXT NOT NULL,
  method TEXT NOT NULL,
  expected_tip BLOB NOT NULL,
  commit_id BLOB NOT NULL,
  commit_body BLOB NOT NULL,
  proposals TEXT NOT NULL,
  state TEXT NOT NULL,
  created_s INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX merges_by_repo ON merges(repo_id);

CREATE TABLE audit (
  number INTEGER PRIMARY KEY,
  time_s INTEGER NOT NULL,
  repo_id TEXT NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  detail TEXT NOT NULL,
  hash BLOB NOT NULL
);
CREATE INDEX audit_by_repo ON audit(repo_id, number);
CREATE TRIGGER audit_never_changes BEFORE UPDATE ON audit
  BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END;
CREATE TRIGGER audit_never_shrinks BEFORE DELETE ON audit
  BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END;
)sql";

constexpr std::string_view k2 = R"sql(
CREATE TABLE cards (
  repo_id TEXT NOT NULL REFERENCES repos(id) ON DELETE CASCADE,
  card BLOB NOT NULL,
  wallet TEXT NOT NULL,
  body TEXT NOT NULL,
  created_s INTEGER NOT NULL,
  PRIMARY KEY (repo_id, card)
) WITHOUT ROWID;

CREATE TABLE tickets (
  repo_id TEXT NOT NULL REFERENCES repos(id) ON DELETE CASCADE,
  parent BLOB NOT NULL,
  card BLOB NOT NULL,
  wallet TEXT NOT NULL,
  attachment BLOB NOT NULL,
  created_s INTEGER NOT NULL,
  PRIMARY KEY (repo_id, parent, card, wallet)
) WITHOUT ROWID;
)sql";

}  // namespace

const std::vector<std::string_view>& HubMigrations() {
  static const std::vector<std::string_view> steps = {k1, k2};
  return steps;
}

}  // namespace flair::hub
