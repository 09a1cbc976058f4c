// SPDX-License-Identifier: Apache-2.0
#include "repo/run_format.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>

#include "crypto/blake3.h"
#include "object/encoding.h"
#include "object/file.h"

namespace flair {
namespace {

namespace json = boost::json;

constexpr std::uint64_t kFormat = 1;
constexpr std::size_t kChecksumBytes = 8;
constexpr std::size_t kLengthBytes = 4;

Error Broken(std::string what) { return Error(ErrorCode::kCorrupt, std::move(what)); }

json::value HexOrNull(const std::optional<Digest>& d) {
  return d ? json::value(d->ToHex()) : json::value(nullptr);
}

Result<std::string> TextOf(const json::object& o, std::string_view name) {
  const json::value* v = o.if_contains(name);
  if (v == nullptr || !v->is_string())
    return Broken("run.json: no text '" + std::string(name) + "'");
  return std::string(v->get_string());
}

Result<std::uint64_t> UintOf(const json::object& o, std::string_view name) {
  const json::value* v = o.if_contains(name);
  if (v != nullptr && v->is_uint64()) return v->get_uint64();
  if (v != nullptr && v->is_int64() && v->get_int64() >= 0) {
    return static_cast<std::uint64_t>(v->get_int64());
  }
  return Broken("run.json: no number '" + std::string(name) + "'");
}

Result<std::optional<Digest>> DigestOf(const json::object& o, std::string_view name) {
  const json::value* v = o.if_contains(name);
  if (v == nullptr || v->is_null()) return std::optional<Digest>();
  if (!v->is_string()) return Broken("run.json: '" + std::string(name) + "' is no id");
  auto digest = Digest::FromHex(std::string_view(v->get_string()));
  if (!digest.ok()) return Broken("run.json: '" + std::string(name) + "' is no id");
  return std::optional<Digest>(*digest);
}

Result<const json::object*> ObjectOf(const json::object& o, std::string_view name) {
  const json::value* v = o.if_contains(name);
  if (v == nullptr || !v->is_object()) {
    return Broken("run.json: no object '" + std::string(name) + "'");
  }
  return &v->get_object();
}

Result<RunResult> ResultOf(const json::object& o) {
  RunResult r;
  FLAIR_TRY(r.num_steps, UintOf(o, "steps"));
  FLAIR_TRY(r.num_samples, UintOf(o, "samples"));
  FLAIR_TRY(r.num_rows, UintOf(o, "rows"));
  FLAIR_TRY(r.stored_bytes, UintOf(o, "stored_bytes"));
  FLAIR_TRY(const json::object* metrics, ObjectOf(o, "metrics"));
  for (const auto& [name, value] : *metrics) {
    if (!value.is_number()) return Broken("run.json: metric '" + std::string(name) + "'");
    r.metrics.push_back({std::string(name), value.to_number<double>()});
  }
  auto sorted = SortedMetrics(std::move(r.metrics));
  if (!sorted.ok()) return Broken("run.json: " + sorted.error().message());
  r.metrics = std::move(sorted).value();
  return r;
}

Result<RunReader::StepInfo> DecodeBody(ByteView body) {
  ByteReader in(body);
  RunReader::StepInfo step;
  FLAIR_TRY(step.step, in.Varint());
  FLAIR_TRY(step.first_row, in.Varint());
  FLAIR_TRY(const std::uint64_t num_rows, in.Varint());
  if (num_rows > UINT32_MAX) return Broken("a step of " + std::to_string(num_rows) + " rows");
  step.num_rows = static_cast<std::uint32_t>(num_rows);
  FLAIR_TRY(const std::uint64_t count, in.Varint());
  if (count > in.left()) return Broken("more tensors than bytes");
  for (std::uint64_t i = 0; i < count; ++i) {
    FLAIR_TRY(const ByteView name, in.TakePrefixed());
    FLAIR_TRY(const ByteView ref, in.TakePrefixed());
    FLAIR_TRY(TensorRef tensor, DecodeTensorRef(ref));
    std::string text(AsText(name));
    if (text.empty() || text.size() > kMaxTensorNameBytes || !IsUtf8(name)) {
      return Broken("tensor " + std::to_string(i) + " has no valid name");
    }
    if (!step.tensors.empty() && text <= step.tensors.back().first) {
      return Broken("tensor names are out of order at '" + text + "'");
    }
    step.tensors.emplace_back(std::move(text), std::move(tensor));
  }
  if (!in.empty()) return Broken("bytes behind the last tensor");
  return step;
}

}  // namespace

Result<std::vector<Metric>> SortedMetrics(std::vector<Metric> metrics) {
  std::sort(metrics.begin(), metrics.end(),
            [](const Metric& a, const Metric& b) { return a.name < b.name; });
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    const Metric& m = metrics[i];
    if (m.name.empty() || m.name.size() > kMaxNameBytes || !IsUtf8(AsBytes(m.name))) {
      return Error(ErrorCode::kInvalidArgument, "a metric needs a name of 1 to 256 bytes of UTF-8");
    }
    if (!std::isfinite(m.value)) {
      return Error(ErrorCode::kInvalidArgument, "metric '" + m.name + "' is not finite");
    }
    if (i > 0 && metrics[i - 1].name == m.name) {
      return Error(ErrorCode::kInvalidArgument, "metric '" + m.name + "' is given twice");
    }
  }
  return metrics;
}

