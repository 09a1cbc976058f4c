// SPDX-License-Identifier: Apache-2.0
#include "remote/journal.h"

#include <charconv>

#include "base/path.h"
#include "crypto/blake3.h"

namespace flair {
namespace {

namespace json = wire::json;
constexpr std::uint64_t kMaxJournalBytes = std::uint64_t{512} << 20;

// A journal is a convenience: what cannot be read is as good as absent.
Result<std::optional<json::object>> ReadJournal(Env& env, const std::string& path) {
  auto bytes = ReadFile(env, path, kMaxJournalBytes);
  if (!bytes.ok()) {
    if (bytes.error().code() == ErrorCode::kIo) return std::move(bytes).error();
    return std::optional<json::object>{};
  }
  auto parsed = wire::ParseObject(AsText(*bytes), kMaxJournalBytes);
  if (!parsed.ok()) return std::optional<json::object>{};
  return std::optional<json::object>(std::move(parsed).value());
}

Result<FetchJournal> DecodeFetchJournal(const json::object& o) {
  FetchJournal journal;
  FLAIR_TRY(journal.address, wire::GetString(o, "address"));
  FLAIR_TRY(const std::string request, wire::GetString(o, "request"));
  FLAIR_TRY(journal.request, wire::DecodeFetchRequest(request));
  FLAIR_TRY(const std::string plan, wire::GetString(o, "plan"));
  FLAIR_TRY(journal.plan, wire::DecodeFetchPlan(plan));
  return journal;
}

Result<PushJournal> DecodePushJournal(const json::object& o) {
  const auto broken = [] { return Error(ErrorCode::kCorrupt, "push journal: broken frames"); };
  PushJournal journal;
  FLAIR_TRY(journal.address, wire::GetString(o, "address"));
  FLAIR_TRY(journal.push, wire::GetString(o, "push"));
  FLAIR_DO(wire::CheckPushId(journal.push));
  FLAIR_TRY(journal.target, wire::GetString(o, "target"));
  FLAIR_TRY(journal.source_branch, wire::GetString(o, "source_branch"));
  FLAIR_TRY(const std::string tip, wire::GetString(o, "tip"));
  FLAIR_TRY(journal.tip, CommitId::FromHex(tip));
  FLAIR_TRY(const std::vector<std::string> packs, wire::GetStrings(o, "packs", wire::kMaxPieces));
  FLAIR_TRY(const json::array* frames, wire::GetArray(o, "frames", wire::kMaxPieces));
  if (frames == nullptr) return broken();
  for (const json::value& v : *frames) {
    // [pack, offset, length, pack, offset, length, ...]
    if (!v.is_array() || v.get_array().size() % 3 != 0) return broken();
    const json::array& numbers = v.get_array();
    UploadFrame frame;
    for (std::size_t i = 0; i < numbers.size(); i += 3) {
      std::uint64_t triple[3];
      for (std::size_t k = 0; k < 3; ++k) {
        if (!numbers[i + k].is_int64() || numbers[i + k].get_int64() < 0) return broken();
        triple[k] = static_cast<std::uint64_t>(numbers[i + k].get_int64());
      }
      if (triple[0] >= packs.size() || triple[2] > wire::kMaxPieceBytes) return broken();
      frame.records.push_back({packs[triple[0]], triple[1], triple[2]});
      frame.length_bytes += triple[2];
    }
    if (frame.length_bytes > wire::kMaxPieceBytes) return broken();
    journal.frames.push_back(std::move(frame));
  }
  return journal;
}

}  // namespace

Result<std::optional<FetchJournal>> FetchFolder::Load() {
  FLAIR_TRY(const auto o, ReadJournal(env_, folder_ + "/plan.json"));
  if (o.has_value()) {
    auto journal = DecodeFetchJournal(*o);
    if (journal.ok()) return std::optional<FetchJournal>(std::move(journal).value());
  }
  FLAIR_DO(Remove());
  return std::optional<FetchJournal>{};
}

Status FetchFolder::Save(const FetchJournal& journal) {
  FLAIR_DO(Remove());
  FLAIR_DO(MakeDirs(env_, folder_));
  json::object o;
  o["address"] = journal.address;
  o["request"] = Encode(journal.request);
  o["plan"] = Encode(journal.plan);
  return WriteFileAtomically(env_, folder_ + "/plan.json", AsBytes(wire::ToText(o)));
}

Result<std::size_t> FetchFolder::AppliedParts() {
  auto bytes = ReadFile(env_, folder_ + "/applied", 32);
  if (!bytes.ok()) return std::size_t{0};
  const std::string_view text = AsText(*bytes);
  std::size_t count = 0;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return count;
}

Status FetchFolder::SetAppliedParts(std::size_t count) {
  return WriteFileAtomically(env_, folder_ + "/applied", AsBytes(std::to_string(count)));
}

Status FetchFolder::Remove() {
  if (!Exists(env_, folder_)) return OkStatus();
  // The plan goes first: parts without one mean nothing.
  if (Exists(env_, folder_ + "/plan.json")) FLAIR_DO(env_.RemoveFile(folder_ + "/plan.json"));
  return RemoveTree(env_, folder_);
}

std::string FetchFolder::PartPath(std::size_t index) const {
  std::string digits = std::to_string(index);
  return folder_ + "/part-" + std::string(digits.size() < 6 ? 6 - digits.size() : 0, '0') + digits;
}

std::uint64_t FetchFolder::PartBytes(std::size_t index) {
  const auto info = env_.Stat(PartPath(index));
  return info.ok() ? info->size_bytes : 0;
}

std::uint64_t PushJournal::upload_bytes() const {
  std::uint64_t total = 0;
  for (const UploadFrame& frame : frames) total += wire::kFrameHeaderBytes + frame.length_bytes;
  return total;
}

Result<std::optional<PushJournal>> LoadPushJournal(Env& env, const std::string& path) {
  FLAIR_TRY(const auto o, ReadJournal(env, path));
  if (o.has_value()) {
    auto journal = DecodePushJournal(*o);
    if (journal.ok()) return std::optional<PushJournal>(std::move(journal).value());
  }
  return std::optional<PushJournal>{};
}

Status SavePushJournal(Env& env, const std::string& path, const PushJournal& journal) {
  json::array packs;
  json::array frames;
  std::string last_pack;
  for (const UploadFrame& frame : journal.frames) {
    json::array numbers;
    for (const RecordLocation& record : frame.records) {
      if (packs.empty() || record.pack != last_pack) packs.emplace_back(record.pack);
      last_pack = record.pack;
      numbers.emplace_back(packs.size() - 1);
      numbers.emplace_back(record.offset);
      numbers.emplace_back(record.length_bytes);
    }
    frames.emplace_back(std::move(numbers));
  }
  json::object o;
  o["address"] = journal.address;
  o["push"] = journal.push;
  o["target"] = journal.target;
  o["source_branch"] = journal.source_branch;
  o["tip"] = journal.tip.ToHex();
  o["packs"] = std::move(packs);
  o["frames"] = std::move(frames);
  return WriteFileAtomically(env, path, AsBytes(wire::ToText(o)));
}

Result<std::string> TransferPath(Repository& repo, std::string_view direction,
                                 std::string_view key) {
  const std::string folder = repo.flair_dir() + "/transfer";
  FLAIR_DO(MakeDirs(repo.env(), folder));
  return folder + "/" + std::string(direction) + "-" + Blake3(AsBytes(key)).ToHex().substr(0, 16);
}

}  // namespace flair
