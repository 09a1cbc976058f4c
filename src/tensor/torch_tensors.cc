// SPDX-License-Identifier: Apache-2.0
#include "tensor/torch_tensors.h"

#include <array>
#include <map>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/utf8.h"
#include "tensor/dims.h"
#include "tensor/torch_dtypes.h"

namespace flair {
namespace {

constexpr std::size_t kMaxDepth = 256;
constexpr std::size_t kMaxViews = 500'000;
constexpr std::size_t kMaxNameBytes = 1000;  // 1024 with the number of a repeated name
constexpr std::size_t kMaxAllNamesBytes = std::size_t{64} << 20;
constexpr std::size_t kMaxKeyBytes = 256;
constexpr std::size_t kMaxTorchDims = 64;  // of a tensor of PyTorch; of a span, fewer
constexpr int kMaxWrappings = 8;           // a parameter of a subclass of a tensor...
constexpr std::string_view kNameless = "tensor";

Error Corrupt(const std::string& what) { return {ErrorCode::kCorrupt, "torch file: " + what}; }
Error Unsupported(const std::string& what) {
  return {ErrorCode::kUnsupported, "torch file: " + what};
}

class TensorFinder {
 public:
  explicit TensorFinder(const Pickle& pickle)
      : pickle_(pickle), seen_(pickle.values.size(), false) {}

  // Depth first, each value once: a value that is reached twice keeps its first name.
  Result<TorchTensors> Find() {
    // First every storage, used by a tensor or not: a reader of the file needs all sizes.
    for (PickleId id = 0; id < pickle_.values.size(); ++id) {
      if (pickle_[id].kind == PickleKind::kPersistentId) FLAIR_DO(TakeStorage(id));
    }
    FLAIR_DO(Visit({.id = pickle_.root}));
    while (!path_.empty()) {
      const Step child = NextChild(path_.back());
      if (child.id == kNoPickleId) {
        path_.pop_back();
      } else {
        FLAIR_DO(Visit(child));
      }
    }
    return std::move(found_);
  }

 private:
  // One value on the way from the root, and how its parent calls it.
  struct Step {
    PickleId id = kNoPickleId;
    enum : std::uint8_t { kUnnamed, kText, kIndex } named = kUnnamed;
    std::string_view text;
    std::uint64_t index = 0;
    std::size_t next_child = 0;
  };

  Status Visit(const Step& step) {
    if (seen_[step.id] || path_.size() == kMaxDepth) return OkStatus();
    seen_[step.id] = true;
    path_.push_back(step);
    if (pickle_[step.id].kind != PickleKind::kCall) return OkStatus();
    FLAIR_TRY(const bool is_tensor, TakeTensor(pickle_[step.id]));
    if (is_tensor) path_.pop_back();
    return OkStatus();
  }

  // In the order of the pickle. Arguments and state of an object add no name of their
  // own: an attribute is named as Python names it.
  Step NextChild(Step& parent) const {
    const PickleValue& value = pickle_[parent.id];
    std::size_t k = parent.next_child++;
    if (value.kind == PickleKind::kCall) {
      if (k == 0) return {.id = value.arguments};
      if (--k == ItemCount(value)) {
        if (value.state == kNoPickleId) return {};
        return {.id = value.state};
      }
    }
    if (k >= ItemCount(value)) return {};
    if (!value.items_are_pairs) return {.id = value.items[k], .named = Step::kIndex, .index = k};
    const PickleValue& key = pickle_[value.items[2 * k]];
    const PickleId id = value.items[2 * k + 1];
    if (key.kind == PickleKind::kText) return {.id = id, .named = Step::kText, .text = key.text};
    if (key.kind == PickleKind::kInt && key.number >= 0) {
      return {.id = id, .named = Step::kIndex, .index = static_cast<std::uint64_t>(key.number)};
    }
    return {.id = id, .named = Step::kIndex, .index = k};
  }

  static std::size_t ItemCount(const PickleValue& value) {
    return value.items_are_pairs ? value.items.size() / 2 : value.items.size();
  }

  // The steps of the path, joined by dots; kNameless when that is no usable name.
  std::string PathName() const {
    std::string name;
    bool first = true;
    for (const Step& step : path_) {
      if (step.named == Step::kUnnamed) continue;
      if (!std::exchange(first, false)) name += '.';
      if (step.text.size() > kMaxNameBytes) return std::string(kNameless);
      if (step.named == Step::kText) {
        name += step.text;
      } else {
        name += std::to_string(step.index);
      }
      if (name.size() > kMaxNameBytes) return std::string(kNameless);
    }
    if (name.empty() || name.find('\0') != std::string::npos || !IsValidUtf8(name)) {
      return std::string(kNameless);
    }
    return name;
  }

