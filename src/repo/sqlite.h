// SQLite with Results: a connection, prepared statements, transactions.
//
// Place: repo; used by MetaDb and by the hub. Errors: kNoSpace for a full
// disk, kConflict when another process holds the database longer than the
// busy time-out, kCorrupt for a damaged file, kIo for the rest.
//
// Thread safety: one connection belongs to one thread at a time.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/digest.h"

struct sqlite3;
struct sqlite3_stmt;

namespace flair {

class Database;

// A prepared statement, borrowed from its Database's cache for one use; it is
// reset when this object dies. Columns count from 0, parameters from 1.
class Statement {
 public:
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  Statement& Bind(int index, std::int64_t v);
  Statement& Bind(int index, std::string_view text);
  Statement& Bind(int index, ByteView blob);
  Statement& Bind(int index, const Digest& digest) { return Bind(index, digest.view()); }
  Statement& Bind(int index, const std::optional<Digest>& digest);
  Statement& BindNull(int index);

  // True when a row is there to read, false at the end.
  Result<bool> Step();
  // For statements without rows. Leaves the statement ready for new bindings.
  Status Run();

  bool IsNull(int column) const;
  std::int64_t Int(int column) const;
  std::string Text(int column) const;
  Bytes Blob(int column) const;
  // Errors: kCorrupt unless 32 bytes.
  Result<Digest> DigestAt(int column) const;
  Result<std::optional<Digest>> OptionalDigestAt(int column) const;

 private:
  friend class Database;
  Statement(Database* db, sqlite3_stmt* handle, bool cached)
      : db_(db), handle_(handle), cached_(cached) {}

  Database* db_;
  sqlite3_stmt* handle_;
  bool cached_;
  int bind_status_ = 0;
};

enum class JournalMode : std::uint8_t { kRollback, kWal };

class Database {
 public:
  // Creates the file when absent. synchronous=FULL, foreign keys on.
  static Result<std::unique_ptr<Database>> Open(const std::string& path, JournalMode mode,
                                                int busy_timeout_ms = 5000);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Several statements without parameters or rows.
  Status Exec(std::string_view sql);
  // Prepared once per text, then reused.
  Result<Statement> Prepare(std::string_view sql);

  std::int64_t LastInsertId() const;
  std::int64_t ChangedRows() const;

  // Brings the schema to migrations.size() by running what is missing, each in a
  // transaction of its own; the number is SQLite's user_version.
  // Errors: kUnsupported when the file is newer than this build.
  Status Migrate(const std::vector<std::string_view>& migrations);

 private:
  friend class Statement;
  friend class Transaction;
  explicit Database(sqlite3* handle, std::string path) : handle_(handle), path_(std::move(path)) {}
  Error ErrorFrom(int code) const;

  sqlite3* handle_;
  std::string path_;
  std::unordered_map<std::string, sqlite3_stmt*> cache_;  // idle statements
};

// BEGIN IMMEDIATE ... COMMIT; rolls back unless Commit() returned OK.
class Transaction {
 public:
  static Result<Transaction> Begin(Database& db);
  Transaction(Transaction&& other) noexcept : db_(other.db_) { other.db_ = nullptr; }
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Status Commit();

 private:
  explicit Transaction(Database* db) : db_(db) {}
  Database* db_;
};

}  // namespace flair
