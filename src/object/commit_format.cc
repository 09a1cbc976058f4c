// SPDX-License-Identifier: Apache-2.0
#include "object/commit_format.h"

#include <array>
#include <bit>
#include <cmath>

namespace flair {
namespace {

constexpr std::uint32_t kProgram = 1;
constexpr std::uint32_t kFirstStep = 2;
constexpr std::uint32_t kNumSteps = 3;
constexpr std::uint32_t kNumSamples = 4;
constexpr std::uint32_t kDataCard = 5;
constexpr std::uint32_t kTicket = 6;
constexpr std::uint32_t kWeightsCommitment = 7;
constexpr std::uint32_t kMetrics = 8;
constexpr std::uint32_t kFramework = 9;
constexpr std::array kTrainingFields = {kProgram,           kFirstStep, kNumSteps,
                                        kNumSamples,        kDataCard,  kTicket,
                                        kWeightsCommitment, kMetrics,   kFramework};

constexpr std::uint32_t kMethod = 1;
constexpr std::uint32_t kBase = 2;
constexpr std::uint32_t kAlpha = 3;
constexpr std::uint32_t kParameters = 4;
constexpr std::array kRecipeFields = {kMethod, kBase, kAlpha, kParameters};

Error Corrupt(std::string what) { return Error(ErrorCode::kCorrupt, std::move(what)); }

// A short UTF-8 name inside a list.
Result<std::string> TakeName(ByteReader& reader, std::string_view what, std::size_t max_bytes) {
  FLAIR_TRY(const ByteView raw, reader.TakePrefixed());
  if (raw.size() > max_bytes) {
    return Corrupt(std::string(what) + " of " + std::to_string(raw.size()) +
                   " bytes; the limit is " + std::to_string(max_bytes));
  }
  if (!IsUtf8(raw)) return Corrupt(std::string(what) + " is not UTF-8");
  return std::string(AsText(raw));
}

Result<std::vector<Metric>> DecodeMetrics(ByteView payload) {
  if (payload.empty()) return Corrupt("an empty list of metrics, which is left out");
  std::vector<Metric> metrics;
  ByteReader reader(payload);
  while (!reader.empty()) {
    if (metrics.size() == kMaxMetrics) {
      return Corrupt("more than " + std::to_string(kMaxMetrics) + " metrics");
    }
    Metric metric;
    FLAIR_TRY(metric.name, TakeName(reader, "a metric name", kMaxNameBytes));
    if (metric.name.empty()) return Corrupt("a metric without a name");
    if (!metrics.empty() && metric.name <= metrics.back().name) {
      return Corrupt("metric \"" + metric.name + "\" is out of order or repeats");
    }
    FLAIR_TRY(const ByteView raw, reader.Take(sizeof(double)));
    metric.value = std::bit_cast<double>(LoadLe64(raw));
    if (!std::isfinite(metric.value)) {
      return Corrupt("metric \"" + metric.name + "\" is not finite");
    }
    metrics.push_back(std::move(metric));
  }
  return metrics;
}

Result<std::vector<std::pair<std::string, std::string>>> DecodeParameters(ByteView payload) {
  if (payload.empty()) return Corrupt("an empty list of parameters, which is left out");
  std::vector<std::pair<std::string, std::string>> parameters;
  ByteReader reader(payload);
  while (!reader.empty()) {
    if (parameters.size() == kMaxRecipeParameters) {
      return Corrupt("more than " + std::to_string(kMaxRecipeParameters) + " parameters");
    }
    FLAIR_TRY(std::string key, TakeName(reader, "a parameter's name", kMaxNameBytes));
    if (key.empty()) return Corrupt("a parameter without a name");
    if (!parameters.empty() && key <= parameters.back().first) {
      return Corrupt("parameter \"" + key + "\" is out of order or repeats");
    }
    FLAIR_TRY(std::string value, TakeName(reader, "a parameter", kMaxParameterBytes));
    parameters.emplace_back(std::move(key), std::move(value));
  }
  return parameters;
}

Result<std::vector<std::uint32_t>> DecodeAlpha(ByteView payload) {
  if (payload.empty()) return Corrupt("an empty list of weights, which is left out");
  if (payload.size() % 4 != 0) return Corrupt("the list of weights is cut off");
  if (payload.size() / 4 > kMaxParents) return Corrupt("more weights than parents");
  std::vector<std::uint32_t> alpha;
  for (std::size_t at = 0; at < payload.size(); at += 4) {
    alpha.push_back(LoadLe32(payload.subspan(at)));
  }
  return alpha;
}

Result<TrainingRecord> DecodeTrainingFields(ByteView bytes) {
  FLAIR_TRY(const MessageDecoder m, MessageDecoder::Parse(bytes, kTrainingFields));
  TrainingRecord t;
  t.unknown = m.unknown();
  FLAIR_TRY(t.program, m.OptionalDigest(kProgram));
  FLAIR_TRY(t.first_step, m.UintOr(kFirstStep, 0));
  FLAIR_TRY(t.num_steps, m.UintOr(kNumSteps, 0));
  FLAIR_TRY(t.num_samples, m.UintOr(kNumSamples, 0));
  if (t.num_samples > kMaxSamples) {
    return Corrupt(std::to_string(t.num_samples) + " samples are over the limit of " +
                   std::to_string(kMaxSamples));
  }
  FLAIR_TRY(t.data_card, m.OptionalDigest(kDataCard));
  FLAIR_TRY(t.ticket, m.OptionalDigest(kTicket));
  FLAIR_TRY(t.weights_commitment, m.OptionalDigest(kWeightsCommitment));
  if (m.Has(kMetrics)) {
    FLAIR_TRY(const ByteView payload, m.Raw(kMetrics));
    FLAIR_TRY(t.metrics, DecodeMetrics(payload));
  }
  FLAIR_TRY(t.framework, m.TextOr(kFramework, ""));
  if (t.framework.size() > kMaxNameBytes) return Corrupt("the framework's name is too long");
  return t;
}

Result<MergeRecipe> DecodeRecipeFields(ByteView bytes) {
  FLAIR_TRY(const MessageDecoder m, MessageDecoder::Parse(bytes, kRecipeFields));
  MergeRecipe r;
  r.unknown = m.unknown();
  FLAIR_TRY(r.method, m.Text(kMethod));
  if (r.method.empty() || r.method.size() > kMaxNameBytes) {
    return Corrupt("a method's name of " + std::to_string(r.method.size()) + " bytes");
  }
  FLAIR_TRY(r.base.digest, m.TakeDigest(kBase));
  if (m.Has(kAlpha)) {
    FLAIR_TRY(const ByteView payload, m.Raw(kAlpha));
    FLAIR_TRY(r.alpha, DecodeAlpha(payload));
  }
  if (m.Has(kParameters)) {
    FLAIR_TRY(const ByteView payload, m.Raw(kParameters));
    FLAIR_TRY(r.parameters, DecodeParameters(payload));
  }
  return r;
}

void AppendPrefixed(Bytes& out, std::string_view text) {
  AppendVarint(out, text.size());
  Append(out, AsBytes(text));
}

}  // namespace

Bytes EncodeTraining(const TrainingRecord& t) {
  MessageEncoder m;
  if (t.program) m.Raw(kProgram, t.program->view());
  if (t.first_step != 0) m.Uint(kFirstStep, t.first_step);
  if (t.num_steps != 0) m.Uint(kNumSteps, t.num_steps);
  if (t.num_samples != 0) m.Uint(kNumSamples, t.num_samples);
  if (t.data_card) m.Raw(kDataCard, t.data_card->view());
  if (t.ticket) m.Raw(kTicket, t.ticket->view());
  if (t.weights_commitment) m.Raw(kWeightsCommitment, t.weights_commitment->view());
  if (!t.metrics.empty()) {
    Bytes list;
    for (const Metric& metric : t.metrics) {
      AppendPrefixed(list, metric.name);
      AppendLe64(list, std::bit_cast<std::uint64_t>(metric.value));
    }
    m.Raw(kMetrics, list);
  }
  if (!t.framework.empty()) m.Text(kFramework, t.framework);
  for (const UnknownField& field : t.unknown) m.Raw(field.number, field.payload);
  return m.Take();
}

Result<TrainingRecord> DecodeTraining(ByteView bytes) {
  auto t = DecodeTrainingFields(bytes);
  if (!t.ok()) return std::move(t).error().In("training");
  return t;
}

Bytes EncodeRecipe(const MergeRecipe& r) {
  MessageEncoder m;
  m.Text(kMethod, r.method);
  m.Raw(kBase, r.base.digest.view());
  if (!r.alpha.empty()) {
    Bytes list;
    for (const std::uint32_t a : r.alpha) AppendLe32(list, a);
    m.Raw(kAlpha, list);
  }
  if (!r.parameters.empty()) {
    Bytes list;
    for (const auto& [key, value] : r.parameters) {
      AppendPrefixed(list, key);
      AppendPrefixed(list, value);
    }
    m.Raw(kParameters, list);
  }
  for (const UnknownField& field : r.unknown) m.Raw(field.number, field.payload);
  return m.Take();
}

Result<MergeRecipe> DecodeRecipe(ByteView bytes) {
  auto r = DecodeRecipeFields(bytes);
  if (!r.ok()) return std::move(r).error().In("merge");
  return r;
}

}  // namespace flair
