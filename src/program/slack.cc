// SPDX-License-Identifier: Apache-2.0
#include "program/slack.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "crypto/sha256.h"
#include "program/lower/optimiser.h"

namespace flair::program {
namespace {

constexpr int kWeightScale = 30;  // of a weight's unit, 2^-30 times its parameter's scale
constexpr double kMaxRho = 1.0 / 64;
constexpr double kMaxRhoFirst = 0.022;  // with it the gap stays within Rule Z
constexpr std::uint32_t kMaxKappa = 64;
constexpr double kMaxSigma = 8192;
constexpr double kMaxDrift = 0x1p44;  // what its number holds
constexpr std::uint64_t kMaxBeta = std::uint64_t{1} << 39;

Error Wrong(const char* what) { return {ErrorCode::kInvalidArgument, what}; }

// From 0, not -0: bounds that are equal have one digest.
bool IsUpTo(double most, double bound) { return !std::signbit(bound) && bound <= most; }

std::int64_t ShareOf(double rho) {
  return static_cast<std::int64_t>(std::floor(std::ldexp(rho * rho, 28)));
}

}  // namespace

Slack DefaultSlack(const Program& program) {
  Slack slack;
  if (CodeOfOptimiser(program) == OptimiserCode::kSgd) return slack;
  const double rate = static_cast<double>(program.schedule.LargestNumerator()) /
                      static_cast<double>(program.schedule.denominator);
  slack.tau =
      rate > 0 ? std::clamp(static_cast<int>(std::ceil(std::log2(2 * rate))), -20, -4) : -20;
  return slack;
}

Result<SlackUnits> UnitsOf(const Slack& slack, int scale) {
  if (slack.tau < -24 || slack.tau > 0) return Wrong("slack: tau is from -24 to 0");
  if (!IsUpTo(kMaxRho, slack.rho)) return Wrong("slack: rho is from 0 to 1/64");
  if (!IsUpTo(kMaxRhoFirst, slack.rho_first)) {
    return Wrong("slack: rho_first is from 0 to 0.022");
  }
  if (slack.kappa > kMaxKappa) return Wrong("slack: kappa is from 0 to 64");
  if (!IsUpTo(kMaxSigma, slack.sigma)) {
    return Wrong("slack: sigma is from 0 to 8192");
  }
  if (slack.beta > kMaxBeta) return Wrong("slack: beta is from 0 to 2^39");
  const int bits = slack.tau + kWeightScale - scale;
  if (bits < 1 || bits > 26) return Wrong("slack: tau is out of the weights' range");
  const double drift = std::floor(std::ldexp(slack.sigma, kWeightScale - scale));
  if (drift > kMaxDrift) return Wrong("slack: sigma is out of the weights' range");
  return SlackUnits{.cell_bits = static_cast<unsigned>(bits),
                    .share = ShareOf(slack.rho),
                    .share_first = ShareOf(slack.rho_first),
                    .kappa2 = std::int64_t{slack.kappa} * slack.kappa,
                    .drift = static_cast<std::int64_t>(drift)};
}

Digest SlackDigest(const Slack& slack) {
  Bytes message = ToBytes("flair slack v1");
  message.push_back(static_cast<std::byte>(slack.tau));
  for (const double v : {slack.rho, slack.rho_first, slack.sigma}) {
    AppendLe64(message, std::bit_cast<std::uint64_t>(v));
  }
  AppendLe32(message, slack.kappa);
  AppendLe64(message, slack.beta);
  return Sha256(message);
}

}  // namespace flair::program
