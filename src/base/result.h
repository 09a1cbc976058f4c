// Result<T>: a value, or the Error that says why there is none.
//
// Use it for everything that can fail because of the outside world: files,
// peers, users, signatures. For a broken promise inside our own code use
// FLAIR_CHECK (base/check.h) instead. No function in the core throws.
//
// Members stay close to std::expected, for a later swap.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace flair {

// What a caller can do about a failure. Values are stable: the wire protocol
// carries them. Append only.
enum class ErrorCode : std::uint8_t {
  kInvalidArgument = 1,  // the caller asked for something meaningless
  kNotFound = 2,         // the named thing does not exist
  kCorrupt = 3,          // stored or received bytes break their format
  kRejected = 4,         // a proof or signature was checked and is false
  kIo = 5,               // the operating system refused
  kUnsupported = 6,      // well formed, but newer than this build
  kConflict = 7,         // somebody moved first, or the merge has conflicts
  kPolicyViolation = 8,  // refused by the repository's policy
  kUnauthorised = 9,     // no identity, or not one that may do this
  kUnavailable = 10,     // a peer does not answer; trying again may help
  kCancelled = 11,       // interrupted; resumable
  kNoSpace = 12,         // a disk or quota is full
  kAlreadyExists = 13,   // the name is taken
};

class [[nodiscard]] Error {
 public:
  Error(ErrorCode code, std::string message) : code_(code), message_(std::move(message)) {}

  ErrorCode code() const { return code_; }
  const std::string& message() const { return message_; }
  // What the user can do next; empty when the message says it.
  const std::string& hint() const { return hint_; }

  // Returns the same error, told from one level further out.
  Error In(std::string_view where) && {
    message_.insert(0, std::string(where) + ": ");
    return std::move(*this);
  }
  Error WithHint(std::string hint) && {
    hint_ = std::move(hint);
    return std::move(*this);
  }

 private:
  ErrorCode code_;
  std::string message_;
  std::string hint_;
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}      // NOLINT: implicit by design
  Result(Error error) : state_(std::move(error)) {}  // NOLINT: implicit by design

  bool ok() const { return std::holds_alternative<T>(state_); }
  T& value() & { return std::get<T>(state_); }
  const T& value() const& { return std::get<T>(state_); }
  T&& value() && { return std::move(std::get<T>(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  Error& error() & { return std::get<Error>(state_); }
  const Error& error() const& { return std::get<Error>(state_); }
  Error&& error() && { return std::move(std::get<Error>(state_)); }

 private:
  std::variant<T, Error> state_;
};

using Status = Result<std::monostate>;
inline Status OkStatus() { return std::monostate{}; }

}  // namespace flair

#define FLAIR_CONCAT_(a, b) a##b
#define FLAIR_CONCAT(a, b) FLAIR_CONCAT_(a, b)

// Evaluates an expression; on failure returns its Error from the enclosing
// function, otherwise binds the value:
//   FLAIR_TRY(const TreeId tree, ReadTree(commit));
#define FLAIR_TRY(binding, ...) FLAIR_TRY_(FLAIR_CONCAT(try_, __LINE__), binding, __VA_ARGS__)
#define FLAIR_TRY_(tmp, binding, ...)           \
  auto tmp = (__VA_ARGS__);                     \
  if (!tmp.ok()) return std::move(tmp).error(); \
  binding = std::move(tmp).value()

// The same for a Status, or for a Result whose value is not needed:
//   FLAIR_DO(file.Sync());
#define FLAIR_DO(...)                                                                         \
  do {                                                                                        \
    if (auto do_status = (__VA_ARGS__); !do_status.ok()) return std::move(do_status).error(); \
  } while (false)
