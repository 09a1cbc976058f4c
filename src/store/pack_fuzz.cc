// Fuzzes what reads bytes of others: record streams, pack files and pack indexes.
// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/check.h"
#include "base/mem_env.h"
#include "crypto/blake3.h"
#include "store/format.h"
#include "store/object_store.h"
#include "store/pack_index.h"

namespace flair {
namespace {

void FuzzHeader(ByteView in) {
  const auto h = ParseRecordHeader(in);
  if (!h.ok()) return;
  Bytes again;
  AppendRecordHeader(again, *h);
  FLAIR_CHECK(std::equal(again.begin(), again.end(), in.begin())) << "two encodings";
}

void FuzzRecords(ByteView in) {
  MemEnv env;
  const auto store = ObjectStore::Open(env, "/s");
  auto batch = (*store)->Begin();
  if ((*batch)->PutRecords(in).ok() && (*batch)->Commit().ok()) {
    const auto damage = (*store)->Verify();
    FLAIR_CHECK(damage.ok() && damage->empty()) << "accepted what does not verify";
  }
}

// The file gets the footer checksum it needs, so that the parser behind it is reached.
void FuzzPack(ByteView in) {
  Bytes pack;
  AppendPackHeader(pack, 1);
  Append(pack, in);
  if (in.size() >= 2) {
    const std::size_t index_bytes = (std::to_integer<std::size_t>(in[0]) * 48) % (in.size() + 1);
    Bytes footer;
    AppendLe64(footer, pack.size() - index_bytes);
    AppendLe32(footer, std::to_integer<std::uint32_t>(in[1]) % 64);
    AppendLe32(footer, static_cast<std::uint32_t>(index_bytes));
    Bytes checked(pack.end() - static_cast<std::ptrdiff_t>(index_bytes), pack.end());
    Append(checked, footer);
    Append(pack, footer);
    Append(pack, Blake3(checked).view());
    Append(pack, AsBytes("FLAIRIDX"));
  }
  MemEnv env;
  (void)ObjectStore::Open(env, "/s");
  const std::string name = Blake3(pack).ToHex() + ".pack";
  (void)WriteFileAtomically(env, "/s/packs/" + name, pack);
  const auto store = ObjectStore::Open(env, "/s");
  if (store.ok()) (void)(*store)->Verify();
}

}  // namespace
}  // namespace flair

// The first byte chooses the parser.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const flair::ByteView in = std::as_bytes(std::span(data, size)).subspan(1);
  switch (data[0] % 3) {
    case 0:
      flair::FuzzHeader(in);
      break;
    case 1:
      flair::FuzzRecords(in);
      break;
    default:
      flair::FuzzPack(in);
      break;
  }
  return 0;
}
