#include "crypto/blake3.h"

#include <blake3.h>

#include <array>
#include <vector>

#include "base/check.h"

// The block functions need BLAKE3's compression function, which the library
// exports to its own files only. Same library, same version, statically linked.
extern "C" {
#include <blake3_impl.h>
}

namespace flair {
namespace {

constexpr std::uint8_t kNoFlags = 0;

const std::uint8_t* Raw(const std::byte* p) { return reinterpret_cast<const std::uint8_t*>(p); }
std::uint8_t* Raw(std::byte* p) { return reinterpret_cast<std::uint8_t*>(p); }

Digest ParentOf(const Digest& left, const Digest& right, std::uint8_t extra_flags) {
  std::array<std::uint8_t, BLAKE3_BLOCK_LEN> block;
  std::memcpy(block.data(), left.bytes.data(), BLAKE3_OUT_LEN);
  std::memcpy(block.data() + BLAKE3_OUT_LEN, right.bytes.data(), BLAKE3_OUT_LEN);
  std::array<std::uint32_t, 8> cv;
  std::memcpy(cv.data(), IV, sizeof cv);
  blake3_compress_in_place(cv.data(), block.data(), BLAKE3_BLOCK_LEN, 0,
                           static_cast<std::uint8_t>(PARENT | extra_flags));
  Digest out;
  for (std::size_t i = 0; i < cv.size(); ++i) store32(Raw(out.bytes.data()) + 4 * i, cv[i]);
  return out;
}

// The chaining value of one chunk of at most 1024 bytes.
Digest ChunkValue(ByteView chunk, std::uint64_t counter) {
  std::array<std::uint32_t, 8> cv;
  std::memcpy(cv.data(), IV, sizeof cv);
  std::uint8_t flags = CHUNK_START;
  while (true) {
    std::array<std::uint8_t, BLAKE3_BLOCK_LEN> block{};
    const std::size_t n = std::min<std::size_t>(chunk.size(), BLAKE3_BLOCK_LEN);
    if (n > 0) std::memcpy(block.data(), chunk.data(), n);
    chunk = chunk.subspan(n);
    if (chunk.empty()) flags |= CHUNK_END;
    blake3_compress_in_place(cv.data(), block.data(), static_cast<std::uint8_t>(n), counter, flags);
    if (chunk.empty()) break;
    flags = kNoFlags;
  }
  Digest out;
  for (std::size_t i = 0; i < cv.size(); ++i) store32(Raw(out.bytes.data()) + 4 * i, cv[i]);
  return out;
}

// Pairs neighbours until one value is left; an odd last one moves up as it is.
// For left-balanced trees this equals BLAKE3's own recursion.
Digest Fold(std::vector<Digest> level, std::uint8_t last_flags) {
  while (level.size() > 1) {
    const bool last = level.size() == 2;
    std::vector<Digest> next;
    next.reserve((level.size() + 1) / 2);
    for (std::size_t i = 0; i + 1 < level.size(); i += 2) {
      next.push_back(ParentOf(level[i], level[i + 1], last ? last_flags : kNoFlags));
    }
    if (level.size() % 2 == 1) next.push_back(level.back());
    level = std::move(next);
  }
  return level.front();
}

}  // namespace

Digest Blake3(ByteView data) {
  Blake3Hasher hasher;
  hasher.Update(data);
  return hasher.Finish();
}

Digest Blake3DeriveKey(std::string_view context, ByteView data) {
  blake3_hasher h;
  blake3_hasher_init_derive_key_raw(&h, context.data(), context.size());
  blake3_hasher_update(&h, data.data(), data.size());
  Digest out;
  blake3_hasher_finalize(&h, Raw(out.bytes.data()), out.bytes.size());
  return out;
}

struct Blake3Hasher::State {
  blake3_hasher h;
};

Blake3Hasher::Blake3Hasher() : state_(std::make_unique<State>()) { blake3_hasher_init(&state_->h); }
Blake3Hasher::~Blake3Hasher() = default;
Blake3Hasher::Blake3Hasher(Blake3Hasher&&) noexcept = default;
Blake3Hasher& Blake3Hasher::operator=(Blake3Hasher&&) noexcept = default;

void Blake3Hasher::Update(ByteView data) {
  blake3_hasher_update(&state_->h, data.data(), data.size());
}

Digest Blake3Hasher::Finish() const {
  Digest out;
  blake3_hasher_finalize(&state_->h, Raw(out.bytes.data()), out.bytes.size());
  return out;
}

Digest BlockChainingValue(ByteView block, std::uint64_t index) {
  FLAIR_CHECK(!block.empty() && block.size() <= kBlockBytes) << block.size() << " bytes";
  const std::uint64_t first_chunk = index * (kBlockBytes / BLAKE3_CHUNK_LEN);
  const std::size_t whole = block.size() / BLAKE3_CHUNK_LEN;
  std::vector<Digest> level(whole + (block.size() % BLAKE3_CHUNK_LEN != 0 ? 1 : 0));

  // Whole chunks in one call: it hashes as many side by side as the CPU allows.
  std::vector<const std::uint8_t*> inputs(whole);
  for (std::size_t i = 0; i < whole; ++i) inputs[i] = Raw(block.data()) + i * BLAKE3_CHUNK_LEN;
  if (whole > 0) {
    blake3_hash_many(inputs.data(), whole, BLAKE3_CHUNK_LEN / BLAKE3_BLOCK_LEN, IV, first_chunk,
                     true, kNoFlags, CHUNK_START, CHUNK_END, Raw(level[0].bytes.data()));
  }
  if (level.size() > whole) {
    level[whole] = ChunkValue(block.subspan(whole * BLAKE3_CHUNK_LEN), first_chunk + whole);
  }
  // Parents side by side too, as long as there are pairs.
  while (level.size() > 2) {
    const std::size_t pairs = level.size() / 2;
    std::vector<const std::uint8_t*> parents(pairs);
    for (std::size_t i = 0; i < pairs; ++i) parents[i] = Raw(level[2 * i].bytes.data());
    std::vector<Digest> next(pairs + level.size() % 2);
    blake3_hash_many(parents.data(), pairs, 1, IV, 0, false, PARENT, kNoFlags, kNoFlags,
                     Raw(next[0].bytes.data()));
    if (level.size() % 2 == 1) next.back() = level.back();
    level = std::move(next);
  }
  return Fold(std::move(level), kNoFlags);
}

Digest RootOfBlocks(std::span<const Digest> chaining_values) {
  FLAIR_CHECK(chaining_values.size() >= 2) << chaining_values.size() << " blocks";
  return Fold({chaining_values.begin(), chaining_values.end()}, ROOT);
}

}  // namespace flair
