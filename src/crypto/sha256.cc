#include "crypto/sha256.h"

#include <sodium/crypto_hash_sha256.h>

namespace flair {

Digest Sha256(ByteView data) {
  Digest out;
  crypto_hash_sha256(reinterpret_cast<unsigned char*>(out.bytes.data()),
                     reinterpret_cast<const unsigned char*>(data.data()), data.size());
  return out;
}

}  // namespace flair
