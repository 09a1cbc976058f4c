// The format of torch.save before zip, still written on request:
//   pickle of a magic number | pickle of 1001 | pickle of facts about the machine |
//   the pickle | pickle of a list of keys |
//   for each key: number of elements (8, LE) | the elements
// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstring>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tensor/pickle_opcodes.h"
#include "tensor/pickle_walk.h"
#include "tensor/span_list.h"
#include "tensor/torch_cut.h"
#include "tensor/torch_file.h"
#include "tensor/torch_tensors.h"

namespace flair {
namespace {

// 0x1950a86a20f9469cfc6c, as LONG1 writes it.
constexpr std::array<unsigned char, 12> kMagic = {
    pickle_opcodes::kLong1, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19};
constexpr std::int64_t kProtocol = 1001;
constexpr std::uint64_t kCountBytes = 8;
constexpr std::uint64_t kMaxInlinePickleBytes = std::uint64_t{1} << 20;

Error Corrupt(const std::string& what) { return {ErrorCode::kCorrupt, "torch file: " + what}; }
Error Unsupported(const std::string& what) {
  return {ErrorCode::kUnsupported, "torch file: " + what};
}

struct Preamble {
  TorchTensors tensors;
  std::vector<std::string> keys;
  std::uint64_t size_bytes = 0;
  bool is_little_endian = true;
};

bool IsLittleEndian(const Pickle& machine) {
  const PickleValue& facts = machine[machine.root];
  if (facts.kind != PickleKind::kDict) return false;
  for (std::size_t i = 0; i + 1 < facts.items.size(); i += 2) {
    const PickleValue& value = machine[facts.items[i + 1]];
    if (machine[facts.items[i]].text == "little_endian") {
      return value.kind == PickleKind::kBool && value.number == 1;
    }
  }
  return false;
}

Result<Preamble> ReadPreamble(ByteView bytes, PickleInput input) {
  Preamble preamble;
  const auto next = [&]() -> Result<Pickle> {
    auto pickle = ReadPickle(bytes.subspan(preamble.size_bytes), input);
    if (!pickle.ok()) {
      return std::move(pickle).error().In("torch file: at byte " +
                                          std::to_string(preamble.size_bytes));
    }
    preamble.size_bytes += pickle->size_bytes;
    return pickle;
  };
  FLAIR_DO(next());  // the magic number
  FLAIR_TRY(const Pickle protocol, next());
  if (protocol[protocol.root].number != kProtocol) return Unsupported("unknown protocol");
  FLAIR_TRY(const Pickle machine, next());
  preamble.is_little_endian = IsLittleEndian(machine);
  FLAIR_TRY(const Pickle pickle, next());
  FLAIR_TRY(preamble.tensors, FindTorchTensors(pickle));
  const std::uint64_t keys_at = preamble.size_bytes;
  FLAIR_TRY(const Pickle keys, next());
  for (const PickleId id : keys[keys.root].items) {
    if (keys[id].kind != PickleKind::kText) {
      return Corrupt("a storage's key is no text in the pickle at byte " + std::to_string(keys_at));
    }
    preamble.keys.emplace_back(keys[id].text);
    if (preamble.keys.size() > preamble.tensors.storages.size()) {
      return Corrupt("more keys than storages in the pickle at byte " + std::to_string(keys_at));
    }
  }
  if (preamble.keys.size() < preamble.tensors.storages.size()) {
    return Corrupt("fewer keys than storages in the pickle at byte " + std::to_string(keys_at));
  }
  return preamble;
}

// How long the pickles are is known only at their end: most are short.
Result<Preamble> ReadPreamble(const ByteSource& file) {
  for (const std::uint64_t limit : {std::uint64_t{1} << 20, kMaxTorchPickleBytes}) {
    const bool whole = file.size_bytes() <= limit;
    Bytes bytes(whole ? file.size_bytes() : limit);
    FLAIR_DO(file.ReadAt(0, bytes));
    auto preamble = ReadPreamble(bytes, whole ? PickleInput::kWhole : PickleInput::kCutShort);
    if (preamble.ok() || whole || limit == kMaxTorchPickleBytes ||
        preamble.error().code() != ErrorCode::kUnsupported) {
      return preamble;
    }
  }
  return Unsupported("longer pickles than this build reads");
}

// Appends the storages that follow the pickles.
Status CutStorages(const ByteSource& file, const Preamble& preamble, SpanList& spans) {
  std::unordered_map<std::string_view, std::size_t> by_key;
  const auto& storages = preamble.tensors.storages;
  for (std::size_t i = 0; i < storages.size(); ++i) by_key.emplace(storages[i].key, i);
  std::vector<std::vector<const TorchView*>> views(storages.size());
  for (const TorchView& view : preamble.tensors.views) views[view.storage].push_back(&view);

  for (const std::string& key : preamble.keys) {
    const auto found = by_key.find(key);
    // Erased when seen. Every storage has a key then: there are as many.
    if (found == by_key.end()) return Corrupt("key '" + key + "' stands twice or names no storage");
    const std::size_t i = found->second;
    by_key.erase(found);
    const TorchStorage& storage = storages[i];
    if (storage.element_bytes == 0) break;  // where the next one begins is not known
    const auto left = [&] { return file.size_bytes() - spans.at(); };
    const auto cut_short = [&] {
      return Corrupt("the file ends inside storage '" + key + "' at byte " +
                     std::to_string(spans.at()));
    };
    if (left() < kCountBytes) return cut_short();
    std::array<std::byte, kCountBytes> count;
    FLAIR_DO(file.ReadAt(spans.at(), count));
    if (LoadLe64(count) != storage.num_elements) {
      return Corrupt("storage '" + key + "' at byte " + std::to_string(spans.at()) + " has " +
                     std::to_string(LoadLe64(count)) + " elements, the pickle says " +
                     std::to_string(storage.num_elements));
    }
    spans.Header(spans.at() + kCountBytes);
    if (left() < storage.size_bytes) return cut_short();
    CutStorage(spans, storage.size_bytes, views[i]);
  }
  return OkStatus();
}

}  // namespace

bool LooksLikeTorchLegacy(const ByteSource& file) {
  // PROTO n, from protocol 4 on FRAME with its eight bytes, then the number.
  constexpr std::size_t kProtoBytes = 2;
  constexpr std::size_t kFrameBytes = 9;
  std::array<std::byte, kProtoBytes + kFrameBytes + kMagic.size()> head;
  if (file.size_bytes() < head.size() || !file.ReadAt(0, head).ok()) return false;
  if (head[0] != std::byte{pickle_opcodes::kProto}) return false;
  const bool framed = head[kProtoBytes] == std::byte{pickle_opcodes::kFrame};
  return std::memcmp(head.data() + kProtoBytes + (framed ? kFrameBytes : 0), kMagic.data(),
                     kMagic.size()) == 0;
}

Result<FileLayout> ReadTorchLegacyLayout(const ByteSource& file) {
  SpanList spans;
  const auto preamble = ReadPreamble(file);
  if (!preamble.ok() && preamble.error().code() != ErrorCode::kUnsupported) {
    return preamble.error();
  }
  if (preamble.ok()) {
    spans.Filler(preamble->size_bytes, kMaxInlinePickleBytes);
    if (preamble->is_little_endian) FLAIR_DO(CutStorages(file, *preamble, spans));
  }
  // Whatever somebody wrote behind; or everything.
  spans.Blob(file.size_bytes());
  return spans.Take(FileFormat::kTorchLegacy);
}

}  // namespace flair
