// `flair hub`: runs a hub and keeps its folder in order.
// SPDX-License-Identifier: Apache-2.0
#include <boost/json/object.hpp>
#include <charconv>
#include <memory>
#include <ostream>

#include "base/log.h"
#include "cli/objects_view.h"
#include "cli/render.h"
#include "hub/server.h"
#include "hub/upkeep.h"

namespace flair::cli {
namespace {

struct Args {
  std::string data;
  std::optional<std::string> listen;
  std::optional<std::string> config;
  std::string to;
  std::uint64_t grace_days = 14;
};

void AddData(Options& o, const std::shared_ptr<Args>& args) {
  o.Value("--data", args->data, "The hub's folder");
}

// "127.0.0.1:8420", "[::1]:8420", ":8420" (every address).
Status ParseListen(std::string_view text, hub::HubOptions& into) {
  const std::size_t colon = text.rfind(':');
  std::uint16_t port = 0;
  const std::string_view digits =
      colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (digits.empty() || failed != std::errc() || end != digits.data() + digits.size()) {
    return Error(ErrorCode::kInvalidArgument,
                 "'" + std::string(text) + "' is not ADDRESS:PORT, as 127.0.0.1:8420");
  }
  std::string_view address = text.substr(0, colon);
  if (address.starts_with('[') && address.ends_with(']')) {
    address = address.substr(1, address.size() - 2);
  }
  into.address = address.empty() ? "0.0.0.0" : std::string(address);
  into.port = port;
  return OkStatus();
}

void InstallServerLog(Session& s) {
  const LogLevel lowest = s.options.verbosity == Verbosity::kVerbose ? LogLevel::kDebug
                          : s.options.verbosity == Verbosity::kQuiet ? LogLevel::kError
                                                                     : LogLevel::kInfo;
  std::ostream& err = s.err();
  Env& env = s.env();
  SetLogSink(
      [&err, &env](LogLevel level, std::string_view message) {
        // One write a line: lines of different threads must not mix.
        const std::string line = FormatTime(static_cast<std::uint64_t>(env.NowSeconds())) + " " +
                                 std::string(LogLevelName(level)) + " " + Printable(message) + "\n";
        err.write(line.data(), static_cast<std::streamsize>(line.size()));
        err.flush();
      },
      lowest);
}

Run DefineServe(Options& o) {
  auto args = std::make_shared<Args>();
  AddData(o, args);
  o.Value("--listen", args->listen, "ADDRESS:PORT (default: 127.0.0.1:8420)");
  o.Value("--config", args->config, "TOML file with the hub's settings");
  return [args](Session& s) -> Result<ExitCode> {
    hub::HubOptions options;
    if (args->config) {
      FLAIR_TRY(options, hub::ReadHubConfig(s.Absolute(*args->config), options));
    }
    if (!args->data.empty()) options.data_dir = s.Absolute(args->data);
    if (options.data_dir.empty()) {
      return ReportUsage(s, "a hub needs a folder", "flair hub serve --data DIR");
    }
    if (args->listen) {
      if (const Status parsed = ParseListen(*args->listen, options); !parsed.ok()) {
        return ReportUsage(s, parsed.error());
      }
    }
    InstallServerLog(s);
    FLAIR_TRY(const auto server, hub::StartHub(options));
    hub::StopOnSignals(*server);
    s.out() << "hub at " << server->url() << ", data in " << options.data_dir << "\n" << std::flush;
    s.Document(json::object{{"url", server->url()}, {"port", server->port()}});
    s.raw_out().flush();
    FLAIR_DO(server->Run());
    return ExitCode::kOk;
  };
}

// The folder, or nothing after the usage was told.
bool HasData(Session& s, const Args& args) {
  if (!args.data.empty()) return true;
  ReportUsage(s, "which hub folder?", "--data DIR");
  return false;
}

Run DefineFsck(Options& o) {
  auto args = std::make_shared<Args>();
  AddData(o, args);
  return [args](Session& s) -> Result<ExitCode> {
    if (!HasData(s, *args)) return ExitCode::kUsage;
    FLAIR_TRY(const hub::HubFsckReport report, hub::FsckHub(s.Absolute(args->data)));
    for (const std::string& problem : report.problems) {
      s.err() << "damaged: " << Printable(problem) << "\n";
    }
    s.out() << report.repos << (report.repos == 1 ? " repository, " : " repositories, ")
            << Count(report.commits, "commit") << ": "
            << (report.problems.empty() ? "all good" : Count(report.problems.size(), "problem"))
            << "\n";
    s.Document(json::object{{"ok", report.problems.empty()},
                            {"problems", StringsJson(report.problems)},
                            {"num_repos", report.repos},
                            {"num_commits", report.commits}});
    return report.problems.empty() ? ExitCode::kOk : ExitCode::kIntegrity;
  };
}

Run DefineGc(Options& o) {
  auto args = std::make_shared<Args>();
  AddData(o, args);
  o.Value("--grace-days", args->grace_days, "Keep what is younger than this (default: 14)");
  return [args](Session& s) -> Result<ExitCode> {
    if (!HasData(s, *args)) return ExitCode::kUsage;
    if (args->grace_days > 36'500) return ReportUsage(s, "at most 36500 days");
    FLAIR_TRY(const hub::HubGcReport report,
              hub::CollectHubGarbage(s.Absolute(args->data),
                                     static_cast<std::int64_t>(args->grace_days) * 86'400));
    s.out() << "freed " << FormatBytes(report.freed_bytes) << " ("
            << Count(report.removed_records, "record") << ")\n";
    s.Document(json::object{{"removed_records", report.removed_records},
                            {"freed_bytes", report.freed_bytes}});
    return ExitCode::kOk;
  };
}

Run DefineBackup(Options& o) {
  auto args = std::make_shared<Args>();
  AddData(o, args);
  o.One("DIR", args->to, "An empty folder for the copy", Need::kRequired);
  return [args](Session& s) -> Result<ExitCode> {
    if (!HasData(s, *args)) return ExitCode::kUsage;
    FLAIR_DO(hub::BackUpHub(s.Absolute(args->data), s.Absolute(args->to)));
    s.out() << "backed up to " << s.Absolute(args->to) << "\n";
    s.Document(json::object{{"backup", s.Absolute(args->to)}});
    return ExitCode::kOk;
  };
}

Run DefineMigrate(Options& o) {
  auto args = std::make_shared<Args>();
  AddData(o, args);
  return [args](Session& s) -> Result<ExitCode> {
    if (!HasData(s, *args)) return ExitCode::kUsage;
    FLAIR_TRY(const int version, hub::MigrateHub(s.Absolute(args->data)));
    s.out() << "schema version " << version << "\n";
    s.Document(json::object{{"schema_version", version}});
    return ExitCode::kOk;
  };
}

const CommandSpec kServe = {.name = "serve",
                            .summary = "Run a hub",
                            .example = "flair hub serve --data /srv/flair --listen 127.0.0.1:8420",
                            .define = DefineServe};
const CommandSpec kFsck = {.name = "fsck",
                           .summary = "Check every repository of a hub",
                           .example = "flair hub fsck --data /srv/flair",
                           .define = DefineFsck};
const CommandSpec kGc = {.name = "gc",
                         .summary = "Free what nothing reaches; the hub must be stopped",
                         .example = "flair hub gc --data /srv/flair",
                         .define = DefineGc};
const CommandSpec kBackup = {.name = "backup",
                             .summary = "Copy a hub, running or not",
                             .example = "flair hub backup --data /srv/flair /backup/today",
                             .define = DefineBackup};
const CommandSpec kMigrate = {.name = "migrate",
                              .summary = "Bring a hub's database to this version",
                              .example = "flair hub migrate --data /srv/flair",
                              .define = DefineMigrate};
const CommandSpec* const kSubcommands[] = {&kServe, &kFsck, &kGc, &kBackup, &kMigrate};

}  // namespace

extern const CommandSpec kHubCommand = {.name = "hub",
                                        .summary = "Run a hub: serve, fsck, gc, backup, migrate",
                                        .example = "flair hub serve --data hub",
                                        .subcommands = kSubcommands};

}  // namespace flair::cli
