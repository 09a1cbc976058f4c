// Fuzzes every decoder: what is accepted must encode to the very same bytes.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "object/attachment.h"
#include "object/commit.h"
#include "object/content.h"
#include "object/file.h"
#include "object/tree.h"

namespace {

template <typename Decode, typename Encode>
void RoundTrip(flair::ByteView in, Decode decode, Encode encode) {
  const auto value = decode(in);
  if (!value.ok()) return;
  const flair::Bytes out = encode(*value);
  FLAIR_CHECK(std::equal(out.begin(), out.end(), in.begin(), in.end())) << "two encodings";
}

}  // namespace

// The first byte chooses the decoder.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const flair::ByteView in = std::as_bytes(std::span(data, size)).subspan(1);
  switch (data[0] % 6) {
    case 0:
      RoundTrip(in, flair::DecodeTensorRef, flair::EncodeTensorRef);
      break;
    case 1:
      RoundTrip(in, flair::DecodeContentRef, flair::EncodeContentRef);
      break;
    case 2:
      RoundTrip(in, flair::DecodeFile, flair::EncodeFile);
      break;
    case 3:
      RoundTrip(in, flair::DecodeTree, flair::EncodeTree);
      break;
    case 4:
      RoundTrip(in, flair::DecodeCommit, flair::EncodeCommit);
      break;
    default:
      RoundTrip(in, flair::DecodeAttachment, flair::EncodeAttachment);
      if (const auto a = flair::DecodeAttachment(in); a.ok()) (void)flair::VerifyAttachment(*a);
  }
  return 0;
}
