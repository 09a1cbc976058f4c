// SPDX-License-Identifier: Apache-2.0
#include "zk/refresh/refresh_statement.h"

#include "base/bytes.h"
#include "crypto/sha256.h"

namespace flair::zk {
namespace {

constexpr std::string_view kMagic = "FLRS";
constexpr std::uint16_t kCellsAlone = 1;  // versions
constexpr std::uint16_t kWithReading = 2;

}  // namespace

Bytes RefreshStatement::Encode() const {
  Bytes out = ToBytes(kMagic);
  AppendLe(out, reading ? kWithReading : kCellsAlone);
  Append(out, wallet.view());
  for (const StatedMatrix& m : matrices) {
    AppendStated(static_cast<std::uint8_t>(m.shape.kind), m, out);
  }
  if (reading) Append(out, reading->view());
  return out;
}

Digest RefreshStatement::Hash() const { return Sha256(Encode()); }

void RefreshStatement::Absorb(Transcript& transcript) const {
  transcript.Absorb(Label::kStatement, Encode());
  for (std::size_t i = 0; i < matrices.size(); ++i) {
    AbsorbStated(static_cast<std::uint8_t>(i), matrices[i], transcript);
  }
  transcript.Absorb(Label::kWallet, wallet.view());
}

}  // namespace flair::zk