  // A name that stands already gets a number: "a.b#2".
  std::string Unique(std::string name) {
    std::size_t& uses = names_[name];
    if (++uses == 1) return name;
    while (!names_.emplace(name + "#" + std::to_string(uses), 1).second) ++uses;
    return name + "#" + std::to_string(uses);
  }

  // --- Calls that rebuild tensors.

  bool IsUtil(const PickleValue& callee, std::string_view name) const {
    return callee.kind == PickleKind::kGlobal && callee.module == "torch._utils" &&
           callee.text == name;
  }

  // Records the tensor that `call` rebuilds; false when it rebuilds none.
  Result<bool> TakeTensor(const PickleValue& call) {
    const PickleValue* callee = &pickle_[call.callee];
    const std::vector<PickleId>* arguments = &pickle_[call.arguments].items;
    for (int n = 0; n < kMaxWrappings; ++n) {
      if (IsUtil(*callee, "_rebuild_tensor") || IsUtil(*callee, "_rebuild_tensor_v2")) {
        return TakeView(*arguments, nullptr);
      }
      if (IsUtil(*callee, "_rebuild_tensor_v3")) {
        return arguments->size() > 6 ? TakeView(*arguments, &pickle_[(*arguments)[6]]) : false;
      }
      if ((IsUtil(*callee, "_rebuild_parameter") ||
           IsUtil(*callee, "_rebuild_parameter_with_state")) &&
          !arguments->empty()) {
        const PickleValue& data = pickle_[arguments->front()];
        if (data.kind != PickleKind::kCall) return false;
        callee = &pickle_[data.callee];
        arguments = &pickle_[data.arguments].items;
      } else if (callee->kind == PickleKind::kGlobal && callee->module == "torch._tensor" &&
                 callee->text == "_rebuild_from_type_v2" && arguments->size() > 2) {
        const PickleValue& inner = pickle_[(*arguments)[2]];
        if (inner.kind != PickleKind::kTuple) return false;
        callee = &pickle_[arguments->front()];
        arguments = &inner.items;
      } else {
        return false;
      }
    }
    return false;
  }

  struct StorageUse {
    std::size_t storage = 0;
    TorchElement element;
    std::uint64_t first_element = 0;  // of a view of the storage; only legacy files have them
  };

  // ('storage', class, key, location, elements[, None or (key, first element, elements)])
  Result<std::optional<StorageUse>> TakeStorage(PickleId id) {
    if (pickle_[id].kind != PickleKind::kPersistentId) return std::optional<StorageUse>();
    const PickleValue& tuple = pickle_[pickle_[id].callee];
    const auto& items = tuple.items;
    if (tuple.kind != PickleKind::kTuple || items.size() < 5 || items.size() > 6 ||
        pickle_[items[0]].text != "storage" || pickle_[items[1]].kind != PickleKind::kGlobal ||
        pickle_[items[2]].kind != PickleKind::kText ||
        pickle_[items[2]].text.size() > kMaxKeyBytes ||
        pickle_[items[4]].kind != PickleKind::kInt) {
      return std::optional<StorageUse>();
    }
    TorchStorage storage{.key = std::string(pickle_[items[2]].text)};
    const std::string where = "storage '" + storage.key + "'";
    StorageUse use;
    use.element = TorchElementOfStorage(pickle_[items[1]].module, pickle_[items[1]].text);
    storage.element_bytes = use.element.bytes;
    const std::int64_t elements = pickle_[items[4]].number;
    if (elements < 0) return Corrupt(where + " has " + std::to_string(elements) + " elements");
    storage.num_elements = static_cast<std::uint64_t>(elements);
    if (__builtin_mul_overflow(storage.num_elements, storage.element_bytes, &storage.size_bytes)) {
      return Corrupt(where + " has " + std::to_string(elements) + " elements");
    }
    if (items.size() == 6 && pickle_[items[5]].kind == PickleKind::kTuple) {
      const auto& view = pickle_[items[5]].items;
      if (view.size() != 3 || pickle_[view[1]].kind != PickleKind::kInt ||
          pickle_[view[1]].number < 0) {
        return Corrupt(where + ": a view of it has no place");
      }
      use.first_element = static_cast<std::uint64_t>(pickle_[view[1]].number);
    }
    const auto [at, is_new] = storages_.emplace(storage.key, found_.storages.size());
    use.storage = at->second;
    if (is_new) {
      found_.storages.push_back(std::move(storage));
    } else if (const TorchStorage& known = found_.storages[at->second];
               known.element_bytes != storage.element_bytes ||
               known.num_elements != storage.num_elements) {
      return Corrupt(where + " is described twice, differently");
    }
    return std::optional<StorageUse>(use);
  }

