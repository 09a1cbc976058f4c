#include "crypto/digest.h"

#include <algorithm>

#include "base/hex.h"

namespace flair {

std::string Digest::ToHex() const { return flair::ToHex(bytes); }

Result<Digest> Digest::FromHex(std::string_view text) {
  if (text.size() != 2 * kBytes) {
    return Error(ErrorCode::kInvalidArgument,
                 "an id has 64 hex digits, this has " + std::to_string(text.size()));
  }
  FLAIR_TRY(const Bytes raw, flair::FromHex(text));
  return FromBytes(raw);
}

Result<Digest> Digest::FromBytes(ByteView raw) {
  if (raw.size() != kBytes) {
    return Error(ErrorCode::kCorrupt,
                 "a digest has 32 bytes, this has " + std::to_string(raw.size()));
  }
  Digest d;
  std::copy(raw.begin(), raw.end(), d.bytes.begin());
  return d;
}

}  // namespace flair
