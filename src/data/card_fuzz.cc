// Fuzzes what reads a data set of somebody else: cards, and arrays in NPY, IDX and gzip.
// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/check.h"
#include "data/array_testing.h"
#include "data/card.h"
#include "data/column.h"
#include "data/gzip.h"
#include "data/idx.h"
#include "data/npy.h"

namespace flair::data {
namespace {

constexpr std::uint64_t kMaxUnpacked = std::uint64_t{1} << 20;

void CheckRefusal(const Error& error) {
  const ErrorCode code = error.code();
  FLAIR_CHECK(code == ErrorCode::kCorrupt || code == ErrorCode::kUnsupported ||
              code == ErrorCode::kInvalidArgument)
      << error.message();
  FLAIR_CHECK(error.message().find('\n') == std::string::npos) << "more than a line";
}

void FuzzCard(std::string_view text) {
  const auto card = DecodeCard(text);
  if (!card.ok()) return CheckRefusal(card.error());
  FLAIR_CHECK(EncodeCard(*card) == text) << "a second spelling";
}

// A column that is inferred holds every value that it was inferred from.
void FuzzColumn(const Result<SourceColumn>& source, std::uint64_t file_bytes) {
  if (!source.ok()) return CheckRefusal(source.error());
  if (!CheckUsable(*source).ok()) return;
  FLAIR_CHECK(source->num_elements() * DTypeBytes(source->dtype) + source->begin == file_bytes)
      << "elements that the file has not";
  const auto column = InferColumn(*source);
  if (!column.ok()) return CheckRefusal(column.error());
  const auto values = ReadColumn(*source, *column);
  FLAIR_CHECK(values.ok()) << values.error().message();
  FLAIR_CHECK(values->size() == source->num_elements()) << "a value is missing";
}

void FuzzNpy(std::shared_ptr<const ByteSource> file) {
  FuzzColumn(ReadNpy(file, "y", "y.npy"), file->size_bytes());
}

}  // namespace
}  // namespace flair::data

// The first byte chooses the reader.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace flair;
  if (size == 0) return 0;
  const ByteView in = std::as_bytes(std::span(bytes, size)).subspan(1);
  const auto file = data::Held(Bytes(in.begin(), in.end()));
  switch (bytes[0] % 4) {
    case 0:
      data::FuzzCard(AsText(in));
      break;
    case 1:
      data::FuzzNpy(file);
      break;
    case 2:
      data::FuzzColumn(data::ReadIdx(file, "y", "y.idx"), in.size());
      break;
    default:
      if (auto unpacked = data::Unpack(*file, data::kMaxUnpacked); unpacked.ok()) {
        data::FuzzNpy(std::move(*unpacked));
      } else {
        data::CheckRefusal(unpacked.error());
      }
  }
  return 0;
}
