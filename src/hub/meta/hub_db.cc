// SPDX-License-Identifier: Apache-2.0
#include "hub/meta/hub_db.h"

#include <utility>

namespace flair::hub {
namespace {
constexpr std::size_t kIdleReaders = 16;
constexpr int kBusyTimeoutMs = 10'000;
}  // namespace

Result<std::unique_ptr<HubDb>> HubDb::Open(const std::string& path) {
  auto db = std::unique_ptr<HubDb>(new HubDb(path));
  FLAIR_TRY(db->writer_, Database::Open(path, JournalMode::kWal, kBusyTimeoutMs));
  FLAIR_DO(db->writer_->Migrate(HubMigrations()));
  return db;
}

// Readers first: whoever closes last checkpoints, and that is the writer's right alone.
HubDb::~HubDb() {
  idle_readers_.clear();
  writer_.reset();
}

Status HubDb::Write(const std::function<Status(Database&)>& body) {
  const std::lock_guard lock(write_mutex_);
  FLAIR_TRY(Transaction transaction, Transaction::Begin(*writer_));
  FLAIR_DO(body(*writer_));
  return transaction.Commit();
}

Status HubDb::Read(const std::function<Status(Database&)>& body) {
  std::unique_ptr<Database> reader;
  {
    const std::lock_guard lock(readers_mutex_);
    if (!idle_readers_.empty()) {
      reader = std::move(idle_readers_.back());
      idle_readers_.pop_back();
    }
  }
  if (!reader) {
    FLAIR_TRY(reader, Database::Open(path_, JournalMode::kWal, kBusyTimeoutMs));
    FLAIR_DO(reader->Exec("PRAGMA query_only = 1; PRAGMA wal_autocheckpoint = 0;"));
  }
  Status status = body(*reader);
  const std::lock_guard lock(readers_mutex_);
  // A reader beyond the pool is closed; the writer's open connection keeps it from being last.
  if (idle_readers_.size() < kIdleReaders) idle_readers_.push_back(std::move(reader));
  return status;
}

Status HubDb::BackUpTo(const std::string& path) {
  const std::lock_guard lock(write_mutex_);
  FLAIR_TRY(Statement vacuum, writer_->Prepare("VACUUM INTO ?"));
  vacuum.Bind(1, std::string_view(path));
  return vacuum.Run();
}

}  // namespace flair::hub
