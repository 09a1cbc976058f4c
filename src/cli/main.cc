// The `flair` executable: streams, signals, clock; everything else is app.h.
// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <atomic>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <memory>

#include "cli/app.h"
#include "cli/pinned_env.h"

namespace {

std::atomic<bool> interrupted{false};

// The first SIGINT asks: operations stop at a safe point, resumable. The second ends.
extern "C" void OnInterrupt(int) {
  if (interrupted.exchange(true)) _exit(130);
}

std::optional<std::string> GetVariable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

std::string CurrentFolder() {
  char path[PATH_MAX];
  return getcwd(path, sizeof path) == nullptr ? "." : path;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGINT, OnInterrupt);
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is an error of the write, nothing more
  std::ios::sync_with_stdio(false);

  flair::Env* env = &flair::PosixEnv();
  std::unique_ptr<flair::Env> pinned;
  // For the golden sessions of tests/cli: the clock stands at this second.
  if (const auto time = GetVariable("FLAIR_TEST_TIME")) {
    pinned = std::make_unique<flair::cli::PinnedEnv>(*env, std::atoll(time->c_str()));
    env = pinned.get();
  }
  flair::cli::Session session(*env, std::cout, std::cerr, GetVariable, interrupted);
  session.options.cwd = CurrentFolder();
  session.options.err_is_terminal = isatty(STDERR_FILENO) == 1;
  session.options.out_is_terminal = isatty(STDOUT_FILENO) == 1;
  const flair::cli::ExitCode code =
      flair::cli::RunCommandLine(session, std::vector<std::string>(argv + 1, argv + argc));
  std::cout.flush();
  return static_cast<int>(code);
}
