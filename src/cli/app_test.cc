// The command line over an Env in memory: option parsing, exit codes, keys.
// SPDX-License-Identifier: Apache-2.0
#include "cli/app.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <sstream>

#include "base/mem_env.h"
#include "remote/keyfile.h"

namespace flair::cli {
namespace {

class AppTest : public testing::Test {
 protected:
  struct Ran {
    ExitCode code;
    std::string out;
    std::string err;
  };
  Ran RunFlair(const std::vector<std::string>& arguments) {
    std::ostringstream out;
    std::ostringstream err;
    Session session(
        env_, out, err,
        [this](const char* name) -> std::optional<std::string> {
          const auto at = variables_.find(name);
          if (at == variables_.end()) return std::nullopt;
          return at->second;
        },
        interrupted_);
    session.options.cwd = "/work";
    const ExitCode code = RunCommandLine(session, arguments);
    return {code, out.str(), err.str()};
  }

  MemEnv env_;
  std::map<std::string, std::string> variables_ = {{"HOME", "/home/me"}};
  std::atomic<bool> interrupted_{false};
};

void VisitAll(std::span<const CommandSpec* const> specs, const std::string& above,
              const std::function<void(const CommandSpec&, const std::string&)>& visit) {
  for (const CommandSpec* spec : specs) {
    visit(*spec, above + spec->name);
    VisitAll(spec->subcommands, above + spec->name + " ", visit);
  }
}

TEST_F(AppTest, EveryCommandHasASummaryAndAnExampleOfItself) {
  std::set<std::string> seen;
  VisitAll(AllCommands(), "", [&](const CommandSpec& spec, const std::string& path) {
    EXPECT_TRUE(seen.insert(path).second) << path << " twice";
    EXPECT_GT(std::string_view(spec.summary).size(), 5U) << path;
    EXPECT_TRUE(std::string_view(spec.example).starts_with("flair " + path)) << path;
    EXPECT_TRUE(spec.define != nullptr || !spec.subcommands.empty()) << path;
  });
  EXPECT_GT(seen.size(), 60U);
}

TEST_F(AppTest, EveryHelpShowsTheExample) {
  VisitAll(AllCommands(), "", [&](const CommandSpec& spec, const std::string& path) {
    std::vector<std::string> arguments;
    std::istringstream words(path);
    for (std::string word; words >> word;) arguments.push_back(word);
    arguments.emplace_back("--help");
    const Ran ran = RunFlair(arguments);
    EXPECT_EQ(ran.code, ExitCode::kOk) << path;
    const std::string_view example(spec.example);
    EXPECT_NE(ran.out.find(example.substr(0, example.find('\n'))), std::string::npos) << path;
    EXPECT_NE(ran.out.find("Usage: flair " + path), std::string::npos) << ran.out;
    EXPECT_EQ(ran.err, "") << path;
  });
}

TEST_F(AppTest, GlobalOptionsWorkOnEitherSideOfTheCommand) {
  ASSERT_EQ(RunFlair({"wallet", "new"}).code, ExitCode::kOk);
  const std::string first = RunFlair({"--json", "wallet", "show"}).out;
  EXPECT_TRUE(first.starts_with("{\"address\":")) << first;
  EXPECT_EQ(RunFlair({"wallet", "--json", "show"}).out, first);
  EXPECT_EQ(RunFlair({"wallet", "show", "--json"}).out, first);
  EXPECT_EQ(RunFlair({"-q", "wallet", "show"}).out, "");
}

TEST_F(AppTest, ANameOfACommandIsAnArgumentLikeAnyOther) {
  // A file called "commit", a branch called "log".
  const Ran ran = RunFlair({"add", "commit"});
  EXPECT_EQ(ran.code, ExitCode::kFailed);
  EXPECT_NE(ran.err.find("no Flair repository"), std::string::npos) << ran.err;
}

TEST_F(AppTest, MistypedCommandsNameTheNearest) {
  const Ran ran = RunFlair({"comit"});
  EXPECT_EQ(ran.code, ExitCode::kUsage);
  EXPECT_NE(ran.err.find("there is no command 'comit'; the nearest is 'commit'"), std::string::npos)
      << ran.err;
  EXPECT_NE(RunFlair({"wallet", "nwe"}).err.find("the nearest is 'new'"), std::string::npos);
  EXPECT_EQ(RunFlair({"xyzzyx"}).err.find("nearest"), std::string::npos);
}

TEST_F(AppTest, ErrorsAreADocumentWithJson) {
  const Ran ran = RunFlair({"status", "--json"});
  EXPECT_EQ(ran.code, ExitCode::kFailed);
  EXPECT_TRUE(ran.out.starts_with("{\"error\":{\"code\":\"not_found\",\"message\":")) << ran.out;
  EXPECT_EQ(ran.out.find('\n'), ran.out.size() - 1);
  EXPECT_TRUE(ran.err.starts_with("error: ")) << ran.err;
}

TEST_F(AppTest, EveryErrorCodeHasItsExitCode) {
  const std::pair<ErrorCode, ExitCode> kTable[] = {
      {ErrorCode::kInvalidArgument, ExitCode::kFailed},
      {ErrorCode::kNotFound, ExitCode::kFailed},
      {ErrorCode::kCorrupt, ExitCode::kIntegrity},
      {ErrorCode::kRejected, ExitCode::kIntegrity},
      {ErrorCode::kIo, ExitCode::kFailed},
      {ErrorCode::kUnsupported, ExitCode::kFailed},
      {ErrorCode::kConflict, ExitCode::kConflict},
      {ErrorCode::kPolicyViolation, ExitCode::kConflict},
      {ErrorCode::kUnauthorised, ExitCode::kUnauthorised},
      {ErrorCode::kUnavailable, ExitCode::kFailed},
      {ErrorCode::kCancelled, ExitCode::kInterrupted},
      {ErrorCode::kNoSpace, ExitCode::kFailed},
      {ErrorCode::kAlreadyExists, ExitCode::kFailed},
  };
  std::set<std::string_view> names;
  for (const auto& [code, exit_code] : kTable) {
    EXPECT_EQ(ExitCodeOf(code), exit_code) << ErrorCodeName(code);
    EXPECT_TRUE(names.insert(ErrorCodeName(code)).second) << ErrorCodeName(code);
  }
}

TEST_F(AppTest, AKeyIsNeverOverwritten) {
  ASSERT_EQ(RunFlair({"wallet", "new"}).code, ExitCode::kOk);
  const std::string before = RunFlair({"--json", "wallet", "show"}).out;
  EXPECT_EQ(RunFlair({"wallet", "new"}).code, ExitCode::kFailed);
  EXPECT_EQ(RunFlair({"--json", "wallet", "show"}).out, before);
}

TEST_F(AppTest, AnInterruptedOperationEndsWith130) {
  std::ostringstream out;
  std::ostringstream err;
  interrupted_ = true;
  Session session(
      env_, out, err, [](const char*) { return std::nullopt; }, interrupted_);
  const Status stopped = session.Progress()(Progress{.phase = "adding", .item = "model"});
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(ReportError(session, stopped.error()), ExitCode::kInterrupted);
}

TEST(Keyfile, AcceptsBothFormsAndNothingElse) {
  const Keypair key = Keypair::FromSeed({});
  std::string list = "[";
  for (const std::byte b : key.secret()) {
    list += (list.size() == 1 ? "" : ", ") + std::to_string(std::to_integer<int>(b));
  }
  list += "]\n";
  EXPECT_EQ(ParseKeypair(list).value().wallet(), key.wallet());

  const struct {
    const char* name;
    std::string text;
  } kCases[] = {
      {"nothing", ""},
      {"an empty list", "[]"},
      {"63 numbers", "[" + list.substr(list.find(',') + 1)},
      {"a number over 255", "[256" + list.substr(list.find(','))},
      {"a negative number", "[-1" + list.substr(list.find(','))},
      {"a fraction", "[0.5" + list.substr(list.find(','))},
      {"a text in the list", "[\"0\"" + list.substr(list.find(','))},
      {"another public half", "[1" + list.substr(list.find(','))},
      {"an address alone", key.wallet().ToBase58()},
      {"an object", "{}"},
  };
  for (const auto& c : kCases) {
    const auto parsed = ParseKeypair(c.text);
    ASSERT_FALSE(parsed.ok()) << c.name;
    EXPECT_EQ(parsed.error().code(), ErrorCode::kCorrupt) << c.name;
    // No error quotes secret material.
    EXPECT_EQ(parsed.error().message().find("0.5"), std::string::npos);
  }
}

}  // namespace
}  // namespace flair::cli
