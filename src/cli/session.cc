// SPDX-License-Identifier: Apache-2.0
#include "cli/session.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <ostream>

#include "base/path.h"
#include "cli/render.h"
#include "remote/keyfile.h"

namespace flair::cli {
namespace {

// Swallows everything.
std::ostream& Nowhere() {
  static std::ostream nowhere(nullptr);
  return nowhere;
}

constexpr std::uint64_t kMaxConfigBytes = 64 * 1024;

}  // namespace

std::ostream& Session::out() {
  if (options.json || options.verbosity == Verbosity::kQuiet) return Nowhere();
  ClearProgress();
  return out_;
}

std::ostream& Session::note() {
  if (options.json || options.verbosity == Verbosity::kQuiet) return Nowhere();
  ClearProgress();
  return err_;
}

void Session::Document(const json::value& v) {
  if (!options.json) return;
  ClearProgress();
  out_ << boost::json::serialize(v) << "\n";
}

std::string Session::Absolute(std::string_view typed) const {
  if (typed.starts_with('/')) return std::string(typed);
  if (typed.empty() || typed == ".") return options.cwd;
  return JoinPath(options.cwd, typed);
}

Result<std::string> Session::ConfigDir() const {
  if (const auto xdg = getenv_("XDG_CONFIG_HOME"); xdg && !xdg->empty()) {
    return JoinPath(*xdg, "flair");
  }
  if (const auto home = getenv_("HOME"); home && !home->empty()) {
    return JoinPath(*home, ".config/flair");
  }
  return Error(ErrorCode::kNotFound, "there is no home folder: HOME is not set")
      .WithHint("set HOME, or name the key with --keypair");
}

Result<std::string> Session::TokensPath() const {
  FLAIR_TRY(const std::string dir, ConfigDir());
  return JoinPath(dir, "tokens.json");
}

Result<std::string> Session::KeypairPath() {
  if (!options.keypair.empty()) return Absolute(options.keypair);
  if (const auto path = getenv_("FLAIR_KEYPAIR"); path && !path->empty()) return Absolute(*path);
  FLAIR_TRY(const std::string dir, ConfigDir());
  const std::string own = JoinPath(dir, "id.json");
  if (Exists(env_, own)) return own;
  if (const auto home = getenv_("HOME"); home && !home->empty()) {
    FLAIR_TRY(const std::string solana, SolanaKeypairPath(env_, *home));
    if (!solana.empty() && Exists(env_, solana)) return solana;
  }
  return Error(ErrorCode::kNotFound, "there is no wallet on this machine")
      .WithHint("`flair wallet new` makes one, `flair wallet import` takes an existing key");
}

Result<Keypair> Session::LoadKeypair() {
  FLAIR_TRY(const std::string path, KeypairPath());
  return ReadKeypair(env_, path);
}

Result<std::string> Session::WalletOrNone() {
  const auto path = KeypairPath();
  if (!path.ok() && path.error().code() == ErrorCode::kNotFound) return std::string();
  FLAIR_TRY(const Keypair key, LoadKeypair());
  return key.wallet().ToBase58();
}

Result<std::string> Session::DefaultHub() {
  if (const auto hub = getenv_("FLAIR_HUB"); hub && !hub->empty()) return *hub;
  FLAIR_TRY(const std::string dir, ConfigDir());
  const std::string path = JoinPath(dir, "config.json");
  if (!Exists(env_, path)) return std::string();
  FLAIR_TRY(const Bytes text, ReadFile(env_, path, kMaxConfigBytes));
  boost::system::error_code failed;
  const json::value v = json::parse(AsText(text), failed);
  if (failed || !v.is_object()) {
    return Error(ErrorCode::kInvalidArgument, path + " is not a JSON object")
        .WithHint("remove it; `flair login HUB` writes a new one");
  }
  const json::value* hub = v.get_object().if_contains("hub");
  if (hub == nullptr || !hub->is_string()) return std::string();
  return std::string(hub->get_string());
}

Status Session::SetDefaultHub(const std::string& url) {
  FLAIR_TRY(const std::string dir, ConfigDir());
  FLAIR_DO(MakeDirs(env_, dir));
  const std::string text = json::serialize(json::object{{"hub", url}}) + "\n";
  return WriteFileAtomically(env_, JoinPath(dir, "config.json"), AsBytes(text));
}

Result<std::unique_ptr<Repository>> Session::OpenRepo() {
  return Repository::Discover(env_, options.cwd);
}

ProgressSink Session::Progress() {
  return [this](const flair::Progress& progress) -> Status {
    if (interrupted_.load()) return Error(ErrorCode::kCancelled, "interrupted");
    if (!options.err_is_terminal || options.json || options.verbosity == Verbosity::kQuiet) {
      return OkStatus();
    }
    return Draw(progress);
  };
}

Status Session::Draw(const flair::Progress& progress) {
  // Ten times a second: more is flicker.
  const std::int64_t now_ns = env_.MonotonicNs();
  if (drawn_width_ > 0 && now_ns - last_drawn_ns_ < 100'000'000) return OkStatus();
  last_drawn_ns_ = now_ns;
  std::string line = std::string(progress.phase) + " " + Printable(progress.item);
  if (progress.done_bytes > 0 || progress.total_bytes > 0) {
    line += "  " + FormatBytes(progress.done_bytes);
  }
  if (progress.total_bytes > 0) {
    const std::uint64_t done = std::min(progress.done_bytes, progress.total_bytes);
    line += " of " + FormatBytes(progress.total_bytes) + "  " +
            std::to_string(static_cast<unsigned>(100.0 * static_cast<double>(done) /
                                                 static_cast<double>(progress.total_bytes))) +
            " %";
  }
  const std::size_t width = line.size();
  if (line.size() < drawn_width_) line.append(drawn_width_ - line.size(), ' ');
  drawn_width_ = width;
  err_ << "\r" << line << std::flush;
  return OkStatus();
}

void Session::ClearProgress() {
  if (drawn_width_ == 0) return;
  err_ << "\r" << std::string(drawn_width_, ' ') << "\r" << std::flush;
  drawn_width_ = 0;
}

ExitCode ReportError(Session& session, const Error& error) {
  session.ClearProgress();
  if (session.json()) {
    json::object e = {{"code", ErrorCodeName(error.code())}, {"message", error.message()}};
    if (!error.hint().empty()) e["hint"] = error.hint();
    session.Document(json::object{{"error", std::move(e)}});
  }
  session.err() << "error: " << Printable(error.message()) << "\n";
  if (!error.hint().empty()) session.err() << "hint: " << Printable(error.hint()) << "\n";
  return ExitCodeOf(error.code());
}

ExitCode ReportUsage(Session& session, const Error& error) {
  ReportError(session, error);
  return ExitCode::kUsage;
}

ExitCode ReportUsage(Session& session, std::string_view message, std::string_view hint) {
  Error error(ErrorCode::kInvalidArgument, std::string(message));
  if (!hint.empty()) error = std::move(error).WithHint(std::string(hint));
  ReportError(session, error);
  return ExitCode::kUsage;
}

}  // namespace flair::cli
