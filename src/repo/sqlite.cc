// SPDX-License-Identifier: Apache-2.0
#include "repo/sqlite.h"

#include <sqlite3.h>

namespace flair {

Error Database::ErrorFrom(int code) const {
  const std::string what = path_ + ": " + sqlite3_errmsg(handle_);
  switch (code & 0xff) {
    case SQLITE_FULL:
      return Error(ErrorCode::kNoSpace, what).WithHint("free some space and try again");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Error(ErrorCode::kConflict, what)
          .WithHint("another flair process is writing; try again when it is done");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Error(ErrorCode::kCorrupt, what);
    default:
      return Error(ErrorCode::kIo, what);
  }
}

// --- Statement -----------------------------------------------------------------

Statement::Statement(Statement&& other) noexcept
    : db_(other.db_),
      handle_(other.handle_),
      cached_(other.cached_),
      bind_status_(other.bind_status_) {
  other.handle_ = nullptr;
}

Statement::~Statement() {
  if (handle_ == nullptr) return;
  sqlite3_reset(handle_);
  sqlite3_clear_bindings(handle_);
  // Back to the shelf; a second copy of a statement in use at the same time goes.
  const char* sql = cached_ ? sqlite3_sql(handle_) : nullptr;
  if (sql == nullptr || !db_->cache_.try_emplace(sql, handle_).second) sqlite3_finalize(handle_);
}

Statement& Statement::Bind(int index, std::int64_t v) {
  if (const int rc = sqlite3_bind_int64(handle_, index, v)) bind_status_ = rc;
  return *this;
}
Statement& Statement::Bind(int index, std::string_view text) {
  const int rc = sqlite3_bind_text64(handle_, index, text.empty() ? "" : text.data(), text.size(),
                                     SQLITE_TRANSIENT, SQLITE_UTF8);
  if (rc != 0) bind_status_ = rc;
  return *this;
}
Statement& Statement::Bind(int index, ByteView blob) {
  const int rc = blob.empty() ? sqlite3_bind_zeroblob(handle_, index, 0)
                              : sqlite3_bind_blob64(handle_, index, blob.data(), blob.size(),
                                                    SQLITE_TRANSIENT);
  if (rc != 0) bind_status_ = rc;
  return *this;
}
Statement& Statement::Bind(int index, const std::optional<Digest>& digest) {
  return digest ? Bind(index, digest->view()) : BindNull(index);
}
Statement& Statement::BindNull(int index) {
  if (const int rc = sqlite3_bind_null(handle_, index)) bind_status_ = rc;
  return *this;
}

Result<bool> Statement::Step() {
  if (bind_status_ != 0) return db_->ErrorFrom(bind_status_);
  const int rc = sqlite3_step(handle_);
  if (rc == SQLITE_ROW) return true;
  if (rc == SQLITE_DONE) return false;
  return db_->ErrorFrom(rc);
}

Status Statement::Run() {
  while (true) {
    FLAIR_TRY(const bool row, Step());
    if (!row) break;
  }
  sqlite3_reset(handle_);
  sqlite3_clear_bindings(handle_);
  return OkStatus();
}

bool Statement::IsNull(int column) const {
  return sqlite3_column_type(handle_, column) == SQLITE_NULL;
}
std::int64_t Statement::Int(int column) const { return sqlite3_column_int64(handle_, column); }
std::string Statement::Text(int column) const {
  const auto* text = sqlite3_column_text(handle_, column);
  if (text == nullptr) return {};
  return {reinterpret_cast<const char*>(text),
          static_cast<std::size_t>(sqlite3_column_bytes(handle_, column))};
}
Bytes Statement::Blob(int column) const {
  const auto* data = static_cast<const std::byte*>(sqlite3_column_blob(handle_, column));
  if (data == nullptr) return {};
  return {data, data + sqlite3_column_bytes(handle_, column)};
}
Result<Digest> Statement::DigestAt(int column) const {
  auto digest = Digest::FromBytes(Blob(column));
  if (!digest.ok()) return std::move(digest).error().In(db_->path_);
  return digest;
}
Result<std::optional<Digest>> Statement::OptionalDigestAt(int column) const {
  if (IsNull(column)) return std::optional<Digest>();
  FLAIR_TRY(const Digest digest, DigestAt(column));
  return std::optional<Digest>(digest);
}

// --- Database ------------------------------------------------------------------

Result<std::unique_ptr<Database>> Database::Open(const std::string& path, JournalMode mode,
                                                 int busy_timeout_ms) {
  sqlite3* handle = nullptr;
  const int rc =
      sqlite3_open_v2(path.c_str(), &handle,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  std::unique_ptr<Database> db(new Database(handle, path));
  if (rc != SQLITE_OK) return db->ErrorFrom(rc);
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, busy_timeout_ms);
  // FULL: a transaction that returned is on the disk. DELETE keeps one file at rest.
  FLAIR_DO(db->Exec(mode == JournalMode::kWal ? "PRAGMA journal_mode=WAL"
                                              : "PRAGMA journal_mode=DELETE"));
  FLAIR_DO(db->Exec("PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON"));
  return db;
}

Database::~Database() {
  for (auto& [sql, handle] : cache_) sqlite3_finalize(handle);
  sqlite3_close_v2(handle_);
}

Status Database::Exec(std::string_view sql) {
  const std::string text(sql);
  const int rc = sqlite3_exec(handle_, text.c_str(), nullptr, nullptr, nullptr);
  return rc == SQLITE_OK ? OkStatus() : Status(ErrorFrom(rc));
}

Result<Statement> Database::Prepare(std::string_view sql) {
  if (const auto shelf = cache_.find(std::string(sql)); shelf != cache_.end()) {
    sqlite3_stmt* handle = shelf->second;
    cache_.erase(shelf);
    return Statement(this, handle, true);
  }
  sqlite3_stmt* handle = nullptr;
  const int rc = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                                    SQLITE_PREPARE_PERSISTENT, &handle, nullptr);
  if (rc != SQLITE_OK) return ErrorFrom(rc);
  return Statement(this, handle, true);
}

