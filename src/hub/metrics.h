// HubMetrics: counters of the hub in Prometheus' text form.
//
// Place: hub. prometheus-cpp stays inside metrics.cc.
// Thread safety: any thread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace flair::hub {

class HubMetrics {
 public:
  HubMetrics();
  ~HubMetrics();

  void CountRequest(std::string_view operation, int status, double seconds);
  void CountBytes(std::uint64_t received, std::uint64_t sent);
  void CountEvent(
      std::string_view what);  // "push_accepted", "push_refused", "sign_in_refused", ...
  void SetGauge(std::string_view what, double value);  // "connections", "free_bytes", ...
  std::string Text() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace flair::hub