std::string EncodeRunDocument(const RunDocument& d) {
  json::object settings;
  for (const auto& [key, value] : d.meta.settings) settings[key] = value;
  json::value result = nullptr;
  if (d.result) {
    json::object metrics;
    for (const Metric& m : d.result->metrics) metrics[m.name] = m.value;
    result = json::object{{"steps", d.result->num_steps},
                          {"samples", d.result->num_samples},
                          {"rows", d.result->num_rows},
                          {"stored_bytes", d.result->stored_bytes},
                          {"metrics", std::move(metrics)}};
  }
  const json::object document{
      {"format", kFormat},
      {"id", d.id},
      {"framework", d.meta.framework},
      {"program", HexOrNull(d.meta.program)},
      {"parent", d.meta.parent ? json::value(d.meta.parent->ToHex()) : json::value(nullptr)},
      {"data_card", HexOrNull(d.meta.data_card)},
      {"ticket", HexOrNull(d.meta.ticket)},
      {"first_step", d.meta.first_step},
      {"settings", std::move(settings)},
      {"finished", d.result.has_value()},
      {"result", std::move(result)}};
  return json::serialize(document) + "\n";
}

Result<RunDocument> DecodeRunDocument(std::string_view text) {
  boost::system::error_code failed;
  const json::value v = json::parse(text, failed);
  if (failed || !v.is_object()) return Broken("run.json: not a JSON object");
  const json::object& o = v.get_object();
  FLAIR_TRY(const std::uint64_t format, UintOf(o, "format"));
  if (format != kFormat) {
    return Error(ErrorCode::kUnsupported,
                 "run.json: format " + std::to_string(format) + "; this build reads 1");
  }
  RunDocument d;
  FLAIR_TRY(d.id, TextOf(o, "id"));
  FLAIR_TRY(d.meta.framework, TextOf(o, "framework"));
  FLAIR_TRY(d.meta.program, DigestOf(o, "program"));
  FLAIR_TRY(const std::optional<Digest> parent, DigestOf(o, "parent"));
  if (parent) d.meta.parent = CommitId{*parent};
  FLAIR_TRY(d.meta.data_card, DigestOf(o, "data_card"));
  FLAIR_TRY(d.meta.ticket, DigestOf(o, "ticket"));
  FLAIR_TRY(d.meta.first_step, UintOf(o, "first_step"));
  FLAIR_TRY(const json::object* settings, ObjectOf(o, "settings"));
  for (const auto& [key, value] : *settings) {
    if (!value.is_string()) return Broken("run.json: setting '" + std::string(key) + "'");
    d.meta.settings.emplace_back(std::string(key), std::string(value.get_string()));
  }
  const json::value* result = o.if_contains("result");
  if (result != nullptr && result->is_object()) {
    FLAIR_TRY(d.result, ResultOf(result->get_object()));
  }
  return d;
}

Bytes EncodeStepEntry(const RunReader::StepInfo& step) {
  Bytes body;
  AppendVarint(body, step.step);
  AppendVarint(body, step.first_row);
  AppendVarint(body, step.num_rows);
  AppendVarint(body, step.tensors.size());
  for (const auto& [name, tensor] : step.tensors) {
    AppendVarint(body, name.size());
    Append(body, AsBytes(name));
    const Bytes ref = EncodeTensorRef(tensor);
    AppendVarint(body, ref.size());
    Append(body, ref);
  }
  Bytes entry;
  entry.reserve(body.size() + kLengthBytes + kChecksumBytes);
  AppendLe32(entry, static_cast<std::uint32_t>(body.size()));
  Append(entry, body);
  Append(entry, Blake3(body).view().first(kChecksumBytes));
  return entry;
}

Result<StepEntries> DecodeStepEntries(ByteView file) {
  const std::size_t prefix = std::min(file.size(), kStepsMagic.size());
  if (AsText(file.first(prefix)) != kStepsMagic.substr(0, prefix)) {
    return Broken("steps.bin: not a list of steps");
  }
  StepEntries out;
  std::size_t at = prefix;
  std::uint64_t next_row = 0;
  while (at < file.size()) {
    const std::string where = "steps.bin, offset " + std::to_string(at);
    const std::size_t left = file.size() - at;
    if (left < kLengthBytes) break;
    const std::uint64_t length = LoadLe32(file.subspan(at));
    if (length > kMaxStepEntryBytes) {
      return Broken(where + ": an entry of " + std::to_string(length) + " bytes");
    }
    if (length + kLengthBytes + kChecksumBytes > left) break;
    const ByteView body = file.subspan(at + kLengthBytes, length);
    const ByteView sum = file.subspan(at + kLengthBytes + length, kChecksumBytes);
    const Digest digest = Blake3(body);
    if (!std::equal(sum.begin(), sum.end(), digest.view().begin())) {
      // The last entry of a run that was killed may be long enough and still not written.
      if (at + kLengthBytes + length + kChecksumBytes == file.size()) break;
      return Broken(where + ": the checksum differs");
    }
    auto step = DecodeBody(body);
    if (!step.ok()) return std::move(step).error().In(where);
    if (step->first_row != next_row) return Broken(where + ": rows are out of order");
    if (!out.steps.empty() && step->step <= out.steps.back().step) {
      return Broken(where + ": step " + std::to_string(step->step) + " is out of order");
    }
    next_row += step->num_rows;
    out.steps.push_back(std::move(step).value());
    at += kLengthBytes + length + kChecksumBytes;
  }
  out.torn = at != file.size() || prefix != kStepsMagic.size();
  return out;
}

}  // namespace flair
