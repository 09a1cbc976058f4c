// The zip format; torch_legacy.cc reads the older one.
// SPDX-License-Identifier: Apache-2.0
#include "tensor/torch_file.h"

#include <algorithm>
#include <array>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tensor/pickle_walk.h"
#include "tensor/span_list.h"
#include "tensor/torch_cut.h"
#include "tensor/torch_tensors.h"
#include "tensor/zip_walk.h"

namespace flair {
namespace {

constexpr std::string_view kPickleName = "/data.pkl";
// data.pkl of a model of ten thousand tensors; code of TorchScript.
constexpr std::uint64_t kMaxInlineMemberBytes = std::uint64_t{1} << 20;
constexpr std::uint64_t kMaxInlineGapBytes = std::uint64_t{64} << 10;

Error Corrupt(const std::string& what) { return {ErrorCode::kCorrupt, "torch file: " + what}; }

// Does the first local header name X/data.pkl? It may be all that is left of an archive.
bool BeginsWithPickle(const ByteSource& file) {
  std::array<std::byte, 30> header;
  if (file.size_bytes() < header.size() || !file.ReadAt(0, header).ok()) return false;
  Bytes name(LoadLe16(ByteView(header).subspan(26)));
  return name.size() <= file.size_bytes() - header.size() &&
         file.ReadAt(header.size(), name).ok() && AsText(name).ends_with(kPickleName);
}

using Members = std::unordered_map<std::string_view, const ZipMember*>;

// X when every member lies in the folder X and X/data.pkl and X/version are there. PyTorch
// takes the folder of whichever member its directory names first: with one, there is no
// second data.pkl that could tell another story.
std::optional<std::string> ArchivePrefix(const std::vector<ZipMember>& members,
                                         const Members& by_name) {
  if (members.empty()) return std::nullopt;
  const std::string prefix = members.front().name.substr(0, members.front().name.find('/'));
  const bool alone = std::all_of(members.begin(), members.end(), [&](const ZipMember& m) {
    return m.name.starts_with(prefix + "/");
  });
  if (!alone || !by_name.contains(prefix + std::string(kPickleName)) ||
      !by_name.contains(prefix + "/version")) {
    return std::nullopt;
  }
  return prefix;
}

// No error means no contradiction: what cannot be read is left out.
struct Contents {
  TorchTensors tensors;
  std::vector<const ZipMember*> members;  // of each storage
};

bool IsUnsupported(const Error& error) { return error.code() == ErrorCode::kUnsupported; }

Result<Contents> ReadContents(const ByteSource& file, const Members& by_name,
                              const std::string& prefix) {
  const ZipMember& pickled = *by_name.at(prefix + std::string(kPickleName));
  if (!pickled.stored() || pickled.size_bytes > kMaxTorchPickleBytes) return Contents{};
  if (const auto order = by_name.find(prefix + "/byteorder"); order != by_name.end()) {
    // Absent in older files, which are little-endian.
    const ZipMember& m = *order->second;
    Bytes text(m.stored() && m.size_bytes == 6 ? 6 : 0);
    FLAIR_DO(file.ReadAt(m.data_offset, text));
    if (AsText(text) != "little") return Contents{};
  }
  Bytes bytes(pickled.size_bytes);
  FLAIR_DO(file.ReadAt(pickled.data_offset, bytes));
  auto pickle = ReadPickle(bytes);
  if (!pickle.ok()) {
    if (IsUnsupported(pickle.error())) return Contents{};
    return std::move(pickle).error().In("torch file: " + pickled.name);
  }
  auto tensors = FindTorchTensors(*pickle);
  if (!tensors.ok()) {
    if (IsUnsupported(tensors.error())) return Contents{};
    return std::move(tensors).error();
  }
  Contents contents{.tensors = std::move(*tensors), .members = {}};
  for (const TorchStorage& storage : contents.tensors.storages) {
    const auto member = by_name.find(prefix + "/data/" + storage.key);
    if (member == by_name.end()) {
      return Corrupt("storage '" + storage.key + "' has no member");
    }
    if (storage.size_bytes > member->second->size_bytes) {
      return Corrupt("storage '" + storage.key + "' of " + std::to_string(storage.size_bytes) +
                     " bytes; its member at byte " + std::to_string(member->second->data_offset) +
                     " has " + std::to_string(member->second->size_bytes));
    }
    contents.members.push_back(member->second);
  }
  return contents;
}

}  // namespace

Result<std::optional<FileLayout>> ReadTorchZipLayout(const ByteSource& file,
                                                     std::string_view name) {
  using Found = std::optional<FileLayout>;
  const bool is_named = name.ends_with(".pt") || name.ends_with(".pth");
  auto directory = ReadZipDirectory(file);
  if (!directory.ok()) {
    const ErrorCode code = directory.error().code();
    if (code == ErrorCode::kUnsupported) return Found();
    if (code == ErrorCode::kCorrupt && !is_named && !BeginsWithPickle(file)) return Found();
    return std::move(directory).error().In("torch file");
  }
  const std::vector<ZipMember> members = std::move(*directory);
  Members by_name;
  for (const ZipMember& m : members) by_name.emplace(m.name, &m);
  const std::optional<std::string> prefix = ArchivePrefix(members, by_name);
  if (!prefix && !is_named) return Found();

  Contents contents;
  if (prefix) {
    FLAIR_TRY(contents, ReadContents(file, by_name, *prefix));
  }
  std::unordered_map<const ZipMember*, std::vector<const TorchView*>> views_in;
  for (const TorchView& view : contents.tensors.views) {
    views_in[contents.members[view.storage]].push_back(&view);
  }
  SpanList spans;
  for (const ZipMember& m : members) {
    spans.Filler(m.header_offset, kMaxInlineGapBytes);
    spans.Header(m.data_offset);
    const std::uint64_t data_end = m.data_offset + m.stored_bytes;
    const auto views = views_in.find(&m);
    if (m.stored() && views != views_in.end()) {
      CutStorage(spans, m.stored_bytes, views->second);
    } else if (!m.stored() || (prefix && m.name.starts_with(*prefix + "/data/"))) {
      spans.Blob(data_end);
    } else {
      spans.Filler(data_end, kMaxInlineMemberBytes);
    }
    spans.Header(m.end_offset);
  }
  spans.Header(file.size_bytes());
  return Found(spans.Take(FileFormat::kTorchZip));
}

}  // namespace flair
