// SPDX-License-Identifier: Apache-2.0
#include "cli/app.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <exception>
#include <memory>
#include <new>
#include <ostream>
#include <type_traits>

#include "base/log.h"
#include "cli/render.h"
#include "cli/version.h"
#include "policy/policy.h"

namespace flair::cli {
namespace {

// CLI11 reads "-3" as 2^64 - 3.
std::string CheckWhole(const std::string& text) {
  const bool digits = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
  return digits ? std::string() : "'" + text + "' is not a whole number from 0 on";
}

// Options over CLI11.
class AppOptions final : public Options {
 public:
  explicit AppOptions(CLI::App& app) : app_(app) {}

  void One(const char* name, std::string& into, const char* help, Need need) override {
    Add(name, into, help)->required(need == Need::kRequired);
  }
  void One(const char* name, std::uint64_t& into, const char* help, Need need) override {
    Add(name, into, help)->required(need == Need::kRequired);
  }
  void Many(const char* name, std::vector<std::string>& into, const char* help,
            Need need) override {
    Add(name, into, help)->required(need == Need::kRequired)->type_name("");
  }
  void Many(const char* name, std::vector<std::uint64_t>& into, const char* help,
            Need need) override {
    Add(name, into, help)->required(need == Need::kRequired);
  }
  void Value(const char* flags, std::string& into, const char* help) override {
    Add(flags, into, help);
  }
  void Value(const char* flags, std::uint64_t& into, const char* help) override {
    Add(flags, into, help);
  }
  void Value(const char* flags, std::optional<std::string>& into, const char* help) override {
    app_.add_option_function<std::string>(
        flags, [&into](const std::string& v) { into = v; }, help);
  }
  void Value(const char* flags, std::optional<std::uint64_t>& into, const char* help) override {
    app_.add_option_function<std::uint64_t>(
            flags, [&into](const std::uint64_t& v) { into = v; }, help)
        ->check(CLI::Validator(CheckWhole, ""));
  }
  void Values(const char* flags, std::vector<std::string>& into, const char* help) override {
    // One value each time the option is given, so that it never swallows positionals.
    Add(flags, into, help)->expected(1)->take_all();
  }
  void Choice(const char* flags, std::string& into, std::vector<std::string> choices,
              const char* help) override {
    Add(flags, into, help)->check(CLI::IsMember(std::move(choices)));
  }
  void Choices(const char* flags, std::vector<std::string>& into, std::vector<std::string> choices,
               const char* help) override {
    Add(flags, into, help)->expected(1)->take_all()->check(CLI::IsMember(std::move(choices)));
  }
  void Flag(const char* flags, bool& into, const char* help) override {
    app_.add_flag(flags, into, help);
  }

