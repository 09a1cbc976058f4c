// PushIntakes: uploads are verified and stored while they arrive.
//
// Place: hub, over PushStore and the repositories' stores. An intake follows one push's data
// on a thread of its own and puts every whole frame into an open batch; finishing the push
// waits for the rest and commits. Until then nothing of it is visible.
// Invariants
//   (1) An intake is only ever ahead of time: one that gave up (a bad frame, a huge one, a
//       client that went quiet) or was lost with its process changes nothing, because
//       finishing then reads the data from its first byte.
//   (2) What early intakes hold is bounded: Limits::max_early of them, of one frame each.
//
// Thread safety: any thread. The destructor stops every intake.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "base/env.h"
#include "hub/repo_stores.h"
#include "wire/limits.h"

namespace flair::hub {

class PushIntakes {
 public:
  struct Limits {
    std::uint64_t early_bytes = 2 * wire::kPieceBytes;  // shorter uploads wait for their finish
    std::uint64_t max_early_frame_bytes = 2 * wire::kPieceBytes;
    std::size_t max_early = 4;               // of the hub
    std::chrono::milliseconds idle{30'000};  // without new bytes, an early intake gives up
  };

  explicit PushIntakes(Limits limits) : limits_(limits) {}
  PushIntakes() : PushIntakes(Limits{}) {}
  ~PushIntakes();
  PushIntakes(const PushIntakes&) = delete;
  PushIntakes& operator=(const PushIntakes&) = delete;

  // The data of push `id` has reached `size` bytes.
  void Advance(Env& env, const std::shared_ptr<RepoStore>& store, const std::string& id,
               std::uint64_t size);
  // Stores all frames of the push's `size` bytes: verified, durable, visible, named by no ref.
  // Errors: kCorrupt (with the frame's offset), kNoSpace, kIo.
  Status Finish(Env& env, const std::shared_ptr<RepoStore>& store, const std::string& id,
                std::uint64_t size);

 private:
  class Intake;
  std::shared_ptr<Intake> Take(const std::string& id);

  Limits limits_;
  std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<Intake>> early_;  // by push; guarded by mutex_
};

}  // namespace flair::hub
