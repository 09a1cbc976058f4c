// What every reader promises, whatever the bytes are.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tensor/dims.h"
#include "tensor/layout.h"

namespace flair {

inline void ExpectTiles(const FileLayout& layout, std::uint64_t file_bytes) {
  std::uint64_t at = 0;
  std::set<std::string> names;
  for (const FileSpan& span : layout.spans) {
    ASSERT_EQ(span.offset, at);
    ASSERT_LE(span.size_bytes, file_bytes - at);
    at += span.size_bytes;
    if (span.kind != SpanKind::kTensor) continue;
    EXPECT_TRUE(names.insert(span.name).second) << span.name;
    EXPECT_EQ(BytesOfDims(span.dtype, span.dims), std::optional(span.size_bytes)) << span.name;
  }
  EXPECT_EQ(at, file_bytes);
}

inline std::string ShowTensor(const FileSpan& span) {
  std::string text = std::string(DTypeName(span.dtype)) + " " + span.name + " [";
  for (std::size_t i = 0; i < span.dims.size(); ++i) {
    text += (i > 0 ? "," : "") + std::to_string(span.dims[i]);
  }
  return text + "]";
}

// "F32 w [2,3] @64", for the tensors, in the file's order.
inline std::vector<std::string> TensorsOf(const FileLayout& layout) {
  std::vector<std::string> out;
  for (const FileSpan& span : layout.spans) {
    if (span.kind != SpanKind::kTensor) continue;
    out.push_back(ShowTensor(span) + " @" + std::to_string(span.offset));
  }
  return out;
}

// "F32 w [2,3]; blob 8; U8 b [1]": what is not inline, in the file's order.
inline std::string ContentsOf(const FileLayout& layout) {
  std::string out;
  for (const FileSpan& span : layout.spans) {
    if (span.kind == SpanKind::kInline) continue;
    if (!out.empty()) out += "; ";
    out += span.kind == SpanKind::kTensor ? ShowTensor(span)
                                          : "blob " + std::to_string(span.size_bytes);
  }
  return out;
}

}  // namespace flair
