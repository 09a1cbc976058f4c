// SPDX-License-Identifier: Apache-2.0
#include "hub/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace flair::hub {

struct HubMetrics::State {
  prometheus::Registry registry;
  prometheus::Family<prometheus::Counter>& requests =
      prometheus::BuildCounter()
          .Name("flair_http_requests_total")
          .Help("Requests by operation and status class")
          .Register(registry);
  prometheus::Family<prometheus::Histogram>& seconds =
      prometheus::BuildHistogram()
          .Name("flair_http_request_seconds")
          .Help("Time inside the handler by operation")
          .Register(registry);
  prometheus::Family<prometheus::Counter>& bytes = prometheus::BuildCounter()
                                                       .Name("flair_http_bytes_total")
                                                       .Help("Body bytes")
                                                       .Register(registry);
  prometheus::Family<prometheus::Counter>& events = prometheus::BuildCounter()
                                                        .Name("flair_events_total")
                                                        .Help("What happened in the hub")
                                                        .Register(registry);
  prometheus::Family<prometheus::Gauge>& gauges =
      prometheus::BuildGauge().Name("flair_state").Help("How the hub is").Register(registry);
  prometheus::Counter& received = bytes.Add({{"direction", "received"}});
  prometheus::Counter& sent = bytes.Add({{"direction", "sent"}});
};

HubMetrics::HubMetrics() : state_(std::make_unique<State>()) {}
HubMetrics::~HubMetrics() = default;

void HubMetrics::CountRequest(std::string_view operation, int status, double seconds) {
  const std::string name(operation);
  const std::string kind = std::to_string(status / 100) + "xx";
  state_->requests.Add({{"operation", name}, {"status", kind}}).Increment();
  state_->seconds
      .Add({{"operation", name}},
           prometheus::Histogram::BucketBoundaries{0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3,
                                                   10, 30, 100})
      .Observe(seconds);
}

void HubMetrics::CountBytes(std::uint64_t received, std::uint64_t sent) {
  state_->received.Increment(static_cast<double>(received));
  state_->sent.Increment(static_cast<double>(sent));
}

void HubMetrics::CountEvent(std::string_view what) {
  state_->events.Add({{"event", std::string(what)}}).Increment();
}

void HubMetrics::SetGauge(std::string_view what, double value) {
  state_->gauges.Add({{"what", std::string(what)}}).Set(value);
}

std::string HubMetrics::Text() const {
  return prometheus::TextSerializer().Serialize(state_->registry.Collect());
}

}  // namespace flair::hub
