// SPDX-License-Identifier: Apache-2.0
#include "hub/push_store.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/hex.h"
#include "wire/limits.h"

namespace flair::hub {
namespace {

namespace json = wire::json;
constexpr std::size_t kReadBytes = std::size_t{1} << 20;
constexpr std::uint64_t kMaxOutcomeBytes = std::uint64_t{64} << 20;

Error NoSuchPush(std::string_view id) {
  return Error(ErrorCode::kNotFound, "no push " + std::string(id) + " is open here")
      .WithHint("push again");
}

}  // namespace

Result<std::string> PushStore::Create(const PushRecord& push) {
  (void)RemoveOld();  // tidying; another request may be at it too
  std::array<std::byte, 16> random{};
  env_.RandomBytes(random);
  const std::string id = ToHex(random);
  FLAIR_DO(MakeDirs(env_, FolderOf(id)));
  json::object o;
  o["wallet"] = push.wallet;
  o["target"] = push.target;
  o["source_branch"] = push.source_branch;
  o["tip"] = push.tip.ToHex();
  FLAIR_DO(WriteFileAtomically(env_, FolderOf(id) + "/push.json", AsBytes(wire::ToText(o))));
  FLAIR_DO(env_.SyncDir(folder_));
  return id;
}

Result<PushRecord> PushStore::Read(std::string_view id, std::string_view wallet) {
  FLAIR_DO(wire::CheckPushId(id));
  const auto bytes = ReadFile(env_, FolderOf(id) + "/push.json", wire::kMaxProblemBytes);
  if (!bytes.ok()) return NoSuchPush(id);
  FLAIR_TRY(const json::object o, wire::ParseObject(AsText(*bytes)));
  PushRecord push;
  FLAIR_TRY(push.wallet, wire::GetString(o, "wallet"));
  FLAIR_TRY(push.target, wire::GetString(o, "target"));
  FLAIR_TRY(push.source_branch, wire::GetString(o, "source_branch"));
  FLAIR_TRY(const std::string tip, wire::GetString(o, "tip"));
  FLAIR_TRY(push.tip, CommitId::FromHex(tip));
  if (push.wallet != wallet) return NoSuchPush(id);
  return push;
}

Result<std::uint64_t> PushStore::Offset(std::string_view id) {
  const auto info = env_.Stat(FolderOf(id) + "/data");
  if (info.ok()) return info->size_bytes;
  if (info.error().code() == ErrorCode::kNotFound) return std::uint64_t{0};
  return info.error();
}

Result<std::uint64_t> PushStore::Append(std::string_view id, std::uint64_t offset, BodyReader& body,
                                        const std::function<void(std::uint64_t)>& arrived) {
  FLAIR_TRY(std::uint64_t at, Offset(id));
  if (at != offset) {
    return Error(ErrorCode::kConflict,
                 "the upload is at byte " + std::to_string(at) + ", not " + std::to_string(offset))
        .WithHint("HEAD tells the offset");
  }
  if (body.size_bytes() > wire::kMaxTransferBytes - std::min(at, wire::kMaxTransferBytes)) {
    return Error(ErrorCode::kUnsupported,
                 "the upload is longer than " + std::to_string(wire::kMaxTransferBytes) + " bytes");
  }
  FLAIR_TRY(const auto file, env_.OpenForWrite(FolderOf(id) + "/data", WriteMode::kAppend));
  Bytes buffer(kReadBytes);
  for (;;) {
    FLAIR_TRY(const std::size_t n, body.Read(buffer));
    if (n == 0) break;
    FLAIR_DO(file->Append(ByteView(buffer).first(n)));
    at += n;
    arrived(at);
  }
  // Not synced: a power cut may cost the upload, never a commit. Everything is verified,
  // and the store's packs are synced, before a ref moves.
  FLAIR_DO(file->Close());
  return at;
}

Result<FrameReader> PushStore::OpenFrames(std::string_view id) {
  FLAIR_TRY(auto data, env_.OpenForRead(FolderOf(id) + "/data"));
  return FrameReader(std::move(data));
}

Result<std::optional<std::uint64_t>> FrameReader::PeekLength(std::uint64_t size) {
  if (size - at_ < wire::kFrameHeaderBytes) return std::optional<std::uint64_t>{};
  std::array<std::byte, wire::kFrameHeaderBytes> header{};
  FLAIR_DO(data_->ReadAt(at_, header));
  const std::uint64_t length = LoadLe32(header);
  if (length == 0 || length > wire::kMaxPieceBytes) {
    return Error(ErrorCode::kCorrupt,
                 "upload, byte " + std::to_string(at_) + ": frame of a bad length");
  }
  return std::optional<std::uint64_t>(length);
}

Result<std::optional<ByteView>> FrameReader::Next(std::uint64_t size) {
  FLAIR_TRY(const std::optional<std::uint64_t> length, PeekLength(size));
  // Bounded by what is there before it sizes anything.
  if (!length || *length > size - at_ - wire::kFrameHeaderBytes) return std::optional<ByteView>{};
  frame_.resize(*length);
  FLAIR_DO(data_->ReadAt(at_ + wire::kFrameHeaderBytes, frame_));
  at_ += wire::kFrameHeaderBytes + *length;
  return std::optional<ByteView>(frame_);
}

// {"upload_bytes": n, "outcome": "<the answer's own text>"}
Result<std::optional<wire::FinishResult>> PushStore::ReadOutcome(std::string_view id) {
  const auto bytes = ReadFile(env_, FolderOf(id) + "/outcome.json", kMaxOutcomeBytes);
  if (!bytes.ok()) return std::optional<wire::FinishResult>{};
  FLAIR_TRY(const json::object o, wire::ParseObject(AsText(*bytes), kMaxOutcomeBytes));
  FLAIR_TRY(const std::string text, wire::GetString(o, "outcome"));
  FLAIR_TRY(wire::FinishResult outcome, wire::DecodeFinishResult(text));
  return std::optional<wire::FinishResult>(std::move(outcome));
}

Status PushStore::WriteOutcome(std::string_view id, const wire::FinishResult& outcome,
                               std::uint64_t upload_bytes) {
  json::object o;
  o["upload_bytes"] = upload_bytes;
  o["outcome"] = Encode(outcome);
  return WriteFileAtomically(env_, FolderOf(id) + "/outcome.json", AsBytes(wire::ToText(o)));
}

Result<std::uint64_t> PushStore::FinishedBytes(std::string_view id) {
  FLAIR_TRY(const Bytes bytes, ReadFile(env_, FolderOf(id) + "/outcome.json", kMaxOutcomeBytes));
  FLAIR_TRY(const json::object o, wire::ParseObject(AsText(bytes), kMaxOutcomeBytes));
  return wire::GetUint(o, "upload_bytes");
}

Status PushStore::DropData(std::string_view id) {
  const std::string path = FolderOf(id) + "/data";
  return Exists(env_, path) ? env_.RemoveFile(path) : OkStatus();
}

Status PushStore::Remove(std::string_view id) {
  // The record goes first: without it the rest is nobody's push.
  const std::string record = FolderOf(id) + "/push.json";
  if (Exists(env_, record)) FLAIR_DO(env_.RemoveFile(record));
  return RemoveTree(env_, FolderOf(id));
}

Status PushStore::RemoveOld() {
  if (!Exists(env_, folder_)) return OkStatus();
  FLAIR_TRY(const std::vector<std::string> names, env_.ListDir(folder_));
  std::vector<std::pair<std::int64_t, std::string>> open;  // by age
  for (const std::string& name : names) {
    if (!wire::CheckPushId(name).ok()) continue;
    // The newest sign of life; a folder without a record is a creation that was cut off.
    std::int64_t touched_ns = 0;
    for (const char* file : {"/push.json", "/data", "/outcome.json"}) {
      const auto info = env_.Stat(FolderOf(name) + file);
      if (info.ok()) touched_ns = std::max(touched_ns, info->mtime_ns);
    }
    if (touched_ns == 0) {
      const auto info = env_.Stat(FolderOf(name));
      if (info.ok()) touched_ns = info->mtime_ns;
    }
    if (env_.NowNs() - touched_ns > kPushLifetimeS * 1'000'000'000) {
      FLAIR_DO(Remove(name));
    } else {
      open.emplace_back(touched_ns, name);
    }
  }
  std::sort(open.begin(), open.end());
  for (std::size_t i = 0; i + kMaxOpenPushes <= open.size(); ++i) FLAIR_DO(Remove(open[i].second));
  return OkStatus();
}

}  // namespace flair::hub
