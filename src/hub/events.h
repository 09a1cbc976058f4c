// EventHub: server-sent events to whoever listens.
//
// Place: hub. A topic is a repository's id. Publishing never waits: a listener whose
// socket is full is cut and may reconnect. A comment line every 15 s keeps
// proxies from closing the connection.
//
// Thread safety: any thread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace flair::hub {

class EventHub {
 public:
  EventHub();
  ~EventHub();  // closes every listener

  // `kind`: "proposal.opened", "proposal.updated", "proposal.merged", "ref.moved", ...
  // `data`: one line of JSON.
  void Publish(std::string_view topic, std::string_view kind, std::string_view data);

  // Takes over a connected socket on which the response head was sent already.
  // False (and the socket is closed) when there are too many listeners.
  bool Adopt(int socket, std::string topic);
  std::size_t num_listeners() const;

 private:
  struct Listener {
    int socket;
    std::string topic;
  };
  void BeatUntilStopped();

  mutable std::mutex mutex_;
  std::condition_variable stopped_changed_;
  bool stopped_ = false;
  std::vector<Listener> listeners_;
  std::thread heart_;
};

}  // namespace flair::hub
