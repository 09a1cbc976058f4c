// Signals end the server gently: a handler may only write to a pipe, a thread does the rest.
// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <unistd.h>

#include <thread>

#include "base/check.h"
#include "hub/server.h"

namespace flair::hub {
namespace {

int g_pipe[2] = {-1, -1};

void OnSignal(int) {
  const char byte = 1;
  // A full pipe means a stop is on its way.
  [[maybe_unused]] const ssize_t n = ::write(g_pipe[1], &byte, 1);
}

}  // namespace

void StopOnSignals(HubServer& server) {
  FLAIR_CHECK(::pipe(g_pipe) == 0) << "no pipe";
  struct sigaction action {};
  action.sa_handler = OnSignal;
  action.sa_flags = static_cast<int>(SA_RESTART | SA_RESETHAND);  // a second signal ends at once
  sigemptyset(&action.sa_mask);
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGINT, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  std::thread([&server] {
    char byte = 0;
    while (::read(g_pipe[0], &byte, 1) < 0) {
    }
    server.Stop();
  }).detach();
}

}  // namespace flair::hub
