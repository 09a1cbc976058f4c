// ONNX: the initializers of the main graph, found by walking the protobuf message.
//
// Place: tensor. Format: onnx.proto of onnx/onnx and docs/formats/model-files.md. The
// message is never parsed as a whole: nodes are stepped over, elements stay in the file.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/byte_source.h"
#include "base/result.h"
#include "tensor/layout.h"

namespace flair {

// Initializers whose elements lie as they are (raw_data, packed float_data and
// double_data) are tensors; all else is inline or blob. Protobuf has no magic number: call
// it for files that are named .onnx. Errors: kCorrupt (what is wrong, at which byte).
Result<FileLayout> ReadOnnxLayout(const ByteSource& file);

}  // namespace flair