std::int64_t Database::LastInsertId() const { return sqlite3_last_insert_rowid(handle_); }
std::int64_t Database::ChangedRows() const { return sqlite3_changes(handle_); }

Status Database::Migrate(const std::vector<std::string_view>& migrations) {
  const auto newest = static_cast<std::int64_t>(migrations.size());
  auto version = [this]() -> Result<std::int64_t> {
    FLAIR_TRY(Statement query, Prepare("PRAGMA user_version"));
    FLAIR_DO(query.Step());
    return query.Int(0);
  };
  FLAIR_TRY(std::int64_t have, version());
  if (have > newest) {
    return Error(ErrorCode::kUnsupported, path_ + ": schema " + std::to_string(have) +
                                              "; this build knows up to " + std::to_string(newest))
        .WithHint("use a newer flair");
  }
  while (have < newest) {
    FLAIR_TRY(Transaction transaction, Transaction::Begin(*this));
    FLAIR_TRY(have, version());  // another process may have been first
    if (have < newest) {
      FLAIR_DO(Exec(migrations[static_cast<std::size_t>(have)]));
      ++have;
      FLAIR_DO(Exec("PRAGMA user_version=" + std::to_string(have)));
    }
    FLAIR_DO(transaction.Commit());
  }
  return OkStatus();
}

// --- Transaction ---------------------------------------------------------------

Result<Transaction> Transaction::Begin(Database& db) {
  FLAIR_DO(db.Exec("BEGIN IMMEDIATE"));
  return Transaction(&db);
}

Transaction::~Transaction() {
  if (db_ == nullptr) return;
  // An error may have rolled back already; then there is nothing left to do.
  (void)db_->Exec("ROLLBACK");
}

Status Transaction::Commit() {
  FLAIR_DO(db_->Exec("COMMIT"));
  db_ = nullptr;
  return OkStatus();
}

}  // namespace flair
