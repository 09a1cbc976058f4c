#include "tensor/safetensors.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <set>
#include <span>
#include <tuple>

#include "tensor/dims.h"

namespace flair {
namespace {

constexpr std::uint64_t kPrefixBytes = 8;
constexpr std::size_t kMaxTensors = 1'000'000;
constexpr std::size_t kMaxNameBytes = 1024;

Error Corrupt(std::string what) {
  return Error(ErrorCode::kCorrupt, "safetensors: " + std::move(what));
}

Result<std::uint64_t> Number(simdjson::dom::element value, const std::string& where) {
  std::uint64_t number = 0;
  if (value.get(number) != simdjson::SUCCESS) {
    return Corrupt(where + " is not a non-negative integer");
  }
  return number;
}

Result<FileSpan> ReadEntry(std::string_view name, simdjson::dom::object entry) {
  FileSpan span;
  span.kind = SpanKind::kTensor;
  span.name = name;
  const std::string where = "tensor '" + span.name + "'";
  bool has_dtype = false, has_shape = false, has_offsets = false;
  std::uint64_t end = 0;
  for (const auto field : entry) {
    if (field.key == "dtype" && !has_dtype) {
      std::string_view text;
      if (field.value.get(text) != simdjson::SUCCESS) return Corrupt(where + ": dtype is no text");
      const auto dtype = DTypeFromName(text);
      if (!dtype) {
        return Error(ErrorCode::kUnsupported, "safetensors: " + where + ": unknown dtype '" +
                                                  std::string(text.substr(0, 32)) + "'");
      }
      span.dtype = *dtype;
      has_dtype = true;
    } else if (field.key == "shape" && !has_shape) {
      simdjson::dom::array shape;
      if (field.value.get(shape) != simdjson::SUCCESS) return Corrupt(where + ": shape is no list");
      for (const auto dim : shape) {
        if (span.dims.size() == kMaxTensorDims) {
          return Corrupt(where + ": more than " + std::to_string(kMaxTensorDims) + " dimensions");
        }
        FLAIR_TRY(const std::uint64_t d, Number(dim, where + ": a dimension"));
        span.dims.push_back(d);
      }
      has_shape = true;
    } else if (field.key == "data_offsets" && !has_offsets) {
      simdjson::dom::array offsets;
      if (field.value.get(offsets) != simdjson::SUCCESS || offsets.size() != 2) {
        return Corrupt(where + ": data_offsets is no pair");
      }
      FLAIR_TRY(span.offset, Number(offsets.at(0).value_unsafe(), where + ": data_offsets[0]"));
      FLAIR_TRY(end, Number(offsets.at(1).value_unsafe(), where + ": data_offsets[1]"));
      has_offsets = true;
    } else {
      return Corrupt(where + ": unexpected or repeated key '" +
                     std::string(field.key.substr(0, 64)) + "'");
    }
  }
  if (!has_dtype || !has_shape || !has_offsets) {
    return Corrupt(where + ": needs dtype, shape and data_offsets");
  }
  if (end < span.offset) return Corrupt(where + ": data_offsets run backwards");
  span.size_bytes = end - span.offset;
  const auto expected = BytesOfDims(span.dtype, span.dims);
  if (!expected) return Corrupt(where + ": the shape's product overflows");
  if (*expected != span.size_bytes) {
    return Corrupt(where + ": shape and dtype need " + std::to_string(*expected) +
                   " bytes, data_offsets span " + std::to_string(span.size_bytes));
  }
  return span;
}

Status CheckMetadata(simdjson::dom::element value) {
  simdjson::dom::object metadata;
  if (value.get(metadata) != simdjson::SUCCESS) return Corrupt("__metadata__ is no object");
  for (const auto field : metadata) {
    if (!field.value.is_string()) {
      return Corrupt("__metadata__['" + std::string(field.key.substr(0, 64)) + "'] is no text");
    }
  }
  return OkStatus();
}

}  // namespace

bool LooksLikeSafetensors(const ByteSource& file) {
  std::array<std::byte, kPrefixBytes + 1> head;
  if (file.size_bytes() < kPrefixBytes + 2 || !file.ReadAt(0, head).ok()) return false;
  const std::uint64_t header_bytes = LoadLe64(head);
  return head[kPrefixBytes] == std::byte{'{'} && header_bytes <= kMaxSafetensorsHeaderBytes;
}

Result<FileLayout> ReadSafetensorsLayout(const ByteSource& file) {
  if (file.size_bytes() < kPrefixBytes) return Corrupt("the file ends inside the header's length");
  std::array<std::byte, kPrefixBytes> prefix;
  FLAIR_DO(file.ReadAt(0, prefix));
  // Untrusted: bound it by what the file holds before it sizes anything.
  const std::uint64_t header_bytes = LoadLe64(prefix);
  if (header_bytes > kMaxSafetensorsHeaderBytes) {
    return Corrupt("the header claims " + std::to_string(header_bytes) + " bytes; the limit is " +
                   std::to_string(kMaxSafetensorsHeaderBytes));
  }
  if (header_bytes > file.size_bytes() - kPrefixBytes)
    return Corrupt("the file ends inside the header");

  simdjson::padded_string header(static_cast<std::size_t>(header_bytes));
  FLAIR_DO(
      file.ReadAt(kPrefixBytes, std::as_writable_bytes(std::span(header.data(), header.size()))));
  simdjson::dom::parser parser;
  simdjson::dom::object root;
  if (const auto error = parser.parse(header).get(root); error != simdjson::SUCCESS) {
    return Corrupt(std::string("the header is no JSON object: ") + simdjson::error_message(error));
  }

  FileLayout layout;
  layout.format = FileFormat::kSafetensors;
  std::vector<FileSpan> tensors;
  std::set<std::string, std::less<>> names;
  bool has_metadata = false;
  for (const auto field : root) {
    if (field.key == "__metadata__") {
      if (has_metadata) return Corrupt("key '__metadata__' stands twice");
      has_metadata = true;
      FLAIR_DO(CheckMetadata(field.value));
      continue;
    }
    if (field.key.empty() || field.key.size() > kMaxNameBytes) {
      return Corrupt("a tensor's name has " + std::to_string(field.key.size()) +
                     " bytes; allowed are 1 to " + std::to_string(kMaxNameBytes));
    }
    if (field.key.find('\0') != std::string_view::npos)
      return Corrupt("a tensor's name contains a NUL");
    if (tensors.size() == kMaxTensors)
      return Corrupt("more than " + std::to_string(kMaxTensors) + " tensors");
    if (!names.emplace(field.key).second) {
      return Corrupt("key '" + std::string(field.key) + "' stands twice");
    }
    simdjson::dom::object entry;
    if (field.value.get(entry) != simdjson::SUCCESS) {
      return Corrupt("tensor '" + std::string(field.key) + "' is no object");
    }
    FLAIR_TRY(FileSpan span, ReadEntry(field.key, entry));
    tensors.push_back(std::move(span));
  }

  // Empty tensors first among those of one offset, then by name: one order for one file.
  std::sort(tensors.begin(), tensors.end(), [](const FileSpan& a, const FileSpan& b) {
    return std::tie(a.offset, a.size_bytes, a.name) < std::tie(b.offset, b.size_bytes, b.name);
  });
  const std::uint64_t data_begin = kPrefixBytes + header_bytes;
  const std::uint64_t data_bytes = file.size_bytes() - data_begin;
  std::uint64_t at = 0;
  for (FileSpan& span : tensors) {
    if (span.offset != at) {
      return Corrupt("tensor '" + span.name + "' begins at data byte " +
                     std::to_string(span.offset) +
                     (span.offset < at ? ", inside the one before it" : ", behind a hole") +
                     " (expected " + std::to_string(at) + ")");
    }
    if (span.size_bytes > data_bytes - at) {
      return Corrupt("the file ends inside tensor '" + span.name + "'");
    }
    at += span.size_bytes;
    span.offset += data_begin;
  }
  if (at != data_bytes) {
    return Corrupt(std::to_string(data_bytes - at) +
                   " bytes behind the last tensor belong to none");
  }

  FileSpan header_span;
  header_span.size_bytes = data_begin;
  layout.spans.push_back(std::move(header_span));
  std::move(tensors.begin(), tensors.end(), std::back_inserter(layout.spans));
  return layout;
}

namespace {

void AppendJsonText(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      constexpr char kDigits[] = "0123456789abcdef";
      out += "\\u00";
      out += kDigits[static_cast<unsigned char>(c) >> 4];
      out += kDigits[static_cast<unsigned char>(c) & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

}  // namespace

Bytes WriteSafetensorsHeader(const std::vector<SafetensorsEntry>& tensors,
                             const std::vector<std::pair<std::string, std::string>>& metadata) {
  std::string json = "{";
  const auto separate = [&json] {
    if (json.size() > 1) json += ',';
  };
  if (!metadata.empty()) {
    json += "\"__metadata__\":{";
    for (std::size_t i = 0; i < metadata.size(); ++i) {
      if (i > 0) json += ',';
      AppendJsonText(json, metadata[i].first);
      json += ':';
      AppendJsonText(json, metadata[i].second);
    }
    json += '}';
  }
  std::uint64_t at = 0;
  for (const SafetensorsEntry& t : tensors) {
    separate();
    AppendJsonText(json, t.name);
    json += ":{\"dtype\":\"" + std::string(DTypeName(t.dtype)) + "\",\"shape\":[";
    std::uint64_t bytes = DTypeBytes(t.dtype);
    for (std::size_t i = 0; i < t.dims.size(); ++i) {
      if (i > 0) json += ',';
      json += std::to_string(t.dims[i]);
      bytes *= t.dims[i];
    }
    json += "],\"data_offsets\":[" + std::to_string(at) + "," + std::to_string(at + bytes) + "]}";
    at += bytes;
  }
  json += '}';
  json.resize((json.size() + 7) / 8 * 8, ' ');
  Bytes out;
  out.reserve(kPrefixBytes + json.size());
  AppendLe64(out, json.size());
  Append(out, AsBytes(json));
  return out;
}

}  // namespace flair
