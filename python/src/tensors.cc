// The tensors of a commit: their layout, and their bytes in one allocation each.
// SPDX-License-Identifier: Apache-2.0
#include <nanobind/ndarray.h>

#include "bindings.h"
#include "repo/history.h"
#include "repo/import_file.h"
#include "repo/refs.h"
#include "repo/staging.h"

namespace flair::python {
namespace {

using ByteArray = nb::ndarray<nb::numpy, std::uint8_t, nb::ndim<1>>;

// Memory of a size that comes from a stored object: refused, not fatal, when there is none.
ByteArray ReadInto(std::uint64_t size_bytes, const std::function<Status(MutableByteView)>& read) {
  std::unique_ptr<std::uint8_t[]> memory(new (std::nothrow) std::uint8_t[size_bytes]);
  if (!memory) {
    throw CoreError{Error(ErrorCode::kNoSpace,
                          "no memory for a tensor of " + std::to_string(size_bytes) + " bytes")};
  }
  {
    nb::gil_scoped_release release;
    Check(read(std::as_writable_bytes(std::span(memory.get(), size_bytes))));
  }
  std::uint8_t* const data = memory.release();
  nb::capsule owner(data, [](void* p) noexcept { delete[] static_cast<std::uint8_t*>(p); });
  return ByteArray(data, {static_cast<std::size_t>(size_bytes)}, owner);
}

// What is at `path` in the commit; on_disk: the working tree's file is known to be the same.
nb::dict FileOf(Repo& self, const std::string& ref, const std::string& path) {
  struct Found {
    File file;
    bool on_disk = false;
  };
  const Found found = self.Run([&](Repository& r) -> Result<Found> {
    FLAIR_TRY(const CommitId commit, Resolve(r, ref));
    FLAIR_TRY(const Tree tree, ReadCommitTree(r.objects(), commit));
    const TreeEntry* entry = tree.Find(path);
    if (entry == nullptr) {
      return Error(ErrorCode::kNotFound, "commit " + commit.Short() + " holds no " + path);
    }
    FLAIR_TRY(File file, ReadFileObject(r.objects(), entry->file));
    FLAIR_TRY(const auto cache, ReadStatCache(r));
    const auto known = cache.find(path);
    bool fresh = false;
    if (known != cache.end() && known->second.file == entry->file) {
      const auto info = r.env().Stat(r.PathOf(path));
      fresh = info.ok() && IsFresh(known->second, *info);
    }
    return Found{.file = std::move(file), .on_disk = fresh};
  });
  nb::list segments;
  std::uint64_t offset = 0;
  for (const Segment& segment : found.file.segments) {
    if (const auto* t = std::get_if<TensorSegment>(&segment)) {
      segments.append(nb::make_tuple(t->name, std::string(DTypeName(t->tensor.dtype)),
                                     t->tensor.dims, offset, t->tensor.content.hash.ToHex()));
    }
    offset += SegmentBytes(segment);
  }
  nb::dict out;
  out["format"] = std::string(FileFormatName(found.file.format));
  out["size_bytes"] = offset;
  out["tensors"] = segments;
  out["on_disk"] = found.on_disk;
  return out;
}

ByteArray ReadTensor(Repo& self, const std::string& hash) {
  const Digest digest = Unwrap(Digest::FromHex(hash));
  const std::uint64_t size = self.Run(
      [&](Repository& r) -> Result<std::uint64_t> { return r.objects().ContentBytes(digest); });
  return ReadInto(size, [&](MutableByteView out) -> Status {
    const std::lock_guard<std::mutex> guard(self.mutex);
    return self.repo->objects().ReadContent(digest, 0, out);
  });
}

// The first `max_bytes` of a file of a commit.
ByteArray ReadBytes(Repo& self, const std::string& ref, const std::string& path,
                    std::uint64_t max_bytes) {
  const File file = self.Run([&](Repository& r) -> Result<File> {
    FLAIR_TRY(const CommitId commit, Resolve(r, ref));
    FLAIR_TRY(const Tree tree, ReadCommitTree(r.objects(), commit));
    const TreeEntry* entry = tree.Find(path);
    if (entry == nullptr) {
      return Error(ErrorCode::kNotFound, "commit " + commit.Short() + " holds no " + path);
    }
    return ReadFileObject(r.objects(), entry->file);
  });
  return ReadInto(std::min(file.size_bytes(), max_bytes), [&](MutableByteView out) -> Status {
    const std::lock_guard<std::mutex> guard(self.mutex);
    return OpenFile(self.repo->objects(), file)->ReadAt(0, out);
  });
}

}  // namespace

void BindTensors(nb::class_<Repo>& repo) {
  repo.def("file", FileOf).def("read_tensor", ReadTensor).def("read_bytes", ReadBytes);
}

}  // namespace flair::python
