// A command of the `flair` executable: its name, its options, what it does.
//
// Place: cli. Commands describe themselves through Options, so that the option
// parser is compiled once (app.cc) and commands stay plain functions:
//
//   Run DefineAdd(Options& o) {
//     auto args = std::make_shared<AddArgs>();
//     o.Many("PATH", args->paths, "Files and folders", Need::kRequired);
//     return [args](Session& s) { return RunAdd(s, *args); };
//   }
//   extern const CommandSpec kAddCommand = {.name = "add", ..., .define = DefineAdd};
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace flair::cli {

class Session;

// What scripts branch on; docs/cli.md.
enum class ExitCode : std::uint8_t {
  kOk = 0,
  kFailed = 1,
  kUsage = 2,
  kConflict = 3,  // somebody moved first, or the policy says no
  kUnauthorised = 4,
  kIntegrity = 5,     // a signature or stored bytes were checked and are false
  kInternal = 70,     // a failed FLAIR_CHECK
  kInterrupted = 130  // resumable
};

ExitCode ExitCodeOf(ErrorCode code);
// "not_found", as `--json` prints it.
std::string_view ErrorCodeName(ErrorCode code);

enum class Need : std::uint8_t { kOptional, kRequired };

// What a command takes. References must outlive the run: keep them in a shared_ptr that
// the Run captures.
class Options {
 public:
  virtual ~Options() = default;
  virtual void One(const char* name, std::string& into, const char* help, Need need) = 0;
  virtual void One(const char* name, std::uint64_t& into, const char* help, Need need) = 0;
  virtual void Many(const char* name, std::vector<std::string>& into, const char* help,
                    Need need) = 0;
  virtual void Many(const char* name, std::vector<std::uint64_t>& into, const char* help,
                    Need need) = 0;
  // `flags` as CLI11 writes them: "-m,--message".
  virtual void Value(const char* flags, std::string& into, const char* help) = 0;
  virtual void Value(const char* flags, std::uint64_t& into, const char* help) = 0;
  virtual void Value(const char* flags, std::optional<std::string>& into, const char* help) = 0;
  virtual void Value(const char* flags, std::optional<std::uint64_t>& into, const char* help) = 0;
  virtual void Values(const char* flags, std::vector<std::string>& into, const char* help) = 0;
  // One of `choices`.
  virtual void Choice(const char* flags, std::string& into, std::vector<std::string> choices,
                      const char* help) = 0;
  // Each one of `choices`.
  virtual void Choices(const char* flags, std::vector<std::string>& into,
                       std::vector<std::string> choices, const char* help) = 0;
  virtual void Flag(const char* flags, bool& into, const char* help) = 0;
};

using Run = std::function<Result<ExitCode>(Session&)>;

struct CommandSpec {
  const char* name = "";
  const char* summary = "";
  const char* example = "";  // shown under the help, one command a line
  Run (*define)(Options& options) = nullptr;
  // A command with subcommands may have a `define` of its own, for when none is typed.
  std::span<const CommandSpec* const> subcommands = {};
};

// Every command, in the order of the help.
std::span<const CommandSpec* const> AllCommands();

}  // namespace flair::cli
