// SPDX-License-Identifier: Apache-2.0
#include "store/codec.h"

// Stable since 1.3.0 in practice, and used by the encoder only: if it is refused,
// the level alone decides and the output is larger, never wrong.
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>

#include "base/check.h"
#include "store/planes.h"
#include "store/room.h"

namespace flair {
namespace {

constexpr std::size_t kSampleBytes = 64 << 10;
constexpr std::size_t kSamplePieces = 4;
constexpr std::size_t kMaxPlanes = 8;
constexpr int kObjectLevel = 3;

// A plane that shrinks less is not worth decoding.
constexpr bool WorthIt(std::size_t packed, std::size_t raw) { return packed * 100 <= raw * 97; }

enum class PlaneMode : std::uint8_t { kRaw, kHuffman, kZstd };

struct FreeCompressor {
  void operator()(ZSTD_CCtx* c) const { ZSTD_freeCCtx(c); }
};
struct FreeDecompressor {
  void operator()(ZSTD_DCtx* d) const { ZSTD_freeDCtx(d); }
};

ZSTD_CCtx* MakeCompressor(int level, bool huffman) {
  ZSTD_CCtx* const c = ZSTD_createCCtx();
  FLAIR_CHECK(c != nullptr) << "out of memory";
  ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel, level);
  if (huffman) ZSTD_CCtx_setParameter(c, ZSTD_c_literalCompressionMode, ZSTD_lcm_huffman);
  return c;
}

// At level -100 zstd looks for hardly any matches; what is left is its entropy coder,
// three times as fast as level 1 and 9 % smaller on the exponents of weights (measured).
ZSTD_CCtx* Compressor(PlaneMode mode) {
  thread_local const std::unique_ptr<ZSTD_CCtx, FreeCompressor> huffman(MakeCompressor(-100, true));
  thread_local const std::unique_ptr<ZSTD_CCtx, FreeCompressor> zstd(MakeCompressor(1, false));
  return mode == PlaneMode::kHuffman ? huffman.get() : zstd.get();
}

ZSTD_DCtx* Decompressor() {
  thread_local const std::unique_ptr<ZSTD_DCtx, FreeDecompressor> d(ZSTD_createDCtx());
  FLAIR_CHECK(d != nullptr) << "out of memory";
  return d.get();
}

// Room for results and planes, reused from block to block.
struct Scratch {
  Bytes planes;
  Bytes packed;
  Bytes sample;
  Bytes base_sample;
};
Scratch& ThreadScratch() {
  thread_local Scratch scratch;
  return scratch;
}

// 0 when the result would not be smaller than the input.
std::size_t Pack(PlaneMode mode, ByteView in, MutableByteView out) {
  const std::size_t n =
      ZSTD_compress2(Compressor(mode), out.data(), out.size(), in.data(), in.size());
  return ZSTD_isError(n) || n >= in.size() ? 0 : n;
}

struct Plan {
  std::array<PlaneMode, kMaxPlanes> modes{};
  std::size_t packed_bytes = 0;  // of the sample
  std::size_t sample_bytes = 0;
};

Plan PlanFor(ByteView planes, std::size_t num_planes) {
  Scratch& scratch = ThreadScratch();
  Plan plan;
  const std::size_t n = planes.size() / num_planes;
  const MutableByteView room = Room(scratch.packed, ZSTD_compressBound(n));
  for (std::size_t j = 0; j < num_planes; ++j) {
    const ByteView plane = planes.subspan(j * n, n);
    const std::size_t huffman = Pack(PlaneMode::kHuffman, plane, room);
    const std::size_t zstd = Pack(PlaneMode::kZstd, plane, room);
    const bool zstd_wins = zstd != 0 && (huffman == 0 || zstd * 100 < huffman * 98);
    std::size_t best = zstd_wins ? zstd : huffman;
    plan.modes[j] = zstd_wins ? PlaneMode::kZstd : PlaneMode::kHuffman;
    if (best == 0 || !WorthIt(best, n)) {
      plan.modes[j] = PlaneMode::kRaw;
      best = n;
    }
    plan.packed_bytes += best;
    plan.sample_bytes += n;
  }
  return plan;
}

// A few pieces spread over the block, aligned to every element size.
ByteView Sample(ByteView block, Bytes& buffer) {
  if (block.size() <= kSampleBytes) return block;
  constexpr std::size_t kPieceBytes = kSampleBytes / kSamplePieces;
  const MutableByteView sample = Room(buffer, kSampleBytes);
  const std::size_t stride = (block.size() - kPieceBytes) / (kSamplePieces - 1) / 8 * 8;
  for (std::size_t i = 0; i < kSamplePieces; ++i) {
    std::memcpy(sample.data() + i * kPieceBytes, block.data() + i * stride, kPieceBytes);
  }
  return sample;
}

struct Choice {
  BlockCodec codec = BlockCodec::kRaw;
  Plan plan;
};

Choice Choose(const BlockToEncode& block) {
  Scratch& scratch = ThreadScratch();
  const std::size_t num_planes = std::size_t{1} << block.shape.log2_bytes;
  const ByteView sample = Sample(block.raw, scratch.sample);
  const std::size_t whole = sample.size() / num_planes * num_planes;
  if (whole == 0) return {};
  const MutableByteView planes = Room(scratch.planes, whole);

  SplitPlanes(sample, block.shape, planes);
  Choice choice{BlockCodec::kPlane, PlanFor(planes, num_planes)};
  if (!block.base.empty()) {
    // The base may be longer; the same places of it must be sampled.
    const ByteView base = Sample(block.base.first(block.raw.size()), scratch.base_sample);
    SplitDelta(sample, base, block.shape, planes);
    const Plan delta = PlanFor(planes, num_planes);
    // A delta costs a second read on every checkout: it has to save a tenth.
    if (delta.packed_bytes * 10 <= choice.plan.packed_bytes * 9) {
      choice = {BlockCodec::kSub, delta};
    }
  }
  if (!WorthIt(choice.plan.packed_bytes, choice.plan.sample_bytes)) choice.codec = BlockCodec::kRaw;
  return choice;
}

// Appends [base hash] [plane length table] [planes] [tail].
void AppendPlanes(Bytes& out, const BlockToEncode& block, const Choice& choice) {
  Scratch& scratch = ThreadScratch();
  const std::size_t num_planes = std::size_t{1} << block.shape.log2_bytes;
  const std::size_t n = block.raw.size() / num_planes;
  const MutableByteView planes = Room(scratch.planes, n * num_planes);
  if (choice.codec == BlockCodec::kSub) {
    Append(out, block.base_content.view());
    SplitDelta(block.raw, block.base, block.shape, planes);
  } else {
    SplitPlanes(block.raw, block.shape, planes);
  }
  const std::size_t table = out.size();
  out.resize(table + 4 * num_planes);
  const MutableByteView room = Room(scratch.packed, ZSTD_compressBound(n));
  for (std::size_t j = 0; j < num_planes; ++j) {
    const ByteView plane = ByteView(planes).subspan(j * n, n);
    const PlaneMode mode = choice.plan.modes[j];
    const std::size_t packed = mode == PlaneMode::kRaw ? 0 : Pack(mode, plane, room);
    Append(out, packed == 0 ? plane : ByteView(room).first(packed));
    const auto length = static_cast<std::uint32_t>(packed == 0 ? n : packed);
    std::memcpy(out.data() + table + 4 * j, &length, 4);
  }
  Append(out, block.raw.subspan(n * num_planes));
}

Error BadPayload(std::string_view what) {
  return {ErrorCode::kCorrupt, "record payload: " + std::string(what)};
}

// One zstd frame that gives exactly `out`.
Status Unpack(ByteView packed, MutableByteView out) {
  if (ZSTD_getFrameContentSize(packed.data(), packed.size()) != out.size()) {
    return BadPayload("zstd frame declares another length");
  }
  if (ZSTD_findFrameCompressedSize(packed.data(), packed.size()) != packed.size()) {
    return BadPayload("not one zstd frame");
  }
  const std::size_t n =
      ZSTD_decompressDCtx(Decompressor(), out.data(), out.size(), packed.data(), packed.size());
  if (ZSTD_isError(n) || n != out.size()) return BadPayload("zstd frame is damaged");
  return OkStatus();
}

}  // namespace

