// GGUF, the format of llama.cpp: versions 2 and 3, little-endian.
//
// Place: tensor. Format: docs/gguf.md of ggml-org/ggml and docs/formats/model-files.md.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/byte_source.h"
#include "base/result.h"
#include "tensor/layout.h"

namespace flair {

// True when the file begins with "GGUF" and a version that this build reads.
bool LooksLikeGguf(const ByteSource& file);

// Elements of plain types are tensors, dims outermost first (GGUF writes them innermost
// first); quantised blocks are blobs. Errors: kCorrupt (what is wrong, which tensor or
// byte); kUnsupported beyond the limits of docs/formats/model-files.md.
// REQUIRES: LooksLikeGguf(file).
Result<FileLayout> ReadGgufLayout(const ByteSource& file);

}  // namespace flair
