// SPDX-License-Identifier: Apache-2.0
#include "trainer/train_config.h"

#include <utility>

#include "base/path.h"
#include "base/toml.h"
#include "proof/run_claim.h"

namespace flair::trainer {
namespace {

constexpr std::uint64_t kMaxConfigBytes = 1U << 16;

Error Wrong(const toml::node& node, const std::string& what) {
  return {ErrorCode::kInvalidArgument,
          "line " + std::to_string(node.source().begin.line) + ": " + what};
}

Status ReadText(const toml::node& node, const std::string& key, std::string& into) {
  const auto text = node.value_exact<std::string>();
  if (!text || text->empty()) return Wrong(node, key + " must be a text");
  into = *text;
  return OkStatus();
}

Status ReadCount(const toml::node& node, const std::string& key, std::uint64_t least,
                 std::uint64_t& into) {
  const auto count = node.value_exact<std::int64_t>();
  if (!count || *count < static_cast<std::int64_t>(least) ||
      *count > static_cast<std::int64_t>(proof::kMaxSteps)) {
    return Wrong(node, key + " must be a whole number, " + std::to_string(least) + " or more");
  }
  into = static_cast<std::uint64_t>(*count);
  return OkStatus();
}

Status ReadSeed(const toml::node& node, std::optional<Digest>& into) {
  std::string text;
  FLAIR_DO(ReadText(node, "seed", text));
  const auto seed = Digest::FromHex(text);
  if (!seed.ok()) return Wrong(node, "seed must be 64 hex digits");
  into = *seed;
  return OkStatus();
}

Status ReadKey(const std::string& key, const toml::node& node, TrainConfig& config) {
  if (key == "program") return ReadText(node, key, config.program);
  if (key == "data") return ReadText(node, key, config.data);
  if (key == "weights") return ReadText(node, key, config.weights);
  if (key == "result") return ReadText(node, key, config.result);
  if (key == "steps") return ReadCount(node, key, 1, config.steps);
  if (key == "first_step") return ReadCount(node, key, 0, config.first_step);
  if (key == "seed") return ReadSeed(node, config.seed);
  return Wrong(node, "there is no key '" + key +
                         "'; known are program, data, weights, result, steps, first_step, seed");
}

}  // namespace

Result<TrainConfig> ParseTrainConfig(std::string_view text) {
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    return Error(ErrorCode::kInvalidArgument,
                 "line " + std::to_string(parsed.error().source().begin.line) + ": " +
                     std::string(parsed.error().description()));
  }
  TrainConfig config;
  for (const auto& [key, node] : parsed.table()) {
    FLAIR_DO(ReadKey(std::string(key.str()), node, config));
  }
  const auto missing = [](const char* key) {
    return Error(ErrorCode::kInvalidArgument, std::string("'") + key + "' is missing");
  };
  if (config.program.empty()) return missing("program");
  if (config.weights.empty()) return missing("weights");
  if (config.steps == 0) return missing("steps");
  return config;
}

Result<TrainConfig> ReadTrainConfig(Env& env, const std::string& path) {
  FLAIR_TRY(const Bytes bytes, ReadFile(env, path, kMaxConfigBytes));
  auto config = ParseTrainConfig(AsText(bytes));
  if (!config.ok()) return std::move(config).error().In(path);
  for (std::string* place : {&config->program, &config->data, &config->weights, &config->result}) {
    if (!place->empty() && place->front() != '/') *place = JoinPath(ParentPath(path), *place);
  }
  return config;
}

}  // namespace flair::trainer
