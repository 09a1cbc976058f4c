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
  for (const Matrix& m : matrices) {
    out.push_back(static_cast<std::byte>(m.shape.kind));
    for (const std::uint64_t v : {std::uint64_t{m.shape.log_columns}, std::uint64_t{m.shape.log_n},
                                  m.shape.num_rows, m.shape.num_pads}) {
      AppendLe64(out, v);
    }
    Append(out, m.root.view());
  }
  return out;
}

Digest WeightsStatement::Hash() const { return Sha256(Encode()); }

void WeightsStatement::Absorb(Transcript& transcript) const {
  transcript.Absorb(Label::kProgram, relation.view());
  transcript.Absorb(Label::kStatement, Encode());
  for (std::size_t i = 0; i < matrices.size(); ++i) {
    Bytes message = {static_cast<std::byte>(i)};
    Append(message, MatrixDigest(matrices[i].shape, matrices[i].root).view());
    transcript.Absorb(Label::kCommitment, message);
  }
  transcript.Absorb(Label::kWallet, wallet.view());
}

}  // namespace flair::zk
