// SPDX-License-Identifier: Apache-2.0
#include "proof/prover/chunk_folder.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace flair::proof {
namespace {

constexpr std::string_view kMagic = "FLPC";
constexpr std::uint16_t kVersion = 1;
constexpr std::uint64_t kMaxChunkBytes = std::uint64_t{1} << 32;
constexpr std::size_t kMatrixBytes = 5 * 8 + 32;

std::string PathOf(const std::string& folder, std::uint64_t first_step) {
  return folder + "/steps-" + std::to_string(first_step) + ".chunk";
}
std::string PendingPathOf(const std::string& folder, std::uint64_t first_step) {
  return PathOf(folder, first_step) + ".pending";
}

constexpr std::string_view kChunkEnding = ".chunk";
constexpr std::string_view kPendingEnding = ".chunk.pending";
constexpr std::uint32_t kMaxStatementBytes = 1U << 16;

Error Bad() { return {ErrorCode::kCorrupt, "this is no chunk that waits to be kept"}; }

// The head of a chunk's file; the proof stays where it is.
Result<zk::TrainingStatement> ReadStatement(Env& env, const std::string& path) {
  FLAIR_TRY(const auto file, env.OpenForRead(path));
  Bytes length(4);
  FLAIR_DO(file->ReadAt(0, length));
  Bytes statement(std::min(LoadLe32(length), kMaxStatementBytes));
  FLAIR_DO(file->ReadAt(length.size(), statement));
  return zk::TrainingStatement::Decode(statement);
}

Result<zk::TrainingStatement> ReadPendingStatement(Env& env, const std::string& path) {
  FLAIR_TRY(const Bytes bytes, ReadFile(env, path, kMaxChunkBytes));
  FLAIR_TRY(PendingChunk pending, DecodePending(bytes));
  return std::move(pending.chunk.statement);
}

}  // namespace

// magic | version (2) | matrices (4) | each: shape (5 x 8), root (32), columns (4), each (8) |
// chunk
Bytes EncodePending(const PendingChunk& pending) {
  Bytes out = ToBytes(kMagic);
  AppendLe(out, kVersion);
  AppendLe32(out, static_cast<std::uint32_t>(pending.shown.size()));
  for (const ShownColumns& shown : pending.shown) {
    const zk::MatrixShape& s = shown.matrix.shape;
    for (const std::uint64_t number :
         {std::uint64_t{s.log_columns}, std::uint64_t{s.log_n}, s.num_rows, s.num_pads,
          static_cast<std::uint64_t>(s.kind)}) {
      AppendLe64(out, number);
    }
    Append(out, shown.matrix.root.view());
    AppendLe32(out, static_cast<std::uint32_t>(shown.columns.size()));
    for (const std::uint64_t column : shown.columns) AppendLe64(out, column);
  }
  Append(out, EncodeChunk(pending.chunk));
  return out;
}

Result<PendingChunk> DecodePending(ByteView bytes) {
  if (bytes.size() < 10 || AsText(bytes.first(4)) != kMagic ||
      LoadLe16(bytes.subspan(4)) != kVersion) {
    return Bad();
  }
  const std::uint32_t matrices = LoadLe32(bytes.subspan(6));
  bytes = bytes.subspan(10);
  PendingChunk pending;
  for (std::uint32_t i = 0; i < matrices; ++i) {
    if (bytes.size() < kMatrixBytes + 4) return Bad();
    const auto number = [&](std::size_t place) { return LoadLe64(bytes.subspan(8 * place)); };
    if (number(0) > zk::kMaxLogColumns || number(1) > zk::kMaxLogN || number(4) > 0xff)
      return Bad();
    ShownColumns shown;
    shown.matrix.shape = {.log_columns = static_cast<unsigned>(number(0)),
                          .log_n = static_cast<unsigned>(number(1)),
                          .num_rows = number(2),
                          .num_pads = number(3),
                          .kind = static_cast<zk::MatrixKind>(number(4))};
    FLAIR_DO(zk::CheckShape(shown.matrix.shape));
    const ByteView root = bytes.subspan(5 * 8, 32);
    std::copy(root.begin(), root.end(), shown.matrix.root.bytes.begin());
    const std::uint32_t columns = LoadLe32(bytes.subspan(kMatrixBytes));
    bytes = bytes.subspan(kMatrixBytes + 4);
    if (columns > bytes.size() / 8) return Bad();
    for (std::uint32_t c = 0; c < columns; ++c) {
      shown.columns.push_back(LoadLe64(bytes.subspan(std::size_t{8} * c)));
    }
    bytes = bytes.subspan(std::size_t{8} * columns);
    pending.shown.push_back(std::move(shown));
  }
  FLAIR_TRY(pending.chunk, DecodeChunk(bytes));
  return pending;
}

