// Fuzzes what reads a run folder: entries of steps.bin, and run.json.
// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>

#include "crypto/blake3.h"
#include "repo/run_format.h"

namespace flair {
namespace {

// An entry with the checksum it needs, so that the parser behind it is reached.
void FuzzEntry(ByteView body) {
  Bytes file = ToBytes(kStepsMagic);
  AppendLe32(file, static_cast<std::uint32_t>(body.size()));
  Append(file, body);
  Append(file, Blake3(body).view().first(8));
  (void)DecodeStepEntries(file);
}

}  // namespace
}  // namespace flair

// The first byte chooses the parser.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const flair::ByteView in = std::as_bytes(std::span(data, size)).subspan(1);
  switch (data[0] % 3) {
    case 0:
      (void)flair::DecodeStepEntries(in);
      break;
    case 1:
      flair::FuzzEntry(in);
      break;
    default:
      (void)flair::DecodeRunDocument(flair::AsText(in));
  }
  return 0;
}
