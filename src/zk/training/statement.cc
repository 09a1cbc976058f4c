// SPDX-License-Identifier: Apache-2.0
#include "zk/training/statement.h"

#include <algorithm>
#include <string>

#include "base/bytes.h"
#include "crypto/sha256.h"

namespace flair::zk {
namespace {

constexpr std::string_view kMagic = "FLST";
constexpr std::uint16_t kVersion = 1;
constexpr std::size_t kMatrixBytes = 1 + 4 * 8 + Digest::kBytes;
constexpr std::size_t kHeadBytes = 4 + 2 + 5 * Digest::kBytes + 3 * 8 + 1;

Error Bad(const std::string& what) { return {ErrorCode::kCorrupt, "statement: " + what}; }

Digest TakeDigest(ByteView bytes, std::size_t& at) {
  Digest digest;
  std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), Digest::kBytes,
              digest.bytes.begin());
  at += Digest::kBytes;
  return digest;
}

std::uint64_t Take64(ByteView bytes, std::size_t& at) {
  const std::uint64_t v = LoadLe64(bytes.subspan(at));
  at += 8;
  return v;
}

MatrixKind KindOf(Role role) {
  switch (role) {
    case Role::kData:
      return MatrixKind::kData;
    case Role::kWeightsBefore:
    case Role::kWeightsAfter:
      return MatrixKind::kWeights;
    case Role::kStateBefore:
    case Role::kStateAfter:
      break;
  }
  return MatrixKind::kState;
}

}  // namespace

std::string_view RoleName(Role role) {
  switch (role) {
    case Role::kData:
      return "data";
    case Role::kWeightsBefore:
      return "weights before";
    case Role::kWeightsAfter:
      return "weights after";
    case Role::kStateBefore:
      return "state before";
    case Role::kStateAfter:
      return "state after";
  }
  return "unknown";
}

Bytes TrainingStatement::Encode() const {
  Bytes out = ToBytes(kMagic);
  AppendLe(out, kVersion);
  for (const Digest* digest : {&program, &seed, &wallet, &data_card, &slack}) {
    Append(out, digest->view());
  }
  for (const std::uint64_t v : {first_step, num_steps, num_records}) AppendLe64(out, v);
  out.push_back(static_cast<std::byte>(matrices.size()));
  for (const Commitment& m : matrices) {
    AppendStated(static_cast<std::uint8_t>(m.role), m.stated(), out);
  }
  return out;
}

Result<TrainingStatement> TrainingStatement::Decode(ByteView bytes) {
  if (bytes.size() < kHeadBytes) return Bad("it is cut off");
  if (AsText(bytes.first(4)) != kMagic) return Bad("it is none");
  if (LoadLe16(bytes.subspan(4)) != kVersion) {
    return Error(ErrorCode::kUnsupported, "statement: a version that this build does not know");
  }
  TrainingStatement s;
  std::size_t at = 6;
  s.program = TakeDigest(bytes, at);
  s.seed = TakeDigest(bytes, at);
  s.wallet = TakeDigest(bytes, at);
  s.data_card = TakeDigest(bytes, at);
  s.slack = TakeDigest(bytes, at);
  s.first_step = Take64(bytes, at);
  s.num_steps = Take64(bytes, at);
  s.num_records = Take64(bytes, at);
  const auto count = std::to_integer<std::size_t>(bytes[at++]);
  if (bytes.size() != at + count * kMatrixBytes) return Bad("its length does not fit its matrices");
  if (s.num_steps == 0 || s.num_steps > std::uint64_t{1} << 32 ||
      s.first_step > std::uint64_t{1} << 48 || s.num_records > std::uint64_t{1} << 32) {
    return Bad("steps or records out of range");
  }
  for (std::size_t i = 0; i < count; ++i) {
    Commitment m;
    const auto role = std::to_integer<std::uint8_t>(bytes[at++]);
    m.role = static_cast<Role>(role);
    if (RoleName(m.role) == "unknown") return Bad("role " + std::to_string(role) + " is none");
    if (i > 0 && s.matrices.back().role >= m.role) return Bad("its matrices are not in order");
    const std::uint64_t log_columns = Take64(bytes, at);
    const std::uint64_t log_n = Take64(bytes, at);
    if (log_columns > kMaxLogColumns || log_n > kMaxLogN) return Bad("a matrix is too wide");
    m.shape = {.log_columns = static_cast<unsigned>(log_columns),
               .log_n = static_cast<unsigned>(log_n),
               .num_rows = Take64(bytes, at),
               .num_pads = 0,
               .kind = KindOf(m.role)};
    m.shape.num_pads = Take64(bytes, at);
    const Status fits = CheckShape(m.shape);
    if (!fits.ok()) return Bad(fits.error().message());
    m.root = TakeDigest(bytes, at);
    s.matrices.push_back(m);
  }
  return s;
}

Digest TrainingStatement::Hash() const { return Sha256(Encode()); }

const Commitment* TrainingStatement::Find(Role role) const {
  for (const Commitment& m : matrices) {
    if (m.role == role) return &m;
  }
  return nullptr;
}

void TrainingStatement::Absorb(Transcript& transcript) const {
  transcript.Absorb(Label::kProgram, program.view());
  transcript.Absorb(Label::kStatement, Encode());
  for (const Commitment& m : matrices) {
    AbsorbStated(static_cast<std::uint8_t>(m.role), m.stated(), transcript);
  }
  transcript.Absorb(Label::kWallet, wallet.view());
}

}  // namespace flair::zk
