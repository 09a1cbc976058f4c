// What every file of the extension shares: errors, interrupts, small conversions.
//
// Place: python; above repo and remote, below the Python package, which gives these
// classes their public shape. Nothing here prints or reads the environment.
//
// Invariants
//   (1) The GIL is released while the core works; a Python object is touched only
//       with it held.
//   (2) An Error of the core becomes a Python exception of flair.errors, whole.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "crypto/ed25519.h"
#include "object/commit.h"
#include "repo/progress.h"
#include "repo/repository.h"

namespace flair::python {

namespace nb = nanobind;

// An Error on its way to Python.
struct CoreError {
  Error error;
};

template <typename T>
T Unwrap(Result<T> result) {
  if (!result.ok()) throw CoreError{std::move(result).error()};
  return std::move(result).value();
}
// A word of a small vocabulary. Throws kInvalidArgument, naming the words.
template <typename T>
T OneOf(const char* parameter, const std::string& given,
        std::initializer_list<std::pair<const char*, T>> words) {
  std::string known;
  for (const auto& [word, value] : words) {
    if (given == word) return value;
    known += std::string(known.empty() ? "" : ", ") + word;
  }
  throw CoreError{
      Error(ErrorCode::kInvalidArgument,
            std::string(parameter) + "='" + given.substr(0, 40) + "' is none of: " + known)};
}

inline void Check(Status status) {
  if (!status.ok()) throw CoreError{std::move(status).error()};
}

// Ends an operation after Ctrl-C; looks at most every 50 ms. Call without the GIL.
ProgressSink Interruptible();

// A repository and the lock that makes "one thread at a time" true.
struct Repo {
  std::unique_ptr<Repository> repo;
  std::mutex mutex;

  // Runs `f(Repository&)` without the GIL and returns its Result's value. Sees what other
  // processes (the command line) have committed meanwhile.
  template <typename F>
  auto Run(F&& f) {
    nb::gil_scoped_release release;
    const std::lock_guard<std::mutex> guard(mutex);
    Check(repo->objects().Refresh());
    return Unwrap(f(*repo));
  }
};

// 64 bytes: seed, then public key.
Keypair KeypairFrom(const nb::bytes& secret);
std::optional<std::string> HexOf(const std::optional<CommitId>& id);

nb::dict CommitToDict(const CommitId& id, const Commit& commit);

void BindRepository(nb::module_& m);
void BindProgram(nb::module_& m);
void BindHistory(nb::class_<Repo>& repo);
void BindMerging(nb::class_<Repo>& repo);
void BindTensors(nb::class_<Repo>& repo);
void BindRuns(nb::module_& m, nb::class_<Repo>& repo);
void BindHub(nb::module_& m, nb::class_<Repo>& repo);

}  // namespace flair::python
