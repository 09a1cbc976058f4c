// The switches of a mutated verifier: tools/mutate.py gives each check a number and compiles this
// into every rewritten file. FLAIR_MUTANT names the check that is off; FLAIR_MUTANT_SEEN a file
// that takes the numbers of the checks that refused or were reached, when the process ends.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "base/result.h"

namespace flair::mutant {

inline constexpr int kMaxSwitches = 4096;

class Switches {
 public:
  Switches() {
    if (const char* off = std::getenv("FLAIR_MUTANT")) off_ = std::atoi(off);
  }
  ~Switches() {
    const char* path = std::getenv("FLAIR_MUTANT_SEEN");
    std::FILE* file = path ? std::fopen(path, "w") : nullptr;
    if (!file) return;
    for (int i = 0; i < kMaxSwitches; ++i) {
      if (seen_[i]) std::fprintf(file, "%d\n", i);
    }
    std::fclose(file);
  }
  bool IsOn(int number) {
    seen_[number].store(true, std::memory_order_relaxed);
    return number != off_;
  }

 private:
  int off_ = -1;
  std::atomic<bool> seen_[kMaxSwitches] = {};
};

inline Switches& All() {
  static Switches switches;
  return switches;
}

// A condition under which a check refuses. Seen when it holds.
inline bool Refuses(int number, bool refuses) { return refuses && All().IsOn(number); }

// What a check that is called for says. Seen when it refuses.
template <typename R>
Status Passed(int number, R result) {
  if (result.ok() || !All().IsOn(number)) return OkStatus();
  return std::move(result).error();
}

// A statement that can be left out. Seen when it is reached.
inline bool IsOn(int number) { return All().IsOn(number); }

// A challenge that can be known beforehand.
template <typename T>
T Drawn(int number, const T& drawn) {
  return All().IsOn(number) ? drawn : T(1);
}

}  // namespace flair::mutant
