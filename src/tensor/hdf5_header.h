// The object headers of HDF5: the list of messages that says what an object is.
//
// Place: tensor, under hdf5_walk.h. Layout: HDF5 File Format Specification 3.0, IV.A,
// versions 1 and 2. Checksums of version 2 are not verified
// (docs/design/0002-hdf5-walker.md).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "tensor/hdf5_bytes.h"

namespace flair {

// A message may have 64 KiB; files of the oldest format keep all attributes here.
inline constexpr std::uint64_t kMaxHdf5HeaderBytes = std::uint64_t{8} << 20;

// The messages that are looked at; others are left out when a header is read.
enum class Hdf5MessageType : std::uint8_t {
  kDataspace = 0x01,
  kLinkInfo = 0x02,
  kDatatype = 0x03,
  kLink = 0x06,
  kExternalFiles = 0x07,
  kLayout = 0x08,
  kFilters = 0x0b,
  kAttribute = 0x0c,
  kSymbolTable = 0x11,
};

struct Hdf5Message {
  Hdf5MessageType type = Hdf5MessageType::kDataspace;
  bool shared = false;       // the body says where the message is, not what
  std::uint64_t offset = 0;  // of the body, in the file
  ByteView body;             // into Hdf5Header::chunks
};

struct Hdf5Header {
  std::vector<Bytes> chunks;
  std::vector<Hdf5Message> messages;  // in the order of the file

  const Hdf5Message* Find(Hdf5MessageType type) const;  // the first; nullptr when absent
};

// Errors: kCorrupt (what, at which byte); kUnsupported for other versions and past the
// limit.
Result<Hdf5Header> ReadHdf5Header(Hdf5Bytes& bytes, std::uint64_t address);

}  // namespace flair
