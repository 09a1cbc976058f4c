// SPDX-License-Identifier: Apache-2.0
#include "zk/batch/binding.h"

#include <map>

#include "base/check.h"
#include "crypto/sha256.h"

namespace flair::zk {
namespace {

constexpr std::string_view kClaimsLabel = "flair zk claims v1";

void AbsorbMatrix(Label label, std::uint64_t place, const MatrixShape& shape, const Digest& root,
                  Transcript& transcript) {
  Bytes message;
  AppendLe64(message, place);
  Append(message, MatrixDigest(shape, root).view());
  transcript.Absorb(label, message);
}

void AppendElement(Bytes& to, Fp2 v) {
  AppendLe64(to, v.a.value());
  AppendLe64(to, v.b.value());
}

// The ends may have come to the same value by other sums.
void AppendMasked(Bytes& to, const Masked& value) {
  std::map<std::uint64_t, Fp2> pads;
  for (const Masked::Term& term : value.terms()) pads[term.pad] += term.coefficient;
  std::erase_if(pads, [](const auto& pad) { return pad.second.is_zero(); });
  AppendElement(to, value.known());
  AppendLe64(to, pads.size());
  for (const auto& [pad, coefficient] : pads) {
    AppendLe64(to, pad);
    AppendElement(to, coefficient);
  }
}

}  // namespace

void AbsorbMatrices(const BatchPlan& plan, std::span<const Digest> roots,
                    std::span<const Digest> companions, Transcript& transcript) {
  FLAIR_CHECK(roots.size() == plan.matrices().size()) << "another number of roots";
  for (std::size_t m = 0; m < roots.size(); ++m) {
    AbsorbMatrix(m == 0 ? Label::kWitnessRoot : Label::kCommitment, m, plan.matrices()[m], roots[m],
                 transcript);
  }
  auto companion = companions.begin();
  for (std::size_t g = 0; g < plan.groups().size(); ++g) {
    const auto& shape = plan.groups()[g].companion;
    if (!shape) continue;
    FLAIR_CHECK(companion != companions.end()) << "another number of companions";
    AbsorbMatrix(Label::kCompanionRoot, g, *shape, *companion++, transcript);
  }
}

Digest ClaimsDigest(const BatchPlan& plan, std::span<const Claim> claims) {
  Bytes message = ToBytes(kClaimsLabel);
  // The places of pads follow from these.
  AppendLe64(message, plan.mask().num_pads());
  AppendLe64(message, plan.mask().num_triples());
  for (const Claim& claim : claims) {
    AppendLe64(message, claim.matrix);
    AppendLe64(message, claim.blocks.size());
    for (const Block& block : claim.blocks) {
      AppendElement(message, block.coefficient);
      AppendLe64(message, block.offset);
      AppendLe64(message, block.point.size());
      for (const Fp2& coordinate : block.point) AppendElement(message, coordinate);
    }
    AppendMasked(message, claim.value);
  }
  return Sha256(message);
}

Fp2 DrawLambda(const BatchPlan& plan, std::span<const Claim> claims, Transcript& transcript) {
  // SOUNDNESS: claims are fixed before lambda. Attack: two false values that cancel under it.
  // Test: PublicValuesChosenAfterLambdaAreRejected.
  transcript.Absorb(Label::kClaims, ClaimsDigest(plan, claims).view());
  return transcript.Draw(Label::kClaimBatch);
}

}  // namespace flair::zk
