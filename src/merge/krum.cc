// SPDX-License-Identifier: Apache-2.0
#include "merge/krum.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "base/check.h"
#include "base/threads.h"
#include "merge/kernels.h"
#include "merge/rows.h"
#include "merge/weights.h"

namespace flair {
namespace {

// Sums of one block: every pair's squared distance, then every norm.
struct Lanes {
  double at[kernels::kLanes] = {};
};

std::size_t PairCount(std::size_t n) { return n * (n - 1) / 2; }

class BlockSums {
 public:
  BlockSums(const CombineInputs& in) : rows_(in.name, in.dtype) {
    for (std::size_t i = 0; i < in.inputs.size(); ++i) {
      const std::string name =
          "input " + (i < in.input_names.size() ? in.input_names[i] : std::to_string(i + 1));
      inputs_.push_back(rows_.Add(in.inputs[i], name));
      bases_.push_back(rows_.Add(in.bases[i], "the base of " + name));
    }
  }

  Status Sum(std::uint64_t first, std::uint64_t n, std::span<double> out) {
    auto scratch = pool_.Take();
    const Status status = rows_.dtype() == DType::kF32 ? SumAs<float>(first, n, *scratch, out)
                                                       : SumAs<double>(first, n, *scratch, out);
    pool_.Return(std::move(scratch));
    return status;
  }

 private:
  template <typename T>
  Status SumAs(std::uint64_t first, std::uint64_t n, RowSources::Scratch& scratch,
               std::span<double> out) const {
    FLAIR_DO(rows_.Load(first, n, scratch));
    const std::size_t num = inputs_.size();
    std::vector<Lanes> lanes(out.size());
    // One row more, of zeros: a norm is the distance to it.
    scratch.rows.assign((num + 1) * kernels::kChunk, 0.0);
    const auto row = [&](std::size_t i) { return scratch.rows.data() + i * kernels::kChunk; };
    FLAIR_DO(rows_.ForEachChunk<T>(
        n, scratch,
        [&](std::span<const T* const> sources, std::uint64_t, std::size_t count) -> Status {
          // The last chunk's missing elements count as equal: they add +0.
          const std::size_t padded =
              (count + kernels::kLanes - 1) / kernels::kLanes * kernels::kLanes;
          for (std::size_t i = 0; i < num; ++i) {
            kernels::Difference<T>(sources[inputs_[i]], sources[bases_[i]], count, row(i));
            std::fill(row(i) + count, row(i) + padded, 0.0);
          }
          std::size_t pair = 0;
          for (std::size_t i = 0; i < num; ++i) {
            for (std::size_t j = i + 1; j < num; ++j) {
              kernels::AddSquaredDistance(row(i), row(j), padded, lanes[pair++].at);
            }
          }
          for (std::size_t i = 0; i < num; ++i) {
            kernels::AddSquaredDistance(row(i), row(num), padded, lanes[pair++].at);
          }
          return OkStatus();
        }));
    for (std::size_t p = 0; p < out.size(); ++p) out[p] = kernels::FoldLanes(lanes[p].at);
    return OkStatus();
  }

  RowSources rows_;
  std::vector<std::size_t> inputs_;
  std::vector<std::size_t> bases_;
  ScratchPool pool_;
};

}  // namespace

KrumDistances::KrumDistances(std::size_t num_inputs)
    : num_inputs_(num_inputs),
      pairs_(num_inputs == 0 ? 0 : PairCount(num_inputs), 0.0),
      norms_(num_inputs, 0.0) {}

Status KrumDistances::Add(const CombineInputs& tensor) {
  FLAIR_CHECK(tensor.inputs.size() == num_inputs_ && tensor.bases.size() == num_inputs_)
      << tensor.name;
  FLAIR_CHECK(IsFloat(tensor.dtype)) << tensor.name << " holds no floats";
  const std::uint64_t num_blocks =
      (tensor.num_elements + kMergeBlockElements - 1) / kMergeBlockElements;
  const std::size_t width = pairs_.size() + norms_.size();
  std::vector<double> sums(num_blocks * width);
  BlockSums block_sums(tensor);
  FLAIR_DO(ParallelFor(num_blocks, [&](std::size_t block) {
    const std::uint64_t first = block * kMergeBlockElements;
    const std::uint64_t n = std::min(kMergeBlockElements, tensor.num_elements - first);
    return block_sums.Sum(first, n, std::span(sums).subspan(block * width, width));
  }));
  // The tensor's own sum first, so that it does not depend on what came before.
  std::vector<double> total(width, 0.0);
  for (std::size_t block = 0; block < num_blocks; ++block) {
    for (std::size_t p = 0; p < width; ++p) total[p] += sums[block * width + p];
  }
  for (std::size_t p = 0; p < pairs_.size(); ++p) pairs_[p] += total[p];
  for (std::size_t i = 0; i < norms_.size(); ++i) norms_[i] += total[pairs_.size() + i];
  return OkStatus();
}

double KrumDistances::squared_distance(std::size_t i, std::size_t j) const {
  FLAIR_CHECK(i < num_inputs_ && j < num_inputs_) << "update " << i << ", " << j;
  if (i == j) return 0.0;
  const std::size_t low = std::min(i, j);
  const std::size_t high = std::max(i, j);
  // Rows before `low` hold n-1, n-2, ... pairs.
  return pairs_[low * num_inputs_ - low * (low + 1) / 2 + (high - low - 1)];
}

std::vector<double> KrumScores(const KrumDistances& distances, std::uint32_t f) {
  const std::size_t n = distances.num_inputs();
  std::vector<double> scores(n, 0.0);
  if (n < 2) return scores;
  const std::size_t neighbours = n > std::uint64_t{f} + 2 ? n - f - 2 : 1;
  for (std::size_t i = 0; i < n; ++i) {
    std::vector<double> others;
    for (std::size_t j = 0; j < n; ++j) {
      if (j != i) others.push_back(distances.squared_distance(i, j));
    }
    std::sort(others.begin(), others.end());
    for (std::size_t k = 0; k < std::min(neighbours, others.size()); ++k) scores[i] += others[k];
  }
  return scores;
}

std::vector<std::uint32_t> KrumAlpha(const KrumDistances& distances, std::uint32_t f,
                                     std::uint32_t m) {
  const std::size_t n = distances.num_inputs();
  FLAIR_CHECK(m >= 1 && m <= n) << "krum: m = " << m << " of " << n;
  const std::vector<double> scores = KrumScores(distances, f);
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
  order.resize(m);
  std::sort(order.begin(), order.end());
  const std::vector<std::uint32_t> shares = EqualWeights(m);
  std::vector<std::uint32_t> alpha(n, 0);
  for (std::size_t k = 0; k < m; ++k) alpha[order[k]] = shares[k];
  return alpha;
}

}  // namespace flair
