// Limits of the wire: what hub and client refuse to send and to read.
// Documented in docs/formats/wire.md; both sides check the same numbers.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace flair::wire {

inline constexpr std::size_t kMaxJsonBytes = std::size_t{64} << 20;
inline constexpr std::size_t kMaxProblemBytes = std::size_t{64} << 10;
inline constexpr std::size_t kMaxWants = 4096;        // tips of one fetch
inline constexpr std::size_t kMaxHaves = 65'536;      // commits named as held
inline constexpr std::size_t kMaxNamed = 500'000;     // objects or contents of one message
inline constexpr std::size_t kMaxPieces = 1'000'000;  // of a fetch plan
inline constexpr std::size_t kMaxTextBytes = std::size_t{64} << 10;  // titles, comments
inline constexpr std::size_t kMaxRefs = 100'000;

// A piece is whole records of one pack, back to back: what a receiver verifies at
// once. A single record never exceeds one block and its headers, so a sender can
// always keep to the limit; an object may reach kMaxPieceBytes by itself.
inline constexpr std::uint64_t kPieceBytes = std::uint64_t{8} << 20;  // aim of a sender
inline constexpr std::uint64_t kMaxPieceBytes = std::uint64_t{256} << 20;
inline constexpr std::uint64_t kMaxTransferBytes = std::uint64_t{1} << 42;

// An upload is frames: length (4 bytes, little-endian), then a piece of that length.
inline constexpr std::size_t kFrameHeaderBytes = 4;

}  // namespace flair::wire