void AppendBlockRecord(Bytes& out, const BlockToEncode& block) {
  FLAIR_CHECK(!block.raw.empty() && block.raw.size() <= kBlockBytes);
  RecordHeader h;
  h.type = RecordType::kBlock;
  h.key = block.content;
  h.block_index = block.index;
  h.raw_bytes = static_cast<std::uint32_t>(block.raw.size());

  const std::size_t start = out.size();
  out.resize(start + kRecordHeaderBytes);
  const Choice choice = Choose(block);
  if (choice.codec != BlockCodec::kRaw) {
    AppendPlanes(out, block, choice);
    h.block_codec = choice.codec;
    h.shape = block.shape;
    h.depth = choice.codec == BlockCodec::kSub ? block.depth : std::uint8_t{0};
  }
  std::size_t payload = out.size() - start - kRecordHeaderBytes;
  if (choice.codec == BlockCodec::kRaw || payload >= block.raw.size()) {
    out.resize(start + kRecordHeaderBytes);
    Append(out, block.raw);
    payload = block.raw.size();
    h.block_codec = BlockCodec::kRaw;
    h.shape = {};
    h.depth = 0;
  }
  h.payload_bytes = static_cast<std::uint32_t>(payload);
  Bytes header;
  AppendRecordHeader(header, h);
  std::copy(header.begin(), header.end(), out.begin() + static_cast<std::ptrdiff_t>(start));
}