 private:
  template <typename T>
  CLI::Option* Add(const char* name, T& into, const char* help) {
    CLI::Option* const option = app_.add_option(name, into, help);
    if constexpr (std::is_same_v<T, std::uint64_t> ||
                  std::is_same_v<T, std::vector<std::uint64_t>>) {
      option->check(CLI::Validator(CheckWhole, ""));
    }
    return option;
  }
  CLI::App& app_;
};

struct Bound {
  CLI::App* app;
  Run run;
};

void AddCommand(CLI::App& parent, const CommandSpec& spec, std::vector<Bound>& bound) {
  CLI::App* app = parent.add_subcommand(spec.name, spec.summary);
  app->fallthrough();
  if (spec.example[0] != '\0') {
    std::string footer = "Example:\n";
    std::string_view rest = spec.example;
    while (!rest.empty()) {
      footer += "  " + FirstLine(rest) + "\n";
      const std::size_t end = rest.find('\n');
      rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    }
    app->footer(footer);
  }
  if (spec.define != nullptr) {
    AppOptions options(*app);
    bound.push_back({app, spec.define(options)});
  } else {
    app->require_subcommand(1);
  }
  for (const CommandSpec* sub : spec.subcommands) AddCommand(*app, *sub, bound);
}

// The deepest command that was typed, for its help and its run.
const CLI::App* Deepest(const CLI::App& app) {
  const auto typed = app.get_subcommands();
  return typed.empty() ? &app : Deepest(*typed.front());
}

struct Globals {
  std::string keypair;
  std::string folder;
  bool json = false;
  bool quiet = false;
  bool verbose = false;
};

void AddGlobals(CLI::App& app, Globals& globals) {
  app.add_flag("--json", globals.json, "One JSON document on stdout");
  app.add_flag("-q,--quiet", globals.quiet, "Print errors only");
  app.add_flag("-v,--verbose", globals.verbose, "Print more");
  app.add_option("--keypair", globals.keypair, "Key file (default: FLAIR_KEYPAIR, ...)")
      ->type_name("FILE");
  app.add_option("-C", globals.folder, "Work in this folder")->type_name("DIR");
  app.set_version_flag("--version", std::string("flair ") + kVersion);
}

ExitCode RunBound(Session& session, const Run& run) {
  try {
    const Result<ExitCode> done = run(session);
    session.ClearProgress();
    if (!done.ok()) return ReportError(session, done.error());
    return *done;
  } catch (const std::bad_alloc&) {
    return ReportError(session,
                       Error(ErrorCode::kNoSpace, "out of memory")
                           .WithHint("`flair prove --memory MIB` proves in smaller chunks; "
                                     "elsewhere only more memory helps"));
  } catch (const std::exception& e) {
    // A library we call threw where it should not: our mistake, not the user's.
    session.err() << "error: internal: " << Printable(e.what()) << "\n";
    return ExitCode::kInternal;
  }
}

// What was typed and not understood, in the order it was typed.
std::vector<std::string> Unexpected(const CLI::App& root) { return root.remaining(true); }

// "there is no command 'comit'; the nearest is 'commit'"
std::string NoSuchCommand(const CLI::App& app, const std::string& word) {
  std::string nearest;
  std::size_t best = 3;  // farther ones are no typing mistakes
  for (const CLI::App* sub : app.get_subcommands({})) {
    const std::size_t distance = EditDistance(word, sub->get_name());
    if (distance < best) {
      best = distance;
      nearest = sub->get_name();
    }
  }
  std::string out = "there is no command '" + word + "'";
  if (!nearest.empty()) out += "; the nearest is '" + nearest + "'";
  return out;
}

std::string ParseErrorText(const CLI::App& root, const CLI::App& app,
                           const CLI::ParseError& error) {
  const std::vector<std::string> words = Unexpected(root);
  const bool wants_command = !app.get_subcommands({}).empty();
  if (wants_command) {
    for (const std::string& word : words) {
      if (!word.starts_with('-')) return NoSuchCommand(app, word);
    }
    if (words.empty()) return "a command is missing";
  }
  if (!words.empty() && dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    std::string out = "not expected:";
    for (const std::string& word : words) out += " " + word;
    return out;
  }
  return error.what();
}

ExitCode ReportParseError(Session& session, const CLI::App& root, const CLI::ParseError& error) {
  const CLI::App* app = Deepest(root);
  std::string above;
  for (const CLI::App* a = app->get_parent(); a != nullptr; a = a->get_parent()) {
    above = a->get_name() + (above.empty() ? "" : " " + above);
  }
  // Help and version are "errors" of CLI11 with code 0.
  if (error.get_exit_code() == 0) {
    const bool version = dynamic_cast<const CLI::CallForVersion*>(&error) != nullptr;
    session.raw_out() << (version ? std::string(error.what()) + "\n" : app->help(above));
    return ExitCode::kOk;
  }
  const std::string path = above.empty() ? app->get_name() : above + " " + app->get_name();
  return ReportUsage(session, ParseErrorText(root, *app, error),
                     "`" + path + " --help` shows how it is used");
}

void InstallLog(Session& session) {
  if (session.options.verbosity != Verbosity::kVerbose) return;
  SetLogSink(
      [&session](LogLevel level, std::string_view message) {
        session.err() << std::string(LogLevelName(level)) + ": " + Printable(message) + "\n";
      },
      LogLevel::kDebug);
}

}  // namespace

ExitCode RunCommandLine(Session& session, const std::vector<std::string>& arguments) {
  CLI::App root("Version control for machine-learning models.", "flair");
  Globals globals;
  std::vector<Bound> bound;
  try {
    AddGlobals(root, globals);
    root.require_subcommand(1);
    root.footer("`flair COMMAND --help` shows a command's options and an example.");
    for (const CommandSpec* spec : AllCommands()) AddCommand(root, *spec, bound);
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    if (reversed.empty()) reversed.emplace_back("--help");
    // Even a wrong command line is answered in JSON when it asks for it.
    session.options.json =
        std::find(arguments.begin(), arguments.end(), "--json") != arguments.end();
    root.parse(std::move(reversed));
  } catch (const CLI::ParseError& error) {
    return ReportParseError(session, root, error);
  } catch (const std::exception& error) {
    return ReportUsage(session, error.what());
  }
  session.options.json = globals.json;
  session.options.keypair = globals.keypair;
  if (globals.verbose) session.options.verbosity = Verbosity::kVerbose;
  if (globals.quiet) session.options.verbosity = Verbosity::kQuiet;
  if (!globals.folder.empty()) session.options.cwd = session.Absolute(globals.folder);
  InstallLog(session);

  const CLI::App* typed = Deepest(root);
  const auto at =
      std::find_if(bound.begin(), bound.end(), [&](const Bound& b) { return b.app == typed; });
  const ExitCode code = RunBound(session, at->run);
  SetLogSink({});
  return code;
}

}  // namespace flair::cli
