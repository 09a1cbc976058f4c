// Session: one run of `flair`: where it prints, which keys and folders it uses.
//
// Place: cli; the only way commands reach the terminal, the environment and the home
// folder. Results go to stdout (text, or with --json exactly one document), everything
// else to stderr.
// Thread safety: one thread, except interrupted().
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <boost/json/value.hpp>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/env.h"
#include "cli/command.h"
#include "crypto/ed25519.h"
#include "repo/progress.h"
#include "repo/repository.h"

namespace flair::cli {

namespace json = boost::json;

enum class Verbosity : std::uint8_t { kQuiet, kNormal, kVerbose };

struct SessionOptions {
  std::string cwd;
  std::string keypair;  // --keypair; empty: looked up
  bool json = false;
  Verbosity verbosity = Verbosity::kNormal;
  bool err_is_terminal = false;
  bool out_is_terminal = false;
};

class Session {
 public:
  using Getenv = std::function<std::optional<std::string>(const char* name)>;
  // Everything must outlive the session. `interrupted` is set by the signal handler.
  Session(Env& env, std::ostream& out, std::ostream& err, Getenv getenv,
          const std::atomic<bool>& interrupted)
      : env_(env), out_(out), err_(err), getenv_(std::move(getenv)), interrupted_(interrupted) {}

  SessionOptions options;

  Env& env() { return env_; }
  // Results for people; silent with --json and -q. Untrusted text: Printable() first.
  std::ostream& out();
  // Notes for people, on stderr; silent with --json and -q.
  std::ostream& note();
  std::ostream& err() { return err_; }
  // The raw stream, for bytes that were asked for (hub's own start line, `show` of a file).
  std::ostream& raw_out() { return out_; }
  bool json() const { return options.json; }
  // With --json: prints the document (once a run). Otherwise nothing.
  void Document(const json::value& v);

  std::optional<std::string> Variable(const char* name) const { return getenv_(name); }
  const std::atomic<bool>& interrupted() const { return interrupted_; }

  // --- places -----------------------------------------------------------------------
  // "a" -> cwd + "/a". Does not look at the disk.
  std::string Absolute(std::string_view typed) const;
  // $XDG_CONFIG_HOME/flair or ~/.config/flair. Errors: kNotFound without a home.
  Result<std::string> ConfigDir() const;
  Result<std::string> TokensPath() const;

  // --- keys -------------------------------------------------------------------------
  // --keypair, FLAIR_KEYPAIR, ~/.config/flair/id.json, the Solana CLI's; the first that
  // is there (the first two must be). Errors: kNotFound with a hint.
  Result<std::string> KeypairPath();
  Result<Keypair> LoadKeypair();
  // The address that commands act as; empty when this machine has no wallet and none is named.
  Result<std::string> WalletOrNone();

  // --- the hub people mean without saying it ------------------------------------------
  // FLAIR_HUB, else the last login's. Empty: none.
  Result<std::string> DefaultHub();
  Status SetDefaultHub(const std::string& url);

  // --- repository and progress ---------------------------------------------------------
  // The repository around cwd. Errors: kNotFound with a hint.
  Result<std::unique_ptr<Repository>> OpenRepo();
  // Draws on a terminal's stderr, nothing elsewhere; ends the operation after SIGINT.
  ProgressSink Progress();
  // Removes the progress line, if there is one.
  void ClearProgress();

 private:
  Status Draw(const flair::Progress& progress);

  Env& env_;
  std::ostream& out_;
  std::ostream& err_;
  Getenv getenv_;
  const std::atomic<bool>& interrupted_;
  std::int64_t last_drawn_ns_ = 0;
  std::size_t drawn_width_ = 0;
};

// `error:` and `hint:` on stderr, and with --json the error as the document.
ExitCode ReportError(Session& session, const Error& error);

// For mistakes in what was typed that the option parser cannot see: exit code 2.
// The same for an error that says what is wrong with an argument.
ExitCode ReportUsage(Session& session, const Error& error);
ExitCode ReportUsage(Session& session, std::string_view message, std::string_view hint = {});

}  // namespace flair::cli