  // A tuple of non-negative integers, at most kMaxTorchDims.
  Result<std::optional<std::vector<std::uint64_t>>> Numbers(PickleId id,
                                                            std::string_view what) const {
    using Found = std::optional<std::vector<std::uint64_t>>;
    const PickleValue& tuple = pickle_[id];
    if (tuple.kind != PickleKind::kTuple || tuple.items.size() > kMaxTorchDims) return Found();
    std::vector<std::uint64_t> numbers;
    for (const PickleId item : tuple.items) {
      const PickleValue& value = pickle_[item];
      if (value.kind != PickleKind::kInt) return Found();
      if (value.number < 0) {
        return Corrupt("tensor '" + PathName() + "' has a " + std::string(what) + " of " +
                       std::to_string(value.number));
      }
      numbers.push_back(static_cast<std::uint64_t>(value.number));
    }
    return Found(std::move(numbers));
  }

  // (storage, first element, dims, strides, ...); `dtype` says what untyped elements are.
  Result<bool> TakeView(const std::vector<PickleId>& arguments, const PickleValue* dtype) {
    if (arguments.size() < 4 || pickle_[arguments[1]].kind != PickleKind::kInt) return false;
    FLAIR_TRY(const auto dims, Numbers(arguments[2], "dimension"));
    FLAIR_TRY(const auto strides, Numbers(arguments[3], "stride"));
    if (!dims || !strides || dims->size() != strides->size()) return false;
    FLAIR_TRY(const std::optional<StorageUse> use, TakeStorage(arguments[0]));
    if (!use) return false;
    if (found_.views.size() == kMaxViews) {
      return Unsupported("more than " + std::to_string(kMaxViews) + " tensors");
    }
    TorchView view{
        .name = Unique(PathName()), .storage = use->storage, .dtype = use->element.dtype};
    names_bytes_ += view.name.size();
    if (names_bytes_ > kMaxAllNamesBytes) {
      return Unsupported("tensor names of more than " + std::to_string(kMaxAllNamesBytes) +
                         " bytes");
    }
    if (dtype != nullptr) {
      view.dtype = dtype->kind == PickleKind::kGlobal ? TorchDType(dtype->module, dtype->text)
                                                      : std::nullopt;
    }
    if (use->element.bytes == 0) view.dtype = std::nullopt;
    view.dims = *dims;
    if (view.dtype) FLAIR_DO(Place(view, *use, pickle_[arguments[1]].number, *strides));
    found_.views.push_back(std::move(view));
    return true;
  }

  // Element [i0, i1, ...] lies at first + i0*strides[0] + i1*strides[1] + ...: the last
  // one at first + sum((dims - 1) * strides).
  Status Place(TorchView& view, const StorageUse& use, std::int64_t offset,
               const std::vector<std::uint64_t>& strides) const {
    const TorchStorage& storage = found_.storages[use.storage];
    if (offset < 0) {
      return Corrupt("tensor '" + view.name + "' begins at element " + std::to_string(offset));
    }
    const auto size_bytes = BytesOfDims(*view.dtype, view.dims);
    if (!size_bytes) {
      return Corrupt("tensor '" + view.name + "' has a shape that overflows 64 bits");
    }
    if (*size_bytes == 0) {
      view.contiguous = view.dims.size() <= kMaxTensorDims;
      return OkStatus();
    }
    const std::uint64_t element_bytes = DTypeBytes(*view.dtype);
    bool overflow =
        __builtin_add_overflow(use.first_element, static_cast<std::uint64_t>(offset), &view.begin);
    std::uint64_t last = view.begin;
    std::uint64_t row_major = 1;
    view.contiguous = view.dims.size() <= kMaxTensorDims;
    for (std::size_t i = view.dims.size(); i-- > 0;) {
      std::uint64_t reach = 0;
      overflow |= __builtin_mul_overflow(view.dims[i] - 1, strides[i], &reach);
      overflow |= __builtin_add_overflow(last, reach, &last);
      if (view.dims[i] == 1) continue;
      view.contiguous &= strides[i] == row_major;
      // An overflow here means that no storage is large enough, or that strides repeat
      // elements, and then they are not row-major.
      view.contiguous &= !__builtin_mul_overflow(row_major, view.dims[i], &row_major);
    }
    overflow |= __builtin_add_overflow(last, std::uint64_t{1}, &view.end);
    overflow |= __builtin_mul_overflow(view.end, element_bytes, &view.end);
    if (overflow || view.end > storage.size_bytes) {
      return Corrupt("tensor '" + view.name + "' reaches beyond the " +
                     std::to_string(storage.size_bytes) + " bytes of storage '" + storage.key +
                     "'");
    }
    view.begin *= element_bytes;  // <= end
    return OkStatus();
  }

  const Pickle& pickle_;
  std::vector<bool> seen_;
  std::vector<Step> path_;
  TorchTensors found_;
  std::map<std::string, std::size_t> storages_;
  std::unordered_map<std::string, std::size_t> names_;  // to how often they were asked for
  std::size_t names_bytes_ = 0;
};

}  // namespace

Result<TorchTensors> FindTorchTensors(const Pickle& pickle) { return TensorFinder(pickle).Find(); }

}  // namespace flair
