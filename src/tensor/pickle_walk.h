// The values that a pickle describes, as inert data: nothing is imported or called.
//
// Place: tensor, below torch_file.h. A pickle is a program for a small stack machine;
// this one runs every opcode that builds data and notes, instead of doing it, what the
// opcodes that import (GLOBAL) and call (REDUCE, NEWOBJ, BUILD) ask for.
//
// Invariants
//   (1) Work and memory are proportional to the bytes read, whatever they say: no
//       length is believed before it is compared with the bytes that are left.
//   (2) Values form a graph, not a tree: a memoised value is one value, however often
//       it is used, and may contain itself. Whoever walks it marks what it has seen.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace flair {

// A value makes about a hundred bytes: 400 MB at worst. A checkpoint with its optimizer
// needs about fifty values per parameter tensor.
inline constexpr std::size_t kMaxPickleValues = 4'000'000;
// Opcodes that make no value, such as memo look-ups, still take time.
inline constexpr std::size_t kMaxPickleOpcodes = 64'000'000;

using PickleId = std::uint32_t;  // position in Pickle::values
inline constexpr PickleId kNoPickleId = ~PickleId{0};

enum class PickleKind : std::uint8_t {
  kNone,
  kBool,
  kInt,     // fits 64 bits; a longer one is kOther
  kFloat,   // the number itself is not kept
  kText,    // `text`: as written, UTF-8 is not checked
  kBytes,   // `text`
  kTuple,   // `items`
  kList,    // `items`
  kDict,    // `items`: key, value, key, value...
  kSet,     // `items`
  kGlobal,  // `module` and `text`: what an unpickler would import
  // What an unpickler would get by calling `callee` with `arguments`, setting it up with
  // `state` and adding `items`: elements if a list was meant, keys and values if a dict.
  kCall,
  kPersistentId,  // `callee`: the id, whose object the file keeps elsewhere
  kOther,
};

struct PickleValue {
  PickleKind kind = PickleKind::kNone;
  bool items_are_pairs = false;  // of kDict always, of kCall when SETITEMS filled it
  std::int64_t number = 0;       // kBool, kInt
  std::string_view text;
  std::string_view module;
  PickleId callee = kNoPickleId;
  PickleId arguments = kNoPickleId;
  PickleId state = kNoPickleId;
  std::vector<PickleId> items;
};

struct Pickle {
  std::vector<PickleValue> values;
  PickleId root = 0;
  std::uint64_t size_bytes = 0;  // up to and with STOP; the bytes may go on

  const PickleValue& operator[](PickleId id) const { return values[id]; }
};

// Whether the bytes that are given are all there are.
enum class PickleInput : std::uint8_t { kWhole, kCutShort };

// Reads one pickle of protocol 2 to 5 from the start of `bytes`, which the result's texts
// point into. Errors: kCorrupt when no unpickler could read it (what, at which byte);
// kUnsupported for opcodes of protocols 0 and 1, extensions, out-of-band buffers, for
// more than the limits above, and for a pickle that goes on behind what was kCutShort.
Result<Pickle> ReadPickle(ByteView bytes, PickleInput input = PickleInput::kWhole);

}  // namespace flair
