// From a file's bytes to a File object and back.
//
// Import reads the layout, stores every tensor and blob as content (each tensor
// against the same tensor of `base`), and verifies that the segments cover the file.
// Export streams the segments. Memory is bounded by the store's, not by the file.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "base/byte_source.h"
#include "object/file.h"
#include "repo/progress.h"
#include "store/object_store.h"

namespace flair {

struct ImportedFile {
  FileId id;
  File file;
};

// `name` helps to recognise the format. `base` (may be nullptr) is the same
// path's earlier version. Errors: kCorrupt for a model file that breaks its format.
Result<ImportedFile> ImportFile(ObjectBatch& batch, const ByteSource& source, std::string_view name,
                                const File* base, const ProgressSink& progress = {});

// The id alone, nothing stored: reads everything once.
Result<FileId> HashFile(const ByteSource& source, std::string_view name);

// All bytes, in order, in pieces of at most 1 MiB.
Status ExportFile(const ObjectStore& objects, const File& file,
                  const std::function<Status(ByteView)>& sink);

// The same for random access; thread-safe, must not outlive the store.
std::unique_ptr<ByteSource> OpenFile(const ObjectStore& objects, const File& file);

// How PLANE and SUB should see a tensor's bytes.
PutOptions PutOptionsFor(DType dtype);

}  // namespace flair
