// TrainConfig: what `flair train` is asked to do, a TOML file.
//
//   program = "mlp.flair"            # bytes or text of the training program
//   data    = "fashion.data"         # folder of a registered data set; none without columns
//   weights = "model.safetensors"    # what training begins with
//   steps   = 100
//   seed    = "64 hex digits"        # of batches and dropout; else it is drawn
//   first_step = 0                   # where schedule and epochs begin
//   result  = "trained.safetensors"  # the weights after the last step, float64; may be left out
//
// Paths are relative to the file's folder. Place: trainer. Thread safety: functions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/env.h"
#include "base/result.h"
#include "crypto/digest.h"

namespace flair::trainer {

struct TrainConfig {
  std::string program;
  std::string data;  // empty: none
  std::string weights;
  std::string result;  // empty: none
  std::uint64_t steps = 0;
  std::uint64_t first_step = 0;
  std::optional<Digest> seed;
};

// Errors: kInvalidArgument names line, key and what is wrong.
Result<TrainConfig> ParseTrainConfig(std::string_view text);
// Its paths made absolute. Errors: those, naming the file.
Result<TrainConfig> ReadTrainConfig(Env& env, const std::string& path);

}  // namespace flair::trainer
