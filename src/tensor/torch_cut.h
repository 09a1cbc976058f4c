// How the bytes of one PyTorch storage become spans.
//
// Place: tensor, under torch_file.h. docs/formats/model-files.md states the rules.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "tensor/span_list.h"
#include "tensor/torch_tensors.h"

namespace flair {

// Appends the next `size_bytes` bytes, a storage that `views` (in the pickle's order)
// look into. REQUIRES: every view's end <= size_bytes.
void CutStorage(SpanList& spans, std::uint64_t size_bytes,
                const std::vector<const TorchView*>& views);

}  // namespace flair
