// `flair gc`: frees what nothing reaches any more.
// SPDX-License-Identifier: Apache-2.0
#include "repo/gc.h"

#include <boost/json/object.hpp>
#include <memory>
#include <ostream>

#include "cli/render.h"
#include "cli/session.h"

namespace flair::cli {
namespace {

constexpr std::int64_t kDayS = 86'400;
constexpr std::uint64_t kMaxDays = 36'500;

struct Args {
  std::uint64_t grace_days = 14;
  std::uint64_t history_days = 90;
};

Run Define(Options& o) {
  auto args = std::make_shared<Args>();
  o.Value("--grace-days", args->grace_days, "Keep what is younger than this (default: 14)");
  o.Value("--history-days", args->history_days,
          "Keep what reflog and undo reach for this long (default: 90)");
  return [args](Session& s) -> Result<ExitCode> {
    if (args->grace_days > kMaxDays || args->history_days > kMaxDays) {
      return ReportUsage(s, "at most " + std::to_string(kMaxDays) + " days");
    }
    FLAIR_TRY(const auto repo, s.OpenRepo());
    GcOptions options;
    options.grace_s = static_cast<std::int64_t>(args->grace_days) * kDayS;
    options.keep_history_s = static_cast<std::int64_t>(args->history_days) * kDayS;
    options.progress = s.Progress();
    FLAIR_TRY(const GcReport report, CollectGarbage(*repo, options));
    s.out() << "freed " << FormatBytes(report.freed_bytes) << " ("
            << Count(report.removed_records, "record") << ")\n";
    s.Document(json::object{{"removed_records", report.removed_records},
                            {"freed_bytes", report.freed_bytes},
                            {"removed_operations", report.removed_operations}});
    return ExitCode::kOk;
  };
}

}  // namespace

extern const CommandSpec kGcCommand = {.name = "gc",
                                       .summary = "Free what nothing reaches any more",
                                       .example = "flair gc --grace-days 1",
                                       .define = Define};

}  // namespace flair::cli
