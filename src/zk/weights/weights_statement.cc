// SPDX-License-Identifier: Apache-2.0
#include "zk/weights/weights_statement.h"

#include "crypto/sha256.h"

namespace flair::zk {
namespace {

constexpr std::string_view kMagic = "FLWS";
constexpr std::uint16_t kVersion = 1;

}  // namespace

Bytes WeightsStatement::Encode() const {
  Bytes out = ToBytes(kMagic);
  AppendLe(out, kVersion);
  Append(out, relation.view());
  Append(out, wallet.view());
  out.push_back(static_cast<std::byte>(matrices.size()));
  for (const StatedMatrix& m : matrices) {
    AppendStated(static_cast<std::uint8_t>(m.shape.kind), m, out);
  }
  return out;
}

Digest WeightsStatement::Hash() const { return Sha256(Encode()); }

void WeightsStatement::Absorb(Transcript& transcript) const {
  transcript.Absorb(Label::kProgram, relation.view());
  transcript.Absorb(Label::kStatement, Encode());
  for (std::size_t i = 0; i < matrices.size(); ++i) {
    AbsorbStated(static_cast<std::uint8_t>(i), matrices[i], transcript);
  }
  transcript.Absorb(Label::kWallet, wallet.view());
}

}  // namespace flair::zk
