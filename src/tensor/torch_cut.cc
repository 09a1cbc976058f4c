// SPDX-License-Identifier: Apache-2.0
#include "tensor/torch_cut.h"

#include <algorithm>
#include <optional>

namespace flair {
namespace {

// Content of its own costs an object; bytes that stay inline are kept again whenever
// any tensor of the file changes.
constexpr std::uint64_t kMaxInlineGapBytes = std::uint64_t{64} << 10;

// The views by their offset, one for all that are the same; nothing when they are
// strided or share bytes otherwise.
std::optional<std::vector<const TorchView*>> Disjoint(std::vector<const TorchView*> views) {
  // Stable: of the same views, the first in the pickle gives the name.
  std::stable_sort(views.begin(), views.end(),
                   [](const TorchView* a, const TorchView* b) { return a->begin < b->begin; });
  std::vector<const TorchView*> apart;
  for (const TorchView* view : views) {
    if (!apart.empty() && view->SameAs(*apart.back())) continue;
    if (!view->contiguous || (!apart.empty() && view->begin < apart.back()->end)) {
      return std::nullopt;
    }
    apart.push_back(view);
  }
  return apart;
}

}  // namespace

void CutStorage(SpanList& spans, std::uint64_t size_bytes,
                const std::vector<const TorchView*>& views) {
  const std::uint64_t begin = spans.at();
  std::vector<const TorchView*> filled;
  for (const TorchView* view : views) {
    // What Flair cannot describe hides what its bytes mean, and whose they are.
    if (!view->dtype) return spans.Blob(begin + size_bytes);
    if (view->begin < view->end) filled.push_back(view);
  }
  for (const TorchView* view : views) {
    if (view->begin == view->end && view->contiguous) {
      spans.Tensor(view->name, *view->dtype, view->dims, 0);
    }
  }
  if (filled.empty()) return spans.Blob(begin + size_bytes);

  if (const auto apart = Disjoint(filled)) {
    for (const TorchView* view : *apart) {
      spans.Filler(begin + view->begin, kMaxInlineGapBytes);
      spans.Tensor(view->name, *view->dtype, view->dims, view->end - view->begin);
    }
    return spans.Filler(begin + size_bytes, kMaxInlineGapBytes);
  }
  const TorchView& first = *filled.front();
  const std::uint64_t element_bytes = DTypeBytes(*first.dtype);
  const bool same_elements = std::all_of(filled.begin(), filled.end(), [&](const TorchView* view) {
    return view->dtype == first.dtype;
  });
  if (!same_elements || size_bytes % element_bytes != 0) return spans.Blob(begin + size_bytes);
  spans.Tensor(first.name, *first.dtype, {size_bytes / element_bytes}, size_bytes);
}

}  // namespace flair
