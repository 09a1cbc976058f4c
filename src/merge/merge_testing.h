// What the tests of this module share: sources over bytes they own.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "base/byte_source.h"
#include "merge/combine.h"

namespace flair {

template <typename T>
T Get(Result<T> result) {
  if (!result.ok()) {
    ADD_FAILURE() << result.error().message();
    std::abort();  // nothing after it would make sense
  }
  return std::move(result).value();
}

class OwnedSource final : public ByteSource {
 public:
  explicit OwnedSource(Bytes bytes) : bytes_(std::move(bytes)) {}
  std::uint64_t size_bytes() const override { return bytes_.size(); }
  Status ReadAt(std::uint64_t offset, MutableByteView out) const override {
    return SourceOfBytes(bytes_)->ReadAt(offset, out);
  }

 private:
  Bytes bytes_;
};

template <typename T>
std::shared_ptr<const ByteSource> SourceOf(const std::vector<T>& values) {
  const auto bytes = std::as_bytes(std::span(values));
  return std::make_shared<OwnedSource>(Bytes(bytes.begin(), bytes.end()));
}

// fp32 values in [-1, 1], as reference/merge.py generates them.
inline std::vector<float> Lcg(std::uint32_t seed, std::size_t n) {
  std::vector<float> out(n);
  for (float& v : out) {
    seed = seed * 1664525U + 1013904223U;
    v = static_cast<float>(static_cast<std::int32_t>(seed)) * 0x1p-31F;
  }
  return out;
}

inline Result<Bytes> ReadAll(const ByteSource& source) {
  Bytes out(source.size_bytes());
  FLAIR_DO(source.ReadAt(0, out));
  return out;
}

template <typename T>
std::vector<T> ValuesOf(const Bytes& bytes) {
  std::vector<T> out(bytes.size() / sizeof(T));
  if (!out.empty()) std::memcpy(out.data(), bytes.data(), bytes.size());
  return out;
}

// One fp32 tensor; every base is the target itself.
inline CombineInputs SharedBase(const std::vector<float>& target,
                                const std::vector<std::vector<float>>& inputs) {
  CombineInputs in;
  in.name = "w";
  in.num_elements = target.size();
  in.target = SourceOf(target);
  for (const auto& values : inputs) {
    in.inputs.push_back(SourceOf(values));
    in.bases.push_back(in.target);
  }
  return in;
}

}  // namespace flair