Result<ChunkFolder> ChunkFolder::Open(Env& env, std::string folder, ForColumns count) {
  FLAIR_DO(MakeDirs(env, folder));
  return ChunkFolder(env, std::move(folder), std::move(count));
}

Status ChunkFolder::Count(const PendingChunk& pending) const {
  if (!count_) return OkStatus();
  for (const ShownColumns& shown : pending.shown) FLAIR_DO(count_(shown.matrix, shown.columns));
  return OkStatus();
}

Status ChunkFolder::Name(const ChunkProof& chunk) const {
  const std::uint64_t step = chunk.statement.first_step;
  FLAIR_DO(WriteFileAtomically(*env_, PathOf(folder_, step), EncodeChunk(chunk)));
  return env_->RemoveFile(PendingPathOf(folder_, step));
}

Status ChunkFolder::Keep(const PendingChunk& pending) {
  FLAIR_DO(WriteFileAtomically(*env_, PendingPathOf(folder_, pending.chunk.statement.first_step),
                               EncodePending(pending)));
  FLAIR_DO(Count(pending));
  return Name(pending.chunk);
}

Status ChunkFolder::Settle(std::uint64_t first_step) {
  const std::string path = PendingPathOf(folder_, first_step);
  if (!Exists(*env_, path)) return OkStatus();
  FLAIR_TRY(const Bytes bytes, ReadFile(*env_, path, kMaxChunkBytes));
  auto pending = DecodePending(bytes);
  if (!pending.ok()) return std::move(pending).error().In(path);
  if (pending->chunk.statement.first_step != first_step) return Bad().In(path);
  if (Status counted = Count(*pending); !counted.ok()) {
    if (counted.error().code() != ErrorCode::kConflict) return counted;
    return env_->RemoveFile(path);
  }
  return Name(pending->chunk);
}

std::optional<ChunkProof> ChunkFolder::Read(std::uint64_t first_step) const {
  const auto bytes = ReadFile(*env_, PathOf(folder_, first_step), kMaxChunkBytes);
  if (!bytes.ok()) return std::nullopt;
  auto chunk = DecodeChunk(*bytes);
  if (!chunk.ok()) return std::nullopt;
  return std::move(*chunk);
}

bool ChunkFolder::Has(Env& env, const std::string& folder, std::uint64_t first_step) {
  return Exists(env, PathOf(folder, first_step));
}

std::vector<zk::TrainingStatement> ChunkFolder::Statements(Env& env, const std::string& folder) {
  std::vector<zk::TrainingStatement> statements;
  const auto names = env.ListDir(folder);
  if (!names.ok()) return statements;
  for (const std::string& name : *names) {
    const std::string path = folder + "/" + name;
    const bool is_kept = std::string_view(name).ends_with(kChunkEnding);
    if (!is_kept && !std::string_view(name).ends_with(kPendingEnding)) continue;
    auto statement = is_kept ? ReadStatement(env, path) : ReadPendingStatement(env, path);
    if (statement.ok()) statements.push_back(std::move(*statement));
  }
  std::sort(statements.begin(), statements.end(),
            [](const auto& a, const auto& b) { return a.first_step < b.first_step; });
  return statements;
}

}  // namespace flair::proof