void AppendObjectRecord(Bytes& out, ObjectKind kind, const Digest& id, ByteView stored) {
  FLAIR_CHECK(stored.size() <= kMaxObjectBytes);
  RecordHeader h;
  h.type = RecordType::kObject;
  h.kind = kind;
  h.key = id;
  h.raw_bytes = static_cast<std::uint32_t>(stored.size());
  Bytes packed(ZSTD_compressBound(stored.size()));
  const std::size_t n =
      ZSTD_compress(packed.data(), packed.size(), stored.data(), stored.size(), kObjectLevel);
  const bool smaller = !ZSTD_isError(n) && n < stored.size();
  const ByteView payload = smaller ? ByteView(packed).first(n) : stored;
  h.object_codec = smaller ? ObjectCodec::kZstd : ObjectCodec::kRaw;
  h.payload_bytes = static_cast<std::uint32_t>(payload.size());
  AppendRecordHeader(out, h);
  Append(out, payload);
}

void SetDepth(MutableByteView record, std::uint8_t depth) {
  record[3] = static_cast<std::byte>(depth);
}

Status DecodeBlock(const RecordHeader& h, ByteView payload, ByteView base, MutableByteView out) {
  if (payload.size() != h.payload_bytes) return BadPayload("another length than declared");
  if (h.block_codec == BlockCodec::kRaw) {
    std::memcpy(out.data(), payload.data(), out.size());
    return OkStatus();
  }
  const bool sub = h.block_codec == BlockCodec::kSub;
  if (sub) {
    payload = payload.subspan(Digest::kBytes);
    if (base.size() < out.size()) return BadPayload("base block is shorter");
  }
  const std::size_t num_planes = std::size_t{1} << h.shape.log2_bytes;
  const std::size_t n = out.size() / num_planes;
  const ByteView table = payload.first(4 * num_planes);
  ByteView rest = payload.subspan(4 * num_planes);
  const MutableByteView planes = Room(ThreadScratch().planes, n * num_planes);
  for (std::size_t j = 0; j < num_planes; ++j) {
    const std::uint32_t length = LoadLe32(table.subspan(4 * j));
    if (length > rest.size() || length > n) return BadPayload("plane is too long");
    const MutableByteView plane = planes.subspan(j * n, n);
    const ByteView stored = rest.first(length);
    rest = rest.subspan(length);
    if (length == n) {
      if (n > 0) std::memcpy(plane.data(), stored.data(), n);
    } else {
      FLAIR_DO(Unpack(stored, plane));
    }
  }
  if (rest.size() != out.size() % num_planes) return BadPayload("tail of another length");
  if (sub) {
    MergeDelta(planes, base, h.shape, out);
  } else {
    MergePlanes(planes, h.shape, out);
  }
  std::copy(rest.begin(), rest.end(), out.begin() + static_cast<std::ptrdiff_t>(n * num_planes));
  return OkStatus();
}

Result<Bytes> DecodeObject(const RecordHeader& h, ByteView payload) {
  if (payload.size() != h.payload_bytes) return BadPayload("another length than declared");
  if (h.object_codec == ObjectCodec::kRaw) return Bytes(payload.begin(), payload.end());
  // The frame must promise the length before memory is taken for it.
  if (ZSTD_getFrameContentSize(payload.data(), payload.size()) != h.raw_bytes) {
    return BadPayload("zstd frame declares another length");
  }
  Bytes stored(h.raw_bytes);
  FLAIR_DO(Unpack(payload, stored));
  return stored;
}

}  // namespace flair
