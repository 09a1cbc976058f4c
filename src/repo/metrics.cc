// ParseMetrics: a flat JSON object of numbers, read strictly.
// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <cmath>
#include <set>

#include "base/utf8.h"
#include "repo/commit_ops.h"

namespace flair {
namespace {

class MetricsParser {
 public:
  explicit MetricsParser(std::string_view text) : text_(text) {}

  Result<std::vector<Metric>> Parse() {
    std::vector<Metric> metrics;
    FLAIR_DO(Expect('{'));
    if (!Take('}')) {
      do {
        FLAIR_TRY(std::string name, Name());
        if (!names_.insert(name).second) return Bad("metric '" + name + "' appears twice");
        FLAIR_DO(Expect(':'));
        FLAIR_TRY(const double value, Number(name));
        if (metrics.size() == kMaxMetrics) {
          return Bad("more than " + std::to_string(kMaxMetrics) + " metrics");
        }
        metrics.push_back({.name = std::move(name), .value = value});
      } while (Take(','));
      FLAIR_DO(Expect('}'));
    }
    SkipBlank();
    if (at_ != text_.size()) return Bad("text after the object");
    return metrics;
  }

 private:
  Error Bad(const std::string& what) const {
    return Error(ErrorCode::kInvalidArgument, "metrics, byte " + std::to_string(at_) + ": " + what)
        .WithHint("metrics are one JSON object of numbers: {\"accuracy\": 0.93}");
  }
  void SkipBlank() {
    while (at_ < text_.size() &&
           std::string_view(" \t\r\n").find(text_[at_]) != std::string::npos) {
      ++at_;
    }
  }
  bool Take(char c) {
    SkipBlank();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  Status Expect(char c) {
    if (Take(c)) return OkStatus();
    return Bad(std::string("expected '") + c + "'");
  }

  Result<std::string> Name() {
    FLAIR_DO(Expect('"'));
    std::string name;
    while (true) {
      if (at_ == text_.size()) return Bad("a name is cut off");
      const char c = text_[at_++];
      if (c == '"') break;
      if (static_cast<unsigned char>(c) < 0x20) return Bad("a control character in a name");
      if (c == '\\') {
        // Only what a name may need; \u would allow two spellings of one metric.
        if (at_ == text_.size()) return Bad("a name is cut off");
        const char escaped = text_[at_++];
        if (escaped != '"' && escaped != '\\' && escaped != '/') {
          return Bad("this escape is not supported in a name: write the character itself");
        }
        name += escaped;
        continue;
      }
      name += c;
    }
    if (name.empty() || name.size() > kMaxNameBytes) {
      return Bad("a metric's name has 1 to " + std::to_string(kMaxNameBytes) + " bytes");
    }
    if (!IsValidUtf8(name)) return Bad("a name is not UTF-8");
    return name;
  }

  Result<double> Number(const std::string& name) {
    SkipBlank();
    std::size_t end = at_;
    while (end < text_.size() &&
           std::string_view("+-.0123456789eE").find(text_[end]) != std::string_view::npos) {
      ++end;
    }
    double value = 0;
    const char* begin = text_.data() + at_;
    const auto [stop, failed] = std::from_chars(begin, text_.data() + end, value);
    if (failed != std::errc() || stop != text_.data() + end || begin == stop) {
      return Bad("metric '" + name + "' is not a finite number");
    }
    if (!std::isfinite(value)) return Bad("metric '" + name + "' is not finite");
    at_ = end;
    return value;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::set<std::string> names_;
};

}  // namespace

Result<std::vector<Metric>> ParseMetrics(std::string_view json) {
  return MetricsParser(json).Parse();
}

}  // namespace flair
