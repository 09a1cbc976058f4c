// SPDX-License-Identifier: Apache-2.0
#include "hub/events.h"

#include <sys/socket.h>
#include <unistd.h>

#include <chrono>

namespace flair::hub {
namespace {

constexpr std::size_t kMaxListeners = 1024;
constexpr std::chrono::seconds kBeat{15};

bool SendWhole(int socket, std::string_view text) {
  const ssize_t n = ::send(socket, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  return n == static_cast<ssize_t>(text.size());
}

}  // namespace

EventHub::EventHub() : heart_([this] { BeatUntilStopped(); }) {}

EventHub::~EventHub() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    for (const Listener& l : listeners_) ::close(l.socket);
    listeners_.clear();
  }
  stopped_changed_.notify_all();
  heart_.join();
}

void EventHub::Publish(std::string_view topic, std::string_view kind, std::string_view data) {
  std::string text = "event: " + std::string(kind) + "\ndata: " + std::string(data) + "\n\n";
  const std::lock_guard lock(mutex_);
  std::erase_if(listeners_, [&](const Listener& l) {
    if (l.topic != topic || SendWhole(l.socket, text)) return false;
    ::close(l.socket);
    return true;
  });
}

bool EventHub::Adopt(int socket, std::string topic) {
  const std::lock_guard lock(mutex_);
  if (stopped_ || listeners_.size() >= kMaxListeners || !SendWhole(socket, ": listening\n\n")) {
    ::close(socket);
    return false;
  }
  listeners_.push_back({socket, std::move(topic)});
  return true;
}

std::size_t EventHub::num_listeners() const {
  const std::lock_guard lock(mutex_);
  return listeners_.size();
}

void EventHub::BeatUntilStopped() {
  std::unique_lock lock(mutex_);
  while (!stopped_changed_.wait_for(lock, kBeat, [&] { return stopped_; })) {
    std::erase_if(listeners_, [](const Listener& l) {
      if (SendWhole(l.socket, ": still here\n\n")) return false;
      ::close(l.socket);
      return true;
    });
  }
}

}  // namespace flair::hub
