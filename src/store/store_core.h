// StoreCore: the open store behind the interface: its packs, catalog and reader.
//
// Place: store; above reader and publish, below batch, verify, garbage and
// object_store.cc. Thread safety: all methods.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/env.h"
#include "store/catalog.h"
#include "store/pack_file.h"
#include "store/publish.h"
#include "store/reader.h"

namespace flair {

class StoreCore {
 public:
  // Tests pass a smaller limit, so that a batch has several packs cheaply.
  StoreCore(Env& env, std::string folder, std::uint64_t max_pack_bytes)
      : env_(env),
        folder_(std::move(folder)),
        max_pack_bytes_(max_pack_bytes),
        cache_(env),
        reader_(cache_, catalog_) {}

  // Makes the folders, recovers and loads.
  Status Open();
  Status Refresh();
  // Enters freshly published packs without reading them again.
  void Adopt(std::vector<SealedPack> packs);
  // Removes packs from disk, those that are there, and reloads.
  Status Remove(const std::vector<std::string>& names);

  Result<Bytes> ReadObject(ObjectKind kind, const Digest& id);
  Result<ContentRefPtr> FindContent(const Digest& hash) const;
  void ExplainAbsence(std::string hint) { absence_hint_ = std::move(hint); }
  Error AbsentContent(const Digest& hash) const;
  Status ReadBlock(const Digest& hash, std::uint32_t index, MutableByteView out);

  std::vector<std::shared_ptr<PackFile>> Packs() const;
  std::shared_ptr<PackFile> FindPack(const std::string& name) const;  // nullptr when unknown
  // Packs whose index cannot be read, and why.
  std::map<std::string, Error> Damaged() const;

  Env& env() { return env_; }
  std::uint64_t max_pack_bytes() const { return max_pack_bytes_; }
  const std::string& folder() const { return folder_; }
  PackCache& cache() { return cache_; }
  const Catalog& catalog() const { return catalog_; }
  const Reader& reader() const { return reader_; }

 private:
  // False when the pack was removed since it was listed.
  Result<bool> Load(const std::string& name, Catalog& into);
  // Loads what the folder lists and is not loaded yet, or everything anew; false, with
  // the catalog as it was or larger, when a pack vanished meanwhile.
  Result<bool> LoadListed(bool anew);
  // Refreshes; true when a reader who began at `generation` should look again. Garbage
  // collection moves records, as often as it runs; a pack that is gone from an
  // unchanged folder is lost.
  Result<bool> LooksDifferent(std::uint64_t generation);
  Error Missing(std::string what) const;

  Env& env_;
  std::string folder_;
  std::uint64_t max_pack_bytes_;
  std::string absence_hint_;
  PackCache cache_;
  Catalog catalog_;
  Reader reader_;

  std::atomic<std::uint64_t> generation_{0};  // grows with every change of catalog_

  std::mutex refresh_mutex_;  // one Refresh, Adopt or Remove at a time
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<PackFile>> packs_;  // guarded by mutex_
  std::map<std::string, Error> damaged_;                    // guarded by mutex_
  // Readers may still hold places in packs that are gone.
  std::vector<std::shared_ptr<PackFile>> retired_;  // guarded by mutex_
};

}  // namespace flair
