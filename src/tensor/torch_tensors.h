// The tensors that a pickle of torch.save names, and the storages they look into.
//
// Place: tensor, between pickle_walk.h and torch_file.h. Knows which calls rebuild
// tensors (torch/_utils.py) and how a persistent id names a storage
// (torch/serialization.py); knows nothing of files.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "tensor/dtype.h"
#include "tensor/pickle_walk.h"

namespace flair {

struct TorchStorage {
  std::string key;                  // names its bytes in the file
  std::uint64_t element_bytes = 0;  // 0 for a class this build does not know
  std::uint64_t num_elements = 0;
  // num_elements * element_bytes; 0 when element_bytes is.
  std::uint64_t size_bytes = 0;
};

struct TorchView {
  std::string name;            // unique, usable (object/file.h), as the path to it
  std::size_t storage = 0;     // position in TorchTensors::storages
  std::optional<DType> dtype;  // nothing for quantised and unknown elements
  std::uint64_t begin = 0;     // in the storage, in bytes
  std::uint64_t end = 0;       // behind the last byte any element has; begin when empty
  std::vector<std::uint64_t> dims;
  bool contiguous = false;  // row-major without holes: end - begin is its size

  // All the same elements in the same order: weights that are tied.
  bool SameAs(const TorchView& other) const {
    return dtype == other.dtype && begin == other.begin && end == other.end && dims == other.dims &&
           contiguous == other.contiguous;
  }
};

struct TorchTensors {
  std::vector<TorchStorage> storages;
  std::vector<TorchView> views;  // in the pickle's order
};

// Errors: kCorrupt for shapes and storages that cannot be (which tensor, what);
// kUnsupported past the limits of views and names.
Result<TorchTensors> FindTorchTensors(const Pickle& pickle);

}  // namespace flair
