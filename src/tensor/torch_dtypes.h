// The element types of PyTorch by the names that its files use.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "tensor/dtype.h"

namespace flair {

struct TorchElement {
  std::optional<DType> dtype;  // nothing for what Flair cannot describe, such as qint8
  std::uint64_t bytes = 0;     // 0 when the name is unknown
};

// "FloatStorage", a class of torch, torch.storage or torch.cuda.
TorchElement TorchElementOfStorage(std::string_view module, std::string_view name);

// "float32", an attribute of torch.
std::optional<DType> TorchDType(std::string_view module, std::string_view name);

}  // namespace flair
